"""Classes of patches by a day's mask, and a balanced draw of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gibswatch.archive.layout import Layout
from gibswatch.errors import DecodeError
from gibswatch.features import patch_grid, patch_labels
from gibswatch.models.targets import Target, class_of
from gibswatch.types import ByteArray, Epsg, Kind

__all__ = ["MaskPlace", "PatchSampling", "known_mask", "patch_classes", "read_mask"]

_NO_CLASS = -1
_FEWEST = 8
"""Normal patches that are drawn from a day, also where it has no faulty one."""


@dataclass(frozen=True, slots=True)
class MaskPlace:
    """Where the masks of a layer lie."""

    root: Path
    layer: str
    epsg: Epsg
    target: Target
    folder: Path | None = None
    """Of masks called ``{date}.png``, ``{date}_mask.png`` or ``{date}/{Layer}_Mask.png``, or of the
    truth of simulated days, ``{date}/truth/{Layer}_Label.png``; None: the archive's masks."""

    def paths(self, day: dt.date) -> tuple[Path, ...]:
        """Where the mask of a day may lie."""
        if self.folder is None:
            return (Layout(self.root, self.layer, self.epsg).mask(day),)
        names = (
            f"{day}.png", f"{day}_mask.png", f"{day}/{self.layer}_Mask.png",
            f"{day}/truth/{self.layer}_Label.png",
        )  # fmt: skip
        return tuple(self.folder / name for name in names)


@dataclass(frozen=True, slots=True)
class PatchSampling:
    """How many patches are drawn of a day: of each class as many, the same for the same seed."""

    per_class: int
    """At most."""
    seed: int

    def draw(self, classes: NDArray[np.int64], day: dt.date) -> NDArray[np.intp]:
        """Draw patches: all faulty ones up to the cap, and as many normal ones, 8 at least.

        Parameters
        ----------
        classes : (patches,) ndarray of int
            -1 for patches that are no example.
        day : date

        Returns
        -------
        (drawn,) ndarray of int
            Indices, rising.
        """
        chance = np.random.default_rng([self.seed, day.toordinal()])
        found = [number for number in np.unique(classes).tolist() if number > 0]
        drawn = [_some(np.flatnonzero(classes == n), self.per_class, chance) for n in found]
        normal = np.flatnonzero(classes == 0)
        wanted = max(sum(map(len, drawn)), min(_FEWEST, self.per_class))
        drawn.append(_some(normal, min(wanted, self.per_class), chance))
        return np.sort(np.concatenate(drawn))


def patch_classes(
    mask: ByteArray | None, shape: tuple[int, int], side: int, target: Target
) -> NDArray[np.int64]:
    """Class of each patch, row by row; -1 for one that is no example of any.

    Parameters
    ----------
    mask : (rows, cols) ndarray of uint8, optional
        Kind of each pixel; None: nothing is wrong.
    shape : (int, int)
        Of the picture.
    side : int
        Of a patch.
    target : {"missing", "miscoloration", "any", "multi"}

    Returns
    -------
    (patches,) ndarray of int64
        A patch that a fault only touches is no example either.
    """
    rows, cols = patch_grid(shape, side)
    if mask is None:
        return np.zeros(rows * cols, dtype=np.int64)
    labels = patch_labels(mask, side).ravel()
    touched = patch_labels(mask, side, share=1e-9).ravel()
    classes = np.zeros(labels.shape, dtype=np.int64)
    for kind in np.unique(touched[touched > 0]).tolist():
        number = class_of([Kind(kind)], target)
        if number != 0:
            classes[touched == kind] = _NO_CLASS
        if number:
            classes[labels == kind] = number
    return classes


def read_mask(place: MaskPlace, day: dt.date, shape: tuple[int, int]) -> ByteArray | None:
    """Read the mask of a day; None if there is none.

    Raises
    ------
    DecodeError
        If it is damaged, of another size, or holds no kinds.
    """
    from PIL import Image  # noqa: PLC0415

    path = next((path for path in place.paths(day) if path.is_file()), None)
    if path is None:
        return None
    try:
        with Image.open(path, formats=["PNG"]) as image:
            if (image.height, image.width) != shape or image.mode not in ("P", "L"):
                raise DecodeError(
                    f"{path} is no mask of {shape[1]}x{shape[0]} pixels with one band"
                )
            kinds = np.asarray(image, dtype=np.uint8)
    except (OSError, ValueError, SyntaxError) as error:
        raise DecodeError(f"{path} cannot be read: {str(error)[:80]}") from error
    if kinds.max(initial=0) > max(Kind):
        raise DecodeError(f"{path} holds {kinds.max()}, which is no kind")
    return kinds


def known_mask(
    place: MaskPlace, day: dt.date, shape: tuple[int, int], day_class: int | None
) -> ByteArray | None:
    """Read the mask of a day that has a label; None if there is none and nothing is wrong.

    Parameters
    ----------
    place : MaskPlace
    day : date
    shape : (int, int)
        Of the picture.
    day_class : int or None
        As of `class_of`; None too for a day without a label.

    Raises
    ------
    DecodeError
        As `read_mask`, or if the day is faulty and nobody knows where.
    """
    mask = read_mask(place, day, shape)
    if mask is None and day_class:
        raise DecodeError(
            "it has a code of a fault and no mask: run `gibswatch label`, or give --masks"
        )
    return mask


def _some(indices: NDArray[np.intp], count: int, chance: np.random.Generator) -> NDArray[np.intp]:
    return indices if len(indices) <= count else chance.choice(indices, count, replace=False)
