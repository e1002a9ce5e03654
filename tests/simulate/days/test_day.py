"""A day as a whole: the same in every tile, process and order, in every projection."""

from __future__ import annotations

import datetime as dt
import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.simulate.days import paint
from gibswatch.simulate.days.day import picture_bytes, simulate_day
from gibswatch.simulate.days.faults.draw import draw_day
from gibswatch.simulate.days.spec import DaySpec, FaultSpec, Perturbation, SimulatedDay
from gibswatch.types import Epsg, Georeference

DAY = dt.date(2017, 12, 7)
SMALL = Georeference(4326, -180.0, 90.0, 1.125, 1.125, 160, 320)
FAULTS = (
    FaultSpec("missing-granules", place=(60.0, 5.0), count=2),
    FaultSpec("colour", place=(-60.0, -5.0), channels="RB", amount=0.5, count=2),
    FaultSpec("granule-offset", place=(115.0, -30.0), distance_km=280.0, bearing_deg=70.0),
    FaultSpec("edge-warp", place=(10.0, 30.0), distance_km=200.0, share=0.5, count=2),
    FaultSpec("duplicate-granule", place=(-150.0, 20.0)),
    FaultSpec("stale-tile", place=(170.0, 10.0), days_off=-2),
    FaultSpec("jpeg-damage", place=(-105.0, 30.0)),
)
SPEC = DaySpec(
    "SNPP",
    "TrueColor",
    DAY,
    11,
    perturbation=Perturbation(rule="by-tile", dark_granule_deg=84.0, dropped_share=0.1),
    faults=FAULTS,
    invented=True,
)
# SNPP, NORAD, as public repositories quote it.
TLE = """1 37849U 11061A   17341.18384787 -.00000170  00000-0 -59794-4 0  9990
2 37849  98.7173 277.4064 0001444  51.2876 308.8431 14.19554784316634
"""


def tile(epsg: Epsg, pixel: float, row: int, col: int, size: int = 512) -> Georeference:
    west, north = {
        4326: (-180.0, 90.0),
        3857: (-20037508.342789244, 20037508.342789244),
    }.get(epsg, (-4194304.0, 4194304.0))
    span = size * pixel
    return Georeference(epsg, west + col * span, north - row * span, pixel, pixel, size, size)


GLOBE = Georeference(4326, -180.0, 90.0, 0.28125, 0.28125, 640, 1280)
UPPER_HALF = Georeference(3413, -4194304.0, 4194304.0, 8192.0, 8192.0, 512, 1024)
LOWER_HALF = Georeference(3031, -4194304.0, 0.0, 8192.0, 8192.0, 512, 1024)


@pytest.fixture(scope="module")
def globe() -> SimulatedDay:
    return simulate_day(SPEC, GLOBE)


@pytest.mark.parametrize(
    ("whole", "first", "tiles"),
    [
        (GLOBE, 0, [(0, 0), (0, 1), (1, 2)]),
        (UPPER_HALF, 0, [(0, 1)]),
        (LOWER_HALF, 1, [(1, 0)]),
    ],
    ids=["4326", "3413", "3031"],
)
def test_a_tile_made_alone_is_the_tile_cut_out_of_the_whole(
    globe: SimulatedDay, whole: Georeference, first: int, tiles: list[tuple[int, int]]
) -> None:
    day = globe if whole is GLOBE else simulate_day(SPEC, whole)
    assert day.drawn.any()
    for row, col in reversed(tiles):
        alone = simulate_day(SPEC, tile(whole.epsg, whole.pixel_width, row, col))
        top = 512 * (row - first)
        cut = day.drawn[top : top + 512, 512 * col : 512 * (col + 1)]
        rows, cols = cut.shape[:2]
        assert np.array_equal(alone.drawn[:rows, :cols], cut)
        assert not alone.drawn[rows:].any()
        assert not alone.drawn[:, cols:].any()
        part = (slice(top, top + rows), slice(512 * col, 512 * col + cols))
        for name in ("label", "region", "granule", "pass_index", "coverage", "substituted"):
            mine, other = getattr(alone.truth, name), getattr(day.truth, name)
            assert np.array_equal(mine[:rows, :cols], other[part]), name
        mine, other = alone.truth.vza_deg[:rows, :cols], day.truth.vza_deg[part]
        assert np.array_equal(mine, other, equal_nan=True)


def test_a_box_across_tiles_is_cut_out_of_the_whole(globe: SimulatedDay) -> None:
    box = Georeference(4326, -36.0 + 100 * 0.28125, -45.0, 0.28125, 0.28125, 40, 420)
    assert np.array_equal(simulate_day(SPEC, box).drawn, globe.drawn[480:520, 612:1032])


