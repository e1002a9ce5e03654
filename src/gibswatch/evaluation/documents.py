"""A comparison as a JSON document, and as cells of a table that a terminal or a page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gibswatch.evaluation.compare import Comparison, Row
from gibswatch.evaluation.metrics import Curve
from gibswatch.evaluation.results import Evaluation, KindRecall, Measure, Mistake
from gibswatch.evaluation.threshold import Threshold
from gibswatch.types import KIND_NAMES

__all__ = ["COLUMNS", "columns_of", "comparison_to_json", "measure_words", "row_cells"]

COLUMNS = (
    "Model",
    "Split",
    "Days",
    "Positive",
    "AUROC",
    "AP",
    "AP / base",
    "Recall",
    "Pixel AP",
    "Training",
    "A day",
    "Memory",
)
"""Heads of the table; ``Recall`` is that at the rate of false alarms asked for."""


def comparison_to_json(comparison: Comparison) -> dict[str, Any]:
    """Give the document that ``evaluate --json`` prints; unrounded, None where nothing is known."""
    options = comparison.options
    return {
        "target": options.target,
        "by": options.by,
        "false_alarm_in_days": options.per_days,
        "seed": options.seed,
        "resamples": options.resamples,
        "models": [_row_to_json(row) for row in comparison.rows],
        "leaks": [
            {
                "model": leak.name,
                "measure": leak.measure,
                "event": leak.event,
                "random": leak.random,
                "difference": leak.difference,
            }
            for leak in comparison.leaks
        ],
        "notes": list(comparison.notes),
    }


def columns_of(comparison: Comparison) -> tuple[str, ...]:
    """Heads of the table, with the rate of false alarms that was asked for."""
    rate = f"Recall 1/{comparison.options.per_days:g}"
    return tuple(rate if name == "Recall" else name for name in COLUMNS)


def row_cells(row: Row) -> tuple[str, ...]:
    """Give the texts under `COLUMNS`; ``-`` where nothing is known."""
    image, pixel = row.image, row.pixel
    either = image or pixel
    return (
        row.name,
        row.split_by or "-",
        f"{either.days:,}" if either else "-",
        f"{image.positives:,}" if image else "-",
        _number(image.auroc if image else None, 3),
        _number(image.average_precision if image else None, 3),
        "-" if image is None or image.lift is None else f"{image.lift:.1f}",
        _number(image.recall if image else None, 3) + _source_mark(image),
        _number(pixel.average_precision if pixel else None, 3),
        _seconds(row.training_s),
        _seconds(row.inference_s_per_day),
        "-" if row.peak_memory_mb is None else f"{row.peak_memory_mb:,.0f} MB",
    )


def measure_words(measure: Measure, digits: int = 3) -> str:
    """Write a number with its interval, e.g. ``0.912 (0.861 to 0.953)``."""
    text = _number(measure, digits)
    if measure.interval is None:
        return text
    return f"{text} ({measure.interval.low:.{digits}f} to {measure.interval.high:.{digits}f})"


def _source_mark(image: Evaluation | None) -> str:
    """Mark a threshold that the evaluated days chose for themselves."""
    chosen = image is not None and image.threshold is not None and image.recall.value is not None
    return "*" if chosen and image and image.threshold and image.threshold.source == "table" else ""


def _number(measure: Measure | None, digits: int) -> str:
    return "-" if measure is None or measure.value is None else f"{measure.value:.{digits}f}"


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    if value < 1:
        return f"{value * 1000:.3g} ms"
    return f"{value:.3g} s" if value < 120 else f"{value / 60:,.1f} min"


def _row_to_json(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "split_by": row.split_by,
        "training_s": row.training_s,
        "inference_s_per_day": row.inference_s_per_day,
        "peak_memory_mb": row.peak_memory_mb,
        "image": None if row.image is None else _evaluation_to_json(row.image),
        "pixel": None if row.pixel is None else _evaluation_to_json(row.pixel),
    }


def _evaluation_to_json(found: Evaluation) -> dict[str, Any]:
    return {
        "kind": None if found.kind is None else int(found.kind),
        "on": found.on,
        "days": found.days,
        "rows": found.rows,
        "positives": found.positives,
        "base_rate": found.base_rate,
        "auroc": _measure_to_json(found.auroc),
        "average_precision": _measure_to_json(found.average_precision),
        "average_precision_by_base_rate": found.lift,
        "recall": _measure_to_json(found.recall),
        "threshold": _threshold_to_json(found.threshold),
        "confusion": None if found.confusion is None else asdict(found.confusion),
        "own_threshold": found.table.threshold,
        "own_confusion": None if found.own_confusion is None else asdict(found.own_confusion),
        "kinds": [_kind_to_json(one) for one in found.kinds],
        "roc": _curve_to_json(found.roc, ("false_alarm_rate", "recall")),
        "precision_recall": _curve_to_json(found.precision_recall, ("recall", "precision")),
        "mistakes": [_mistake_to_json(one) for one in found.mistakes],
        "classes": [_evaluation_to_json(one) for one in found.classes],
    }


def _kind_to_json(one: KindRecall) -> dict[str, Any]:
    return {
        "kind": int(one.kind),
        "name": KIND_NAMES[one.kind],
        "days": one.days,
        "events": one.events,
        "recall": _measure_to_json(one.recall),
    }


def _mistake_to_json(one: Mistake) -> dict[str, Any]:
    return {
        "date": one.date.isoformat(),
        "is_miss": one.is_miss,
        "score": one.score,
        "kinds": [int(kind) for kind in one.kinds],
    }


def _measure_to_json(measure: Measure) -> dict[str, Any]:
    interval = measure.interval
    return {"value": measure.value, "interval": None if interval is None else asdict(interval)}


def _threshold_to_json(threshold: Threshold | None) -> dict[str, Any] | None:
    if threshold is None:
        return None
    return {
        "value": threshold.value,
        "source": threshold.source,
        "clean_days": threshold.normals,
        "false_alarm_rate": threshold.rate,
        "is_reached": threshold.is_reached,
    }


def _curve_to_json(curve: Curve | None, names: Sequence[str]) -> dict[str, list[float]] | None:
    """Points of a curve, a few hundred of them: enough to draw it again."""
    if curve is None:
        return None
    points = curve.thinned()
    return {names[0]: points.x.tolist(), names[1]: points.y.tolist()}
