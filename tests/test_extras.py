"""Without PyTorch everything but the deep models works, and with it nothing else loads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"

_CALL = """
import contextlib, io, sys
root, labels, out = sys.argv[1:]
layer = "MODIS_Terra_CorrectedReflectance_TrueColor"
def call(*arguments):
    from gibswatch.cli.main import main
    said, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
        try:
            code = main([str(one) for one in arguments])
        except SystemExit as ended:
            code = ended.code or 0
    return code, said.getvalue(), told.getvalue()
def train(model, *more):
    return call("train", layer, "--model", model, "--output-dir", root, "--labels", labels,
                "--out", out, "--workers", "1", *more)
def predict(model):
    from datetime import date
    from pathlib import Path
    from gibswatch.models import load_model, score_days
    path = next(Path(out).glob(f"*_{model}_any.s*"))
    (one,) = score_days(load_model(path), [date(2023, 1, 4)], root=Path(root))
    assert one.score == one.score
"""

_WITHOUT = """
class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
sys.meta_path.insert(0, NotInstalled())
import importlib, pkgutil
import gibswatch
for found in pkgutil.walk_packages(gibswatch.__path__, "gibswatch."):
    if not found.name.startswith("gibswatch.models.deep.") and not found.name.endswith("__main__"):
        importlib.import_module(found.name)
code, said, told = call("train", "--model", "list")
assert code == 0 and "cnn" in said and "`deep`" in said, told
for model in ("softmax", "padim"):
    code, _, told = train(model, *(["--features", "hue"] if model == "softmax" else []))
    assert code == 0, told
    predict(model)
for model, more in (("cnn", []), ("densenet", ["--weights", "self"]),
                    ("padim", ["--features", "backbone", "--weights", "self"])):
    code, _, told = train(model, *more)
    assert code == 2, (model, code, told)
    words = " ".join(told.split())  # lines are broken where the terminal ends
    assert 'pip install "gibswatch[deep]"' in words, told
    assert "needs torch" in words, told
    assert "Traceback" not in told, told
"""

_WITH = """
import gibswatch
assert call("--help")[0] == 0
assert call("train", "--help")[0] == 0
assert call("train", "--model", "list")[0] == 0
for model in ("padim", "softmax"):
    code, _, told = train(model)
    assert code == 0, told
    predict(model)
loaded = [name for name in sys.modules if name.partition(".")[0] == "torch"]
assert not loaded, loaded[:5]
"""


def check(script: str, *paths: Path) -> None:
    command = [sys.executable, "-c", _CALL + script, *map(str, paths)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_all_but_the_deep_models_work_without_torch(
    labelled_archive: Path, few_labels: Path, tmp_path: Path
) -> None:
    check(_WITHOUT, labelled_archive, few_labels, tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*.s*")) == [
        f"{LAYER}_padim_any.safetensors",
        f"{LAYER}_softmax_any.skops",
    ]


def test_where_torch_is_installed_it_is_not_loaded_for_others(
    labelled_archive: Path, few_labels: Path, tmp_path: Path
) -> None:
    check(_WITH, labelled_archive, few_labels, tmp_path)
