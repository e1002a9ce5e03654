"""R7: the server's empty tile (black JPEG with 200), and all tiles of a day the same bytes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gibswatch.archive import Journal, Layout
from gibswatch.simulate import DrawnDays, EmbeddedServer, FaultRule

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
HOLE_DAY = dt.date(2023, 8, 8)
BOX = ("--bbox", "-108", "-54", "108", "54")
"""Six tiles of the native 16km grid, of 512 pixels or a part: rows 0 and 1, columns 1 to 3."""
DAYS = ("--start", "2023-08-03", "--end", "2023-08-12")
Run = Callable[..., Any]


def tiles_of_truth(drawn: DrawnDays) -> dict[tuple[int, int], int]:
    """Pixels of the planted hole in each tile of level 2 (72 degrees a side)."""
    truth, side = drawn.truth(HOLE_DAY), drawn.rows * 72 / 180
    rows, cols = np.nonzero(truth)
    found: dict[tuple[int, int], int] = {}
    for row, col in zip((rows // side).astype(int), (cols // side).astype(int), strict=True):
        found[row, col] = found.get((row, col), 0) + 1
    return found


def states(root: Path, day: dt.date) -> dict[tuple[int, int], str]:
    with Journal(Layout(root, LAYER, 4326).journal) as journal:
        return {(tile.tile.row, tile.tile.col): tile.state for tile in journal.tiles(day)}


def test_r7_a_hole_beside_a_blank_tile_is_still_found(
    run: Run, serve_drawn: Callable[..., EmbeddedServer], drawn: DrawnDays, tmp_path: Path
) -> None:
    holed = tiles_of_truth(drawn)
    row, col = next((r, c) for r in (1, 0) for c in (3, 1, 2) if (r, c) not in holed)
    rule = FaultRule("blank", date=(HOLE_DAY, HOLE_DAY), row=(row, row), col=(col, col))
    server = serve_drawn(rule)
    where = ("--output-dir", tmp_path, "--base-url", server.base_url, *BOX, "--json")
    ended = run("scan", LAYER, *DAYS, *where)
    items = {item["date"]: item for item in json.loads(ended.out)["items"]}
    known = states(tmp_path, HOLE_DAY)
    assert known.pop((row, col)) == "server-empty"
    assert set(known.values()) == {"ok"}
    found = items[str(HOLE_DAY)]
    assert (found["verdict"], found["incomplete_cause"]) == ("anomalous", None)
    assert found["tiles"] == {"ok": 5, "server-empty": 1}
    assert {item["verdict"] for day, item in items.items() if day != str(HOLE_DAY)} == {"clean"}
    mask = np.asarray(Image.open(found["mask"]))
    degree = drawn.rows / 180
    box = np.s_[int(36 * degree) : int(144 * degree), int(72 * degree) : int(288 * degree)]
    truth = Image.fromarray(drawn.truth(HOLE_DAY)[box])
    planted = np.asarray(truth.resize(mask.shape[::-1], Image.Resampling.NEAREST))
    assert planted.any()
    assert (mask[planted] == 2).mean() > 0.9


def test_r7_a_day_of_blank_tiles_is_incomplete_by_the_server(
    run: Run, serve_drawn: Callable[..., EmbeddedServer], tmp_path: Path
) -> None:
    """All tiles the same bytes: nothing is said of the day's pixels, and it is asked for again."""
    day = dt.date(2023, 8, 5)
    server = serve_drawn(FaultRule("blank", date=(day, day)))
    where = ("--output-dir", tmp_path, "--base-url", server.base_url, *BOX, "--json")
    ended = run("scan", LAYER, *DAYS, *where)
    assert ended.code == 4
    items = {item["date"]: item for item in json.loads(ended.out)["items"]}
    blank = items[str(day)]
    assert (blank["verdict"], blank["incomplete_cause"]) == ("incomplete", "server")
    assert (blank["tiles"], blank["findings"]) == ({"server-empty": 6}, [])
    assert "blank tile for all of it" in blank["reason"]
    assert items[str(HOLE_DAY)]["verdict"] == "anomalous"
    healthy = serve_drawn()
    again = run(
        "scan", LAYER, *DAYS, "--output-dir", tmp_path, "--base-url", healthy.base_url, "--json"
    )
    items = {item["date"]: item for item in json.loads(again.out)["items"]}
    assert items[str(day)]["verdict"] == "clean"
    assert {record.path.split("/default/")[1][:10] for record in healthy.requests} == {str(day)}
