"""What a judged day leaves on disk beside its picture: masks, and why each pixel is black.

========================================  ==========================================================
``{Layer}_Mask.png``                      palette PNG, index = kind, 0 = nothing
``{Layer}_Mask.tif``                      the same as Cloud Optimized GeoTIFF (``cog``)
``{Layer}_Reason.tif``, ``.tif.aux.xml``  codes of `gibswatch.detect.REASON_CODES` as COG, and where
                                          GDAL looks for their names (``reasons``)
``..._Missing_Data.png``,                 the predecessor's masks, 0 and 255 (``compat-masks``)
``..._Miscoloration.png``
========================================  ==========================================================

A file is there if the day's last judgement has something to put into it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args
from xml.sax.saxutils import escape

import numpy as np

from gibswatch.archive.layout import Layout
from gibswatch.detect.context import REASON_CODES, Region
from gibswatch.errors import ArchiveError, OutputError, UsageError
from gibswatch.files import atomic_path, storage_errors, write_bytes
from gibswatch.raster.codec import MASK_COLOURS, encode_mask, encode_picture
from gibswatch.types import ByteArray, Georeference, Kind

__all__ = [
    "OUTPUTS",
    "REASON_COLOURS",
    "DayFiles",
    "Output",
    "check_outputs",
    "mask_of",
    "read_reasons",
    "write_rasters",
]

Output = Literal["cog", "compat-masks", "labels", "reasons"]
OUTPUTS: tuple[Output, ...] = get_args(Output)
"""What a scan writes if asked, beside its tables and masks."""

Colour = tuple[int, int, int]
REASON_COLOURS: Mapping[str, Colour] = MappingProxyType(
    {
        "visible": (236, 240, 243),
        "night": (22, 26, 54),
        "swath gap": (92, 104, 118),
        "scheduled": (240, 173, 46),
        "eclipse": (0, 90, 200),
        "terminator": (74, 68, 128),
        "server-empty": (160, 190, 180),
        "not fetched": (205, 205, 205),
        "unexpected": (230, 25, 75),
        "outside": (0, 0, 0),
    }
)
"""As a viewer shows the values of `REASON_CODES`."""

_COMPAT_KINDS: Mapping[str, frozenset[Kind]] = MappingProxyType(
    {
        "Missing_Data": frozenset(
            {Kind.MISSING_EXPECTED, Kind.MISSING_UNEXPECTED, Kind.ECLIPSE_MISSING}
        ),
        "Miscoloration": frozenset({Kind.MISCOLORATION, Kind.ECLIPSE_MISCOLORATION}),
    }
)
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class DayFiles:
    """Where the rasters of one day go, and which of them are wanted."""

    layout: Layout
    day: dt.date
    wanted: frozenset[Output] = frozenset()

    @property
    def mask_tif(self) -> Path:
        """Of the mask as COG."""
        return self.layout.mask_tif(self.day)

    @property
    def reason_tif(self) -> Path:
        """Of the reasons."""
        return self.layout.reason_tif(self.day)

    @property
    def reason_names(self) -> Path:
        """Of the names of the reasons, where GDAL looks for them."""
        return self.reason_tif.with_name(f"{self.reason_tif.name}.aux.xml")


def check_outputs(names: Collection[str]) -> frozenset[Output]:
    """Check the names of what a scan shall write besides.

    Raises
    ------
    UsageError
        If one is none of `OUTPUTS`.
    """
    given = {names} if isinstance(names, str) else set(names)
    found = frozenset(name for name in OUTPUTS if name in given)
    if unknown := sorted(given - found):
        raise UsageError(f"output {unknown[0]!r} is not one of {', '.join(OUTPUTS)}")
    return found


def mask_of(regions: Sequence[Region], shape: tuple[int, int]) -> ByteArray:
    """Draw regions as one mask, value = kind; faults lie over what only explains."""
    kinds = np.zeros(shape, dtype=np.uint8)
    for region in sorted(regions, key=lambda region: region.kind.is_fault):
        kinds[region.mask] = region.kind
    return kinds


def write_rasters(
    mask_path: Path | None,
    files: DayFiles | None,
    kinds: ByteArray,
    reasons: ByteArray | None,
    georeference: Georeference,
) -> None:
    """Write the rasters of a day; those of an earlier judgement that have no more reason go.

    Parameters
    ----------
    mask_path : Path or None
        Of the palette PNG.
    files : DayFiles or None
        What else is wanted.
    kinds : (rows, cols) ndarray of uint8
        See `mask_of`.
    reasons : (rows, cols) ndarray of uint8, or None
        Codes of `REASON_CODES`.
    georeference : Georeference

    Raises
    ------
    OutputError
        If the folder cannot take a file.
    """
    found = bool(kinds.any())
    if mask_path is not None:
        _write_or_remove(mask_path, encode_mask(kinds) if found else None)
    if files is None:
        return
    if found and "cog" in files.wanted:
        colours = {int(kind): colour for kind, colour in MASK_COLOURS.items()}
        _write_cog(files.mask_tif, kinds, georeference, {0: (0, 0, 0), **colours}, nodata=0)
    else:
        _write_or_remove(files.mask_tif, None)
    _write_reasons(files, reasons, georeference)
    if "compat-masks" in files.wanted:
        for what, those in _COMPAT_KINDS.items():
            marked = np.isin(kinds, [int(kind) for kind in those])
            picture = encode_picture(np.where(marked, np.uint8(255), np.uint8(0)), "png")
            _write_or_remove(
                files.layout.compat_mask(files.day, what), picture if marked.any() else None
            )


def read_reasons(path: Path) -> ByteArray | None:
    """Read a reason raster, (rows, cols) uint8; None if there is none.

    Raises
    ------
    ArchiveError
        If the file is damaged.
    """
    import rasterio  # noqa: PLC0415
    from rasterio.errors import RasterioError  # noqa: PLC0415

    if not path.is_file():
        return None
    try:
        with rasterio.open(path, driver="GTiff") as dataset:
            band: ByteArray = dataset.read(1)
    except (RasterioError, OSError) as error:
        raise ArchiveError(f"{path} cannot be read ({str(error)[:120]}): scan again") from error
    if band.dtype != np.uint8:
        raise ArchiveError(f"{path} is no reason raster (values are {band.dtype}): scan again")
    return band


def _write_reasons(files: DayFiles, reasons: ByteArray | None, georeference: Georeference) -> None:
    if reasons is None or "reasons" not in files.wanted:
        _write_or_remove(files.reason_tif, None)
        _write_or_remove(files.reason_names, None)
        return
    colours = {REASON_CODES[name]: colour for name, colour in REASON_COLOURS.items()}
    names = {code: name for name, code in REASON_CODES.items()}
    _write_cog(files.reason_tif, reasons, georeference, colours, names=names)
    write_bytes(files.reason_names, _category_names(names).encode())


def _write_or_remove(path: Path, data: bytes | None) -> None:
    if data is not None:
        write_bytes(path, data)
        return
    with storage_errors(path):
        path.unlink(missing_ok=True)  # of an earlier judgement


def _write_cog(
    path: Path,
    values: ByteArray,
    georeference: Georeference,
    colours: Mapping[int, Colour],
    *,
    nodata: int | None = None,
    names: Mapping[int, str] | None = None,
) -> None:
    """Write one band with a colour table, whole or not at all."""
    import rasterio.shutil  # noqa: PLC0415
    from rasterio import Affine, MemoryFile  # noqa: PLC0415
    from rasterio.errors import RasterioError  # noqa: PLC0415

    g = georeference
    profile: dict[str, Any] = {
        "driver": "GTiff", "dtype": "uint8", "count": 1, "height": g.rows, "width": g.cols,
        "crs": f"EPSG:{g.epsg}", "nodata": nodata,
        "transform": Affine(g.pixel_width, 0.0, g.west, 0.0, -g.pixel_height, g.north),
    }  # fmt: skip
    try:
        with atomic_path(path) as temporary, MemoryFile() as memory:
            with memory.open(**profile) as dataset:
                dataset.write(values, 1)
                dataset.write_colormap(1, {value: (*rgb, 255) for value, rgb in colours.items()})
                dataset.update_tags(1, **{f"VALUE_{v}": name for v, name in (names or {}).items()})
            rasterio.shutil.copy(
                memory.name, temporary, driver="COG", blocksize=_BLOCK, compress="deflate",
                overview_resampling="nearest",
            )  # fmt: skip
            temporary.with_name(f"{temporary.name}.aux.xml").unlink(missing_ok=True)
    except RasterioError as error:
        raise OutputError(
            f"{path} cannot be written ({str(error)[:200]}): free some space, or name another "
            "folder"
        ) from error


def _category_names(names: Mapping[int, str]) -> str:
    """GDAL's own file beside a raster; the list has an entry for every value up to the last."""
    entries = "".join(
        f"<Category>{escape(names.get(value, ''))}</Category>" for value in range(max(names) + 1)
    )
    band = f'<PAMRasterBand band="1"><CategoryNames>{entries}</CategoryNames></PAMRasterBand>'
    return f"<PAMDataset>{band}</PAMDataset>\n"
