"""What sky, schedule and known events tell of a day without its picture."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gibswatch.archive import read_labels
from gibswatch.catalogue import find_layer
from gibswatch.catalogue.events import Event
from gibswatch.scan.labelling.from_sky import CAUSES, SkyLabel, cause_rows, sky_label
from gibswatch.types import Kind

VIIRS = find_layer("VIIRS_SNPP_CorrectedReflectance_TrueColor")
TERRA = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
ROLL, ECLIPSE = dt.date(2015, 12, 21), dt.date(2017, 8, 21)
PLAIN, GAP = dt.date(2016, 5, 3), dt.date(2022, 8, 1)


def event(**changes: object) -> Event:
    fields = {
        "first": PLAIN, "last": PLAIN, "satellites": ("SNPP",), "layers": ("VIIRS_SNPP_*",),
        "effect": "partial", "what": "recorder full", "source": "a test", **changes,
    }  # fmt: skip
    return Event(**fields)  # type: ignore[arg-type]


def test_a_roll_is_expected_missing_data() -> None:
    label = sky_label(VIIRS, ROLL)
    assert list(label.causes) == ["roll"]
    assert label.kinds == {Kind.MISSING_EXPECTED}
    assert label.reason.startswith("Monthly lunar calibration")
    assert label.agrees({Kind(1)})
    assert label.agrees({Kind(2)})  # a person cannot know why
    assert not label.agrees(())
    assert not label.agrees({Kind(3)})


def test_the_day_beside_a_roll_is_not_sure_enough() -> None:
    assert not sky_label(VIIRS, ROLL - dt.timedelta(days=1)).causes


def test_an_eclipse_may_be_black_or_dark() -> None:
    label = sky_label(VIIRS, ECLIPSE)
    assert label.kinds == {Kind.ECLIPSE_MISSING, Kind.ECLIPSE_MISCOLORATION}
    assert "of the Sun is covered" in label.reason
    assert label.agrees({Kind(5)})
    assert label.agrees({Kind(6), Kind(2)})
    assert not label.agrees({Kind(2)})


def test_an_eclipse_that_nobody_saw_contradicts_its_code() -> None:
    label = sky_label(VIIRS, PLAIN)
    assert (label.causes, label.reason) == ({}, "Nothing is scheduled or known.")
    assert not label.agrees({Kind(6)})
    assert label.agrees({Kind(2), Kind(3)})  # other causes are not for the sky to know


def test_modis_has_no_rolls_and_other_products_no_sky() -> None:
    assert not sky_label(TERRA, ROLL).causes
    night = find_layer("VIIRS_SNPP_DayNightBand_ENCC")
    assert not sky_label(night, ROLL).causes
    assert not sky_label(VIIRS, dt.date(2010, 7, 11)).causes  # before the launch


def test_a_known_outage_counts_where_it_is_certain() -> None:
    label = sky_label(VIIRS, PLAIN, [event()])
    assert list(label.causes) == ["outage"]
    assert label.kinds == {Kind.MISSING_UNEXPECTED}
    assert "recorder full" in label.reason
    assert not sky_label(VIIRS, PLAIN, [event(certain=False)]).causes
    assert not sky_label(VIIRS, PLAIN, [event(effect="artefact")]).causes


def test_a_gap_of_the_domain_is_named() -> None:
    label = sky_label(VIIRS, GAP)
    assert "gap" in label.causes
    assert "the service lists no picture from 2022-07-28 to 2022-08-09" in label.reason
    assert Kind.MISSING_UNEXPECTED in label.kinds


def test_rows_count_cause_by_cause() -> None:
    theirs = {ROLL: frozenset({Kind(2)}), PLAIN: frozenset({Kind(2)}), GAP: frozenset[Kind]()}
    labels = {day: sky_label(VIIRS, day) for day in (*theirs, ECLIPSE)}
    rows = dict(zip(CAUSES, cause_rows(theirs, labels), strict=True))
    assert {row.days for row in rows.values()} == {3}
    assert (rows["roll"].both, rows["roll"].only_theirs, rows["roll"].only_ours) == (1, 1, 0)
    assert (rows["gap"].both, rows["gap"].only_ours) == (0, 1)
    assert {int(k) for k in rows["roll"].ours} == {1}
    assert {int(k) for k in rows["roll"].theirs} == {1, 2}


@pytest.mark.realdata
def test_the_table_of_the_docs(real_data: Path) -> None:
    lines = read_labels(real_data / "labels" / f"{VIIRS.identifier}.txt").labels
    theirs = {day: frozenset(line.codes) for day, line in lines.items()}
    labels: dict[dt.date, SkyLabel] = {day: sky_label(VIIRS, day) for day in theirs}
    rows = dict(zip(CAUSES, cause_rows(theirs, labels), strict=True))
    counted = {
        name: (row.both, row.only_theirs, row.only_ours, row.neither) for name, row in rows.items()
    }
    assert counted == {
        "roll": (23, 84, 3, 836), "eclipse": (5, 1, 1, 939),
        "outage": (0, 107, 0, 839), "gap": (0, 107, 0, 839),
    }  # fmt: skip
    contradicted = [day for day in theirs if not labels[day].agrees(theirs[day])]
    assert [str(day) for day in sorted(contradicted)] == [
        "2016-10-12", "2017-02-07", "2017-04-10", "2017-10-01", "2018-02-16",
    ]  # fmt: skip
