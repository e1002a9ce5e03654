"""What can be stored of a layer on a grid: formats, sides of a picture, memory of a day."""

from __future__ import annotations

from gibswatch.catalogue.windows import GridPlan
from gibswatch.errors import UnknownGridError
from gibswatch.raster.strips import strip_plans
from gibswatch.types import ImageFormat, PictureFormat

__all__ = ["check_scene_fits", "check_storable", "day_bytes", "stored_format"]

_MAX_SIDE = 65_500
"""Of a JPEG: libjpeg's JPEG_MAX_DIMENSION.  A larger PNG is read by few programs."""
_MAX_BYTES = 6 * 2**30
"""Memory that one day may take."""
_STRIPS_AT_ONCE = 2
"""Tiles come nearly row by row, and those on a border belong to two strips."""


def stored_format(plan: GridPlan, image_format: ImageFormat) -> PictureFormat:
    """Return what the pictures of a layer are stored as on this grid.

    Raises
    ------
    UnknownGridError
        If the layer's pixels cannot be stored in the format that the grid names.
    """
    own: PictureFormat = "jpg" if image_format == "jpg" else "png"
    asked = plan.grid.picture_format or own
    if asked == own:
        return own
    if plan.grid.tiled and plan.grid.kind == "native":
        raise UnknownGridError(
            f"--format {asked}: native tiles are kept byte for byte as served, {own}: leave "
            "--format out, or use --grid predecessor or one picture a day"
        )
    if asked == "jpg":
        raise UnknownGridError(
            "--format jpg: this layer is served as PNG, and JPEG would lose its transparency and "
            "the colours of its palette: use --format png, tif or cog"
        )
    return asked


def check_storable(plan: GridPlan, stored: PictureFormat) -> None:
    """Refuse a picture that its format or the memory cannot hold.

    Raises
    ------
    UnknownGridError
        Naming what to do instead.
    """
    rows, cols = plan.window.shape
    if plan.grid.tiled and plan.grid.kind == "native":
        return
    if not plan.grid.tiled and stored in ("jpg", "png") and max(rows, cols) > _MAX_SIDE:
        kind = "a JPEG" if stored == "jpg" else "a PNG that other programs read"
        raise UnknownGridError(
            f"one picture of {cols}x{rows} pixels is more than {kind} can hold "
            f"({_MAX_SIDE} a side): use --tiled-world, --format cog, a --bbox or a coarser "
            "--tile-resolution"
        )
    needed = day_bytes(plan, stored)
    if needed > _MAX_BYTES:
        raise UnknownGridError(
            f"one day of {plan.grid} takes {needed / 2**30:.0f} GiB of memory: use --tiled-world, "
            "--format cog, a --bbox or a coarser --tile-resolution"
        )


def check_scene_fits(plan: GridPlan) -> None:
    """Refuse to read a day that is too large to be whole in memory, as a scene is.

    Raises
    ------
    UnknownGridError
    """
    rows, cols = plan.window.shape
    needed = 4 * rows * cols
    if needed > _MAX_BYTES:
        raise UnknownGridError(
            f"one day of {plan.grid} takes {needed / 2**30:.0f} GiB of memory as one scene: use a "
            "--bbox or a coarser --tile-resolution"
        )


def day_bytes(plan: GridPlan, stored: PictureFormat) -> int:
    """Memory of a day on its way to disk, at most, where its tiles come nearly in order.

    Two strips of source pixels and a finished one; where tiles are not kept, and the picture is a
    JPEG or PNG, all of that too.  None where tiles are kept as served.
    """
    if plan.grid.tiled and plan.grid.kind == "native":
        return 0
    parts = strip_plans(plan)
    widest = parts[len(parts) // 2]
    rows, cols = widest.source_window().shape
    strips = _STRIPS_AT_ONCE * rows * cols + widest.window.shape[0] * widest.window.shape[1]
    whole = not plan.grid.tiled and stored in ("jpg", "png")
    return 4 * (strips + (plan.window.shape[0] * plan.window.shape[1] if whole else 0))
