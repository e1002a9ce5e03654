"""Fitted orbits of a layer, kept beside its journal: ``{epsg}/.gibswatch/{Layer}.fits.json``.

One era after the other, each with its days: what a later run needs to say where the gaps of any of
them are without reading a picture again.  ``docs/orbit-fit.md`` has the format.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from gibswatch.archive.layout import Layout
from gibswatch.errors import ArchiveError
from gibswatch.files import write_bytes
from gibswatch.sky.eras import Era
from gibswatch.sky.fit import OrbitFit
from gibswatch.sky.night_edge import NightCut
from gibswatch.sky.orbit import Orbit
from gibswatch.sky.phases import DayPhase
from gibswatch.sky.satellites import Satellite

__all__ = ["StoredFit", "fits_path", "read_fit", "write_fit"]

_VERSION = 1
_MAX_BYTES = 2**24
"""A day takes 150 bytes, 27 years under 1.5 MB."""
_MAX_DAYS = 50_000
_LONGEST_NOTE = 300
_ALL_DIGITS = 20
_SHAPE_RANGES = {
    "spacing_deg": (20.0, 30.0),
    "period_s": (4800.0, 7200.0),
    "inclination_deg": (90.0, 110.0),
    "semi_major_km": (6800.0, 7500.0),
    "half_angle_deg": (40.0, 70.0),
    "eccentricity_km": (0.0, 50.0),
    "node_time_s": (-1e10, 1e10),
    "node_lon_deg": (-180.0, 180.0),
    "longitude_sigma_deg": (0.0, 180.0),
    "time_sigma_s": (0.0, 86400.0),
}


@dataclass(frozen=True, slots=True)
class StoredFit:
    """What is kept of a layer."""

    fit: OrbitFit
    night_cut: NightCut | None = None
    """Where its imagery ends, if that was measured."""


def fits_path(layout: Layout) -> Path:
    """Where the fits of a layer lie."""
    return layout.journal.with_name(f"{layout.layer}.fits.json")


def read_fit(path: Path, satellite: Satellite) -> StoredFit | None:
    """Read the fits of a layer.

    Parameters
    ----------
    path : Path
        Of `fits_path`.
    satellite : Satellite
        Whose they must be.

    Returns
    -------
    StoredFit or None
        None if there is no such file.

    Raises
    ------
    ArchiveError
        If the file cannot be read, is damaged, is of another satellite or of a newer version.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read ({error.strerror}): check its rights") from error
    try:
        document = _loaded(data)
        version = document["version"]
        if version == _VERSION:
            return _stored(document, satellite)
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        why = f"{type(error).__name__}: {str(error)[:100]}"
        raise ArchiveError(
            f"{path} is damaged ({why}): move it away, the next scan makes it anew"
        ) from error
    raise ArchiveError(
        f"{path} has version {str(version)[:20]!r}, this Gibswatch reads {_VERSION}: update "
        "Gibswatch, or move it away"
    )


def _loaded(data: bytes) -> dict[str, Any]:
    if len(data) > _MAX_BYTES:
        raise ValueError(f"it is larger than {_MAX_BYTES} bytes")
    document = json.loads(data)
    if not isinstance(document, dict):
        raise TypeError("it holds no record")
    return document


def write_fit(path: Path, layer: str, stored: StoredFit) -> None:
    """Write the fits of a layer, whole or not at all.

    Raises
    ------
    OutputError
        If the folder cannot take the file.
    """
    fit = stored.fit
    eras = [_era_document(fit, era) for era in fit.eras]
    document = {
        "version": _VERSION,
        "layer": layer,
        "satellite": fit.satellite,
        "counted_by_deg": fit.spacing_deg,
        "night_cut": _night_document(stored.night_cut),
        "eras": eras,
    }
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    write_bytes(
        path, (text.replace('{"first"', '\n{"first"').replace('[["', '[\n["') + "\n").encode()
    )


