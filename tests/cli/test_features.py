"""`gibswatch features` as a command, on a small archive of simulated days."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gibswatch.archive import open_archive
from gibswatch.cli import console
from gibswatch.cli.main import main
from gibswatch.features import extract, read_features
from gibswatch.features import run as run_module

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
TABLE = f"4326/features/{LAYER}.parquet"
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small days."""
    folder = tmp_path_factory.mktemp("features") / "made"
    code = main(
        ["simulate", "archive", LAYER, "--start", "2023-08-01", "--end", "2023-08-04",
         "--bbox", "-36", "-18", "0", "0", "--grid", "native", "--invented-earth",
         "--workers", "1", "--output-dir", str(folder)]
    )  # fmt: skip
    assert code == 0
    return folder


@pytest.fixture
def archive(simulated: Path, tmp_path: Path) -> Path:
    """A copy of its own for each test."""
    return shutil.copytree(simulated, tmp_path / "data")


def test_one_row_a_day(run: Run, archive: Path) -> None:
    ended = run("features", LAYER, "--output-dir", archive)
    assert (ended.code, ended.err) == (0, "")
    table = read_features(archive / TABLE)
    assert ended.out == (
        f"{LAYER}: 3 days, {table.definition.length} features each; in {archive / TABLE}\n"
    )
    assert [str(day) for day in table.dates] == ["2023-08-01", "2023-08-02", "2023-08-03"]
    assert (set(table.layers), set(table.epsg)) == ({LAYER}, {4326})
    assert (table.definition.rows, table.definition.cols) == (128, 256)  # 18 by 36 degrees
    for day, features in zip(table.dates, table.features, strict=True):
        scene = open_archive(archive).scene(LAYER, day)
        np.testing.assert_array_equal(features, extract(scene, table.definition))


def test_options_json_and_a_file_elsewhere(run: Run, archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "other" / "f.parquet"
    ended = run(
        "features", LAYER, "--output-dir", archive, "--start", "2023-08-02", "--end", "2023-08-03",
        "--kind", "hue", "--bins", "36", "--compat", "--out", path, "--json",
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out) == {
        "layer": LAYER,
        "epsg": 4326,
        "file": str(path),
        "days": 1,
        "length": 36,
        "definition": {
            "kind": "hue", "rows": 128, "cols": 256, "cell": 8, "bins": 36, "compat": True,
            "version": 1,
        },
        "skipped": [],
    }  # fmt: skip
    assert read_features(path).features.shape == (1, 36)
    assert not (archive / TABLE).exists()


def test_a_second_run_replaces_the_file(run: Run, archive: Path) -> None:
    assert run("features", LAYER, "--output-dir", archive).code == 0
    first = (archive / TABLE).read_bytes()
    assert run("features", LAYER, "--output-dir", archive).code == 0
    assert (archive / TABLE).read_bytes() == first
    assert run("features", LAYER, "--output-dir", archive, "--kind", "hue").code == 0
    assert read_features(archive / TABLE).features.shape == (3, 10)
    assert len(list((archive / TABLE).parent.iterdir())) == 1


def test_days_that_cannot_be_read_are_listed_and_counted(run: Run, archive: Path) -> None:
    picture = archive / "4326/2023-08-02" / f"{LAYER}.jpg"
    picture.write_bytes(picture.read_bytes()[:2000])
    (archive / "4326/2023-08-03" / f"{LAYER}.jpg").unlink()
    ended = run("features", LAYER, "--output-dir", archive)
    assert ended.code == 4
    assert f"{LAYER}: 1 days, 2 skipped, " in ended.out
    lines = ended.err.splitlines()
    assert [line[:20] for line in lines] == ["skipped 2023-08-02: ", "skipped 2023-08-03: "]
    assert len(read_features(archive / TABLE)) == 1
    told = json.loads(run("features", LAYER, "--output-dir", archive, "--json").out)
    assert [day["date"] for day in told["skipped"]] == ["2023-08-02", "2023-08-03"]


def test_several_processes_give_the_same_file(run: Run, archive: Path) -> None:
    assert run("features", LAYER, "--output-dir", archive, "--workers", "1").code == 0
    one = (archive / TABLE).read_bytes()
    assert run("features", LAYER, "--output-dir", archive, "--workers", "2").code == 0
    assert (archive / TABLE).read_bytes() == one


def test_ctrl_c_leaves_no_half_file(
    run: Run, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("features", LAYER, "--output-dir", archive, "--kind", "hue").code == 0
    before = (archive / TABLE).read_bytes()

    def stopped(scene: Any, definition: Any) -> Any:
        if scene.date.day == 3:
            raise KeyboardInterrupt
        return extract(scene, definition)

    monkeypatch.setattr(run_module, "extract", stopped)
    ended = run("features", LAYER, "--output-dir", archive)
    assert (ended.code, ended.out) == (130, "")
    assert len(ended.err.splitlines()) == 1
    assert (archive / TABLE).read_bytes() == before
    assert len(list((archive / TABLE).parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--start", "yesterday"), "--start-date 'yesterday' is not a date"),
        (("--start", "2023-09-01"), "in this range, only 2023-08-01 to 2023-08-03"),
        (("--start", "2023-08-02", "--end", "2023-08-01"), "does not come before"),
        (("--bins", "0"), "feature bins 0 is wrong: give a whole number from 1 to 250"),
        (("--cell", "1000"), "feature cell 1000 is wrong"),
        (("--workers", "0"), "--workers 0 is too few"),
        (("--epsg", "3413"), "holds no day"),
        (("--kind", "sift"), "sift"),
        (("--out", "/dev/null"), "something else stands there"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    run: Run, archive: Path, arguments: tuple[str, ...], said: str
) -> None:
    ended = run("features", LAYER, "--output-dir", archive, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


def test_progress_has_words() -> None:
    assert console._STAGES["features"] == "Features"
