"""An expectation for other programs: one JSON document, or a raster of seven named bands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gibswatch.catalogue.events import Event
from gibswatch.files import atomic_path
from gibswatch.raster.regions import pixel_area_km2
from gibswatch.sky.expectation import REASONS, Expectation, granule_id
from gibswatch.sky.orbit import Orbit
from gibswatch.sky.satellites import Satellite
from gibswatch.sky.schedule import Window
from gibswatch.sky.timescale import datetime_at, day_start_s
from gibswatch.types import FloatArray, Georeference

__all__ = ["SKY_BANDS", "reason_shares", "sky_document", "write_sky_raster"]

SKY_BANDS: tuple[tuple[str, str], ...] = (
    ("reason", "code"),
    ("pass_index", "number"),
    ("time_utc", "minutes since 00:00 UTC of the day"),
    ("solar_zenith", "degrees"),
    ("view_zenith", "degrees"),
    ("glint_angle", "degrees"),
    ("obscuration", "share of the Sun's disc"),
)
"""Names and units of the raster's bands."""

_BLOCK = 512


def reason_shares(expectation: Expectation, georeference: Georeference) -> dict[str, float]:
    """Shares of the area inside the globe, by reason; they sum to 1."""
    area = pixel_area_km2(georeference)
    sums = np.bincount(
        expectation.reason.ravel(), weights=area.ravel().astype(np.float64), minlength=256
    )
    inside = {code: name for code, name in REASONS.items() if name != "outside"}
    total = float(sum(sums[code] for code in inside)) or 1.0
    return {name: float(sums[code]) / total for code, name in inside.items()}


def sky_document(
    expectation: Expectation, georeference: Georeference, layer: str
) -> dict[str, Any]:
    """Return what ``gibswatch sky --json`` prints.

    Parameters
    ----------
    expectation : Expectation
    georeference : Georeference
        Of its pixels.
    layer : str
        Identifier that was asked for.

    Returns
    -------
    dict
        Ready for JSON: times are ISO 8601 in UTC, shares 0-1, angles degrees.
    """
    orbit, g = expectation.orbit, georeference
    shares = reason_shares(expectation, g)
    covered = float(np.max(expectation.obscuration, initial=0.0))
    return {
        "layer": layer,
        "date": str(expectation.day),
        "satellite": orbit.satellite,
        "instrument": orbit.record.instrument,
        "grid": {
            "epsg": g.epsg,
            "bbox": list(g.bbox.as_tuple()),
            "rows": g.rows,
            "cols": g.cols,
        },
        "orbit": _orbit(orbit, expectation.uncertainty_px),
        "shares": {name: round(share, 6) for name, share in shares.items()},
        "largest_obscuration": round(covered, 4),
        "passes": _passes(expectation, g),
        "scheduled": [_window(window) for window in expectation.scheduled],
        "events": [_event(event) for event in expectation.events],
    }


def _orbit(orbit: Orbit, uncertainty_px: float) -> dict[str, Any]:
    return {
        "source": orbit.source,
        "note": orbit.note or None,
        "longitude_sigma_deg": round(orbit.longitude_sigma_deg, 4),
        "time_sigma_s": round(orbit.time_sigma_s, 1),
        "edge_uncertainty_px": round(float(uncertainty_px), 3),
        "valid": [str(day) for day in orbit.valid],
        "spacing_deg": round(orbit.spacing_deg, 5),
        "period_s": round(orbit.period_s, 3),
    }


def _window(window: Window) -> dict[str, Any]:
    return {
        "kind": window.kind,
        "why": window.why,
        "probability": window.probability,
        "first": _iso(window.first_s),
        "last": _iso(window.last_s),
        "duration_s": window.duration_s,
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "first": str(event.first),
        "last": str(event.last),
        "effect": event.effect,
        "what": event.what,
        "source": event.source,
        "certain": event.certain,
    }


def write_sky_raster(expectation: Expectation, georeference: Georeference, path: Path) -> None:
    """Write a Cloud Optimized GeoTIFF of seven float32 bands, whole or not at all.

    Parameters
    ----------
    expectation : Expectation
    georeference : Georeference
        Of its pixels.
    path : Path
        Ends in ``.tif``.  Bands are `SKY_BANDS`; NaN where a band has no value.

    Raises
    ------
    OutputError
        If the folder cannot take the file.
    """
    import rasterio  # noqa: PLC0415

    g = georeference
    profile: dict[str, Any] = {
        "driver": "COG",
        "height": g.rows,
        "width": g.cols,
        "count": len(SKY_BANDS),
        "dtype": "float32",
        "crs": f"EPSG:{g.epsg}",
        "transform": rasterio.Affine(g.pixel_width, 0.0, g.west, 0.0, -g.pixel_height, g.north),
        "nodata": float("nan"),
        "compress": "DEFLATE",
        "predictor": 3,
        "blocksize": _BLOCK,
        "overview_resampling": "nearest",
    }
    with atomic_path(path) as temporary, rasterio.open(temporary, "w", **profile) as raster:
        for number, band in enumerate(_bands(expectation), 1):
            raster.write(band, number)
            raster.set_band_description(number, SKY_BANDS[number - 1][0])
            raster.update_tags(number, units=SKY_BANDS[number - 1][1])
        raster.units = [unit for _, unit in SKY_BANDS]
        codes = ", ".join(f"{code} {name}" for code, name in REASONS.items())
        raster.update_tags(
            reasons=codes,
            date=str(expectation.day),
            satellite=expectation.orbit.satellite,
            orbit_source=expectation.orbit.source,
        )


def _bands(expectation: Expectation) -> list[FloatArray]:
    """The arrays of `SKY_BANDS`."""
    index = expectation.pass_index.astype(np.float32)
    index[index < 0] = np.nan
    minutes = (expectation.time_s - day_start_s(expectation.day)) / 60.0
    return [
        np.asarray(band, dtype=np.float32)
        for band in (
            expectation.reason,
            index,
            minutes,
            expectation.sza_deg,
            expectation.view_zenith_deg,
            expectation.glint_deg,
            expectation.obscuration,
        )
    ]


def _passes(expectation: Expectation, georeference: Georeference) -> list[dict[str, Any]]:
    """One record a pass that the picture shows, in the order of time."""
    orbit = expectation.orbit
    index, area = expectation.pass_index, pixel_area_km2(georeference)
    seen = index >= 0
    total = float(area.sum(dtype=np.float64)) or 1.0
    records = []
    for number in np.unique(index[seen]).tolist():
        own = index == number
        times = expectation.time_s[own]
        first, last = float(times.min()), float(times.max())
        records.append(
            {
                "index": number,
                "node_time": _iso(orbit.node_time(number)),
                "node_longitude": round(float(orbit.node_longitude(number)), 3),
                "first": _iso(first),
                "last": _iso(last),
                "share": round(float(area.sum(where=own, dtype=np.float64)) / total, 6),
                "granules": _granules(first, last, orbit.record),
            }
        )
    return sorted(records, key=lambda record: str(record["first"]))


def _granules(first_s: float, last_s: float, satellite: Satellite) -> list[dict[str, str]]:
    """Identifiers and start times of the granules from one moment to another."""
    length = satellite.granule_s
    starts = np.arange(int(first_s // length), int(last_s // length) + 1) * length
    return [
        {
            "id": granule_id(satellite.name, float(start)),
            "start": f"{datetime_at(float(start)):%Y-%m-%dT%H:%MZ}",
        }
        for start in starts
    ]


def _iso(moment_s: float) -> str:
    return f"{datetime_at(moment_s):%Y-%m-%dT%H:%M:%SZ}"