def _era_document(fit: OrbitFit, era: Era) -> dict[str, Any]:
    residuals = [fit.residual_px(phase) for phase in era.phases]
    known = [value for value in residuals if math.isfinite(value)]
    rms = math.sqrt(sum(value**2 for value in known) / len(known)) if known else math.nan
    shape = {name: getattr(era.shape, name) for name in _SHAPE_RANGES}
    return {
        "first": era.first.isoformat(),
        "last": era.last.isoformat(),
        "days": len(era.phases),
        "residual_px": _or_none(rms, 4),
        "source": era.shape.source,
        "shape": {**shape, "note": era.shape.note[:_LONGEST_NOTE]},
        "outliers": [day.isoformat() for day in era.outliers],
        "phases": [
            [
                p.day.isoformat(),
                p.phase_deg,
                _or_none(p.width_deg, _ALL_DIGITS),
                _or_none(p.tilt, _ALL_DIGITS),
                p.edges,
                p.agreeing,
                p.pixel_deg,
                _or_none(residual, 4),
            ]
            for p, residual in zip(era.phases, residuals, strict=True)
        ],
    }


def _or_none(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None


def _night_document(cut: NightCut | None) -> dict[str, Any] | None:
    if cut is None:
        return None
    return {
        "sza_cut_deg": round(cut.sza_cut_deg, 3),
        "spread_deg": round(cut.spread_deg, 3),
        "error": round(cut.error, 6),
        "days": cut.days,
    }


def _stored(document: dict[str, Any], satellite: Satellite) -> StoredFit:
    if document["satellite"] != satellite.name:
        raise ValueError(f"it is of {str(document['satellite'])[:30]!r}, not of {satellite.name}")
    if document["counted_by_deg"] != satellite.spacing_deg:
        raise ValueError(f"phases must be counted by {satellite.spacing_deg}")
    rows = _list(document["eras"])
    if sum(len(_list(row["phases"])) for row in rows) > _MAX_DAYS:
        raise ValueError(f"it has over {_MAX_DAYS} days")
    eras = tuple(_era(row, satellite) for row in rows)
    for one, other in pairwise(eras):
        if one.last >= other.first:
            raise ValueError(f"eras overlap on {other.first}")
    cut = document["night_cut"]
    return StoredFit(
        OrbitFit(satellite.name, satellite.spacing_deg, eras),
        None if cut is None else _night_cut(cut),
    )


def _era(row: dict[str, Any], satellite: Satellite) -> Era:
    phases = tuple(_phase(item) for item in _list(row["phases"]))
    if not phases:
        raise ValueError("an era has no days")
    for one, other in pairwise(phases):
        if one.day >= other.day:
            raise ValueError(f"days are out of order at {other.day}")
    outliers = tuple(_day(text) for text in _list(row["outliers"]))
    shape, source, note = row["shape"], row["source"], row["shape"]["note"]
    if source not in ("anchor", "tle") or not isinstance(note, str) or len(note) > _LONGEST_NOTE:
        raise ValueError("source or note is not as it should be")
    values = {name: _number(shape[name], *limits) for name, limits in _SHAPE_RANGES.items()}
    orbit = Orbit(
        satellite=satellite.name,
        valid=(phases[0].day, phases[-1].day),
        source=source,
        note=note,
        **values,
    )
    return Era(orbit, phases, outliers)


def _phase(item: list[Any]) -> DayPhase:
    day, phase, width, tilt, edges, agreeing, pixel, _ = _list(item)
    return DayPhase(
        _day(day),
        _number(phase, -1e6, 1e6),
        math.nan if width is None else _number(width, -10.0, 10.0),
        math.nan if tilt is None else _number(tilt, -10.0, 10.0),
        int(_number(edges, 0, 1e9)),
        _number(agreeing, 0.0, 1.0),
        _number(pixel, 1e-5, 10.0),
    )


def _night_cut(cut: dict[str, Any]) -> NightCut:
    return NightCut(
        _number(cut["sza_cut_deg"], 60.0, 100.0),
        _number(cut["spread_deg"], 0.0, 30.0),
        _number(cut["error"], 0.0, 1.0),
        int(_number(cut["days"], 0, 1e6)),
    )


def _number(value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{str(value)[:30]} is no number from {low:g} to {high:g}")
    return float(value)


def _day(value: Any) -> dt.date:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:30]} is no day")
    return dt.date.fromisoformat(value)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{str(value)[:30]} is no list")
    return value
