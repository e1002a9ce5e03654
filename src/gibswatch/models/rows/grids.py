"""A day as one row: all patches of its picture, for models that learn what each looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.features import PatchDefinition, extract_patches, patch_grid
from gibswatch.raster.scene import Scene

__all__ = ["PatchGrid", "grid_features"]

_OF = "patch-grid"


@dataclass(frozen=True, slots=True)
class PatchGrid:
    """The features of all patches of a picture, at its own resolution."""

    patches: PatchDefinition
    rows: int
    """Of patches."""
    cols: int

    @classmethod
    def of(cls, shape: tuple[int, int]) -> Self:
        """The definition for pictures of (rows, cols) pixels."""
        patches = PatchDefinition()
        return cls(patches, *patch_grid(shape, patches.side))

    @property
    def length(self) -> int:
        """Numbers in a row: patch rows, patch columns, features of a patch."""
        return self.rows * self.cols * self.patches.length

    @property
    def patch_length(self) -> int:
        """Numbers of one patch."""
        return self.patches.length

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` makes an equal record of them."""
        return {"of": _OF, "rows": self.rows, "cols": self.cols, **self.patches.to_json()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave.

        Raises
        ------
        UsageError
            If it is no such document, or of another version of features.
        """
        values = dict(document)
        sides = [values.pop(name, None) for name in ("rows", "cols")]
        values.pop("of", None)
        if not all(type(side) is int and 0 < side < 2**16 for side in sides):
            raise UsageError(f"the model's card has a grid of {str(sides)[:40]}: train it again")
        return cls(PatchDefinition.from_json(values), *sides)


def grid_features(scene: Scene, definition: PatchGrid) -> NDArray[np.float32]:
    """Features of all patches of a picture, as (definition.length,) ndarray of float32.

    Raises
    ------
    UsageError
        If the picture has another number of patches.
    """
    found = extract_patches(scene, definition.patches)
    if found.shape[:2] != (definition.rows, definition.cols):
        raise UsageError(
            f"the model knows {definition.rows} by {definition.cols} patches, the picture has "
            f"{found.shape[0]} by {found.shape[1]}: give pictures of the same resolution"
        )
    return found.ravel()
