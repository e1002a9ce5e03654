"""Models on disk: what is saved is what is loaded, and nothing else is."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

from gibswatch.errors import UsageError
from gibswatch.models.card import GridOfModel, ModelCard
from gibswatch.models.registry import MODELS, find_model
from gibswatch.models.storage._schema import TRUSTED
from gibswatch.models.storage.store import _refuse_pickle, model_paths, read_model, save_model

Made = Callable[..., tuple[Path, Any]]
LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
QUICK: dict[str, dict[str, float]] = {
    "random-forest": {"n_estimators": 4},
    "isolation-forest": {"n_estimators": 4},
    "network": {"hidden": 6, "num_epochs": 4},
}
"""Parameters by which the slower models are fitted at once."""
CLASSIC = tuple(name for name, entry in MODELS.items() if entry.store == "skops")


def samples(classes: int = 2, count: int = 60) -> tuple[Any, Any]:
    """Clouds of points, one a class, in five dimensions."""
    chance = np.random.default_rng(4)
    y = np.arange(count) % classes
    X = chance.normal(size=(count, 5)) + 3 * (np.arange(5) == y[:, None])
    return X.astype(np.float32), y


def card_of(model: str, classes: int = 2, **changes: Any) -> ModelCard:
    """Make a card as training would."""
    supervised = find_model(model).supervised
    values: dict[str, Any] = {
        "model": model,
        "level": "image",
        "target": "any" if classes == 2 else "multi",
        "layer": LAYER,
        "grid": GridOfModel(4326, 128, 256, (-180.0, -90.0, 180.0, 90.0)),
        "parameters": QUICK.get(model, {}),
        "seed": 3,
        "features": {"version": 1},
        "n_features": 5,
        "classes": tuple(range(classes)) if supervised else (0,),
        "threshold": 0.5,
        "file_bytes": 0,
        "file_sha256": "0" * 64,
        "data_sha256": "0" * 64,
        "split_by": None,
        "counts": {"train": {"0": 30, "1": 30}},
        "metrics": {"ap": 0.5},
        "versions": {},
        "created": "2026-01-01T00:00:00Z",
    }
    return ModelCard(**(values | changes))


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., tuple[Path, Any]]:
    """Fit, save and return a small model: its path and the estimator."""

    def make(model: str, classes: int = 2, **changes: Any) -> tuple[Path, Any]:
        card = card_of(model, classes, **changes)
        estimator = find_model(model).make(card.parameters, card.seed)
        X, y = samples(classes)
        estimator.fit(X, y)
        path = tmp_path / "stored" / f"{model}.skops"
        save_model(path, estimator, card)
        return path, estimator

    return make


POINTS = np.random.default_rng(8).normal(size=(40, 5)).astype(np.float32)


def rewrite(path: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> None:
    """Change schema and arrays of a file, and let its card say that it is right."""
    with zipfile.ZipFile(path) as old:
        entries = {name: old.read(name) for name in old.namelist()}
    schema = json.loads(entries.pop("schema.json"))
    change(schema, entries)
    entries["schema.json"] = json.dumps(schema).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as new:
        for name, data in entries.items():
            new.writestr(name, data)
    replace_weights(path, buffer.getvalue())


def replace_weights(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    change_card(path, file_bytes=len(data), file_sha256=hashlib.sha256(data).hexdigest())


def change_card(path: Path, **values: Any) -> None:
    card = path.with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text()) | values))


def find(schema: Any, loader: str) -> dict[str, Any]:
    """Find the first object of a loader."""
    if isinstance(schema, dict):
        if schema.get("__loader__") == loader:
            return schema
        schema = list(schema.values())
    if isinstance(schema, list):
        for value in schema:
            if found := find(value, loader):
                return found
    return {}


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("model", CLASSIC)
def test_what_is_saved_is_what_is_loaded(made: Made, model: str, classes: int) -> None:
    path, fitted = made(model, classes)
    stored = read_model(path)
    estimator, card = stored.estimator, stored.card
    assert card.model == model
    assert card.file_bytes == path.stat().st_size
    np.testing.assert_array_equal(estimator.anomaly_score(POINTS), fitted.anomaly_score(POINTS))
    np.testing.assert_array_equal(estimator.predict(POINTS), fitted.predict(POINTS))


def test_either_file_or_their_name_will_do() -> None:
    both = (Path("m/a.b.skops"), Path("m/a.b.json"))
    for name in ("m/a.b.skops", "m/a.b.json", "m/a.b"):
        assert model_paths(Path(name)) == both


class Exploit:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("suffix", [".pkl", ".pth", ".pt", ".joblib", ".cpickle", ".pth.tar"])
def test_formats_that_run_code_are_not_opened(tmp_path: Path, suffix: str) -> None:
    marker, path = tmp_path / "ran", tmp_path / f"model{suffix}"
    path.write_bytes(pickle.dumps(Exploit(marker)))
    with pytest.raises(UsageError, match=r"can run code when it is read.*gibswatch train"):
        read_model(path)
    assert not marker.exists()


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_that_is_called_skops_is_refused(
    made: Made, tmp_path: Path, protocol: int
) -> None:
    path, _ = made("softmax")
    marker = tmp_path / "ran"
    replace_weights(path, pickle.dumps(Exploit(marker), protocol))
    with pytest.raises(UsageError, match=r"pickle|no zip file"):
        read_model(path)
    assert not marker.exists()


def test_an_untrusted_type_is_refused_and_not_made(made: Made, tmp_path: Path) -> None:
    path, _ = made("softmax")
    marker = tmp_path / "ran"

    def call(schema: dict[str, Any], _: Any) -> None:
        schema |= {"__class__": "system", "__module__": "posix", "__loader__": "FunctionNode",
                   "content": {"function": "system", "module_path": "posix"}}  # fmt: skip

    rewrite(path, call)
    with pytest.raises(
        UsageError, match=r"refused: it holds posix\.system .*nothing of it was run"
    ):
        read_model(path)
    replace_weights(path, skops.io.dumps(_HoldsCode(marker)))
    with pytest.raises(UsageError, match="_HoldsCode"):
        read_model(path)
    assert not marker.exists()


class _HoldsCode:
    """Runs its state when it is made."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __getstate__(self) -> dict[str, str]:
        return {"marker": self.marker}

    def __setstate__(self, state: dict[str, str]) -> None:
        Path(state["marker"]).touch()


