"""One score table to its measures: what `gibswatch evaluate` says of one model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from gibswatch.archive.labels import SPLITS
from gibswatch.errors import UsageError
from gibswatch.evaluation import metrics
from gibswatch.evaluation.intervals import (
    Units,
    bootstrap,
    count_events,
    event_words,
    make_units,
)
from gibswatch.evaluation.metrics import Confusion
from gibswatch.evaluation.resampled import (
    WeightedMeasure,
    weighted_auroc,
    weighted_average_precision,
    weighted_recall,
    weighted_recall_at,
)
from gibswatch.evaluation.results import Evaluation, Judged, KindRecall, Measure, Mistake, Options
from gibswatch.evaluation.scores import ScoreTable, target_kinds
from gibswatch.evaluation.threshold import Threshold, from_normals, on_table
from gibswatch.models.targets import FAULT_KINDS, Target
from gibswatch.types import KIND_NAMES, BoolArray, Kind

__all__ = ["evaluate_table"]


def evaluate_table(table: ScoreTable, options: Options | None = None) -> Evaluation:
    """Evaluate one table.

    Parameters
    ----------
    table : ScoreTable
        With a truth: `gibswatch.evaluation.join_labels`, or its own.
    options : Options, optional

    Returns
    -------
    Evaluation

    Raises
    ------
    UsageError
        If the table has no truth, no day of the wanted split, or no score a kind for ``multi``.
    MissingExtraError
        Without scikit-learn.
    """
    options = options or Options()
    table = _with_truth(table, options.target)
    if options.target == "multi" and table.level == "image":
        return _evaluate_classes(table, options)
    return _evaluate_one(_aimed(table, options.target), options, None)


def _with_truth(table: ScoreTable, target: Target) -> ScoreTable:
    """Take the truth of the codes where they are known, else that of the table."""
    if table.level == "image" and table.kinds and set(table.days) <= table.kinds.keys():
        wanted = target_kinds(target)
        positive = [day for day in table.days if table.kinds[day] & wanted]
        return replace(table, truth=table.rows_on(positive))
    if table.truth is None:
        raise UsageError(f"{table.name} has no truth: give --labels FILE, or a column `label`")
    if table.target not in (None, target) and table.level == "image":
        raise UsageError(
            f"{table.name} has labels for the target {table.target} and no codes: give --labels "
            f"FILE to evaluate it for {target}"
        )
    return table


def _aimed(table: ScoreTable, target: Target) -> ScoreTable:
    """Take the scores of the target's own kind where a table has them."""
    wanted = target_kinds(target)
    if len(wanted) == 1 and table.target != target:
        (kind,) = wanted
        if kind in table.class_scores:
            return _of_kind(table, kind)
    if table.target not in (None, "multi", target):
        told = f"trained to tell {table.target}, evaluated for {target}"
        return replace(table, notes=(*table.notes, told))
    return table


def _of_kind(table: ScoreTable, kind: Kind) -> ScoreTable:
    """Take the scores of one kind; a model's threshold is of its common score, a scan's of all."""
    own = table.threshold if table.target is None else None
    return replace(table, scores=table.class_scores[kind], threshold=own)


def _evaluate_classes(table: ScoreTable, options: Options) -> Evaluation:
    """Evaluate each kind against the rest, and take means."""
    if not table.class_scores:
        raise UsageError(
            f"{table.name} has one score a day and tells no kinds apart: train it with --target "
            "multi, or evaluate --target any"
        )
    whole = _evaluate_one(table, options, None)
    said = [table.kinds.get(day, frozenset()) for day in table.dates.tolist()]
    classes = []
    for kind in sorted(table.class_scores.keys() & FAULT_KINDS):
        truth = np.array([kind in kinds for kinds in said], dtype=np.bool_)
        one = replace(_of_kind(table, kind), truth=truth, notes=())
        found = _evaluate_one(one, options, kind)
        if found.positives:
            classes.append(found)
    names = ", ".join(KIND_NAMES[one.kind] for one in classes if one.kind)
    notes = (f"means over {len(classes)} classes with examples: {names or 'none'}",)
    return replace(
        whole,
        base_rate=_mean([one.base_rate for one in classes]).value or 0.0,
        auroc=_mean([one.auroc.value for one in classes]),
        average_precision=_mean([one.average_precision.value for one in classes]),
        recall=_mean([one.recall.value for one in classes]),
        classes=tuple(classes),
        notes=whole.notes + notes,
    )


