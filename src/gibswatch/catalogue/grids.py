"""GIBS's tile matrix sets, and the predecessor's table of resolutions.

Facts: OnEarth's ``tilematrixsets.xml`` and the GIBS documentation (see ``docs/sources.md``).  Rows
and columns count from the top left; level 0 of EPSG:4326 spans -180..396 by 90..-198, so tiles at
the right and bottom edges overhang the globe and are clipped by whoever places them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from gibswatch.errors import UnknownGridError
from gibswatch.types import EPSG_CODES, BBox, Epsg

__all__ = [
    "PREDECESSOR_TABLE",
    "ResolutionRow",
    "TileMatrix",
    "TileMatrixSet",
    "check_epsg",
    "native_level",
    "resolution_row",
    "tile_matrix_set",
    "tile_matrix_sets",
]

_POLAR_HALF_M = 4194304.0
_MERCATOR_HALF_M = 20037508.34278925
_STANDARD_PIXEL_M = 0.00028  # OGC WMTS 1.0.0, 6.1: a rendering pixel is 0.28 mm
_METRES_PER_DEGREE = 111319.49079327358  # on the WGS 84 equator, as OGC defines it

_EXTENT: dict[int, BBox] = {
    4326: BBox(-180.0, -90.0, 180.0, 90.0),
    3413: BBox(-_POLAR_HALF_M, -_POLAR_HALF_M, _POLAR_HALF_M, _POLAR_HALF_M),
    3031: BBox(-_POLAR_HALF_M, -_POLAR_HALF_M, _POLAR_HALF_M, _POLAR_HALF_M),
    3857: BBox(-_MERCATOR_HALF_M, -_MERCATOR_HALF_M, _MERCATOR_HALF_M, _MERCATOR_HALF_M),
}
_LEVEL_0_PIXEL: dict[int, float] = {
    4326: 0.5625,
    3413: 8192.0,
    3031: 8192.0,
    3857: 2 * _MERCATOR_HALF_M / 256,
}
_MAX_LEVEL: dict[int, dict[str, int]] = {
    4326: {"16km": 2, "2km": 5, "1km": 6, "500m": 7, "250m": 8, "31.25m": 11, "15.625m": 12},
    3413: {"1km": 3, "500m": 4, "250m": 5, "31.25m": 8},
    3031: {"1km": 3, "500m": 4, "250m": 5},
    3857: {f"GoogleMapsCompatible_Level{n}": n for n in (3, 6, 7, 8, 9, 12, 13)},
}


@dataclass(frozen=True, slots=True)
class TileMatrix:
    """One level of a tile matrix set."""

    level: int
    pixel_size: float
    """Width and height of a pixel: degrees for EPSG:4326, else metres."""
    matrix_rows: int
    matrix_cols: int
    tile_size: int
    """Rows and columns of one tile, in pixels."""

    @property
    def tile_span(self) -> float:
        """Width and height of one tile in units of the projection."""
        return self.pixel_size * self.tile_size


@dataclass(frozen=True, slots=True)
class TileMatrixSet:
    """A pyramid of tile matrices, coarsest first."""

    identifier: str
    epsg: Epsg
    extent: BBox
    """The valid area; its top left corner is that of tile row 0, column 0."""
    matrices: tuple[TileMatrix, ...]

    @property
    def max_level(self) -> int:
        """The finest level."""
        return len(self.matrices) - 1

    def matrix(self, level: int) -> TileMatrix:
        """Return the tile matrix of `level`.

        Raises
        ------
        UnknownGridError
            If the set has no such level.
        """
        if not 0 <= level <= self.max_level:
            raise UnknownGridError(
                f"tile matrix set {self.identifier} of EPSG:{self.epsg} has levels 0 to "
                f"{self.max_level}, not {level}"
            )
        return self.matrices[level]

    def scale_denominator(self, level: int) -> float:
        """OGC scale denominator of `level` (pixels of 0.28 mm)."""
        size = self.matrix(level).pixel_size
        metres = size * _METRES_PER_DEGREE if self.epsg == 4326 else size
        return metres / _STANDARD_PIXEL_M


@dataclass(frozen=True, slots=True)
class ResolutionRow:
    """One row of the predecessor's table (EPSG:4326), or its polar counterpart."""

    tile_resolution: str
    tile_level: int
    """Level of the 512-pixel grid whose pixels are closest, the predecessor's `tile_level`."""
    rows: int
    cols: int
    """Size of the stitched picture in pixels (`pixel_resolution` is cols x rows)."""
    tile_rows: int
    tile_cols: int
    """Size of the output tile grid (`tiled_resolution` is cols x rows)."""

    @property
    def num_tiles(self) -> int:
        """Number of output tiles of 512 x 512."""
        return self.tile_rows * self.tile_cols

    @property
    def pixel_resolution(self) -> str:
        """Size of the stitched picture as the predecessor writes it, columns first."""
        return f"{self.cols}x{self.rows}"

    @property
    def tiled_resolution(self) -> str:
        """Size of the output tile grid as the predecessor writes it, columns first."""
        return f"{self.tile_cols}x{self.tile_rows}"


