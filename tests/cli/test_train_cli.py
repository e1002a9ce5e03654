"""`gibswatch train` as a command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"


def test_the_list_of_models(run: Run) -> None:
    ended = run("train", "--model", "list")
    assert ended.code == 0
    names = [line.split()[0] for line in ended.out.splitlines() if not line.startswith(" ")]
    assert names == [
        "linear-svm", "softmax", "random-forest", "nearest-neighbours", "network",
        "isolation-forest", "cnn", "densenet", "padim", "patchcore",
    ]  # fmt: skip
    assert "random-forest       image, pixel  random forest of depth 5" in ended.out
    assert "n_estimators 200, max_depth 5, min_samples_leaf 1; extra `models`" in ended.out
    document = json.loads(run("train", "--model", "list", "--json").out)
    assert [model["name"] for model in document["models"]] == names


def test_a_model_and_its_card(run: Run, labelled_archive: Path, tmp_path: Path) -> None:
    params = tmp_path / "params.json"
    params.write_text('{"num_epochs": 3, "batch_size": 16, "dropout_rate": 0.8}')
    where = ("--output-dir", labelled_archive, "--out", tmp_path / "models", "--workers", 1)
    ended = run("train", LAYER, "--model", "network", "--features", "hue", "--params", params,
                "--seed", 4, *where)  # fmt: skip
    assert ended.code == 0
    first, second, third, last = ended.out.splitlines()
    assert first == f"network for any on {LAYER}: train 56 days, 14 faulty; val 23 days, 6 faulty"
    assert second.startswith("validation: average precision 0.")
    assert "false alarms 0.000 (threshold 0." in second
    curves = tmp_path / "models" / f"{LAYER}_network_any.curves.svg"
    assert third == f"learning curves: {curves}"
    assert "epoch 3" in curves.read_text("utf-8")
    assert last.endswith(f"in {tmp_path / 'models' / f'{LAYER}_network_any.skops'}")
    assert "dropout_rate has no meaning for network" in ended.err
    card = json.loads((tmp_path / "models" / f"{LAYER}_network_any.json").read_text())
    assert (card["seed"], card["parameters"]["num_epochs"]) == (4, 3)


def test_json_says_the_same(run: Run, labelled_copy: Path, tmp_path: Path) -> None:
    with (labelled_copy / "4326" / f"{LAYER}.txt").open("a") as file:
        file.write("train 2024-05-05 2\n")
    ended = run("train", LAYER, "--target", "multi", "--features", "hue", "--calibrate", "--json",
                "--output-dir", labelled_copy, "--out", tmp_path, "--workers", 1)  # fmt: skip
    assert ended.code == 4  # a labelled day has no picture
    document = json.loads(ended.out)
    assert document["counts"]["train"] == {"0": 42, "2": 7, "3": 7}
    assert document["calibrated"] is True
    assert document["skipped"] == [{"date": "2024-05-05", "reason": "the archive does not hold it"}]
    assert Path(document["file"]).is_file()
    assert document["curves"] is None  # it has no epochs
    assert not list(tmp_path.glob("*.svg"))


def test_json_says_where_the_learning_curves_are(
    run: Run, labelled_archive: Path, tmp_path: Path
) -> None:
    params = tmp_path / "params.json"
    params.write_text('{"num_epochs": 2}')
    ended = run("train", LAYER, "--model", "network", "--features", "hue", "--params", params,
                "--output-dir", labelled_archive, "--out", tmp_path, "--json")  # fmt: skip
    document = json.loads(ended.out)
    assert Path(document["curves"]).read_bytes().startswith(b"<svg")
    assert Path(document["curves"]).parent == Path(document["file"]).parent


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no layer is named: give LAYER, or --model list"),
        ([LAYER, "--model", "resnet"], "--model 'resnet' is none of ours"),
        ([LAYER, "--level", "pixel"], "softmax does not work at pixel level"),
        ([LAYER, "--params", "none.json"], "--params none.json cannot be read"),
        ([LAYER, "--labels", "none.txt"], "none.txt is not there"),
        ([LAYER, "--seed", "-3"], "--seed -3 is none"),
        (["No_Layer"], "No_Layer"),
    ],
)
def test_bad_input_is_one_line(
    run: Run, labelled_archive: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    out = tmp_path / "models"
    ended = run("train", *arguments, "--output-dir", labelled_archive, "--out", out)
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not out.exists()


def test_a_place_that_cannot_be_written(run: Run, labelled_archive: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = run("train", LAYER, "--features", "hue", "--output-dir", labelled_archive,
                "--out", tmp_path / "file" / "models")  # fmt: skip
    assert ended.code == 2
    assert "cannot be written" in ended.err
