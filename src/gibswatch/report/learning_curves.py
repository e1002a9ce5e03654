"""How a training went: loss and average precision of each epoch, as one SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gibswatch.models.card import EpochRecord, ModelCard
from gibswatch.report.rendering import render_page
from gibswatch.report.score_curves import LINE_COLOURS

__all__ = ["EpochPanel", "Tick", "best_epoch", "learning_curves", "round_ticks"]

_WIDTH, _HEIGHT = 620.0, 170.0
"""Of one panel, in units of SVG."""
_APART = 50.0
"""Between the two."""
_MOST_DOTS = 60
"""Epochs that have a dot each; of more the dots would hide the line."""
_EPOCH_TICKS = 10


@dataclass(frozen=True, slots=True)
class Tick:
    """One mark of an axis."""

    at: float
    """Along the axis, in units of SVG."""
    text: str


@dataclass(frozen=True, slots=True)
class EpochPanel:
    """One line over the epochs."""

    title: str
    top: float
    """Of its frame, in units of SVG."""
    colour: str
    is_dashed: bool
    path: str
    """In units of SVG, from the panel's upper left corner, downwards."""
    dots: tuple[tuple[float, float], ...]
    """Across, down; empty where epochs are many."""
    best: tuple[float, float]
    """Across, down: of the epoch that was kept."""
    best_words: str
    ticks: tuple[Tick, ...]


def best_epoch(history: Sequence[EpochRecord]) -> EpochRecord:
    """Give the epoch whose state a training keeps: of equal ones the last.

    Raises
    ------
    ValueError
        If there is none.
    """
    return max(history, key=lambda record: (record.average_precision, record.epoch))


def learning_curves(card: ModelCard) -> bytes:
    """Draw the epochs of a model: loss of the training above, average precision below.

    Each has its own axis, for they share no measure; the epoch that was kept is marked in both.

    Parameters
    ----------
    card : ModelCard

    Returns
    -------
    bytes
        SVG that asks nobody for anything; its words are text.

    Raises
    ------
    ValueError
        If the model has no epochs.
    """
    if not card.history:
        raise ValueError(f"{card.model} has no epochs")
    losses = [record.loss for record in card.history]
    precisions = [record.average_precision for record in card.history]
    best = card.history.index(best_epoch(card.history))
    panels = (
        _panel("Training loss", losses, best, 0),
        _panel("Average precision, validation", precisions, best, 1, limits=(0.0, 1.0)),
    )
    return render_page(
        "learning_curves.svg.j2",
        card=card,
        panels=panels,
        width=_WIDTH,
        height=_HEIGHT,
        bottom=panels[-1].top + _HEIGHT,
        epochs=_epoch_ticks([record.epoch for record in card.history]),
        best=card.history[best].epoch,
    )


def round_ticks(
    low: float, high: float, limits: tuple[float, float] = (-math.inf, math.inf)
) -> tuple[float, ...]:
    """Give round numbers, evenly apart, that enclose a range.

    Parameters
    ----------
    low, high : float
    limits : (float, float)
        Beyond which there is no value.

    Examples
    --------
    >>> round_ticks(0.13, 0.92)
    (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    """
    if high - low < 1e-6 * max(abs(low), abs(high), 1e-6):  # one value: show what is around it
        spare = 0.1 * abs(low) or 0.1
        low, high = max(low - spare, limits[0]), min(high + spare, limits[1])
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-6), math.ceil(high / step - 1e-6)
    return tuple(float(f"{n * step:.10g}") for n in range(first, last + 1))


def _panel(
    title: str,
    values: Sequence[float],
    best: int,
    place: int,
    limits: tuple[float, float] = (-math.inf, math.inf),
) -> EpochPanel:
    """Lay out one line; the second is dashed, so that it is told apart without colour."""
    ticks = round_ticks(min(values), max(values), limits)
    low, span = ticks[0], ticks[-1] - ticks[0]
    points = [
        (_across(n, len(values)), _HEIGHT * (1 - (value - low) / span))
        for n, value in enumerate(values)
    ]
    return EpochPanel(
        title,
        place * (_HEIGHT + _APART),
        LINE_COLOURS[place],
        bool(place),
        "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points),
        tuple(points) if len(points) <= _MOST_DOTS else (),
        points[best],
        f"{values[best]:.3g}",
        tuple(Tick(_HEIGHT * (1 - (value - low) / span), f"{value:g}") for value in ticks),
    )


def _across(number: int, count: int) -> float:
    """Place of an epoch; a single one stands in the middle."""
    return _WIDTH * number / (count - 1) if count > 1 else _WIDTH / 2


def _epoch_ticks(epochs: Sequence[int]) -> tuple[Tick, ...]:
    """Mark the first epoch, and round ones after it."""
    steps = (factor * 10**power for power in range(6) for factor in (1, 2, 5))
    step = next(step for step in steps if len(epochs) <= step * _EPOCH_TICKS)
    return tuple(
        Tick(_across(n, len(epochs)), str(epoch))
        for n, epoch in enumerate(epochs)
        if epoch % step == 0 or (n == 0 and step > 1)
    )
