"""Addresses, and which days can be asked for."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from gibswatch.catalogue import find_layer, load_catalogue
from gibswatch.catalogue.windows import Grid, TileIndex, plan_grid
from gibswatch.download.plan import plan_day, plan_days, tile_url
from gibswatch.errors import DateRangeError
from gibswatch.types import BBox, Epsg

TERRA = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
SNPP = find_layer("VIIRS_SNPP_CorrectedReflectance_TrueColor")
DAY = dt.date(2023, 8, 7)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("epsg", "kind", "resolution", "tile", "path"),
    [
        (4326, "predecessor", "16km", TileIndex(4, 9), "epsg4326/*/250m/3/4/9.jpg"),
        (4326, "native", "16km", TileIndex(1, 2), "epsg4326/*/250m/2/1/2.jpg"),
        (3413, "native", "8km", TileIndex(1, 0), "epsg3413/*/250m/0/1/0.jpg"),
        (
            3857,
            "native",
            "16km",
            TileIndex(3, 5),
            "epsg3857/*/GoogleMapsCompatible_Level9/3/3/5.jpg",
        ),
    ],
)
def test_address(epsg: Epsg, kind: str, resolution: str, tile: TileIndex, path: str) -> None:
    grid = Grid("native" if kind == "native" else "predecessor", epsg, resolution)
    plan = plan_grid(grid, TERRA.matrix_set(epsg))
    middle = f"best/{TERRA.identifier}/default/2023-08-07"
    for base in ("https://host.example", "https://host.example/"):
        url = tile_url(base, TERRA, plan, DAY, tile)
        assert url == f"https://host.example/wmts/{path.replace('*', middle)}"


def test_address_has_the_name_that_the_projection_uses() -> None:
    layer = replace(TERRA, served_as={3413: "Another_Name"})
    for epsg, name in ((3413, "Another_Name"), (4326, TERRA.identifier)):
        plan = plan_grid(Grid("native", epsg, "8km"), "250m")  # type: ignore[arg-type]
        assert f"/best/{name}/default/" in tile_url("http://h", layer, plan, DAY, TileIndex(0, 0))


def test_a_day_is_row_by_row() -> None:
    plan = plan_grid(Grid("predecessor", 4326, "16km"), "250m")
    requests = list(plan_day("http://h", TERRA, plan, DAY))
    assert len(requests) == 50
    assert [r.tile for r in requests] == [
        TileIndex(row, col) for row in range(5) for col in range(10)
    ]
    assert len({r.url for r in requests}) == 50
    first = requests[0]
    assert (first.layer, first.date, first.tile_size) == (TERRA.identifier, DAY, 512)
    assert first.image_format == "jpg"


def test_a_box_asks_for_its_tiles_only() -> None:
    grid = Grid("native", 4326, "16km", bbox=BBox(100, -80, 120, -65))
    requests = list(plan_day("http://h", TERRA, plan_grid(grid, "250m"), DAY))
    assert [r.tile for r in requests] == [TileIndex(2, 3), TileIndex(2, 4)]


def test_gap_of_terra() -> None:
    plan = plan_days(TERRA, day("2022-10-09"), day("2022-10-25"))
    assert plan.days == tuple(day(f"2022-10-{n:02}") for n in (9, 10, 23, 24))
    assert plan.gaps == tuple(day(f"2022-10-{n:02}") for n in range(11, 23))
    assert not plan.started_late


def test_gaps_of_snpp() -> None:
    plan = plan_days(SNPP, day("2022-07-27"), day("2022-08-11"))
    assert plan.days == (day("2022-07-27"), day("2022-08-10"))
    assert plan.gaps[0] == day("2022-07-28")
    assert plan.gaps[-1] == day("2022-08-09")
    assert len(plan.gaps) == 13


def test_only_a_gap() -> None:
    plan = plan_days(TERRA, day("2022-10-12"), day("2022-10-14"))
    assert plan.days == ()
    assert len(plan.gaps) == 2


def test_before_the_start() -> None:
    assert SNPP.start_date is not None
    plan = plan_days(
        SNPP, SNPP.start_date - dt.timedelta(days=9), SNPP.start_date + dt.timedelta(2)
    )
    assert plan.days == (SNPP.start_date, SNPP.start_date + dt.timedelta(days=1))
    assert plan.gaps == ()
    assert plan.started_late
    with pytest.raises(
        DateRangeError, match=f"{SNPP.start_date}, the first day of {SNPP.identifier}"
    ):
        plan_days(SNPP, day("2001-01-01"), day("2001-02-01"))


def test_a_layer_goes_on_after_its_last_known_day() -> None:
    last = TERRA.last_known_date
    assert last is not None
    assert TERRA.ongoing
    one = dt.timedelta(days=1)
    plan = plan_days(TERRA, last - one, last + 4 * one)
    assert plan.days == tuple(last + n * one for n in range(-1, 4))
    assert plan.gaps == ()
    later = plan_days(TERRA, last + 30 * one, last + 32 * one)
    assert later.days == (last + 30 * one, last + 31 * one)


def test_a_layer_that_ended_does_not_go_on() -> None:
    ended = replace(TERRA, ongoing=False)
    last = TERRA.last_known_date
    assert last is not None
    plan = plan_days(ended, last, last + dt.timedelta(days=3))
    assert plan.days == (last,)
    assert len(plan.gaps) == 2


def test_16_days_give_the_steps_of_the_domain() -> None:
    layer = find_layer("MODIS_Terra_L3_NDVI_16Day")
    plan = plan_days(layer, day("2023-12-01"), day("2024-02-01"))
    assert plan.gaps == ()
    assert day("2024-01-01") in plan.days
    steps = [b - a for a, b in zip(plan.days, plan.days[1:], strict=False)]
    assert set(steps) <= {dt.timedelta(days=n) for n in (13, 14, 16)}
    assert 3 <= len(plan.days) <= 5


@pytest.mark.parametrize(
    ("start", "stop"), [("2023-08-07", "2023-08-07"), ("2023-08-08", "2023-08-07")]
)
def test_an_empty_range_is_refused(start: str, stop: str) -> None:
    with pytest.raises(DateRangeError, match="the end is exclusive"):
        plan_days(TERRA, day(start), day(stop))


def test_layers_of_many_pictures_a_day_are_refused() -> None:
    layer = next(layer for layer in load_catalogue().values() if layer.is_sub_daily)
    with pytest.raises(DateRangeError, match=f"{layer.identifier} has several pictures a day"):
        plan_days(layer, day("2023-08-07"), day("2023-08-08"))


def test_layers_without_time_are_refused() -> None:
    layer = next(layer for layer in load_catalogue().values() if layer.start_date is None)
    with pytest.raises(DateRangeError, match="has no time"):
        plan_days(layer, day("2023-08-07"), day("2023-08-08"))
