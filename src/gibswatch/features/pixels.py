"""Pixels themselves as features, for models that find their own: of a picture, and of its patches.

Rows are bytes: a day of 256 by 128 pixels takes 98 kB.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gibswatch.errors import UsageError
from gibswatch.features.extract import rgb_of, standard_picture
from gibswatch.features.patches import patch_grid
from gibswatch.raster.scene import Scene
from gibswatch.types import ByteArray, Georeference

__all__ = [
    "LEAST_SIDE",
    "MOST_SIDE",
    "PIXELS_VERSION",
    "PatchPixels",
    "PicturePixels",
    "patch_pixels",
    "picture_pixels",
    "standard_shape",
]

PIXELS_VERSION = 1
"""Raised whenever the rows change for the same picture."""
LEAST_SIDE, MOST_SIDE = 32, 4096
_CHANNELS = 3


def standard_shape(shape: tuple[int, int], longer: int) -> tuple[int, int]:
    """Rows and columns of a picture brought to a longer side, the ratio kept, 32 at least.

    Examples
    --------
    >>> standard_shape((1280, 2560), 256)
    (128, 256)
    """
    rows, cols = (max(LEAST_SIDE, round(longer * side / max(shape))) for side in shape)
    return rows, cols


@dataclass(frozen=True, slots=True)
class PicturePixels:
    """A whole picture averaged to a grid.

    Raises
    ------
    UsageError
        If a field is out of range.
    """

    rows: int
    cols: int
    wraps: bool = False
    """Whether the last column borders on the first, as of a globe."""
    version: int = PIXELS_VERSION

    def __post_init__(self) -> None:
        _check_sides(self.rows, self.cols)
        _check_version(self.version)

    @classmethod
    def of(cls, place: Georeference, longer: int) -> Self:
        """The definition for pictures of a place."""
        rows, cols = standard_shape(place.shape, longer)
        width = place.cols * place.pixel_width
        return cls(rows, cols, wraps=place.epsg == 4326 and abs(width - 360.0) < 1e-6)

    @property
    def length(self) -> int:
        """Numbers in a row: rows, columns, red, green and blue."""
        return self.rows * self.cols * _CHANNELS

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` makes an equal record of them."""
        return {"of": "pixels", **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave.

        Raises
        ------
        UsageError
            If it is no such document.
        """
        return cls(**fields_of(cls, document))


@dataclass(frozen=True, slots=True)
class PatchPixels:
    """Each square patch of a picture, at the picture's own resolution.

    Raises
    ------
    UsageError
        If a field is out of range.
    """

    side: int = 32
    version: int = PIXELS_VERSION

    def __post_init__(self) -> None:
        _check_sides(self.side, self.side)
        _check_version(self.version)

    @property
    def length(self) -> int:
        """Numbers in a row: rows, columns, red, green and blue of a patch."""
        return self.side * self.side * _CHANNELS

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` makes an equal record of them."""
        return {"of": "patch-pixels", **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave; raises as `PicturePixels.from_json`."""
        return cls(**fields_of(cls, document))


def picture_pixels(scene: Scene, definition: PicturePixels) -> ByteArray:
    """Average a picture to the grid, as (rows, cols, 3) ndarray of uint8; black stays black."""
    return standard_picture(scene, definition.rows, definition.cols)


def patch_pixels(scene: Scene, definition: PatchPixels) -> ByteArray:
    """Cut a picture into patches.

    Returns
    -------
    (patches, side, side, 3) ndarray of uint8
        Row by row; beyond the right and the bottom edge the last pixels are repeated.
    """
    pixels, side = rgb_of(scene), definition.side
    rows, cols = patch_grid(pixels.shape, side)
    beyond = [
        (0, count * side - size) for count, size in zip((rows, cols), pixels.shape[:2], strict=True)
    ]
    padded = np.pad(pixels, [*beyond, (0, 0)], mode="edge")
    blocks = padded.reshape(rows, side, cols, side, _CHANNELS).swapaxes(1, 2)
    return np.ascontiguousarray(blocks.reshape(rows * cols, side, side, _CHANNELS))


def fields_of(record: type[Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Give the fields of a record in a document: all of them, no others, of the right types.

    Raises
    ------
    UsageError
        If it is another document.
    """
    values = {name: value for name, value in document.items() if name != "of"}
    kinds = {field.name: field.type for field in dataclasses.fields(record)}
    right = set(values) == set(kinds) and all(
        type(value).__name__ == kinds[name] for name, value in values.items()
    )
    if not right:
        raise UsageError(
            f"the model's card describes its features by {str(values)[:80]}, which is no "
            f"description of {document.get('of')!r}: the card was changed; train the model again"
        )
    return values


def _check_sides(rows: int, cols: int) -> None:
    for side in (rows, cols):
        if not LEAST_SIDE <= side <= MOST_SIDE:
            raise UsageError(
                f"a side of {side} pixels is out of range: give {LEAST_SIDE} to {MOST_SIDE}"
            )


def _check_version(version: int) -> None:
    if version != PIXELS_VERSION:
        raise UsageError(
            f"the model was trained on pixels of version {version}, this Gibswatch makes version "
            f"{PIXELS_VERSION}: train it again with `gibswatch train`"
        )