def test_skops_own_trusted_functions_are_refused_too(made: Made) -> None:
    path, _ = made("softmax")

    def call(schema: dict[str, Any], _: Any) -> None:
        schema["content"]["content"]["predict_proba"] = {
            "__class__": "function", "__module__": "numpy", "__loader__": "FunctionNode",
            "content": "numpy.sum",
        }  # fmt: skip

    rewrite(path, call)
    with pytest.raises(UsageError, match="FunctionNode"):
        read_model(path)


@pytest.mark.parametrize("model", ["random-forest", "isolation-forest"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("left_child", 10**9),
        ("right_child", -7),
        ("left_child", 0),
        ("feature", 10**9),
        ("feature", -1),
        ("threshold", np.nan),
    ],
)
def test_trees_that_lead_astray_are_refused(
    made: Made, model: str, field: str, value: float
) -> None:
    path, _ = made(model)

    def bend(schema: dict[str, Any], entries: dict[str, bytes]) -> None:
        name = find(schema, "TreeNode")["content"]["content"]["nodes"]["file"]
        nodes = np.load(io.BytesIO(entries[name]))
        nodes[field][0] = value
        buffer = io.BytesIO()
        np.save(buffer, nodes)
        entries[name] = buffer.getvalue()

    rewrite(path, bend)
    with pytest.raises(UsageError, match="leads out of its nodes or features"):
        read_model(path)


def test_an_object_that_poses_as_another_is_not_taken_for_it(made: Made) -> None:
    """By its identity skops would take an earlier array for the one that was checked."""
    path, fitted = made("random-forest")

    def pose(schema: dict[str, Any], entries: dict[str, bytes]) -> None:
        nodes = find(schema, "TreeNode")["content"]["content"]["nodes"]
        bent = np.load(io.BytesIO(entries[nodes["file"]]))
        bent["left_child"][0] = 10**9
        buffer = io.BytesIO()
        np.save(buffer, bent)
        entries["bent.npy"] = buffer.getvalue()
        attributes = schema["content"]["content"]
        schema["content"]["content"] = {"n": nodes | {"file": "bent.npy"}} | attributes
        key_types = schema["content"]["key_types"]["content"]
        key_types.append(key_types[0])

    rewrite(path, pose)
    assert skops.io.load(path, trusted=list(TRUSTED)).n["left_child"][0] == 10**9
    assert _first_child(skops.io.load(path, trusted=list(TRUSTED))) == 10**9  # what it is about
    estimator = read_model(path).estimator
    assert _first_child(estimator) == _first_child(fitted)


def _first_child(forest: Any) -> int:
    tree = forest.model_.estimators_[0].tree_
    return int(tree.children_left[0])


@pytest.mark.parametrize("protocol", [0, 1, 3, "2"])
def test_other_protocols_of_skops_are_refused(made: Made, protocol: object) -> None:
    path, _ = made("softmax")
    rewrite(path, lambda schema, _: schema.update(protocol=protocol))
    with pytest.raises(UsageError, match="another version of skops"):
        read_model(path)