def _mean(values: list[float | None]) -> Measure:
    known = [value for value in values if value is not None]
    return Measure(sum(known) / len(known) if known else None)


def _evaluate_one(table: ScoreTable, options: Options, kind: Kind | None) -> Evaluation:
    """Evaluate one column of scores against one truth."""
    on, days = _judged_days(table, options.on)
    judged = table.only(days)
    truth, scores = _truth(judged), judged.scores
    wanted = target_kinds(options.target, kind)
    threshold = _threshold(table, judged, options)
    units = _units(judged, options, wanted)
    kinds = _kind_recalls(judged, threshold, wanted, options)
    area, precision = metrics.auroc(truth, scores), metrics.average_precision(truth, scores)
    return Evaluation(
        table=judged,
        target=options.target,
        kind=kind,
        on=on,
        days=len(days),
        rows=len(judged),
        positives=int(truth.sum()),
        base_rate=float(truth.mean()),
        auroc=_measured(area, judged, units, weighted_auroc, options),
        average_precision=_measured(precision, judged, units, weighted_average_precision, options),
        recall=_recall(judged, units, threshold, options),
        threshold=threshold,
        confusion=_confusion(judged, None if threshold is None else threshold.value),
        own_confusion=_confusion(judged, judged.threshold),
        kinds=kinds,
        roc=metrics.roc_curve(truth, scores),
        precision_recall=metrics.precision_recall_curve(truth, scores),
        mistakes=_mistakes(judged, threshold),
        notes=_notes(judged, wanted, options, on),
    )


def _judged_days(table: ScoreTable, on: Judged | None) -> tuple[Judged, tuple[dt.date, ...]]:
    """Which days are evaluated: those of test, if it has some."""
    of: dict[str, list[dt.date]] = {name: [] for name in SPLITS}
    for day in table.days:
        if day in table.splits:
            of[table.splits[day]].append(day)
    if on is None:
        on = "test" if of["test"] else "all"
    days = table.days if on == "all" else tuple(of[on])
    if not days:
        raise UsageError(
            f"{table.name} has no scored day of the {on} split: evaluate --on all, or give the "
            "label file that it was split by"
        )
    return on, days


def _truth(table: ScoreTable) -> BoolArray:
    return np.zeros(len(table), dtype=np.bool_) if table.truth is None else table.truth


def _clean_rows(table: ScoreTable) -> BoolArray:
    """Rows that are not positive, of days without any fault where that is known."""
    faulty = [day for day in table.days if table.kinds.get(day, frozenset()) & FAULT_KINDS]
    return ~_truth(table) & ~table.rows_on(faulty)


def _threshold(table: ScoreTable, judged: ScoreTable, options: Options) -> Threshold | None:
    """Choose the threshold on clean days of validation, or on the judged ones."""
    if table.level == "pixel":
        return None
    validation = table.only([day for day in table.days if table.splits.get(day) == "val"])
    normals = validation.scores[_clean_rows(validation)]
    if options.threshold_on == "validation" or (options.threshold_on is None and len(normals)):
        return from_normals(normals, options.per_days)
    clean = judged.scores[_clean_rows(judged)]
    return on_table(clean, options.per_days) if len(clean) else None


def _confusion(table: ScoreTable, threshold: float | None) -> Confusion | None:
    if threshold is None:
        return None
    return metrics.confusion(_truth(table), table.scores, threshold)


def _units(table: ScoreTable, options: Options, wanted: Collection[Kind]) -> Units:
    positive = {day for day, kinds in table.kinds.items() if kinds & frozenset(wanted)}
    if not table.kinds:
        positive = set(table.dates[_truth(table)].tolist())
    return make_units(table.dates, options.by, positive, table.kinds)


