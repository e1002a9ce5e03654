"""Clean days of the set budget-1 and of the globe, made and judged on the way; both are kept.

A day is clean that has no fault: the rolls and calibrations that the Moon brings are there, as in
any archive.  What is there already is neither made nor judged again: after a change to a detector
delete the files `scores-*.json`.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gibswatch.catalogue import find_layer, plan_grid
from gibswatch.files import atomic_path, write_bytes
from gibswatch.scan.judging.judge import (
    Workers,
    fit_sightings,
    judge_sightings,
    observe_pictures,
)
from gibswatch.scan.pictures import Picture, PictureFile
from gibswatch.simulate.archiving.specs import Source, clean_day, fault_area, planted_fault
from gibswatch.simulate.bench import read_set
from gibswatch.simulate.bench.build import plan_orders
from gibswatch.simulate.bench.definition import ArchivePlan
from gibswatch.simulate.days.day import picture_bytes
from gibswatch.simulate.days.spec import DaySpec, FaultKind, generator
from gibswatch.types import BBox, DayItem, Georeference, VerdictName

__all__ = ["CleanArchive", "ScoredDay", "clean_archives", "globe_archive", "scored_days"]

_SET = "budget-1"
_FAULTS: tuple[FaultKind, ...] = (
    "missing-granules", "colour", "missing-orbit", "colour", "missing-scans", "missing-wedge",
)  # fmt: skip


@dataclass(frozen=True)
class CleanArchive:
    """A run of days of one layer."""

    name: str
    layer: str
    georeference: Georeference
    specs: tuple[DaySpec, ...]
    """What each day is made from, without faults."""
    area: BBox | None
    """Where faults can be seen."""
    seed: int
    faulty: float = 0.0
    """Share of the days that get a fault."""

    def days(self) -> Iterator[tuple[DaySpec, bool]]:
        """What each day is made from, and whether it is clean."""
        drawn = generator(self.seed, "faulty days", self.name).random(len(self.specs))
        for n, spec in enumerate(self.specs):
            if drawn[n] >= self.faulty:
                yield spec, True
                continue
            fault = planted_fault(spec, _FAULTS[n % len(_FAULTS)], self.area)
            yield replace(spec, faults=(*spec.faults, fault)), False


@dataclass(frozen=True)
class ScoredDay:
    """What was said of a day, and whether it is clean in truth."""

    item: DayItem
    clean: bool


def clean_archives(part: str, seed: int, coarser: int) -> list[CleanArchive]:
    """Archives of a part of the set, with pixels of so many times the size.

    Parameters
    ----------
    part : {"tune", "test"}
    seed : int
        Of the set.
    coarser : int
    """
    chosen = read_set(_SET)
    plans = [plan for plan in chosen.archives if plan.part == part]
    return [_archive(plan, seed, coarser) for plan in plans]


def globe_archive() -> CleanArchive:
    """510 days at 256x128: so coarse that the detectors find something on every eighteenth."""
    layer, start = "VIIRS_SNPP_CorrectedReflectance_TrueColor", dt.date(2019, 1, 1)
    size = 360.0 / 256
    days = (start + dt.timedelta(days=n) for n in range(510))
    specs = tuple(clean_day(layer, day, Source(901)) for day in days)
    place = Georeference(4326, -180.0, 90.0, size, size, 128, 256)
    return CleanArchive("globe-snpp-2019", layer, place, specs, None, 901)


def _archive(plan: ArchivePlan, seed: int, coarser: int) -> CleanArchive:
    order = plan_orders(read_set(_SET), plan, seed, Path())[0]
    grid = plan_grid(order.grid, find_layer(order.layer).matrix_set(order.grid.epsg))
    whole = grid.georeference
    georeference = replace(
        whole,
        pixel_width=whole.pixel_width * coarser,
        pixel_height=whole.pixel_height * coarser,
        rows=whole.rows // coarser,
        cols=whole.cols // coarser,
    )
    name = f"{plan.name}-{seed}"
    return CleanArchive(name, order.layer, georeference, order.specs, fault_area(grid), seed)


def scored_days(archive: CleanArchive, folder: Path) -> list[ScoredDay]:
    """Make and judge the days of an archive, as far as that was not done before."""
    home = folder / _SET / f"{archive.name}-{archive.georeference.cols}"
    home.mkdir(parents=True, exist_ok=True)
    kept = home / f"scores-{archive.faulty:g}.json"
    if not kept.is_file():
        begun = time.process_time()
        pictures = [_picture(archive, spec, home, clean) for spec, clean in archive.days()]
        made = time.process_time()
        clean_days = [clean for _, clean in archive.days()]
        rows = [
            [str(item.date), item.verdict, item.score, clean, item.reason]
            for item, clean in zip(_judged(archive.layer, pictures), clean_days, strict=True)
        ]
        write_bytes(kept, json.dumps(rows).encode())
        spent = (made - begun, time.process_time() - made)
        print(f"{archive.name}, {archive.faulty:.0%} faulty: made in {spent[0]:.0f} s of CPU, "
              f"judged in {spent[1]:.0f} s, load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip
    return [_scored(archive.layer, row) for row in json.loads(kept.read_bytes())]


def _picture(archive: CleanArchive, spec: DaySpec, home: Path, clean: bool) -> Picture:  # noqa: FBT001
    """Make the picture of a day if it is not there."""
    folder = home / ("clean" if clean else "faulty")
    folder.mkdir(exist_ok=True)
    path = folder / f"{spec.day}.jpg"
    if not path.is_file():
        data = picture_bytes(spec, archive.georeference)
        with atomic_path(path) as temporary:
            temporary.write_bytes(data)
    known, place = find_layer(archive.layer), archive.georeference
    ref = PictureFile(path, known, spec.day, place.epsg, place.bbox)
    return Picture(ref, archive.layer, str(path), "name")


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
