"""The panels of a day: expectation, difference, reasons and a close-up, laid over its picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.context import REASON_CODES
from gibswatch.raster.regions import pixel_area_km2
from gibswatch.report.palette import KIND_COLOURS, REASON_COLOURS, Colour, hex_colour
from gibswatch.report.pictures import Window, jpeg_address, overlay_address, reduced_codes
from gibswatch.report.places import Frame
from gibswatch.report.planes import DIFFERENCE_CODES, DayPlanes
from gibswatch.types import KIND_NAMES, BoolArray, ByteArray, Kind

__all__ = ["Panel", "Swatch", "make_panels"]

_KIND_BASE = 20  # kinds beside the codes of reasons, in one plane


@dataclass(frozen=True, slots=True)
class _Scheme:
    """What the codes of a plane mean."""

    title: str
    caption: str
    colours: Mapping[int, Colour]
    names: Mapping[int, str]
    keep: tuple[int, ...] = ()
    """Codes that must not be lost where the plane is reduced."""


_REASONS = _Scheme(
    "Mask",
    "Why each black pixel is black, and what else was found",
    {
        **{REASON_CODES[name]: colour for name, colour in REASON_COLOURS.items()},
        **{_KIND_BASE + kind: colour for kind, colour in KIND_COLOURS.items()},
    },
    {
        **{code: name for name, code in REASON_CODES.items()},
        **{_KIND_BASE + int(kind): name for kind, name in KIND_NAMES.items()},
    },
    (REASON_CODES["unexpected"], *(_KIND_BASE + int(kind) for kind in Kind if kind.is_fault)),
)
_SCHEMES: Mapping[str, _Scheme] = {
    "expectation": replace(
        _REASONS,
        title="Expectation",
        caption="Where orbit, Sun and Moon leave it black",
        keep=(),
    ),
    "difference": _Scheme(
        "Difference",
        "Where the picture is not as expected",
        {
            1: REASON_COLOURS["unexpected"],
            2: (120, 205, 255),
            3: KIND_COLOURS[Kind.MISCOLORATION],
        },
        {code: name for name, code in DIFFERENCE_CODES.items()},
        (1, 3),
    ),
    "reasons": _REASONS,
    "marks": replace(_REASONS, caption="What was found"),
}
_SMALL = 0.3
"""Part of the picture's sides under which what was found is shown enlarged."""
_CLOSE_UP_PX = 520


@dataclass(frozen=True, slots=True)
class Swatch:
    """One colour of a panel."""

    colour: str
    name: str
    share: str
    """Of the picture's area."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture beside the day's own."""

    key: str
    title: str
    caption: str
    overlay: str | None = None
    """``data:`` address of what is laid over the dimmed picture."""
    legend: tuple[Swatch, ...] = ()
    picture: str | None = None
    """``data:`` address of a picture of its own (close-up)."""
    view: tuple[float, float, float, float] | None = None
    """x, y, width, height in the units of the frame, where only a part is shown."""


def make_panels(planes: DayPlanes, frame: Frame) -> tuple[Panel, ...]:
    """Make the panels that a day has planes for.

    Parameters
    ----------
    planes : DayPlanes
    frame : Frame
        In which its picture is drawn.
    """
    planes_by_key = {
        "expectation": planes.expected(),
        "difference": planes.difference(),
        "marks" if planes.reasons is None else "reasons": _verdict_plane(planes),
    }
    panels = [
        _plane_panel(key, codes, frame) for key, codes in planes_by_key.items() if codes is not None
    ]
    close_up = _close_up(planes, frame)
    return (*panels, close_up) if close_up else tuple(panels)


def _plane_panel(key: str, codes: ByteArray, frame: Frame) -> Panel:
    scheme = _SCHEMES[key]
    size = (min(frame.width, codes.shape[1]), min(frame.height, codes.shape[0]))
    overlay = overlay_address(reduced_codes(codes, size, scheme.keep), scheme.colours)
    return Panel(key, scheme.title, scheme.caption, overlay, _legend(codes, frame, scheme))


def _verdict_plane(planes: DayPlanes) -> ByteArray | None:
    """Reasons, and on top the kinds that no reason stands for; kinds alone without reasons."""
    kinds = planes.kinds
    if planes.reasons is None:
        if kinds is None or not kinds.any():
            return None
        return np.where(kinds > 0, kinds + np.uint8(_KIND_BASE), 0).astype(np.uint8)
    codes: ByteArray = planes.reasons.copy()
    if kinds is not None:
        missing = (Kind.MISSING_EXPECTED, Kind.MISSING_UNEXPECTED, Kind.ECLIPSE_MISSING)
        other = (kinds > 0) & ~np.isin(kinds, missing)
        codes[other] = kinds[other] + np.uint8(_KIND_BASE)
        codes[kinds == Kind.MISSING_UNEXPECTED] = REASON_CODES["unexpected"]
    return codes


def _legend(codes: ByteArray, frame: Frame, scheme: _Scheme) -> tuple[Swatch, ...]:
    area = pixel_area_km2(frame.georeference)
    inside = codes != REASON_CODES["outside"]
    total = float(area.sum(where=inside, dtype=np.float64)) or 1.0
    swatches = []
    for code in sorted(scheme.colours):
        here = codes == code
        if here.any():
            share = float(area.sum(where=here, dtype=np.float64)) / total
            words = f"{share:.1%}" if share >= 0.0005 else "under 0.1%"
            swatches.append(Swatch(hex_colour(scheme.colours[code]), scheme.names[code], words))
    return tuple(swatches)


def _close_up(planes: DayPlanes, frame: Frame) -> Panel | None:
    """What was found, enlarged, where it is small in the picture."""
    window = _window(_found(planes), frame)
    if window is None:
        return None
    top, bottom, left, right = window
    g = frame.georeference
    across, down = frame.width / g.cols, frame.height / g.rows
    view = (left * across, top * down, (right - left) * across, (bottom - top) * down)
    width = min(_CLOSE_UP_PX, 3 * (right - left))
    height = max(1, round(width * (bottom - top) / (right - left)))
    picture = jpeg_address(planes.scene, (width, height), window, 80)
    return Panel("close-up", "Close-up", "The same picture, nearer", None, (), picture, view)


def _found(planes: DayPlanes) -> BoolArray | None:
    if planes.kinds is not None and planes.kinds.any():
        return np.asarray(planes.kinds > 0)
    if planes.reasons is not None:
        return np.asarray(planes.reasons == REASON_CODES["unexpected"])
    return None


def _window(found: BoolArray | None, frame: Frame) -> Window | None:
    """Part of the picture around what was found, in the picture's own proportions."""
    if found is None or not found.any():
        return None
    g = frame.georeference
    rows, cols = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    share = max((rows[-1] - rows[0] + 1) / g.rows, (cols[-1] - cols[0] + 1) / g.cols)
    if share > _SMALL:
        return None
    part = min(1.0, max(2.0 * share, 48.0 / min(g.rows, g.cols)))
    return (*_span(rows, part, g.rows), *_span(cols, part, g.cols))


def _span(found: NDArray[np.intp], part: float, of: int) -> tuple[int, int]:
    size = max(1, round(part * of))
    first = min(max(0, (int(found[0]) + int(found[-1]) + 1 - size) // 2), of - size)
    return first, first + size