def _measured(
    value: float | None,
    table: ScoreTable,
    units: Units,
    measure: WeightedMeasure,
    options: Options,
    *,
    is_recall: bool = False,
) -> Measure:
    """A number with its interval."""
    if value is None or not options.resamples:
        return Measure(value)
    interval = bootstrap(
        _truth(table),
        table.scores,
        units,
        measure,
        resamples=options.resamples,
        seed=options.seed,
        is_recall=is_recall,
    )
    return Measure(value, interval)


def _recall(
    table: ScoreTable, units: Units, threshold: Threshold | None, options: Options
) -> Measure:
    """Recall at the threshold; where the table chose it, each copy chooses its own."""
    if threshold is None:
        return Measure(None)
    truth = _truth(table)
    value = metrics.recall(truth, table.scores, threshold.value)
    if threshold.source == "validation":
        measure = weighted_recall(threshold.value)
        return _measured(value, table, units, measure, options, is_recall=True)
    rows = truth | _clean_rows(table)
    kept = replace(
        table,
        dates=table.dates[rows],
        scores=table.scores[rows],
        truth=truth[rows],
        class_scores={},
    )
    part = Units(units.by, np.unique(units.number[rows], return_inverse=True)[1])
    measure = weighted_recall_at(options.per_days)
    return _measured(value, kept, part, measure, options, is_recall=True)


def _kind_recalls(
    table: ScoreTable, threshold: Threshold | None, wanted: Collection[Kind], options: Options
) -> tuple[KindRecall, ...]:
    """Recall of each kind of the target that the evaluated days have."""
    if table.level == "pixel":
        return ()
    found = []
    for kind in sorted(wanted):
        known = {day for day, kinds in table.kinds.items() if kind in kinds}
        days = [day for day in table.days if day in known]
        if not days:
            continue
        rows = table.rows_on(days)
        one = replace(table, truth=rows)
        recall = Measure(None)
        if threshold is not None:
            value = metrics.recall(rows, table.scores, threshold.value)
            units = make_units(table.dates, options.by, known, table.kinds)
            measure = weighted_recall(threshold.value)
            recall = _measured(value, one, units, measure, options, is_recall=True)
        events = count_events(days, known, table.kinds).events
        found.append(KindRecall(kind, len(days), events, recall))
    return tuple(found)


def _mistakes(table: ScoreTable, threshold: Threshold | None) -> tuple[Mistake, ...]:
    if table.level == "pixel" or threshold is None:
        return ()
    wrong = _truth(table) != (table.scores > threshold.value)
    found = [
        Mistake(day, bool(truth), float(score), tuple(sorted(table.kinds.get(day, frozenset()))))
        for day, truth, score in zip(
            table.dates[wrong].tolist(), _truth(table)[wrong], table.scores[wrong], strict=True
        )
    ]
    return tuple(
        sorted(found, key=lambda one: (one.is_miss, one.score if one.is_miss else -one.score))
    )


def _notes(
    table: ScoreTable, wanted: Collection[Kind], options: Options, on: Judged
) -> tuple[str, ...]:
    """What a person should know of these numbers."""
    truth, notes = _truth(table), list(table.notes)
    if not truth.any() or truth.all():
        which = "positive" if not truth.any() else "negative"
        where = "evaluated" if on == "all" else on
        notes.append(f"none of the {len(truth)} {where} rows is {which}: no curve can be drawn")
    if table.split_by is not None and on == "all":
        notes.append("days that it was trained on may be among those evaluated")
    if options.by == "event":
        notes += [said for kind in sorted(wanted) if (said := _case_words(table, kind))]
    return tuple(notes)


def _case_words(table: ScoreTable, kind: Kind) -> str | None:
    """Say how few cases of a kind there are."""
    known = {day for day, kinds in table.kinds.items() if kind in kinds}
    evaluated = count_events(table.days, known, table.kinds)
    return event_words(kind, evaluated, count_events(known, known, table.kinds))