_NAMES = ("16km", "8km", "4km", "2km", "1km", "500m", "250m", "125m", "62.5m", "31.25m")

PREDECESSOR_TABLE: tuple[ResolutionRow, ...] = tuple(
    ResolutionRow(name, level, 512 << level, 1024 << level, 1 << level, 2 << level)
    for level, name in enumerate(_NAMES, start=2)
)
"""The predecessor's ten rows, 16km to 31.25m (EPSG:4326)."""

_POLAR_TABLE: tuple[ResolutionRow, ...] = (
    ResolutionRow("16km", 0, 512, 512, 1, 1),
    *(
        ResolutionRow(name, level, 1024 << level, 1024 << level, 2 << level, 2 << level)
        for level, name in enumerate(_NAMES[1:7])
    ),
)


def check_epsg(epsg: int) -> Epsg:
    """Return `epsg` if GIBS serves it.

    Raises
    ------
    UnknownGridError
        If it is none of 4326, 3413, 3031 and 3857.
    """
    for known in EPSG_CODES:
        if epsg == known:
            return known  # type: ignore[return-value]
    raise UnknownGridError(
        f"EPSG:{epsg} is not a projection of GIBS: use 4326 (geographic), 3413 (arctic), "
        "3031 (antarctic) or 3857 (web mercator)"
    )


def tile_matrix_sets(epsg: int) -> tuple[str, ...]:
    """Identifiers of the tile matrix sets of a projection, coarsest first."""
    return tuple(_MAX_LEVEL[check_epsg(epsg)])


def tile_matrix_set(epsg: int, identifier: str) -> TileMatrixSet:
    """Return one of GIBS's tile matrix sets.

    Raises
    ------
    UnknownGridError
        If the projection has no set of that name.

    Examples
    --------
    >>> m = tile_matrix_set(4326, "250m").matrix(3)
    >>> (m.matrix_cols, m.matrix_rows, m.tile_span)
    (10, 5, 36.0)
    """
    known = check_epsg(epsg)
    if identifier not in _MAX_LEVEL[known]:
        raise UnknownGridError(
            f"EPSG:{epsg} has no tile matrix set {identifier!r}: use one of "
            + ", ".join(_MAX_LEVEL[known])
        )
    tile_size = 256 if known == 3857 else 512
    extent = _EXTENT[known]
    matrices = []
    for level in range(_MAX_LEVEL[known][identifier] + 1):
        pixel = _LEVEL_0_PIXEL[known] / 2**level
        span = pixel * tile_size
        rows = ceil((extent.north - extent.south) / span)
        cols = ceil((extent.east - extent.west) / span)
        matrices.append(TileMatrix(level, pixel, rows, cols, tile_size))
    return TileMatrixSet(identifier, known, extent, tuple(matrices))


def resolution_row(epsg: int, tile_resolution: str) -> ResolutionRow:
    """Return the row of the predecessor's table for `tile_resolution`.

    Raises
    ------
    UnknownGridError
        If the projection has no such row (EPSG:3857 has none at all).
    """
    table = {4326: PREDECESSOR_TABLE, 3413: _POLAR_TABLE, 3031: _POLAR_TABLE}.get(check_epsg(epsg))
    if table is None:
        raise UnknownGridError(f"the predecessor's grid has no EPSG:{epsg}: use --grid native")
    for row in table:
        if row.tile_resolution == tile_resolution:
            return row
    names = ", ".join(row.tile_resolution for row in table)
    raise UnknownGridError(
        f"--tile-resolution {tile_resolution!r} is not one of EPSG:{epsg}'s: use {names}"
    )


def native_level(epsg: int, tile_resolution: str) -> int:
    """Level of GIBS's own pixels that `tile_resolution` names.

    EPSG:4326 and the polar projections: the row's `tile_level`.  EPSG:3857 has one level more for
    the same name, as GIBS's own sets have (2km is level 5 in 4326 and 6 in 3857).

    Raises
    ------
    UnknownGridError
        If the projection has no such level (polar 16km is level 0 halved, not GIBS's own pixels).
    """
    if check_epsg(epsg) == 3857:
        return resolution_row(4326, tile_resolution).tile_level + 1
    if epsg != 4326 and tile_resolution == "16km":
        raise UnknownGridError(
            f"EPSG:{epsg} starts at 8km: use --tile-resolution 8km, or --grid predecessor"
        )
    return resolution_row(epsg, tile_resolution).tile_level
