"""Usual colours on their way through a scan."""

from __future__ import annotations

import datetime as dt
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from gibswatch.archive.layout import Layout
from gibswatch.detect.colour.statistics import (
    ColourObservation,
    chroma_of,
    learn_normals,
    observe_colour,
)
from gibswatch.errors import OutputError
from gibswatch.scan.colour_records import pack_record
from gibswatch.scan.judging import colours
from gibswatch.scan.judging.colours import every_nth, gather, keep_clean, read_kept
from gibswatch.scan.normals import normals_path
from gibswatch.types import DayItem, VerdictName

LAYER = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
START = dt.date(2018, 3, 20)


def _observed(seed: int) -> ColourObservation:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(40, 220, (2000, 3)).astype(np.uint8)
    return observe_colour(chroma_of(pixels, rng.uniform(-9, 9, 2000), rng.uniform(-9, 9, 2000)))


def _day(number: int) -> dt.date:
    return START + dt.timedelta(days=number)


def _item(number: int, verdict: VerdictName = "clean") -> DayItem:
    return DayItem(LAYER, _day(number), verdict, 0.1, "A day.", None)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path, LAYER, 4326)
    layout.journal.parent.mkdir(parents=True)
    return layout


def test_a_day_goes_by_the_days_around_it_and_never_by_itself() -> None:
    packed = {n: pack_record(_observed(n)) for n in range(8)}
    seen = gather(LAYER, [(_day(n), record) for n, record in packed.items()])
    near = seen.of(_day(3)).near
    assert packed[3] not in near
    assert set(near[:2]) == {packed[2], packed[4]}
    normals = seen.of(_day(3)).normals()
    assert normals is not None
    assert normals.units == 7


def test_where_too_few_days_are_near_what_was_kept_stands_in() -> None:
    kept = {
        "2018-01-01": learn_normals([_observed(1)]),
        "2018-07-01": learn_normals([_observed(2)]),
    }
    seen = gather(LAYER, [(_day(1), pack_record(_observed(3)))], kept)
    assert seen.of(START).normals() is kept["2018-01-01"]
    assert seen.of(dt.date(2018, 8, 1)).normals() is kept["2018-07-01"]
    assert seen.of(dt.date(2018, 11, 1)).normals() is None
    assert gather(LAYER, []).of(START).normals() is None
    assert seen.of(None).normals() is None


def test_clean_days_are_kept_by_quarters_and_more_days_go_before_fewer(layout: Layout) -> None:
    seen = gather(LAYER, [(_day(n), pack_record(_observed(n))) for n in range(24)])
    items = [_item(n, "anomalous" if n == 5 else "clean") for n in range(24)]
    keep_clean(layout, seen, items)
    kept, notes = read_kept(layout)
    assert notes == []
    assert {first: normals.units for first, normals in kept.items()} == {
        "2018-01-01": 11,  # the 20th to the 31st of March, one of them anomalous
        "2018-04-01": 12,
    }
    fewer = gather(LAYER, [(_day(n), pack_record(_observed(n))) for n in range(6)], kept)
    keep_clean(layout, fewer, [_item(n) for n in range(6)])
    assert read_kept(layout)[0]["2018-01-01"].units == 11


def test_a_damaged_file_is_a_note_and_no_error(layout: Layout) -> None:
    normals_path(layout).write_text('{"version": 1')
    kept, (note,) = read_kept(layout)
    assert kept == {}
    assert "is damaged" in note
    assert "move it away" in note
    seen = gather(LAYER, [(_day(n), pack_record(_observed(n))) for n in range(6)])
    assert keep_clean(layout, seen, [_item(n) for n in range(6)]) == ""
    assert normals_path(layout).read_text() == '{"version": 1'


def test_what_cannot_be_kept_is_a_note_and_no_error(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr(colours, "write_normals", full)
    seen = gather(LAYER, [(_day(n), pack_record(_observed(n))) for n in range(6)])
    note = keep_clean(layout, seen, [_item(n) for n in range(6)])
    assert note == "the usual colours are not kept: the disk is full"


def test_another_scan_that_ended_meanwhile_loses_nothing(layout: Layout) -> None:
    early = gather(LAYER, [(_day(n), pack_record(_observed(n))) for n in range(6)])
    late = gather(LAYER, [(_day(n + 365), pack_record(_observed(n))) for n in range(6)])
    keep_clean(layout, early, [_item(n) for n in range(6)])
    keep_clean(layout, late, [_item(n + 365) for n in range(6)])
    assert set(read_kept(layout)[0]) == {"2018-01-01", "2019-01-01"}


def test_memory_is_flat_over_years() -> None:
    assert every_nth(1) == 1
    assert every_nth(1500) == 1
    assert every_nth(3650) == 3
    record = pack_record(_observed(1))
    tracemalloc.start()
    try:
        seen = gather(LAYER, [(_day(n), record) for n in range(1500)])
        tasks = [seen.of(_day(n)) for n in range(1500)]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(tasks) == 1500
    assert taken < 3e6
