"""One map of the WMS: what a GetMap asks for, and the picture of it made from a layer's tiles."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gibswatch.catalogue.grids import TileMatrix, TileMatrixSet, tile_matrix_set
from gibswatch.errors import DecodeError, GibswatchError
from gibswatch.raster import decode_picture
from gibswatch.simulate.server.cut import encode_tile
from gibswatch.simulate.server.exceptions import OwsError
from gibswatch.simulate.server.service import TileService
from gibswatch.simulate.server.sources import ServedLayer
from gibswatch.simulate.server.wms_documents import LAYER_LIMIT, MAX_SIZE, WmsVersion
from gibswatch.types import BBox, ByteArray, FloatArray

__all__ = ["MapRequest", "WmsError", "draw_map", "encode_map", "read_map_request", "wms_version"]

_Indices = NDArray[np.intp]

_NUMBER = re.compile(r"\d{1,6}", re.ASCII)
_COLOUR = re.compile(r"0[xX]([0-9a-fA-F]{6})", re.ASCII)
_WRONG_SIZE = (
    "msWMSLoadGetMapParams(): WMS server error. Image size out of range, WIDTH and HEIGHT must be "
    f"between 1 and {MAX_SIZE} pixels."
)
_WRONG_BOX = "msWMSLoadGetMapParams(): WMS server error. Invalid values for BBOX."
_WRONG_CRS = (
    "msWMSLoadGetMapParams(): WMS server error. Invalid {word} given : {word} must be valid for "
    "all requested layers."
)
_WRONG_LAYERS = "msWMSLoadGetMapParams(): WMS server error. Unable to access -- invalid LAYER(s)"
_MANY_LAYERS = (
    "msWMSLoadGetMapParams(): WMS server error. Number of layers requested exceeds LayerLimit."
)
_NOT_DRAWN = "msDrawMap(): Image handling error. Failed to draw layer named '{}'."
_STRIP = 256  # rows
_SLACK = 1e-6  # of a pixel size: that of a request is rounded


class WmsError(GibswatchError):
    """A request that the WMS refuses as MapServer does.

    Parameters
    ----------
    text : str
    code : str, optional
        Of the WMS standard, e.g. ``LayerNotDefined``.
    """

    def __init__(self, text: str, code: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


@dataclass(frozen=True, slots=True)
class MapRequest:
    """One GetMap."""

    layers: tuple[str, ...]
    """Identifiers; each is drawn over those before it."""
    box: BBox
    """Lon/lat degrees, in whatever order they came."""
    rows: int
    cols: int
    media_type: str
    """``image/png``, ``image/jpeg`` or ``image/tiff``."""
    is_transparent: bool
    """Whether what no layer covers is left transparent (not in a JPEG)."""
    background: tuple[int, int, int]
    """Red, green, blue of what no layer covers, where it is not transparent."""


def wms_version(words: Mapping[str, str]) -> WmsVersion:
    """Return the version that a request means: 1.1.1 for all before 1.3.0.

    Without ``VERSION`` a request with ``SRS`` is 1.1.1, as only that has it.
    """
    given = words.get("version") or ("1.1.1" if "srs" in words else "1.3.0")
    return "1.3.0" if given >= "1.3.0" else "1.1.1"


def read_map_request(words: Mapping[str, str]) -> MapRequest:
    """Read the query of a GetMap; the time is left to whoever asks for tiles.

    Parameters
    ----------
    words : Mapping[str, str]
        Names in lower case.

    Raises
    ------
    WmsError
        If there are no layers or more than 5, or the box, the projection, the size, a style or the
        colour cannot be.
    """
    layers = tuple(words.get("layers", "").split(","))
    if len(layers) > LAYER_LIMIT:
        raise WmsError(_MANY_LAYERS)
    for style in words.get("styles", "").split(","):
        if style not in ("", "default"):
            text = f"msWMSLoadGetMapParams(): WMS server error. Invalid style ({style})"
            raise WmsError(text, "StyleNotDefined")
    colour = _COLOUR.fullmatch(words.get("bgcolor", "0x000000"))
    if colour is None:
        raise WmsError("msWMSLoadGetMapParams(): WMS server error. Invalid BGCOLOR.")
    red, green, blue = bytes.fromhex(colour[1])
    media_type = words["format"]
    clear = words.get("transparent", "TRUE").upper() != "FALSE" and media_type != "image/jpeg"
    return MapRequest(
        layers=layers,
        box=_read_box(words),
        rows=_read_size(words.get("height", "")),
        cols=_read_size(words.get("width", "")),
        media_type=media_type,
        is_transparent=clear,
        background=(red, green, blue),
    )


def draw_map(
    service: TileService, request: MapRequest, time: str, *, collection: str = "best"
) -> ByteArray:
    """Draw the layers of a map over each other.

    Pixels are nearest neighbours, in the coarsest level whose pixels are no larger than the map's
    (so a map on the pixels of a level is that level's tiles, pixel by pixel).  A JPEG layer is
    opaque all over the globe, also where it is black.

    Parameters
    ----------
    service : TileService
    request : MapRequest
    time : str
        Date, date and time, or ``default``, for all layers.
    collection : {"best", "std", "nrt", "all"}

    Returns
    -------
    (rows, cols, 4) ndarray of uint8

    Raises
    ------
    WmsError
        If a layer is not served in EPSG:4326, or cannot be drawn at that time.
    """
    served = service.layers
    for name in request.layers:
        if name not in served or 4326 not in served[name][0].matrix_sets:
            raise WmsError(_WRONG_LAYERS, "LayerNotDefined")
    canvas = np.zeros((request.rows, request.cols, 4), np.uint8)
    for name in request.layers:
        try:
            _draw_layer(_Tiles(service, served[name][0], time, collection), request, canvas)
        except (OwsError, DecodeError) as error:
            raise WmsError(f"{_NOT_DRAWN.format(name)}\n{error}") from error
    return canvas


def encode_map(pixels: ByteArray, request: MapRequest) -> bytes:
    """Encode a drawn map as it was asked for.

    Parameters
    ----------
    pixels : (rows, cols, 4) ndarray of uint8
    request : MapRequest
    """
    if not request.is_transparent:
        pixels = _on_background(pixels, request.background)
    if request.media_type == "image/tiff":
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "TIFF")
        return buffer.getvalue()
    return encode_tile(pixels, "jpg" if request.media_type == "image/jpeg" else "png")


@dataclass(frozen=True, slots=True)
class _Tiles:
    """The tiles of one layer at one time."""

    service: TileService
    layer: ServedLayer
    time: str
    collection: str

    @property
    def grid(self) -> TileMatrixSet:
        return tile_matrix_set(4326, self.layer.matrix_sets[4326])

    def pixels(self, level: int, row: int, col: int) -> ByteArray:
        where = (self.layer.identifier, 4326, self.time, self.grid.identifier, level, row, col)
        answer = self.service.tile(*where, collection=self.collection)
        if answer.status != 200:
            raise DecodeError(f"no picture of {self.time}")
        return decode_picture(answer.body, image_format=self.layer.image_format)


def _draw_layer(tiles: _Tiles, request: MapRequest, canvas: ByteArray) -> None:
    grid = tiles.grid
    matrix = _level_for(request, grid.matrices)
    box, size = request.box, matrix.tile_size
    down = (np.arange(request.rows) + 0.5) * ((box.north - box.south) / request.rows)
    along = (np.arange(request.cols) + 0.5) * ((box.east - box.west) / request.cols)
    col_parts = list(_parts(along + (box.west - grid.extent.west), 360.0, matrix))
    for row, lines, from_rows in _parts(down + (grid.extent.north - box.north), 180.0, matrix):
        for col, columns, from_cols in col_parts:
            pixels = tiles.pixels(matrix.level, row, col)
            _lay_over(
                canvas[lines, columns], pixels[from_rows[:, None] % size, from_cols[None, :] % size]
            )


def _parts(
    place: FloatArray, end: float, matrix: TileMatrix
) -> Iterator[tuple[int, slice, _Indices]]:
    """Yield each tile index along one axis, the map's pixels in it, and the level's pixels there.

    `place` are the centres of the map's pixels in degrees from the globe's edge; those outside are
    left out.
    """
    first, last = (int(n) for n in np.searchsorted(place, (0.0, end)))
    pixels = (place[first:last] / matrix.pixel_size).astype(np.intp)
    tiles = pixels // matrix.tile_size
    for tile in np.unique(tiles):
        start, stop = (int(n) for n in np.searchsorted(tiles, (tile, tile + 1)))
        yield int(tile), slice(first + start, first + stop), pixels[start:stop]


def _level_for(request: MapRequest, matrices: tuple[TileMatrix, ...]) -> TileMatrix:
    box = request.box
    wanted = min((box.east - box.west) / request.cols, (box.north - box.south) / request.rows)
    fine = (matrix for matrix in matrices if matrix.pixel_size <= wanted * (1 + _SLACK))
    return next(fine, matrices[-1])


def _lay_over(canvas: ByteArray, picture: ByteArray) -> None:
    """Lay a picture, RGB or RGBA, over the canvas (RGBA) in place."""
    if picture.shape[2] == 3:
        canvas[..., :3], canvas[..., 3] = picture, 255
        return
    opaque = picture[..., 3] == 255
    np.copyto(canvas, picture, where=opaque[..., None])
    partly = (picture[..., 3] > 0) & ~opaque
    if not partly.any():
        return
    above, below = picture[partly] / 255.0, canvas[partly] / 255.0
    left = below[:, 3:] * (1 - above[:, 3:])
    alpha = above[:, 3:] + left
    colour = (above[:, :3] * above[:, 3:] + below[:, :3] * left) / alpha
    canvas[partly] = np.rint(255 * np.hstack((colour, alpha))).astype(np.uint8)


def _on_background(pixels: ByteArray, background: tuple[int, int, int]) -> ByteArray:
    """Lay RGBA over one colour, a strip at a time: a large map has a gigabyte."""
    out = np.empty((*pixels.shape[:2], 3), np.uint8)
    for start in range(0, pixels.shape[0], _STRIP):
        strip = pixels[start : start + _STRIP]
        canvas = np.full_like(strip, 255)
        canvas[..., :3] = background
        _lay_over(canvas, strip)
        out[start : start + _STRIP] = canvas[..., :3]
    return out


def _read_size(text: str) -> int:
    size = int(text) if _NUMBER.fullmatch(text) else 0
    if not 1 <= size <= MAX_SIZE:
        raise WmsError(_WRONG_SIZE)
    return size


def _read_box(words: Mapping[str, str]) -> BBox:
    """Read ``BBOX`` as lon/lat; EPSG:4326 is lat/lon in 1.3.0."""
    new = wms_version(words) == "1.3.0"
    word = "CRS" if new else "SRS"
    crs = words.get(word.lower(), "").upper()
    if crs not in ("EPSG:4326", "CRS:84"):
        raise WmsError(_WRONG_CRS.format(word=word), f"Invalid{word}")
    try:
        numbers = [float(text) for text in words.get("bbox", "").split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not all(map(isfinite, numbers)):
        raise WmsError(_WRONG_BOX)
    west, south, east, north = numbers
    if new and crs == "EPSG:4326":
        west, south, east, north = south, west, north, east
    if west >= east or south >= north:
        raise WmsError(_WRONG_BOX)
    return BBox(west, south, east, north)