@pytest.mark.parametrize("rows", [5, 640])
def test_how_many_rows_are_painted_at_once_changes_nothing(
    small: SimulatedDay, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(paint, "_ROWS", rows)
    assert np.array_equal(simulate_day(SPEC, SMALL).drawn, small.drawn)


def test_mercator_tiles_meet() -> None:
    pixel = 2 * 20037508.342789244 / 1024
    tiles = [simulate_day(SPEC, tile(3857, pixel, 1, col, 256)) for col in (1, 2)]
    assert all(one.truth.coverage.any() for one in tiles)
    left, right = tiles[0].drawn[:, -1].astype(int), tiles[1].drawn[:, 0].astype(int)
    inner = np.abs(tiles[0].drawn[:, -2].astype(int) - left).mean()
    assert np.abs(left - right).mean() < 2.0 * inner + 2.0


@pytest.fixture(scope="module")
def small() -> SimulatedDay:
    return simulate_day(SPEC, SMALL)


def test_same_specification_same_bytes_in_another_process(small: SimulatedDay) -> None:
    code = (
        "import datetime as dt, hashlib\n"
        "from gibswatch.simulate.days.day import picture_bytes\n"
        "from gibswatch.simulate.days.faults.draw import draw_day\n"
        "from gibswatch.types import Georeference\n"
        "g = Georeference(4326, -180.0, 90.0, 1.125, 1.125, 160, 320)\n"
        "s = draw_day(4, 'Aqua', 'Bands721', dt.date(2010, 6, 1), invented=True)\n"
        "print(hashlib.sha256(picture_bytes(s, g)).hexdigest())"
    )
    spec = draw_day(4, "Aqua", "Bands721", dt.date(2010, 6, 1), invented=True)
    assert small.drawn.any()  # what was made before changes nothing
    ours = hashlib.sha256(simulate_day(spec, SMALL).data).hexdigest()
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ours


def test_a_picture_without_truth_has_the_same_bytes(small: SimulatedDay) -> None:
    assert picture_bytes(SPEC, SMALL) == small.data
    mask = replace(SPEC, satellite="Aqua", product="Data_No_Data")
    assert picture_bytes(mask, SMALL) == simulate_day(mask, SMALL).data


def test_seeds_days_and_satellites_differ() -> None:
    base = replace(SPEC, faults=())
    pictures = {
        picture_bytes(spec, SMALL)
        for spec in (
            base,
            replace(base, seed=12),
            replace(base, day=DAY + dt.timedelta(days=1)),
            replace(base, satellite="NOAA-20", day=dt.date(2018, 12, 7)),
            replace(base, product="BandsM11-I2-I1"),
            replace(base, quality=90),
        )
    }
    assert len(pictures) == 6


@pytest.mark.parametrize(
    ("satellite", "product", "day"),
    [
        ("Terra", "Bands367", dt.date(2000, 2, 24)),
        ("Aqua", "Bands721", dt.date(2002, 7, 4)),
        ("NOAA-21", "BandsM3-I3-M11", dt.date(2030, 12, 31)),
        ("Terra", "Data_No_Data", dt.date(2024, 2, 29)),
    ],
)
def test_any_date_instrument_and_product(satellite: str, product: str, day: dt.date) -> None:
    made = simulate_day(draw_day(8, satellite, product, day, invented=True), SMALL)
    seen = made.truth.coverage > 0
    assert 0.5 < seen.mean() < 1.0
    assert (made.truth.sza_deg[seen] <= 87.5).all()
    if product == "Data_No_Data":
        assert made.data.startswith(b"\x89PNG")
    else:
        assert made.data.startswith(b"\xff\xd8")
        assert not made.drawn[~seen].any()
        assert (made.drawn[seen].max(axis=-1) > 0).mean() > 0.95


def test_tracks_of_two_line_elements_differ_little_from_the_orbit() -> None:
    base = replace(SPEC, faults=(), perturbation=Perturbation(granule_s=360.0))
    sky = simulate_day(base, SMALL).truth
    tle = simulate_day(replace(base, tracks="tle", tle=TLE), SMALL).truth
    assert np.mean((sky.coverage > 0) != (tle.coverage > 0)) < 0.02
    both = (sky.granule >= 0) & (tle.granule >= 0)
    apart = np.abs(sky.time_s[both] - tle.time_s[both])
    assert np.median(apart) < 60.0
    assert not np.array_equal(sky.coverage, tle.coverage)
    assert (apart > 0).mean() > 0.9


def test_dark_granules_are_naturally_black() -> None:
    base = replace(SPEC, faults=(), perturbation=Perturbation(granule_s=360.0))
    darker = replace(base.perturbation, dark_granule_deg=80.0)
    whole, cut = (simulate_day(replace(base, perturbation=p), SMALL).truth
                  for p in (base.perturbation, darker))  # fmt: skip
    lost = (whole.coverage > 0) & (cut.coverage == 0)
    assert lost.sum() > 100
    assert whole.sza_deg[lost].min() > 60.0
    assert cut.codes == ()
    assert not cut.label.any()
