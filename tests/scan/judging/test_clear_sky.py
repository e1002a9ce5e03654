"""Which days tell what lies under the clouds, and how often they are read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
import pytest

from gibswatch.errors import DecodeError
from gibswatch.raster import Scene, observe, scene_from_picture
from gibswatch.raster.observe import Observation
from gibswatch.scan.judging.clear_sky import ClearDays, clear_sky_of, new_scan
from gibswatch.scan.judging.neighbours import WholeDays
from gibswatch.scan.pictures import Picture
from gibswatch.types import Georeference

_TRUE = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
_BOX = Georeference(4326, 0.0, 10.0, 0.2, 0.2, 50, 50)


@dataclass(frozen=True)
class _Ref:
    date: dt.date
    reads: list[dt.date] = field(default_factory=list, hash=False, compare=False)
    broken: bool = False

    def read(self) -> Scene:
        self.reads.append(self.date)
        if self.broken:
            raise DecodeError("broken")
        rng = np.random.default_rng(self.date.toordinal())
        return scene_from_picture(
            rng.integers(20, 200, (*_BOX.shape, 3), dtype=np.uint8), layer=_TRUE, date=self.date,
            image_format="jpg", georeference=_BOX, provenance="test",
        )  # fmt: skip


def _day(number: int) -> dt.date:
    return dt.date(2020, 1, 1) + dt.timedelta(days=number)


def _whole(count: int, reads: list[dt.date] | None = None) -> WholeDays:
    reads = [] if reads is None else reads
    return WholeDays(
        [
            (Picture(_Ref(_day(n), reads), _TRUE, "", "name"), Observation(_day(n), 0.1, 1.0))
            for n in range(count)
        ]
    )


@pytest.mark.parametrize(
    ("count", "day", "block"),
    [
        (39, 3, (0, 16)), (39, 15, (0, 16)), (39, 16, (16, 39)), (39, 38, (16, 39)),
        (40, 38, (32, 40)), (6, 2, (0, 6)), (32, 60, (16, 32)),
    ],
)  # fmt: skip
def test_days_are_taken_by_sixteens(count: int, day: int, block: tuple[int, int]) -> None:
    days = _whole(count).clear_days(_day(day))
    assert days is not None
    assert [ref.date for ref in days.refs] == [_day(n) for n in range(*block)]


def test_a_day_without_a_date_or_others_has_none() -> None:
    assert _whole(8).clear_days(None) is None
    assert WholeDays([]).clear_days(_day(0)) is None
    scene = _Ref(_day(0)).read()
    assert clear_sky_of(None, scene, observe(scene)[1]) is None


def test_a_block_is_read_once_for_all_of_its_days_in_one_scan() -> None:
    reads: list[dt.date] = []
    whole = _whole(8, reads)
    for number in (0, 5):
        scene = _Ref(_day(number)).read()
        planes = clear_sky_of(whole.clear_days(_day(number)), scene, observe(scene)[1])
        assert planes is not None
    assert reads == [_day(n) for n in range(8)]
    again = _whole(8, reads).clear_days(_day(0))
    assert clear_sky_of(again, scene, observe(scene)[1]) is not None
    assert len(reads) == 16  # another scan: a picture may have come anew


def test_pictures_of_another_size_have_their_own() -> None:
    """Days of different sizes that are judged together."""
    days = _whole(8).clear_days(_day(0))
    small = _Ref(_day(0)).read()
    assert clear_sky_of(days, small, observe(small)[1]) is not None
    pixels = np.repeat(np.repeat(small.pixels, 2, axis=0), 2, axis=1)
    large = scene_from_picture(
        pixels, layer=_TRUE, date=_day(0), image_format="jpg", provenance="test",
        georeference=Georeference(4326, 0.0, 10.0, 0.1, 0.1, 100, 100),
    )  # fmt: skip
    assert clear_sky_of(days, large, observe(large)[1]) is None  # no other is of its size
    assert clear_sky_of(days, small, observe(small)[1]) is not None


def test_pictures_that_cannot_be_read_are_left_out() -> None:
    refs = tuple(_Ref(_day(n), broken=n == 2) for n in range(5))
    scene = refs[0].read()
    black = observe(scene)[1]
    planes = clear_sky_of(ClearDays(refs, (new_scan(), 0)), scene, black)
    assert planes is not None
    few = clear_sky_of(ClearDays(refs[:4], (new_scan(), 0)), scene, black)
    assert few is None  # two others are left
