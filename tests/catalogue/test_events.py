"""The table of events: the packaged one is whole, a user's one cannot do harm."""

from __future__ import annotations

import datetime as dt
import fnmatch
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gibswatch.catalogue.domains import gaps
from gibswatch.catalogue.events import EVENT_EFFECTS, events_on, load_events, read_events
from gibswatch.catalogue.layers import load_catalogue, search_layers
from gibswatch.errors import UsageError

TERRA = "MODIS_Terra_CorrectedReflectance_TrueColor"
AQUA = "MODIS_Aqua_CorrectedReflectance_TrueColor"
SNPP = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
NEWER = tuple(f"VIIRS_NOAA{n}_CorrectedReflectance_TrueColor" for n in (20, 21))
GOOD = {
    "first": "2023-08-07",
    "last": "2023-08-07",
    "satellites": ["Terra"],
    "layers": ["MODIS_Terra_*"],
    "effect": "partial",
    "what": "granules missing",
    "source": "seen by eye",
}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a table of the good event with changes."""

    def call(**changes: Any) -> Path:
        row = {key: value for key, value in (GOOD | changes).items() if value != "DROP"}
        path = tmp_path / "events.json"
        path.write_text(json.dumps({"events": [row]}), "utf-8")
        return path

    return call


def test_packaged_events_are_whole_and_in_order() -> None:
    events = load_events()
    assert len(events) >= 60
    assert [e.first for e in events] == sorted(e.first for e in events)
    assert {e.effect for e in events} == set(EVENT_EFFECTS)
    known = {"Terra", "Aqua", "SNPP", "NOAA-20", "NOAA-21", "PACE", "TEMPO"}
    assert {name for e in events for name in e.satellites} == known
    assert all(e.first.year >= 2000 and e.source and e.what for e in events)


def test_patterns_meet_layers_of_the_catalogue() -> None:
    names = tuple(load_catalogue())
    patterns = {pattern for event in load_events() for pattern in event.layers}
    unmet = {p for p in patterns if not fnmatch.filter(names, p)}
    # Layers younger than the catalogue of 2021, and other names of the same product.
    assert unmet <= {"OCI_PACE_*", "PACE_OCI_*", "TEMPO_*", "VIIRS_SNPP_*NDVI_8Day*"}


@pytest.mark.parametrize("layer", [TERRA, AQUA, SNPP, *NEWER])
def test_every_long_gap_of_the_domains_is_an_event(layer: str) -> None:
    """Gaps of the time domain are days without a picture: the table explains all since 2000."""
    (found,) = [known for known in search_layers(layer) if known.identifier == layer]
    for first, last in gaps(found.periods):
        for day in {dt.date.fromisoformat(str(first)), dt.date.fromisoformat(str(last))}:
            assert [e for e in events_on(layer, day) if e.effect == "missing"], (layer, day)


@pytest.mark.parametrize(
    ("layer", "day", "effects"),
    [
        (TERRA, dt.date(2022, 10, 11), ["missing"]),
        (TERRA, dt.date(2022, 10, 23), []),
        (AQUA, dt.date(2020, 8, 16), ["mostly-empty"]),
        (AQUA, dt.date(2022, 10, 22), []),
        ("MODIS_Aqua_CorrectedReflectance_Bands721", dt.date(2022, 10, 22), ["missing"]),
        (AQUA, dt.date(2013, 5, 9), ["eclipse"]),
        (SNPP, dt.date(2017, 4, 10), []),
        (SNPP, dt.date(2023, 2, 24), ["partial"]),
        (SNPP, dt.date(2023, 2, 23), []),
        ("VIIRS_NOAA21_CorrectedReflectance_TrueColor", dt.date(2023, 2, 24), ["missing"]),
        ("VIIRS_NOAA20_CorrectedReflectance_TrueColor", dt.date(2020, 1, 1), ["missing"]),
    ],
)
def test_events_of_a_day(layer: str, day: dt.date, effects: list[str]) -> None:
    assert [e.effect for e in events_on(layer, day)] == effects


def test_moments_reach_into_the_local_days_around() -> None:
    """The local day begins before the UTC day and ends after it."""
    begun, after = (events_on(TERRA, dt.date(2016, 2, n)) for n in (18, 19))
    assert [e.effect for e in begun] == ["partial"]
    assert [e.effect for e in after] == ["partial", "missing"]
    assert [str(e) for e in events_on(TERRA, dt.date(2022, 3, 15))] == [
        "formatter reset (partial, 2022-03-15; lpdaac)"
    ]
    assert events_on(TERRA, dt.date(2022, 3, 16)) == ()
    late = [e.what for e in events_on(AQUA, dt.date(2005, 7, 10))]
    assert late == ["instrument event"]
    assert events_on(AQUA, dt.date(2005, 7, 11)) == ()


def test_ones_own_events(write: Write) -> None:
    (own,) = read_events(
        write(start="2023-08-07T12:05Z", end="2023-08-07T12:10:30Z", certain=False)
    )
    assert own.start == dt.datetime(2023, 8, 7, 12, 5, tzinfo=dt.UTC)
    assert events_on(TERRA, dt.date(2023, 8, 7), (own,)) == (own,)
    assert events_on(AQUA, dt.date(2023, 8, 7), (own,)) == ()
    assert str(own) == "granules missing (partial, 2023-08-07, not certain; seen by eye)"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"first": "2023-02-30"}, "first '2023-02-30' is no day"),
        ({"first": 20230807}, "is no day: give YYYY-MM-DD"),
        ({"first": "20230807"}, "is no day"),
        ({"last": "2023-08-06"}, "before it begins"),
        ({"satellites": "Terra"}, "must be a list of 1 to 100 texts"),
        ({"layers": []}, "must be a list of 1 to 100 texts"),
        ({"layers": ["*" * 5]}, "is no pattern"),
        ({"layers": ["[!a]*"]}, "is no pattern"),
        ({"layers": [3]}, "printable characters"),
        ({"effect": "bad"}, "is none of"),
        ({"effect": ["partial"]}, "is none of"),
        ({"effect": {}}, "is none of"),
        ({"what": "\x1b[2J"}, "printable characters"),
        ({"what": "x" * 501}, "printable characters"),
        ({"source": ""}, "printable characters"),
        ({"source": None}, "printable characters"),
        ({"source": "DROP"}, "lacks source"),
        ({"colour": "red"}, "has an unknown 'colour'"),
        ({"certain": "no"}, "certain must be true or false"),
        ({"start": "2023-08-07T12:05Z"}, "give both start and end"),
        ({"start": "2023-08-07T12:05Z", "end": "2023-08-07T12:00Z"}, "before it begins"),
        ({"start": "2023-08-07T12:05", "end": "2023-08-07T12:10Z"}, "is no moment"),
        ({"start": "2023-08-07T25:05Z", "end": "2023-08-07T12:10Z"}, "is no moment"),
        ({"start": "2023-08-06T12:05Z", "end": "2023-08-07T12:10Z"}, "must lie on the days"),
    ],
)
def test_a_bad_event_is_refused_by_its_number(
    write: Write, changes: dict[str, Any], words: str
) -> None:
    path = write(**changes)
    with pytest.raises(UsageError) as caught:
        read_events(path)
    assert words in str(caught.value)
    assert "event 1" in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"events": ' + b"9" * 5000 + b"}",
        b"{}",
        b"[]",
        b'{"events": {}}',
        b'{"events": [1]}',
        b'{"events": [' + b",".join([b"1"] * 10_001) + b"]}",
        b" " * (2**20 + 1),
    ],
    ids=["empty", "binary", "deep", "number", "none", "list", "record", "one", "many", "large"],
)
def test_hostile_documents(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(data)
    with pytest.raises(UsageError):
        read_events(path)


def test_a_file_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_events(tmp_path / "none.json")
    with pytest.raises(UsageError, match="cannot be read"):
        read_events(tmp_path)
