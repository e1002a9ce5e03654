"""The truth about one day as files: a raster of planes, a picture of the label, a document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibswatch.raster.codec import encode_mask, encode_picture
from gibswatch.simulate.days.granules import granule_name, granule_start_s
from gibswatch.simulate.days.spec import Region, SimulatedDay, Truth
from gibswatch.sky.timescale import day_start_s
from gibswatch.types import ByteArray, FloatArray, Georeference

__all__ = [
    "NO_VALUE",
    "TRUTH_BANDS",
    "Band",
    "Words",
    "day_document",
    "truth_files",
    "truth_planes",
    "truth_raster",
]

NO_VALUE = 65535
"""Stands where a plane has no value: nothing is seen there."""

_FIRST_HOUR_S = -12 * 3600.0  # a local day at +180 begins 12 h before the UTC day of its date
_ROWS = 256
"""Turned into numbers at a time: little memory for what lies between."""
_BLOCK = 512

Words = NDArray[np.uint16]
"""Planes in numbers."""


@dataclass(frozen=True, slots=True)
class Band:
    """One plane of the raster: value = offset + scale * number."""

    name: str
    unit: str
    scale: float = 1.0
    offset: float = 0.0


TRUTH_BANDS: tuple[Band, ...] = (
    Band("label", "code"),
    Band("region", "number"),
    Band("granule", "index of the document's list"),
    Band("pass", "number"),
    Band("coverage", "inputs"),
    Band("time", "seconds since 00:00 UTC of the date", 3.0, _FIRST_HOUR_S),
    Band("sza", "degrees", 0.1),
    Band("vza", "degrees", 0.1),
    Band("glint", "degrees", 0.1),
    Band("obscuration", "share of the Sun's disc", 0.001),
    Band("visible", "flag"),
    Band("substituted", "flag"),
)
"""Planes of the raster in its order; 16-bit numbers with `NO_VALUE`, since they compress five times
better than floats and are finer than what they describe."""


def truth_files(day: SimulatedDay, document: Mapping[str, Any]) -> dict[str, bytes]:
    """Encode all of the truth but the raster.

    Parameters
    ----------
    day : SimulatedDay
    document : Mapping
        From `day_document`.

    Returns
    -------
    dict
        Bytes by the ending of the file's name: ``_Label.png`` (8-bit palette, index = code),
        ``_Clean.png`` (of a day whose picture a fault changed: the pixels without it where they
        differ, transparent elsewhere; of a mask layer the whole mask) and ``.json``.
    """
    files = {"_Label.png": encode_mask(day.truth.label)}
    if document["clean"] is not None:
        files["_Clean.png"] = encode_picture(_patch(day.truth.clean, day.pixels), "png")
    text = json.dumps(document, indent=1, allow_nan=False, sort_keys=True)
    return {**files, ".json": f"{text}\n".encode()}


def day_document(day: SimulatedDay, planes: Words) -> dict[str, Any]:
    """Return all that is not a plane, ready for JSON, with the SHA-256 of picture and planes.

    The hash of the planes is that of their numbers, not of the compressed file: it does not
    change with the version of GDAL.
    """
    truth, g = day.truth, day.georeference
    changed = not np.array_equal(truth.clean, day.pixels)
    return {
        "layer": day.spec.layer,
        "date": day.spec.day.isoformat(),
        "codes": [int(code) for code in truth.codes],
        "regions": [_region(region) for region in truth.regions],
        "granules": [_granule_start(day, number) for number in _granules(truth).tolist()],
        "parameters": truth.parameters,
        "grid": {"epsg": g.epsg, "bbox": list(g.bbox.as_tuple()), "rows": g.rows, "cols": g.cols},
        "bands": [asdict(band) for band in TRUTH_BANDS],
        "clean": f"{day.spec.layer}_Clean.png" if changed else None,
        "picture_sha256": hashlib.sha256(day.data).hexdigest(),
        "truth_sha256": hashlib.sha256(np.ascontiguousarray(planes, "<u2").data).hexdigest(),
    }


def truth_planes(day: SimulatedDay) -> Words:
    """Put the truth into numbers.

    Returns
    -------
    (bands, rows, cols) ndarray of uint16
        In the order of `TRUTH_BANDS`.
    """
    truth = day.truth
    planes = np.empty((len(TRUTH_BANDS), *truth.label.shape), np.uint16)
    granules = _granules(truth)
    for top in range(0, len(truth.label), _ROWS):
        rows = slice(top, top + _ROWS)
        values = _values(day, granules, rows)
        for plane, band, part in zip(planes, TRUTH_BANDS, values, strict=True):
            plane[rows] = part if part.dtype.kind in "uib" else _numbers(part, band)
    return planes


def _patch(clean: ByteArray, picture: ByteArray) -> ByteArray:
    """The clean picture where it differs: a tenth of the whole, as a rule."""
    if clean.shape[2] == 4:
        return clean
    differs = (clean != picture).any(axis=2)
    alpha = np.where(differs, np.uint8(255), np.uint8(0))
    return np.dstack([np.where(differs[..., np.newaxis], clean, np.uint8(0)), alpha])


def _values(day: SimulatedDay, granules: NDArray[np.int32], rows: slice) -> Iterator[Any]:
    """Rows of the planes in the order of `TRUTH_BANDS`; whole numbers go as they are."""
    truth = day.truth
    granule, pass_index = truth.granule[rows], truth.pass_index[rows]
    yield truth.label[rows]
    yield truth.region[rows]
    yield np.where(granule >= 0, np.searchsorted(granules, granule), NO_VALUE)
    yield np.where(pass_index >= 0, pass_index, NO_VALUE)
    yield truth.coverage[rows]
    yield truth.time_s[rows] - day_start_s(day.spec.day)
    yield truth.sza_deg[rows]
    yield truth.vza_deg[rows]
    yield truth.glint_deg[rows]
    yield truth.obscuration[rows]
    yield truth.visible[rows]
    yield truth.substituted[rows]


def _numbers(values: FloatArray, band: Band) -> Words:
    """Scale to 16 bits; what is no number, or too large for them, has no value."""
    scaled = np.rint((values - band.offset) / band.scale)
    valid = (scaled >= 0) & (scaled < NO_VALUE)
    return np.where(valid, scaled, NO_VALUE).astype(np.uint16)


def _granules(truth: Truth) -> NDArray[np.int32]:
    """Numbers of the granules that the picture shows, ascending."""
    parts = [
        np.unique(truth.granule[top : top + _ROWS]) for top in range(0, len(truth.granule), _ROWS)
    ]
    numbers = np.unique(np.concatenate(parts))
    return numbers[numbers >= 0]


def _granule_start(day: SimulatedDay, number: int) -> str:
    return granule_name(granule_start_s(number, day.spec.perturbation.granule_s))


def _region(region: Region) -> dict[str, Any]:
    record = asdict(region)
    record["code"] = None if region.code is None else int(region.code)
    return record


def truth_raster(planes: Words, g: Georeference) -> bytes:
    """Compress the planes to a Cloud Optimized GeoTIFF of `TRUTH_BANDS`, in memory.

    Takes as much memory again as the planes: who can let go of the day before should.

    Parameters
    ----------
    planes : (bands, rows, cols) ndarray of uint16
        From `truth_planes`.
    g : Georeference
    """
    import rasterio  # noqa: PLC0415
    from rasterio.io import MemoryFile  # noqa: PLC0415

    profile: dict[str, Any] = {
        "driver": "COG",
        "height": g.rows,
        "width": g.cols,
        "count": len(planes),
        "dtype": "uint16",
        "crs": f"EPSG:{g.epsg}",
        "transform": rasterio.Affine(g.pixel_width, 0.0, g.west, 0.0, -g.pixel_height, g.north),
        "nodata": NO_VALUE,
        "compress": "DEFLATE",
        "level": 1,
        "predictor": 2,
        "blocksize": _BLOCK,
        "overviews": "NONE",  # codes and numbers have no means
    }
    with MemoryFile(ext=".tif") as memory:
        with memory.open(**profile) as raster:
            raster.write(planes)
            for number, band in enumerate(TRUTH_BANDS, 1):
                raster.set_band_description(number, band.name)
            raster.scales = [band.scale for band in TRUTH_BANDS]
            raster.offsets = [band.offset for band in TRUTH_BANDS]
            raster.units = [band.unit for band in TRUTH_BANDS]
        return bytes(memory.getbuffer())
