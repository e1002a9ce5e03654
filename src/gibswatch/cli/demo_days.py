"""The demo's days: made ahead by several processes, kept on disk, served tile by tile."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gibswatch.catalogue import GridPlan
from gibswatch.catalogue.grids import TileMatrix
from gibswatch.errors import UsageError
from gibswatch.files import write_bytes
from gibswatch.parallel import map_ordered
from gibswatch.raster import encode_mask
from gibswatch.simulate.days.day import simulate_day
from gibswatch.simulate.days.encode import encode_jpeg
from gibswatch.simulate.days.spec import DaySpec, SimulatedDay
from gibswatch.types import ByteArray, Kind

__all__ = ["DayTruth", "MadeDays", "claim_folder", "make_days", "read_indices"]

_MARK, _DAYS = "demo.json", "made"
_TRUTH, _PLANE = "truth.json", "truth.png"
_EXPLAINED = (Kind.ECLIPSE_MISSING, Kind.ECLIPSE_MISCOLORATION)


@dataclass(frozen=True, slots=True, eq=False)
class DayTruth:
    """What was planted on a day, and where it can be seen."""

    spec: DaySpec
    regions: tuple[dict[str, Any], ...]
    """As of `gibswatch.simulate.days.spec.Region`."""
    plane: ByteArray
    """(rows, cols): the number of the region that can be seen at a pixel; 0 is none."""


@dataclass(frozen=True)
class MadeDays:
    """Days of one layer as they lie in the demo's folder: the source of a server's tiles."""

    root: Path
    specs: tuple[DaySpec, ...]
    plan: GridPlan

    @functools.cached_property
    def _by_day(self) -> dict[dt.date, DaySpec]:
        return {spec.day: spec for spec in self.specs}

    def days(self) -> Collection[dt.date]:
        """Days that can be asked for."""
        return self._by_day.keys()

    def path(self, day: dt.date) -> Path:
        """Where a day lies."""
        return self.root / _DAYS / self.specs[0].layer / f"{day}.zip"

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        """Return a tile of the one level that there is; None where it has no data at all."""
        if epsg != self.plan.grid.epsg or matrix.level != self.plan.source.level:
            return None
        with zipfile.ZipFile(self.path(day)) as held, contextlib.suppress(KeyError):
            return held.read(_tile_name(row, col))
        return None

    def missing(self) -> list[DaySpec]:
        """Days that do not lie there as they are asked for."""
        return [spec for spec in self.specs if not self._is_held(spec)]

    def truth(self, day: dt.date) -> DayTruth:
        """Read what is true of a day."""
        with zipfile.ZipFile(self.path(day)) as held:
            regions = json.loads(held.read(_TRUTH))["regions"]
            plane = read_indices(io.BytesIO(held.read(_PLANE)))
        return DayTruth(self._by_day[day], tuple(regions), plane)

    def _is_held(self, spec: DaySpec) -> bool:
        try:
            with zipfile.ZipFile(self.path(spec.day)) as held:
                return bool(json.loads(held.read(_TRUTH))["digest"] == _digest(spec, self.plan))
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return False


_Job = tuple[Path, DaySpec, GridPlan]


def make_days(
    layers: Sequence[MadeDays],
    *,
    workers: int | None = None,
    on_day: Callable[[int, int], None],
) -> None:
    """Make the days that are not there yet.

    Parameters
    ----------
    layers : sequence of MadeDays
    workers : int, optional
        Processes; None is one a core for many days.
    on_day : callable
        Told (done, total) as each day ends.
    """
    jobs = [(held.path(spec.day), spec, held.plan) for held in layers for spec in held.missing()]
    total = sum(len(held.specs) for held in layers)
    on_day(total - len(jobs), total)
    try:
        with contextlib.closing(_made(jobs, workers)) as made:
            for done, _ in enumerate(made, total - len(jobs) + 1):
                on_day(done, total)
    except BaseException:  # processes were ended in the middle of a file
        for folder in {path.parent for path, _, _ in jobs}:
            for path in folder.glob(".part-*"):
                path.unlink(missing_ok=True)
        raise


def _made(jobs: Sequence[_Job], workers: int | None) -> Generator[None, None, None]:
    """Make days; closing this ends the processes that do."""
    yield from map_ordered(_make_day, jobs, workers=workers)


def _make_day(job: _Job) -> None:
    """Make and write a day; runs in a process of its own."""
    path, spec, plan = job
    day = simulate_day(spec, plan.georeference)
    document = {
        "digest": _digest(spec, plan),
        "regions": [
            {**asdict(region), "code": region.code and int(region.code)}
            for region in day.truth.regions
        ],
    }
    plane = _visible_regions(day)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, data in _tiles(day, plan).items():
            archive.writestr(name, data)
        archive.writestr(_PLANE, encode_mask(plane))
        archive.writestr(_TRUTH, json.dumps(document, sort_keys=True))
    write_bytes(path, packed.getvalue())


def _visible_regions(day: SimulatedDay) -> ByteArray:
    """Number of the region at each pixel that shows it: eclipses, and what a fault changed."""
    truth = day.truth
    seen = (truth.visible & (truth.label > 0)) | np.isin(truth.label, _EXPLAINED)
    return np.where(seen, truth.region, np.uint8(0))


def _tiles(day: SimulatedDay, plan: GridPlan) -> dict[str, bytes]:
    """Cut and encode the tiles of a day; each of them as it would be if it were made alone."""
    size, window, tiles = plan.source.tile_size, plan.window, {}
    for index in plan.source_tiles():
        top, left = index.row * size - window.row_start, index.col * size - window.col_start
        rows, cols = slice(max(top, 0), top + size), slice(max(left, 0), left + size)
        part = day.drawn[rows, cols]
        if not part.any():
            continue  # GIBS stores no tile without data
        whole = np.zeros((size, size, 3), dtype=np.uint8)
        whole[rows.start - top :, cols.start - left :][: part.shape[0], : part.shape[1]] = part
        tiles[_tile_name(index.row, index.col)] = encode_jpeg(whole, day.spec.quality)
    return tiles


def read_indices(file: Path | io.BytesIO) -> ByteArray:
    """Read what `gibswatch.raster.encode_mask` wrote: numbers, not colours."""
    with Image.open(file) as image:
        return np.asarray(image)


def _tile_name(row: int, col: int) -> str:
    return f"{row}-{col}.jpg"


def _digest(spec: DaySpec, plan: GridPlan) -> str:
    """SHA-256 of everything that a day follows from, this version of the simulator among it."""
    parts = [version("gibswatch"), asdict(spec), asdict(plan.georeference)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def claim_folder(root: Path, layers: Sequence[MadeDays]) -> None:
    """Mark the demo's folder, or check that what is in it is of the same days.

    Parameters
    ----------
    root : Path
        Need not be there.
    layers : sequence of MadeDays

    Raises
    ------
    UsageError
        If it holds something else: what was downloaded from other days would be judged by these.
    OutputError
        If it cannot be written.
    """
    digests = [_digest(spec, held.plan) for held in layers for spec in held.specs]
    mark = hashlib.sha256("".join(digests).encode()).hexdigest()
    path = root / _MARK
    try:
        held_mark = json.loads(path.read_bytes())["days"] if path.is_file() else None
    except (OSError, ValueError, KeyError, TypeError):
        held_mark = ""
    if held_mark == mark:
        return
    if held_mark is not None or (root.is_dir() and any(root.iterdir())):
        raise UsageError(
            f"{root} holds other days than this demo's: remove it, or name another --output-dir"
        )
    write_bytes(path, f"{json.dumps({'days': mark})}\n".encode())
