"""Fits on disk: whole, the same after reading, and safe to read whatever is in the file."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gibswatch.archive.fits import StoredFit, fits_path, read_fit, write_fit
from gibswatch.archive.layout import Layout
from gibswatch.errors import ArchiveError, OutputError
from gibswatch.sky.eras import Era
from gibswatch.sky.fit import OrbitFit
from gibswatch.sky.night_edge import NightCut
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.phases import DayPhase
from gibswatch.sky.satellites import SATELLITES

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
TERRA = SATELLITES["Terra"]
START = dt.date(2023, 3, 1)


def phase(number: int, value: float | None = None) -> DayPhase:
    return DayPhase(
        day=START + dt.timedelta(days=number),
        phase_deg=3.0 + 0.45 * number if value is None else value,
        width_deg=math.nan if number == 2 else 0.01,
        tilt=math.nan if number == 3 else 1e-4,
        edges=900,
        agreeing=0.98,
        pixel_deg=36 / 512,
    )


def sample() -> StoredFit:
    shape = replace(
        anchor_orbit(TERRA, START), valid=(START, START + dt.timedelta(days=7)), note="a note"
    )
    first = Era(shape, tuple(phase(n) for n in range(8)), (START + dt.timedelta(days=9),))
    later = tuple(phase(n, 7.0) for n in (40, 41))
    second = Era(replace(shape, valid=(later[0].day, later[-1].day)), later)
    return StoredFit(
        OrbitFit("Terra", TERRA.spacing_deg, (first, second)), NightCut(86.5, 0.3, 0.01, 12)
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = fits_path(Layout(tmp_path, LAYER, 4326))
    write_fit(found, LAYER, sample())
    return found


def test_it_lies_beside_the_journal(tmp_path: Path) -> None:
    assert fits_path(Layout(tmp_path, LAYER, 4326)) == (
        tmp_path / "4326" / ".gibswatch" / f"{LAYER}.fits.json"
    )


def test_what_was_written_is_read_again(path: Path) -> None:
    stored = read_fit(path, TERRA)
    assert stored is not None
    assert repr(stored) == repr(sample())  # NaN is not itself
    day = START + dt.timedelta(days=4)
    assert stored.fit.orbit_for(day) == sample().fit.orbit_for(day)
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_a_person_can_read_what_it_says_of_an_era(path: Path) -> None:
    document = json.loads(path.read_text())
    assert (document["version"], document["layer"]) == (1, LAYER)
    first = document["eras"][0]
    assert (first["first"], first["last"], first["days"]) == ("2023-03-01", "2023-03-08", 8)
    assert first["residual_px"] < 0.01
    assert first["source"] == "anchor"
    assert document["night_cut"]["sza_cut_deg"] == 86.5


def test_without_a_night_cut(path: Path) -> None:
    write_fit(path, LAYER, replace(sample(), night_cut=None))
    stored = read_fit(path, TERRA)
    assert stored is not None
    assert stored.night_cut is None


def test_no_file_is_no_fit(tmp_path: Path) -> None:
    assert read_fit(tmp_path / "none.json", TERRA) is None


def test_another_satellites_fit(path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"of 'Terra', not of Aqua.*move it away"):
        read_fit(path, SATELLITES["Aqua"])


def test_a_newer_version_is_left_alone(path: Path) -> None:
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "version": 2}))
    with pytest.raises(ArchiveError, match="update Gibswatch"):
        read_fit(path, TERRA)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b"[" * 100_000,
        b'{"version": 1}',
        b'{"version": 1, "satellite": ["Terra"]}',
        b" " * (2**24 + 1),
    ],
    ids=range(11),
)
def test_damaged_files_are_named_not_thrown_at_the_user(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match=r"fits\.json is damaged"):
        read_fit(path, TERRA)


def changed(*keys: str | int, value: object) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        changed("eras", value=None),
        changed("eras", value={}),
        changed("eras", 0, value=7),
        changed("eras", 0, "phases", value=[]),
        changed("eras", 0, "phases", 1, value=["2023-03-02"]),
        changed("eras", 0, "phases", 1, 0, value="2023-13-01"),
        changed("eras", 0, "phases", 1, 0, value="2023-03-01"),
        changed("eras", 0, "phases", 1, 0, value=20230302),
        changed("eras", 0, "phases", 1, 1, value="nan"),
        changed("eras", 0, "phases", 1, 1, value=float("nan")),
        changed("eras", 0, "phases", 1, 1, value=float("inf")),
        changed("eras", 0, "phases", 1, 1, value=10**400),
        changed("eras", 0, "phases", 1, 6, value=0.0),
        changed("eras", 0, "phases", 1, 5, value=True),
        changed("eras", 0, "shape", value=None),
        changed("eras", 0, "shape", "semi_major_km", value=1.0),
        changed("eras", 0, "shape", "spacing_deg", value=-24.0),
        changed("eras", 0, "shape", "note", value="x" * 1000),
        changed("eras", 0, "source", value="../../etc/passwd"),
        changed("eras", 0, "outliers", value=["never"]),
        changed("eras", 1, "phases", 0, 0, value="2023-03-04"),
        changed("counted_by_deg", value=24.0),
        changed("night_cut", value={"sza_cut_deg": 500}),
        changed("night_cut", value=[]),
    ],
    ids=range(24),
)
def test_every_value_is_checked(path: Path, change: Callable[[Any], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ArchiveError, match=r"fits\.json is damaged"):
        read_fit(path, TERRA)


def test_a_broken_write_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gibswatch.files._flush_to_disk", no_space)
    with pytest.raises(OutputError, match="no space left"):
        write_fit(path, LAYER, replace(sample(), night_cut=None))
    assert path.read_bytes() == before
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cannot be read"):
        read_fit(tmp_path, TERRA)
