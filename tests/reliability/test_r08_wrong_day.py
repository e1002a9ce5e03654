"""R8: the wrong day: a server that ignores the time, snaps to the day before, or sends its default.

Layer-Time-Actual tells.  Where the headers are right, or there are none, only the pixels can tell;
that is kind 8 (another day's pixels), which step 8 finds, with the matching neighbour as evidence.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gibswatch.simulate import EmbeddedServer, FaultRule

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
DAY = dt.date(2023, 8, 5)
HOLE_DAY = "2023-08-08"
"""The one day of the drawn ones with missing data."""
BOX = ("--bbox", "-36", "-36", "36", "36")
ALL = FaultRule("default_day", date=(DAY, DAY))
STEP_BACK = FaultRule("wrong_day", date=(DAY, DAY))
SOME = FaultRule("wrong_day", date=(DAY, DAY), row=(1, 1))
SOME_AHEAD = FaultRule("wrong_day", date=(DAY, DAY), row=(1, 1), days_off=1)
Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        (ALL, ("wrong-date", None)),
        (STEP_BACK, ("wrong-date", None)),
        (SOME, ("incomplete", "server")),
        (SOME_AHEAD, ("incomplete", "server")),
    ],
    ids=["default day", "one step back", "some", "some ahead"],
)
def test_r8_tiles_of_another_day_are_said_and_never_judged(
    run: Run,
    serve_drawn: Callable[..., EmbeddedServer],
    tmp_path: Path,
    rule: FaultRule,
    verdict: tuple[str, str | None],
) -> None:
    server = serve_drawn(rule)
    where = ("--output-dir", tmp_path, "--base-url", server.base_url, *BOX)
    days = ("--start", "2023-08-01", "--end", "2023-08-15")
    ended = run("scan", LAYER, *days, *where, "--json")
    assert ended.code == 4
    items = {item["date"]: item for item in json.loads(ended.out)["items"]}
    bad = items.pop(str(DAY))
    assert (bad["verdict"], bad["incomplete_cause"]) == verdict
    assert bad["findings"] == []
    assert {day for day, item in items.items() if item["verdict"] != "clean"} == {HOLE_DAY}
    document = json.loads(run("download", "--layer", LAYER, *days, *where, "--json").out)
    assert {problem["state"] for problem in document["problems"]} == {"wrong-date"}
    assert all("the server sent the tile of 2023-08-" in p["message"] for p in document["problems"])


def test_r8_right_headers_over_another_days_pixels_are_for_the_pixels_to_tell(
    run: Run, serve_drawn: Callable[..., EmbeddedServer], tmp_path: Path
) -> None:
    """Kind 8 is step 8's: until then such a day passes as what it claims to be, and no more."""
    server = serve_drawn(FaultRule("wrong_day", date=(DAY, DAY), how="asked"))
    where = ("--output-dir", tmp_path, "--base-url", server.base_url, *BOX)
    ended = run("scan", LAYER, "--start", "2023-08-01", "--end", "2023-08-15", *where, "--json")
    items = {item["date"]: item for item in json.loads(ended.out)["items"]}
    assert items[str(DAY)]["tiles"] == {"ok": 2}
    assert items[str(DAY)]["verdict"] == "clean"
