"""`gibswatch predict` as a command."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image

from gibswatch.evaluation import read_scores
from gibswatch.models import TrainRequest, train_model
from gibswatch.report.heat_maps import heat_colours

Run = Callable[..., Any]
LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
AQUA = "MODIS_Aqua_CorrectedReflectance_TrueColor"


@pytest.fixture(scope="module")
def of_places(labelled_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("places")
    return train_model(TrainRequest(LAYER, "padim", root=labelled_archive, out=out)).path


@pytest.fixture(scope="module")
def stored(labelled_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("stored")
    return train_model(TrainRequest(LAYER, "softmax", root=labelled_archive, out=out)).path


def test_scores_of_the_test_days_as_a_table(
    run: Run, stored: Path, labelled_archive: Path, tmp_path: Path
) -> None:
    out = tmp_path / "scores.parquet"
    where = ("--output-dir", labelled_archive, "--out", out)
    ended = run("predict", stored, LAYER, "--split", "test", *where)
    assert ended.code == 0
    assert ended.out.startswith("softmax: 16 days, ")
    assert ended.out.rstrip().endswith(f"in {out}")
    table = read_scores(out)
    assert (len(table), table.level, table.target, table.layer) == (16, "image", "any", LAYER)
    assert table.truth is not None
    assert table.truth.sum() == 4
    assert set(table.splits.values()) == {"test"}
    assert table.threshold == json.loads(stored.with_suffix(".json").read_text())["threshold"]
    assert table.inference_s_per_day is not None
    evaluated = run("evaluate", out, "--labels", labelled_archive / "4326" / f"{LAYER}.txt")
    assert evaluated.code == 0, evaluated.err


def test_days_go_to_the_terminal_without_a_table(
    run: Run, stored: Path, labelled_archive: Path
) -> None:
    span = ("--start", "2023-01-03", "--end", "2023-01-06")
    ended = run("predict", stored, LAYER, *span, "--output-dir", labelled_archive)
    lines = ended.out.splitlines()
    assert ended.code == 0
    assert [line.split()[0] for line in lines[:3]] == ["2023-01-03", "2023-01-04", "2023-01-05"]
    assert lines[1].endswith("  anomalous")
    document = json.loads(
        run("predict", stored, LAYER, *span, "--output-dir", labelled_archive, "--json").out
    )
    assert [item["called"] for item in document["items"]][:2] == [False, True]


def test_damaged_days_are_listed(run: Run, stored: Path, labelled_copy: Path) -> None:
    picture = labelled_copy / "4326" / "2023-01-04" / f"{LAYER}.jpg"
    picture.write_bytes(picture.read_bytes()[:3000])
    span = ("--start", "2023-01-03", "--end", "2023-01-06")
    ended = run("predict", stored, LAYER, *span, "--output-dir", labelled_copy)
    assert ended.code == 4
    assert "skipped 2023-01-04" in ended.err
    assert "2 days, " in ended.out


def test_patches_and_rasters(run: Run, labelled_archive: Path, tmp_path: Path) -> None:
    asked = TrainRequest(
        LAYER, "random-forest", level="pixel", root=labelled_archive, out=tmp_path,
        parameters={"n_estimators": 5}, max_patches=1000,
    )  # fmt: skip
    path = train_model(asked).path
    out, days = tmp_path / "patches.parquet", tmp_path / "days.csv"
    ended = run("predict", path, LAYER, "--split", "test", "--output-dir", labelled_archive,
                "--patches", out, "--rasters", tmp_path / "rasters", "--out", days)  # fmt: skip
    assert ended.code == 0, ended.err
    table = read_scores(out)
    assert table.level == "pixel"
    assert table.truth is not None
    assert len(table.days) == 16
    assert table.scores[table.truth].mean() > table.scores[~table.truth].mean() + 0.5
    assert len(read_scores(days)) == 16
    names = [raster.name for raster in sorted((tmp_path / "rasters").iterdir())]
    assert len(names) == 16
    assert names[0] == f"2023-01-25_{LAYER}_Score.tif"


@pytest.fixture
def days_of_places(
    labelled_archive: Path, few_labelled_days: Path
) -> tuple[Path, Sequence[object]]:
    """Eight labelled days, two faulty ones with masks, and the words that score their patches."""
    labels = f"4326/{LAYER}.txt"
    shutil.copy(labelled_archive / labels, few_labelled_days / labels)
    out = few_labelled_days / "patches.parquet"
    span = ("--start", "2023-01-01", "--end", "2023-01-09")
    return out, (LAYER, *span, "--output-dir", few_labelled_days, "--patches", out)


def _masks(folder: Path) -> list[Path]:
    return sorted(folder.parent.glob(f"4326/*/{LAYER}_Mask.png"))


def test_a_faulty_day_whose_mask_is_lost_or_damaged_is_left_out_and_named(
    run: Run, of_places: Path, days_of_places: tuple[Path, Sequence[object]]
) -> None:
    out, words = days_of_places
    assert run("predict", of_places, *words).code == 0
    whole = read_scores(out)
    lost = _masks(out)[0]
    data = lost.read_bytes()
    lost.unlink()
    for reason in ("it has a code of a fault and no mask", "cannot be read"):
        ended = run("predict", of_places, *words)
        assert ended.code == 4
        assert f"no patches of {lost.parent.name}: " in ended.err
        assert reason in ended.err
        left = read_scores(out)
        assert set(whole.days) - set(left.days) == {dt.date.fromisoformat(lost.parent.name)}
        assert left.truth is not None
        lost.write_bytes(data[: len(data) // 2])
    told = json.loads(run("predict", of_places, *words, "--json").out)
    assert [day["date"] for day in told["without_patches"]] == [lost.parent.name]
    assert len(told["items"]) == 8


def test_patches_of_days_without_label_and_mask_have_no_truth(
    run: Run, of_places: Path, days_of_places: tuple[Path, Sequence[object]]
) -> None:
    out, words = days_of_places
    (out.parent / "4326" / f"{LAYER}.txt").unlink()
    assert run("predict", of_places, *words).code == 0
    assert read_scores(out).truth is None  # days without a mask may have a fault or none
    span = ("--start", _masks(out)[0].parent.name, "--end", "2023-01-05")
    assert run("predict", of_places, *words, *span).code == 0
    assert read_scores(out).truth is not None


def test_no_table_of_patches_where_no_day_has_a_mask(
    run: Run, of_places: Path, days_of_places: tuple[Path, Sequence[object]]
) -> None:
    out, words = days_of_places
    span = ("--start", _masks(out)[0].parent.name, "--end", "2023-01-05")
    for mask in _masks(out):
        mask.unlink()
    ended = run("predict", of_places, *words, *span)
    assert ended.code == 2
    assert "patches.parquet is not written: none of 1 days has a mask" in ended.err
    assert not out.exists()


def test_where_the_model_sees_a_fault(
    run: Run, of_places: Path, labelled_archive: Path, tmp_path: Path
) -> None:
    heat, scores = tmp_path / "heat", tmp_path / "scores"
    span = ("--start", "2023-01-03", "--end", "2023-01-05", "--output-dir", labelled_archive)
    ended = run("predict", of_places, LAYER, *span, "--explain", heat, "--rasters", scores)
    assert ended.code == 0, ended.err
    assert f"; heat in {heat}" in ended.out.splitlines()[-1]
    names = sorted(path.name for path in heat.iterdir())
    days = ("2023-01-03", "2023-01-04")
    assert names == [f"{day}_{LAYER}_Heat.{kind}" for day in days for kind in ("png", "tif")]
    assert len(list(scores.iterdir())) == 2
    box = (slice(192, 416), slice(0, 224))  # of the hole on the second day
    with rasterio.open(heat / names[3]) as dataset:
        values = dataset.read(1)
        assert (dataset.crs.to_epsg(), *dataset.bounds) == (4326, -36, 18, 36, 90)
    inside = np.zeros(values.shape, bool)
    inside[box] = True
    assert 0 <= values.min() <= values.max() <= 1
    assert values[inside].mean() > values[~inside].mean() + 0.2
    with Image.open(heat / names[2]) as image:
        drawn = np.asarray(image)
    rows, cols = values.shape
    assert drawn.shape[1:] == (cols, 3)
    assert rows + 60 < drawn.shape[0] < rows + 250  # the band of words
    assert np.median(drawn[rows:]) == 255
    assert (drawn[rows:] < 100).all(axis=2).sum() > 500
    drawn = drawn[:rows]
    colours = heat_colours(values)[inside].astype(float)
    lit = colours[:, :3] * colours[:, 3:] / 255  # the hole itself is black
    assert np.abs(drawn[inside] - lit).max() <= 3
    assert np.median(lit[:, 0]) > 60
    told = json.loads(run("predict", of_places, LAYER, *span, "--explain", heat, "--json").out)
    assert told["heat"] == str(heat)


def test_a_model_that_cannot_explain_is_refused_before_a_picture_is_read(
    run: Run, stored: Path, labelled_copy: Path, tmp_path: Path
) -> None:
    for picture in (labelled_copy / "4326").glob("*/*.jpg"):
        picture.write_bytes(b"not to be read")
    heat = tmp_path / "heat"
    ended = run("predict", stored, LAYER, "--output-dir", labelled_copy, "--explain", heat)
    assert ended.code == 2
    assert "softmax learns from one vector of the whole picture and cannot say where" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not heat.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([AQUA], f"the model was trained on {LAYER}, not on {AQUA}"),
        ([LAYER, "--epsg", "3413"], "trained in EPSG:4326, not in EPSG:3413"),
        ([LAYER, "--out", "scores.xlsx"], "scores.xlsx is no name for a score table"),
        ([LAYER, "--start", "2030-01-01"], "holds no day"),
        ([LAYER, "--labels", "none.txt"], "--labels none.txt is not there"),
        ([LAYER, "--masks", "nowhere"], "--masks nowhere is no folder"),
        ([LAYER, "--rasters", "r"], "scores no pixels"),
        ([LAYER, "--patches", "p.csv"], "scores no patches"),
    ],
)
def test_bad_input_is_one_line(
    run: Run, stored: Path, labelled_archive: Path, arguments: list[str], message: str
) -> None:
    ended = run("predict", stored, *arguments, "--output-dir", labelled_archive)
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1


class _Exploit:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("name", ["model.pkl", "model.pth", "model.joblib", "model.skops"])
def test_a_hostile_file_is_refused_and_not_run(
    run: Run, stored: Path, tmp_path: Path, name: str
) -> None:
    marker, path = tmp_path / "ran", tmp_path / name
    path.write_bytes(pickle.dumps(_Exploit(marker)))
    card = json.loads(stored.with_suffix(".json").read_text())
    data = path.read_bytes()
    card |= {"file_bytes": len(data), "file_sha256": hashlib.sha256(data).hexdigest()}
    path.with_suffix(".json").write_text(json.dumps(card))
    ended = run("predict", path, LAYER)
    assert ended.code == 2
    assert "gibswatch train" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not marker.exists()
