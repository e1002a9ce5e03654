"""`gibswatch simulate archive`: an archive that `scan` judges without asking anybody."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gibswatch.archive import open_archive
from gibswatch.simulate import EmbeddedServer, ServedLayer, create_app
from gibswatch.simulate.server import open_sources

Run = Callable[..., Any]

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
ELEMENTS = """\
1 25994U 99068A   23172.51277846  .00000597  00000+0  13601-3 0  9990
2 25994  98.0941 240.7913 0002831  75.1003 339.3190 14.59263023250413
"""
TILE = ("--bbox", "-36", "-18", "0", "18", "--grid", "native", "--invented-earth")
NOWHERE = ("--base-url", "http://127.0.0.1:9")


def simulate(run: Run, folder: Path, *more: object, days: str = "2023-08-03") -> Any:
    return run(
        "simulate", "archive", LAYER, "--start-date", "2023-08-01", "--end-date", days,
        "--output-dir", folder, *TILE, *more,
    )  # fmt: skip


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.toml"
    path.write_text('[[fault]]\nkind = "missing-orbit"\nday = 2023-08-02\nplace = [-15, 3]\n')
    return path


def test_a_planned_hole_is_labelled_and_found(run: Run, tmp_path: Path, plan: Path) -> None:
    folder = tmp_path / "made"
    ended = simulate(run, folder, "--faults", plan, "--split", "val")
    assert (ended.code, ended.err) == (0, "")
    assert f"{LAYER}: 2 days; 2 simulated" in ended.out
    labels = (folder / "4326" / f"{LAYER}.txt").read_text("utf-8")
    assert labels == "val 2023-08-01 \nval 2023-08-02 2\n"
    judged = run(
        "scan", LAYER, "--start", "2023-08-01", "--end", "2023-08-03", "--output-dir", folder,
        "--json", *NOWHERE,
    )  # fmt: skip
    assert judged.code == 0
    items = {item["date"]: item for item in json.loads(judged.out)["items"]}
    assert items["2023-08-01"]["verdict"] == "clean"
    assert items["2023-08-02"]["verdict"] == "anomalous"
    assert items["2023-08-02"]["tiles"] == {"ok": 1}


def test_a_second_run_keeps_what_is_there(run: Run, tmp_path: Path) -> None:
    assert simulate(run, tmp_path, days="2023-08-02").code == 0
    ended = simulate(run, tmp_path, "--json")
    document = json.loads(ended.out)
    assert (document["days"], document["days_made"], document["days_kept"]) == (2, 1, 1)
    assert Path(document["labels"]).is_file()


def test_the_same_archive_is_served_again(run: Run, tmp_path: Path) -> None:
    assert simulate(run, tmp_path, days="2023-08-02").code == 0

    def describe(name: str) -> ServedLayer:
        return ServedLayer(name, "jpg", {4326: "250m"})

    with EmbeddedServer(create_app(open_sources(tmp_path, [], [], describe))) as server:
        copy = tmp_path / "copy"
        ended = run(
            "download", "--layer", LAYER, "--start", "2023-08-01", "--end", "2023-08-02",
            "--bbox", "-36", "-18", "0", "18", "--grid", "native", "--output-dir", copy,
            "--base-url", server.base_url,
        )  # fmt: skip
    assert ended.code == 0, ended.err
    assert open_archive(copy).days(LAYER) == open_archive(tmp_path).days(LAYER)


def test_one_day_is_the_default_length(run: Run, tmp_path: Path) -> None:
    ended = run(
        "simulate", "archive", LAYER, "--start", "2023-08-01", "--output-dir", tmp_path, *TILE
    )
    assert "1 days; 1 simulated" in ended.out


def test_polar_pictures(run: Run, tmp_path: Path) -> None:
    ended = run(
        "simulate", "archive", LAYER, "--start", "2023-08-01", "--epsg", "3413",
        "--tile-resolution", "16km", "--invented-earth", "--output-dir", tmp_path,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    (day,) = open_archive(tmp_path).days(LAYER, 3413)
    assert open_archive(tmp_path).scene(LAYER, day, 3413).pixels.shape == (512, 512, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no --start-date"),
        (("--start", "2023-08-01", "--end", "2023-08-01"), "is not before"),
        (("--start", "yesterday"), "is not a date"),
        (("--start", "2023-08-01", "--seed", "-1"), "seed"),
        (("--start", "2023-08-01", "--faults", "some"), "neither random nor a plan"),
        (("--start", "2023-08-01", "--faults", "gone.toml"), "gone.toml cannot be read"),
        (("--start", "2023-08-01", "--split", "half"), "none of train, val, test"),
        (("--start", "2023-08-01", "--tracks", "tle"), "belong together"),
        (("--start", "2023-08-01", "--tle", "gone.txt"), "belong together"),
        (("--start", "2023-08-01", "--tracks", "tle", "--tle", "gone.txt"), "cannot be read"),
        (("--start", "2023-08-01", "--epsg", "4325"), "not a projection of GIBS"),
        (("--start", "2023-08-01", "--tile-resolution", "1km"), "over the limit"),
        (("--start", "2023-08-01", "--workers", "0"), "too few"),
        (("--start", "2035-08-01"), "2000-2030"),
    ],
)
def test_errors_are_one_line_and_leave_no_days(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    folder = tmp_path / "made"
    ended = run("simulate", "archive", LAYER, "--output-dir", folder, *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not list(folder.rglob("*.jpg"))


def test_a_layer_that_cannot_be_simulated(run: Run, tmp_path: Path) -> None:
    ended = run("simulate", "archive", "MODIS_Terra_Aerosol", "--start", "2023-08-01")
    assert ended.code == 2
    assert "cannot be simulated" in ended.err


def test_elements_too_old_are_refused_with_the_way_out(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "elements.txt"
    path.write_text(ELEMENTS)
    ended = run(
        "simulate", "archive", LAYER, "--start", "2024-03-01", "--tracks", "tle", "--tle", path,
        "--output-dir", tmp_path / "made", *TILE,
    )  # fmt: skip
    assert ended.code == 2
    assert "within 45 days" in ended.err
