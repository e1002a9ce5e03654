"""GeoTIFF, plain and cloud optimised: written strip by strip, read back and compared, or refused.

rasterio is imported where it is needed: it takes longer to load than a small day takes to write.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gibswatch.errors import DecodeError, OutputError
from gibswatch.raster.codec import MAX_FILE_PIXELS
from gibswatch.types import ByteArray, Georeference, ImageFormat

__all__ = ["GeotiffWriter", "decode_geotiff", "is_tiff"]

_BLOCK = 512
"""Rows and columns of a block (GDAL's default for COG)."""
_BLOCKS: dict[str, Any] = {
    "tiled": True,
    "blockxsize": _BLOCK,
    "blockysize": _BLOCK,
    "interleave": "pixel",
}
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""Of little and big endian TIFF and BigTIFF."""


def is_tiff(data: bytes) -> bool:
    """Whether bytes begin as a TIFF's do, whatever the file is called."""
    return data.startswith(_TIFF_STARTS)


class GeotiffWriter:
    """Writes one picture by strips of rows, in any order; `close` it, or `abandon` it.

    Parameters
    ----------
    path : Path
        Of the finished file; made by `close`.  Until then strips are in a file beside it.
    georeference : Georeference
    image_format : {"jpg", "png"}
        Of the layer: 3 bands, overviews by averaging; or 4, overviews by the nearest pixel.
    cloud_optimised : bool

    Raises
    ------
    OutputError
        By each method, if the file cannot be written, or is not read back as it was written.
    """

    def __init__(
        self,
        path: Path,
        georeference: Georeference,
        image_format: ImageFormat,
        *,
        cloud_optimised: bool,
    ) -> None:
        self._path = path.absolute()
        self._format = image_format
        self._cloud_optimised = cloud_optimised
        # Strips come in any order and GDAL appends them as they come: what is finished is a copy
        # of them from the top down, the same bytes for the same pixels.
        self._strips = self._path.with_suffix(".strips.tif")
        self._checksums: dict[tuple[int, int], int] = {}
        with _gdal_errors(self._path):
            self._dataset: Any = _create(self._strips, georeference, image_format)

    def write(self, first_row: int, pixels: ByteArray) -> None:
        """Write rows.

        Parameters
        ----------
        first_row : int
            Where they belong; a multiple of 512, or blocks are compressed twice.
        pixels : (rows, cols, bands) ndarray of uint8
        """
        from rasterio.windows import Window  # noqa: PLC0415

        rows, cols, _ = pixels.shape
        bands = np.ascontiguousarray(pixels.transpose(2, 0, 1))
        self._checksums[first_row, rows] = zlib.crc32(bands.data)
        with _gdal_errors(self._path):
            self._dataset.write(bands, window=Window(0, first_row, cols, rows))

    def close(self) -> None:
        """Finish the file, and read all of it back."""
        with _gdal_errors(self._path):
            self._dataset.close()
            _copy(self._strips, self._path, self._options())
            self._strips.unlink()
            self._compare()

    def abandon(self) -> None:
        """Let go of the file as it is; whoever owns its folder removes it."""
        with _gdal_errors(self._path):
            self._dataset.close()

    def _options(self) -> dict[str, Any]:
        if not self._cloud_optimised:
            return _BLOCKS | {"driver": "GTiff", "compress": "deflate", "predictor": 2}
        # The colours of a PNG layer are values of a colour map: a mean of two is a third value.
        resampling = "average" if self._format == "jpg" else "nearest"
        return {
            "driver": "COG",
            "blocksize": _BLOCK,
            "compress": "deflate",
            "predictor": "yes",
            "overview_resampling": resampling,
        }

    def _compare(self) -> None:
        """GDAL can keep an error of its last writes to itself: believe what can be read."""
        import rasterio  # noqa: PLC0415
        from rasterio.windows import Window  # noqa: PLC0415

        with rasterio.open(self._path, driver="GTiff") as dataset:
            for (first_row, rows), checksum in self._checksums.items():
                bands = dataset.read(window=Window(0, first_row, dataset.width, rows))
                if zlib.crc32(np.ascontiguousarray(bands).data) != checksum:
                    raise OutputError(f"{self._path} was not written whole: is the disk full?")


def decode_geotiff(
    data: bytes, image_format: ImageFormat, *, max_pixels: int = MAX_FILE_PIXELS
) -> ByteArray:
    """Decode a TIFF as a picture of a layer.

    Parameters
    ----------
    data : bytes
    image_format : {"jpg", "png"}
        Of the layer.  Grey becomes RGB; what lacks an opacity becomes opaque.
    max_pixels : int

    Returns
    -------
    (rows, cols, 3) or (rows, cols, 4) ndarray of uint8

    Raises
    ------
    DecodeError
        If it cannot be read, has other bands than grey or RGB with or without opacity, other
        values than bytes, or too many pixels.
    """
    import rasterio  # noqa: PLC0415
    from rasterio.errors import NotGeoreferencedWarning, RasterioError  # noqa: PLC0415
    from rasterio.io import MemoryFile  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            # By its driver: no other of GDAL's hundred formats may be recognised in the bytes.
            with rasterio.Env(), MemoryFile(data) as file, file.open(driver="GTiff") as dataset:
                _check_kind(dataset, max_pixels)
                bands = dataset.read()
    except (RasterioError, ValueError, OSError, MemoryError) as error:
        raise DecodeError(f"damaged TIFF: {str(error)[:120]}") from error
    return _as_picture(bands, 3 if image_format == "jpg" else 4)


def _check_kind(dataset: Any, max_pixels: int) -> None:
    if set(dataset.dtypes) != {"uint8"} or dataset.count not in (1, 3, 4):
        raise DecodeError(
            f"TIFF of {dataset.count} bands of {dataset.dtypes[0]}: 1, 3 or 4 of uint8 belong there"
        )
    if dataset.width * dataset.height > max_pixels:
        raise DecodeError(
            f"picture of {dataset.width}x{dataset.height} pixels is over the limit of "
            f"{max_pixels} pixels"
        )


def _as_picture(bands: ByteArray, count: int) -> ByteArray:
    if len(bands) == 1:
        bands = np.repeat(bands, 3, axis=0)
    if len(bands) < count:
        bands = np.concatenate([bands, np.full_like(bands[:1], 255)])
    return np.ascontiguousarray(bands[:count].transpose(1, 2, 0))


def _create(path: Path, georeference: Georeference, image_format: ImageFormat) -> Any:
    import rasterio  # noqa: PLC0415
    from rasterio.transform import Affine  # noqa: PLC0415

    g = georeference
    return rasterio.open(
        path,
        "w",
        driver="GTiff",
        dtype="uint8",
        height=g.rows,
        width=g.cols,
        count=3 if image_format == "jpg" else 4,
        crs=f"EPSG:{g.epsg}",
        transform=Affine(g.pixel_width, 0.0, g.west, 0.0, -g.pixel_height, g.north),
        compress="deflate",
        zlevel=1,
        photometric="rgb",
        bigtiff="if_safer",
        **_BLOCKS,
        **({} if image_format == "jpg" else {"alpha": "unspecified"}),
    )


def _copy(strips: Path, path: Path, options: dict[str, Any]) -> None:
    import rasterio.shutil  # noqa: PLC0415

    rasterio.shutil.copy(strips, path, bigtiff="if_safer", **options)


@contextmanager
def _gdal_errors(path: Path) -> Iterator[None]:
    from rasterio.errors import RasterioError  # noqa: PLC0415

    try:
        yield
    except (RasterioError, OSError) as error:
        raise OutputError(
            f"{path} cannot be written ({str(error)[:200]}): free some space, or name another "
            "folder; what was finished is kept"
        ) from error
