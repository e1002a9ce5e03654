"""Usual colours of a layer, learned from the records that the first pass took of its days."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
import zlib
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibswatch.archive.layout import Layout
from gibswatch.detect.colour.statistics import ColourNormals, ColourObservation
from gibswatch.errors import ArchiveError
from gibswatch.files import write_bytes
from gibswatch.scan.colour_records import learn_packed, pack_record

__all__ = ["LayerNormals", "nearest_era", "normals_path", "read_normals", "write_normals"]

_VERSION = 1
_MAX_BYTES = 2**24
_MOST_DAYS = 24
"""Nearest days that normals are learned from: a season."""
_REACH_DAYS = 60
_DAMAGES = (
    ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError, zlib.error,
)  # fmt: skip
_ARRAYS = ("warm", "green", "share", "places")
_CELLS = (9, 12, 64, 40)


@dataclass
class LayerNormals:
    """Records of the days of a layer, and the normals that follow for any of them."""

    layer: str
    _days: list[dt.date] = field(default_factory=list)
    _records: dict[dt.date, bytes] = field(default_factory=dict)

    def add(self, day: dt.date, record: ColourObservation | bytes) -> None:
        """Take the record of a day, packed or not."""
        if day not in self._records:
            insort(self._days, day)
        packed = record if isinstance(record, bytes) else pack_record(record)
        self._records[day] = packed

    def near(self, day: dt.date) -> tuple[bytes, ...]:
        """Packed records of the nearest other days, at most 24 within 60 days, nearest first."""
        place = bisect_left(self._days, day)
        around = self._days[max(0, place - _MOST_DAYS) : place + _MOST_DAYS + 1]
        near = sorted((d for d in around if d != day), key=lambda d: abs((d - day).days))
        return tuple(
            self._records[d] for d in near[:_MOST_DAYS] if abs((d - day).days) <= _REACH_DAYS
        )

    def for_day(self, day: dt.date) -> ColourNormals | None:
        """Normals of the nearest other days.

        Returns
        -------
        ColourNormals or None
            None if there are fewer than 4 within 60 days: what is kept must do.
        """
        return learn_packed(self.near(day))

    def by_era(self, days: Iterable[dt.date]) -> dict[str, ColourNormals]:
        """Normals of some days, such as the clean ones, by quarters of a year.

        Returns
        -------
        dict
            By the first day of the quarter, ISO; quarters with fewer than 4 days are left out.
        """
        quarters: dict[str, list[bytes]] = {}
        for day in sorted(set(days)):
            if day in self._records:
                quarters.setdefault(_quarter(day).isoformat(), []).append(self._records[day])
        learned = {first: learn_packed(records) for first, records in quarters.items()}
        return {first: normals for first, normals in learned.items() if normals is not None}


def nearest_era(eras: Mapping[str, ColourNormals], day: dt.date) -> ColourNormals | None:
    """Return the kept normals of a day's own quarter, or of that quarter in the nearest year.

    Snow and growth of another season would be strange.  Those of another year leave out places, so
    that more is asked for; None if none of the season are kept.
    """
    first = _quarter(day)
    if first.isoformat() in eras:
        return eras[first.isoformat()]
    season = [key for key in eras if dt.date.fromisoformat(key).month == first.month]
    if not season:
        return None
    nearest = min(season, key=lambda key: abs(dt.date.fromisoformat(key).year - first.year))
    return replace(eras[nearest], places=None)


def _quarter(day: dt.date) -> dt.date:
    """First day of the quarter of the year."""
    return day.replace(month=day.month - (day.month - 1) % 3, day=1)


def normals_path(layout: Layout) -> Path:
    """Where the normals of a layer lie, beside its fits."""
    return layout.journal.with_name(f"{layout.layer}.colours.json")


def write_normals(path: Path, layer: str, eras: dict[str, ColourNormals]) -> None:
    """Write the normals of a layer by era, whole or not at all.

    Parameters
    ----------
    path : Path
    layer : str
    eras : dict
        By the first day of the era, ISO.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    document = {
        "version": _VERSION,
        "layer": layer,
        "eras": {first: _document(normals) for first, normals in sorted(eras.items())},
    }
    write_bytes(path, json.dumps(document, sort_keys=True).encode())


def read_normals(path: Path) -> dict[str, ColourNormals]:
    """Read the normals of a layer by era; none if there is no file.

    Raises
    ------
    ArchiveError
        If the file cannot be read, is damaged or of a newer version.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read ({error.strerror}): check its rights") from error
    try:
        return _loaded(data)
    except _DAMAGES as error:
        why = f"{type(error).__name__}: {str(error)[:100]}"
        raise ArchiveError(
            f"{path} is damaged ({why}): move it away, the next scan makes it anew"
        ) from error


def _loaded(data: bytes) -> dict[str, ColourNormals]:
    if len(data) > _MAX_BYTES:
        raise ValueError(f"it is larger than {_MAX_BYTES} bytes")
    document = json.loads(data)
    if document["version"] != _VERSION:
        raise ValueError(f"version {document['version']!r}, this Gibswatch reads {_VERSION}")
    return {_era_key(first): _normals(era) for first, era in document["eras"].items()}


def _era_key(first: str) -> str:
    day = dt.date.fromisoformat(first)
    if day != _quarter(day):
        raise ValueError(f"{first} is no first day of a quarter")
    return day.isoformat()


def _document(normals: ColourNormals) -> dict[str, Any]:
    arrays = {name: getattr(normals, name) for name in _ARRAYS}
    packed = {name: None if a is None else _pack(a) for name, a in arrays.items()}
    spread = normals.spread if math.isfinite(normals.spread) else None
    return {"units": normals.units, "spread": spread, **packed}


def _pack(values: NDArray[np.float32]) -> str:
    return base64.b64encode(zlib.compress(values.astype("<f4").tobytes(), 9)).decode()


def _normals(era: dict[str, Any]) -> ColourNormals:
    bands, levels, warm, green = _CELLS
    shapes = {
        "warm": (bands, levels), "green": (bands, levels, warm),
        "share": (levels, warm, green), "places": (2, 2 * 45 * 90),
    }  # fmt: skip
    found = {n: None if era[n] is None else _unpack(era[n], s) for n, s in shapes.items()}
    if found["warm"] is None or found["green"] is None or found["share"] is None:
        raise ValueError("it lacks usual colours")
    spread = math.nan if era["spread"] is None else float(era["spread"])
    return ColourNormals(
        int(era["units"]), found["warm"], found["green"], found["share"], found["places"], spread
    )


def _unpack(text: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    size = 4 * int(np.prod(shape))
    data = zlib.decompressobj().decompress(base64.b64decode(text), size + 1)
    return np.frombuffer(data, dtype="<f4").reshape(shape).astype(np.float32)
