"""Clean days on a coarse grid, simulated and judged on the way; pictures and scores are kept.

A day is clean that has no fault: the rolls and calibrations that the Moon brings are there, as in
any archive.  What is there already is neither made nor judged again; scores are kept beside the
pictures, so delete `scores-*.json` after a change to a detector.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gibswatch.catalogue import find_layer
from gibswatch.files import atomic_path, write_bytes
from gibswatch.scan.judging.judge import (
    Workers,
    fit_sightings,
    judge_sightings,
    observe_pictures,
)
from gibswatch.scan.pictures import Picture, PictureFile
from gibswatch.simulate.archiving.specs import Source, clean_day, planted_fault
from gibswatch.simulate.days.day import picture_bytes
from gibswatch.simulate.days.spec import DaySpec, FaultKind, generator
from gibswatch.types import DayItem, Georeference, VerdictName

__all__ = ["TEST", "TUNE", "CleanArchive", "ScoredDay", "scored_days"]

COLS = 256
GLOBE = Georeference(4326, -180.0, 90.0, 360.0 / COLS, 360.0 / COLS, COLS // 2, COLS)
_MIX: tuple[FaultKind, ...] = (
    "missing-granules", "missing-orbit", "missing-scans", "colour", "missing-tile", "colour",
)  # fmt: skip


@dataclass(frozen=True)
class CleanArchive:
    """A run of days of one layer."""

    name: str
    layer: str
    start: dt.date
    days: int
    seed: int
    faulty: float = 0.0
    """Share of the days that get one fault."""

    def specs(self) -> Iterator[DaySpec]:
        """What each day is made from."""
        source = Source(self.seed)
        drawn = generator(self.seed, "faulty days", self.layer).random(self.days)
        for n in range(self.days):
            spec = clean_day(self.layer, self.start + dt.timedelta(days=n), source)
            if drawn[n] < self.faulty:
                fault = planted_fault(spec, _MIX[n % len(_MIX)])
                spec = replace(spec, faults=(*spec.faults, fault))
            yield spec


@dataclass(frozen=True)
class ScoredDay:
    """What was said of a day, and whether it is clean in truth."""

    item: DayItem
    clean: bool


_TRUE, _M11, _721 = (
    f"CorrectedReflectance_{bands}" for bands in ("TrueColor", "BandsM11-I2-I1", "Bands721")
)
TEST = (
    CleanArchive("snpp-true", f"VIIRS_SNPP_{_TRUE}", dt.date(2019, 1, 1), 510, 901),
    CleanArchive("terra-721", f"MODIS_Terra_{_721}", dt.date(2021, 4, 1), 510, 902),
    CleanArchive("noaa20-true", f"VIIRS_NOAA20_{_TRUE}", dt.date(2022, 7, 1), 510, 903),
    CleanArchive("aqua-true", f"MODIS_Aqua_{_TRUE}", dt.date(2014, 10, 1), 510, 904),
    CleanArchive("snpp-m11", f"VIIRS_SNPP_{_M11}", dt.date(2021, 1, 1), 510, 905),
    CleanArchive("terra-true", f"MODIS_Terra_{_TRUE}", dt.date(2009, 7, 1), 510, 906),
)
TUNE = (
    CleanArchive("tune-snpp-true", f"VIIRS_SNPP_{_TRUE}", dt.date(2016, 9, 1), 200, 801),
    CleanArchive("tune-terra-721", f"MODIS_Terra_{_721}", dt.date(2017, 11, 1), 200, 802),
)


def scored_days(archive: CleanArchive, folder: Path) -> list[ScoredDay]:
    """Make and judge the days of an archive, as far as that was not done before."""
    home = folder / f"{archive.name}-{archive.seed}-{COLS}"
    home.mkdir(parents=True, exist_ok=True)
    kept = home / f"scores-{archive.days}-{archive.faulty:g}.json"
    if not kept.is_file():
        begun = time.process_time()
        pictures, clean = _made(archive, home)
        made = time.process_time()
        rows = [
            [str(item.date), item.verdict, item.score, is_clean, item.reason]
            for item, is_clean in zip(_judged(archive.layer, pictures), clean, strict=True)
        ]
        write_bytes(kept, json.dumps(rows).encode())
        spent = (made - begun, time.process_time() - made)
        print(f"{archive.name}: made in {spent[0]:.0f} s of CPU, judged in {spent[1]:.0f} s, "
              f"load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip
    return [_scored(archive.layer, row) for row in json.loads(kept.read_bytes())]


def _made(archive: CleanArchive, home: Path) -> tuple[list[Picture], list[bool]]:
    """Make the pictures that are not there."""
    known = find_layer(archive.layer)
    pictures, clean = [], []
    for spec in archive.specs():
        has_fault = any(fault.code is not None and fault.code.is_fault for fault in spec.faults)
        folder = home / ("faulty" if has_fault else "clean")
        folder.mkdir(exist_ok=True)
        path = folder / f"{spec.day}.jpg"
        if not path.is_file():
            data = picture_bytes(spec, GLOBE)
            with atomic_path(path) as temporary:
                temporary.write_bytes(data)
        ref = PictureFile(path, known, spec.day, 4326, GLOBE.bbox)
        pictures.append(Picture(ref, archive.layer, str(path), "name"))
        clean.append(not has_fault)
    return pictures, clean


def _judged(layer: str, pictures: list[Picture]) -> list[DayItem]:
    """Judge pictures as a scan does, all passes but the second fetch."""

    def silent(_stage: str, _done: int, _total: int) -> None:
        pass

    one = Workers(1)
    seen = observe_pictures(pictures, workers=one, on_progress=silent)
    orbits = fit_sightings(seen, layer)
    return list(
        judge_sightings(
            seen, len(pictures),
            method="gibswatch", workers=one, on_progress=silent, orbits=orbits,
        )
    )  # fmt: skip


def _scored(layer: str, row: list[str | float | bool]) -> ScoredDay:
    day, verdict, score, clean, reason = row
    known: dict[str, VerdictName] = {"clean": "clean", "anomalous": "anomalous"}
    named = known.get(str(verdict), "incomplete")
    when = dt.date.fromisoformat(str(day))
    item = DayItem(layer, when, named, float(score), str(reason), None)
    return ScoredDay(item, bool(clean))