@pytest.mark.parametrize("where", [0, 2])
def test_trees_of_other_sizes_are_refused(made: Made, where: int) -> None:
    path, _ = made("random-forest")

    def bend(schema: dict[str, Any], _: Any) -> None:
        find(schema, "TreeNode")["__reduce__"]["args"]["content"][where]["content"] = "100000"

    rewrite(path, bend)
    with pytest.raises(UsageError, match="features"):
        read_model(path)


def test_a_tree_that_claims_more_nodes_is_refused(made: Made) -> None:
    path, _ = made("random-forest")

    def bend(schema: dict[str, Any], _: Any) -> None:
        find(schema, "TreeNode")["content"]["content"]["node_count"]["content"] = "1000000"

    rewrite(path, bend)
    with pytest.raises(UsageError, match="another number of nodes"):
        read_model(path)


def test_an_array_that_claims_more_than_it_has_is_refused(made: Made) -> None:
    path, _ = made("nearest-neighbours")

    def bend(schema: dict[str, Any], entries: dict[str, bytes]) -> None:
        name = find(schema, "NdArrayNode")["file"]
        buffer = io.BytesIO()
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**13,)}
        np.lib.format.write_array_header_1_0(buffer, header)
        entries[name] = buffer.getvalue()

    rewrite(path, bend)
    with pytest.raises(UsageError, match="another size than it has"):
        read_model(path)


def test_a_zip_bomb_is_refused_unopened(made: Made) -> None:
    path, _ = made("softmax")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("schema.json", b" " * 50_000_000)
    replace_weights(path, buffer.getvalue())
    with pytest.raises(UsageError, match="compressed"):
        read_model(path)


def test_weights_of_another_shape_are_refused(made: Made) -> None:
    path, _ = made("network")
    change_card(path, parameters={"hidden": 7, "num_epochs": 4})
    with pytest.raises(UsageError, match="parameters do not fit"):
        read_model(path)
    path, _ = made("softmax")
    change_card(path, n_features=6)
    with pytest.raises(UsageError, match="features do not fit"):
        read_model(path)
    path, _ = made("linear-svm", 4)
    change_card(path, classes=[0, 1])
    with pytest.raises(UsageError, match="classes do not fit"):
        read_model(path)


def test_an_attribute_in_the_place_of_a_method_is_refused(made: Made) -> None:
    path, _ = made("softmax")

    def hide(schema: dict[str, Any], _: Any) -> None:
        attributes = schema["content"]["content"]
        attributes["anomaly_score"] = attributes["C"]
        schema["content"]["key_types"]["content"].append(
            schema["content"]["key_types"]["content"][0]
        )

    rewrite(path, hide)
    with pytest.raises(UsageError, match="methods do not fit"):
        read_model(path)


def test_a_model_of_another_kind_than_its_card_says_is_refused(made: Made) -> None:
    path, _ = made("softmax")
    change_card(path, model="linear-svm")
    with pytest.raises(UsageError, match="it is a Softmax, not a LinearSVM"):
        read_model(path)


def test_another_file_than_the_cards_is_refused(made: Made) -> None:
    path, _ = made("softmax")
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    with pytest.raises(UsageError, match="SHA-256 differs"):
        read_model(path)
    path.write_bytes(data[:-100])
    with pytest.raises(UsageError, match="its card says"):
        read_model(path)


def test_a_missing_file_is_named(made: Made, tmp_path: Path) -> None:
    path, _ = made("softmax")
    with pytest.raises(UsageError, match=r"none\.skops cannot be read"):
        read_model(tmp_path / "none.skops")
    path.with_suffix(".json").unlink()
    with pytest.raises(UsageError, match=r"softmax\.json cannot be read"):
        read_model(path)


@pytest.mark.parametrize("length", [0x28, 0x280])
def test_arrays_whose_header_begins_like_a_pickle_are_read(tmp_path: Path, length: int) -> None:
    # A left bracket, or 0x80 0x02: some pickles begin so, and some lengths of a header too.
    X, _ = samples()
    estimator = find_model("patchcore").make({"bank_size": 5}, 1).fit(X)
    card = card_of("patchcore", 1, features={"of": "patch-grid"})
    path = tmp_path / "model.safetensors"
    save_model(path, estimator, card)
    _refuse_pickle(path)
    data = path.read_bytes()
    path.write_bytes(length.to_bytes(8, "little") + data[8:])
    _refuse_pickle(path)
    path.write_bytes(length.to_bytes(8, "little") + b"c" + data[9:])
    with pytest.raises(UsageError, match="is a pickle"):
        _refuse_pickle(path)
