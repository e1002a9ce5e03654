"""ROC and precision-recall curves of several models in one SVG each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gibswatch.evaluation.metrics import Curve

__all__ = ["LINE_COLOURS", "Chart", "Drawn", "Line", "draw_curves"]

LINE_COLOURS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a7a00", "#7a5bb5",
)  # fmt: skip
"""Of the models in turn: those of Okabe and Ito (2008), told apart with any colour vision, the
yellow darkened."""
_SIDE = 400.0


@dataclass(frozen=True, slots=True)
class Line:
    """One model's curve."""

    name: str
    path: str
    """In units of SVG, rows downwards."""
    colour: str
    is_dashed: bool
    words: str
    """What the legend says after the name."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart of both shares from 0 to 1."""

    title: str
    x_name: str
    y_name: str
    side: float
    """Width and height of the square, in units of SVG."""
    lines: tuple[Line, ...]
    chance: str
    """Path of what chance gives."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is to be drawn of one model."""

    name: str
    curve: Curve | None
    """None is left out."""
    words: str
    """What the legend says after the name."""
    colour: int
    """Place in `LINE_COLOURS`, which begin anew after the last."""
    is_dashed: bool


def draw_curves(
    title: str,
    axes: tuple[str, str],
    curves: Sequence[Drawn],
    chance: tuple[float, float],
    *,
    is_stepped: bool = False,
) -> Chart:
    """Draw curves of several models.

    Parameters
    ----------
    title : str
    axes : (str, str)
        What x and y are.
    curves : sequence of Drawn
    chance : (float, float)
        Height of the line of chance at x = 0 and x = 1.
    is_stepped : bool
        Go level, then to the next point's height: precision is not to be interpolated between
        thresholds (Davis and Goadrich 2006).
    """
    lines = [
        Line(
            one.name,
            _path(one.curve.thinned(), is_stepped=is_stepped),
            LINE_COLOURS[one.colour % len(LINE_COLOURS)],
            one.is_dashed,
            one.words,
        )
        for one in curves
        if one.curve is not None
    ]
    low, high = (_SIDE * (1 - share) for share in chance)
    return Chart(title, *axes, _SIDE, tuple(lines), f"M0 {low:.1f}L{_SIDE:g} {high:.1f}")


def _path(curve: Curve, *, is_stepped: bool) -> str:
    points = [(x * _SIDE, (1 - y) * _SIDE) for x, y in zip(curve.x, curve.y, strict=True)]
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for x, y in points[1:]:
        parts.append(f"H{x:.1f}V{y:.1f}" if is_stepped else f"L{x:.1f} {y:.1f}")
    return "".join(parts)
