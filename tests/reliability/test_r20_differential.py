"""R20: the same days with and without faults of the server have the same verdicts.

The short form of `benchmarks/quality/server_faults.py`: twenty days of a part of the globe, every
way to break a tile dealt once, over ten of the days.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

import gibswatch as gw
from gibswatch.settings import Settings
from gibswatch.simulate import DrawnDays, FaultPlan, GlobeSource, ServedLayer, embedded_server
from gibswatch.simulate.server.fault_mix import EVERY_FAULT, deal_faults
from gibswatch.simulate.server.fault_rules import Asked, FaultRule
from gibswatch.types import DayItem

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
START = dt.date(2023, 8, 1)
DAYS = tuple(START + dt.timedelta(days=n) for n in range(20))
HOLES = (DAYS[4], DAYS[9], DAYS[15])
STRUCK = (*DAYS[1:4], HOLES[0], *DAYS[6:8], *DAYS[11:14], DAYS[17])
"""Ten days; one of them has a hole, two other days with a hole stay as they are."""
BOX = (-108.0, -54.0, 108.0, 54.0)
"""Six tiles of the native 16km grid."""
ROWS, COLS = (0, 1), (1, 2, 3)
USABLE = {"ok", "server-empty"}
DRAWN = DrawnDays(LAYER, 11, START, len(DAYS), HOLES, rows=256)


@pytest.fixture(scope="module")
def source(remember: Callable[..., GlobeSource]) -> GlobeSource:
    return remember(DRAWN.globe, DRAWN.dates)


def verdicts(
    folder: Path, source: GlobeSource, faults: Sequence[FaultRule]
) -> Mapping[dt.date, DayItem]:
    """Download and judge the days from a server with these faults."""
    layers = {LAYER: (ServedLayer(LAYER, "jpg", {4326: "250m"}), source)}
    with embedded_server(layers, FaultPlan(tuple(faults))) as server:
        settings = Settings(
            base_url=server.base_url, tile_timeout_s=2.5, requests_per_s=0.0, ramp_up_s=0.0
        )
        stop = START + dt.timedelta(days=len(DAYS))
        result = gw.scan(LAYER, START, stop, root=folder, bbox=BOX, settings=settings)
    return {item.date: item for item in result.items if item.date}


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, source: GlobeSource
) -> Mapping[dt.date, DayItem]:
    return verdicts(tmp_path_factory.mktemp("undisturbed"), source, ())


@pytest.fixture
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once: which of them succeed does not depend on how long they wait."""
    monkeypatch.setattr("gibswatch.download.retry._FIRST_DELAY_S", 0.01)
    monkeypatch.setattr("gibswatch.download.retry._LONGEST_DELAY_S", 0.01)


def test_r20_without_faults_the_holes_are_found(undisturbed: Mapping[dt.date, DayItem]) -> None:
    found = {day for day, item in undisturbed.items() if item.verdict == "anomalous"}
    assert found == set(HOLES)
    assert all(set(item.tiles) == {"ok"} for item in undisturbed.values())


@pytest.mark.usefixtures("_short_waits")
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_r20_faults_make_no_anomaly(
    tmp_path: Path, source: GlobeSource, undisturbed: Mapping[dt.date, DayItem], seed: int
) -> None:
    tiles = [
        Asked("wmts", LAYER, 4326, day, 2, row, col)
        for day, row, col in itertools.product(STRUCK, ROWS, COLS)
    ]
    faults = deal_faults(tiles, len(EVERY_FAULT), seed)
    assert {(rule.effect, rule.how, rule.status, rule.first) for rule in faults} == {
        (rule.effect, rule.how, rule.status, rule.first) for rule in EVERY_FAULT
    }
    found = verdicts(tmp_path, source, faults)
    for day, item in found.items():
        before = undisturbed[day]
        if set(item.tiles) <= USABLE:
            assert item.verdict == before.verdict, (day, item.reason)
        else:
            assert item.verdict in ("incomplete", "wrong-date"), (day, item.reason)
            assert item.findings == ()
    whole = {day for day, item in found.items() if set(item.tiles) <= USABLE}
    assert set(DAYS) - set(STRUCK) <= whole
    assert {day for day, item in found.items() if item.verdict == "anomalous"} == whole & set(HOLES)


@pytest.mark.usefixtures("_short_waits")
def test_r20_faults_that_pass_leave_nothing_behind(
    tmp_path: Path, source: GlobeSource, undisturbed: Mapping[dt.date, DayItem]
) -> None:
    """Every fault is gone with the second request: the table is the same, tile by tile."""
    passing = [
        rule
        for rule in EVERY_FAULT
        if rule.first and rule.effect in ("status", "reset", "truncate", "hang")
    ]
    days = random.Random(3).sample(DAYS, len(passing))
    faults = [
        FaultRule(
            rule.effect, date=(day, day), row=(1, 1), col=(2, 2), how=rule.how, first=rule.first,
            status=rule.status,
        )
        for rule, day in zip(passing, days, strict=True)
    ]  # fmt: skip
    found = verdicts(tmp_path, source, faults)
    for day, item in found.items():
        assert (item.verdict, item.score, dict(item.tiles), item.shares, item.reason) == (
            undisturbed[day].verdict,
            undisturbed[day].score,
            {"ok": 6},
            undisturbed[day].shares,
            undisturbed[day].reason,
        )
