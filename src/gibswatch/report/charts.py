"""The figures of the report, as plain SVG geometry and small JPEGs."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from gibswatch.raster.codec import encode_picture
from gibswatch.raster.scene import Scene
from gibswatch.types import BoolArray, ByteArray, DayItem

__all__ = ["Bar", "Timeline", "picture_with_outline", "timeline"]

_WIDTH, _HEIGHT = 1000.0, 160.0
_WIDEST_BAR = 60.0
_STRIP = 6.0
"""Height of the bar of a day whose share is not known."""
_OUTLINE = (255, 64, 96)
_THUMBNAIL_COLS = 900


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the timeline, in SVG units."""

    x: float
    y: float
    width: float
    height: float
    css_class: str
    title: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Black share of every day."""

    width: float
    height: float
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    """(x, label): the first day of each month, or every day of a short range."""
    top: float
    """Share at the upper edge, 0-1."""


def timeline(items: Sequence[DayItem]) -> Timeline:
    """Lay out one bar a day; its height is the black share, its class the verdict."""
    dated = [item for item in items if item.date is not None]
    days = [item.date for item in dated if item.date is not None]
    if not days:
        return Timeline(_WIDTH, _HEIGHT, (), (), 1.0)
    first, span = min(days), (max(days) - min(days)).days + 1
    step = min(_WIDTH / span, _WIDEST_BAR)
    shares = [item.shares.black if item.shares else 0.0 for item in dated]
    top = max(0.05, float(np.ceil(max(shares) * 20)) / 20)
    bars = []
    for item, share in zip(dated, shares, strict=True):
        assert item.date is not None  # noqa: S101  (filtered above)
        height = max(2.0, share / top * _HEIGHT) if item.shares else _STRIP
        title = f"{item.date}: {item.verdict}" + (f", {share:.1%} black" if item.shares else "")
        x = (item.date - first).days * step
        bars.append(Bar(x, _HEIGHT - height, max(step - 1, 0.8), height, item.verdict, title))
    return Timeline(_WIDTH, _HEIGHT, tuple(bars), _ticks(first, span, step), top)


def picture_with_outline(scene: Scene, mask_path: str | None) -> str:
    """Return the picture, reduced, with what was found outlined, as a ``data:`` address."""
    factor = max(1, -(-scene.georeference.cols // _THUMBNAIL_COLS))
    pixels = np.ascontiguousarray(scene.pixels[..., :3])
    rows, cols = pixels.shape[0] // factor, pixels.shape[1] // factor
    small: ByteArray = np.array(Image.fromarray(pixels).resize((cols, rows), Image.Resampling.BOX))
    if mask_path is not None and Path(mask_path).is_file():
        with Image.open(mask_path) as image:
            found = np.asarray(image.resize((cols, rows), Image.Resampling.NEAREST)) > 0
        small[_edge(found)] = _OUTLINE
    encoded = encode_picture(small, "jpg", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(encoded).decode()


def _edge(mask: BoolArray) -> BoolArray:
    inner = ndimage.binary_erosion(mask, iterations=2, border_value=0)
    return np.asarray(mask & ~inner)


def _ticks(first: dt.date, span: int, step: float) -> tuple[tuple[float, str], ...]:
    days = [first + dt.timedelta(days=n) for n in range(span)]
    if span <= 45:
        every = 1 if span <= 15 else 5
        return tuple((n * step, f"{d:%d %b}") for n, d in enumerate(days) if n % every == 0)
    months = [(n, d) for n, d in enumerate(days) if d.day == 1]
    every = max(1, len(months) // 12)
    return tuple((n * step, f"{d:%b %Y}") for n, d in months[::every])
