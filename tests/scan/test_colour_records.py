"""Records of colours, packed and unpacked."""

from __future__ import annotations

import numpy as np
import pytest

from gibswatch.detect.colour.statistics import (
    ColourObservation,
    chroma_of,
    learn_normals,
    observe_colour,
    with_places,
)
from gibswatch.scan.colour_records import FEWEST_DAYS, learn_packed, pack_record, unpack_record


def _record(seed: int) -> ColourObservation:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(40, 220, (4000, 3)).astype(np.uint8)
    chroma = chroma_of(pixels, rng.uniform(-20, 20, 4000), rng.uniform(-20, 20, 4000))
    record = observe_colour(chroma)
    return with_places(record, chroma, learn_normals([record]))


def test_a_packed_record_is_the_same_but_for_the_steps_of_places() -> None:
    record = _record(1)
    packed = pack_record(record)
    again = unpack_record(packed)
    for name in ("cells", "counts", "green", "colours", "shares"):
        np.testing.assert_array_equal(getattr(again, name), getattr(record, name))
    assert (again.pixels, again.spread) == (record.pixels, record.spread)
    assert record.places is not None
    assert again.places is not None
    np.testing.assert_array_equal(np.isnan(again.places), np.isnan(record.places))
    assert np.nanmax(np.abs(again.places - record.places)) < 0.0025
    assert len(packed) < 60_000


def test_a_part_of_a_day_has_no_places() -> None:
    rng = np.random.default_rng(2)
    pixels = rng.integers(40, 220, (500, 3)).astype(np.uint8)
    record = observe_colour(chroma_of(pixels, rng.uniform(0, 9, 500), rng.uniform(0, 9, 500)))
    again = unpack_record(pack_record(record))
    assert again.places is None
    assert np.isnan(again.spread)


@pytest.mark.parametrize("data", [b"", b"nothing of the kind", pack_record(_record(3))[:-400]])
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="record of colours"):
        unpack_record(data)


def test_four_other_days_are_enough_and_three_are_not() -> None:
    records = [pack_record(_record(n)) for n in range(FEWEST_DAYS)]
    assert learn_packed(records[:-1]) is None
    normals = learn_packed(records)
    assert normals is not None
    assert normals.units == FEWEST_DAYS
    assert normals.places is None  # of places more days must speak
    more = learn_packed([*records, pack_record(_record(9))])
    assert more is not None
    assert more.places is not None


def test_days_that_show_nothing_do_not_count() -> None:
    nothing = observe_colour(chroma_of(np.zeros((0, 3), np.uint8), np.zeros(0), np.zeros(0)))
    assert learn_packed([pack_record(nothing)] * 6) is None
    three = [pack_record(_record(n)) for n in range(3)]
    assert learn_packed([*three, pack_record(nothing)]) is None
