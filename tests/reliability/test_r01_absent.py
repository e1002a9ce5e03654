"""R1: one tile 404, 400 TileOutOfRange, 204 or 410."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gibswatch.archive import Archive
from gibswatch.raster.scene import STATE_CODES
from gibswatch.simulate import EmbeddedServer, FaultRule

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
DAY = dt.date(2023, 8, 5)
HOLE_DAY = "2023-08-08"
"""The one day of the drawn ones with missing data."""
BOX = ("--bbox", "-36", "-36", "36", "36")
"""Two tiles of the native 16km grid: rows 0 and 1 of column 2."""
TILE = f"/default/{DAY}/250m/2/1/2.jpg"
Run = Callable[..., Any]


@pytest.mark.parametrize("status", [404, 400, 410, 204])
def test_r1_an_absent_tile_makes_an_incomplete_day(
    run: Run, serve_drawn: Callable[..., EmbeddedServer], tmp_path: Path, status: int
) -> None:
    rule = FaultRule("status", date=(DAY, DAY), row=(1, 1), status=status)
    server = serve_drawn(rule)
    where = ("--output-dir", tmp_path, "--base-url", server.base_url, *BOX, "--json")
    ended = run("scan", LAYER, "--start", "2023-08-01", "--end", "2023-08-15", *where)
    assert ended.code == 4
    items = {item["date"]: item for item in json.loads(ended.out)["items"]}
    bad = items.pop(str(DAY))
    assert {day for day, item in items.items() if item["verdict"] != "clean"} == {HOLE_DAY}
    assert (bad["verdict"], bad["incomplete_cause"]) == ("incomplete", "server")
    assert bad["tiles"] == {"ok": 1, "absent": 1}
    assert bad["findings"] == []
    assert bad["score"] == 0
    # Not retried; asked for once more at the end of the run.
    assert sum(record.path.endswith(TILE) for record in server.requests) == 2
    scene = Archive(tmp_path).scene(LAYER, DAY)
    lost = scene.state == STATE_CODES["absent"]
    assert lost.any()
    assert not (lost & scene.usable).any()
    assert not scene.pixels[lost].any()
    # The lost half counts for nothing: the black share is that of the half that came.
    assert bad["shares"] is None or bad["shares"]["unexpected"] == 0
    assert (tmp_path / f"4326/{DAY}/{LAYER}.partial.jpg").is_file()
    assert not (tmp_path / f"4326/{DAY}/{LAYER}.jpg").exists()


@pytest.mark.parametrize(("status", "state"), [(404, "absent"), (501, "failed"), (503, "failed")])
def test_r1_the_download_says_which_tile_and_ends_with_4(
    run: Run, serve_drawn: Callable[..., EmbeddedServer], tmp_path: Path, status: int, state: str
) -> None:
    rule = FaultRule("status", date=(DAY, DAY), row=(1, 1), status=status)
    server = serve_drawn(rule)
    ended = run(
        "download", "--layer", LAYER, "--start", DAY, "--end", "2023-08-07", *BOX, "--grid",
        "native", "--output-dir", tmp_path, "--base-url", server.base_url, "--json",
    )  # fmt: skip
    assert ended.code == 4
    document = json.loads(ended.out)
    (problem,) = document["problems"]
    assert problem["url"] == server.base_url + f"/wmts/epsg4326/best/{LAYER}{TILE}"
    assert (problem["state"], problem["date"]) == (state, str(DAY))
    assert str(status) in problem["message"]
    cause = "server" if state == "absent" else "network"
    assert document["verdicts"] == {"complete": 1, f"incomplete-{cause}": 1}


@pytest.mark.parametrize("status", [408, 425, 429])
def test_r1_statuses_that_may_pass_are_retried(
    run: Run,
    serve_drawn: Callable[..., EmbeddedServer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
) -> None:
    monkeypatch.setattr("gibswatch.download.retry._FIRST_DELAY_S", 0.01)
    server = serve_drawn(FaultRule("status", date=(DAY, DAY), row=(1, 1), status=status, first=2))
    ended = run(
        "download", "--layer", LAYER, "--start", DAY, "--end", "2023-08-06", *BOX, "--grid",
        "native", "--output-dir", tmp_path, "--base-url", server.base_url,
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    assert sum(record.path.endswith(TILE) for record in server.requests) == 3
