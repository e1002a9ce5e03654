"""A server that sends another day's tiles: said, never judged."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

import gibswatch as gw
from gibswatch.settings import Settings
from gibswatch.simulate import (
    DrawnDays,
    FaultPlan,
    FaultRule,
    GlobeSource,
    ServedLayer,
    embedded_server,
)

_LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
_DAY = dt.date(2023, 8, 5)


@pytest.mark.parametrize(
    ("rule", "verdict", "cause"),
    [
        (FaultRule("default_day", date=(_DAY, _DAY)), "wrong-date", None),
        (FaultRule("wrong_day", date=(_DAY, _DAY), row=(1, 1)), "incomplete", "server"),
    ],
)
def test_days_of_another_date(
    tmp_path: Path, drawn: DrawnDays, rule: FaultRule, verdict: str, cause: str | None
) -> None:
    source = GlobeSource(drawn.globe, drawn.dates, "jpg")
    layers = {_LAYER: (ServedLayer(_LAYER, "jpg", {4326: "250m"}), source)}
    with embedded_server(layers, FaultPlan((rule,))) as server:
        result = gw.scan(
            _LAYER,
            dt.date(2023, 8, 1),
            dt.date(2023, 8, 7),
            root=tmp_path,
            bbox=(-36, -36, 36, 36),
            settings=Settings(base_url=server.base_url),
        )
    by_day = {item.date: item for item in result.items}
    assert by_day.pop(_DAY).verdict == verdict
    assert {item.verdict for item in by_day.values()} == {"clean"}
    (bad,) = (item for item in result.items if item.date == _DAY)
    assert bad.incomplete_cause == cause
    assert not bad.findings
