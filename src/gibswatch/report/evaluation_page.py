"""The page of a comparison of models: table, curves, confusion, and the days that were mistaken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from gibswatch.archive.reader import Archive
from gibswatch.catalogue.acknowledgement import ACKNOWLEDGEMENT
from gibswatch.errors import GibswatchError
from gibswatch.evaluation import (
    Comparison,
    Evaluation,
    Leak,
    Measure,
    Mistake,
    columns_of,
    measure_words,
    row_cells,
)
from gibswatch.evaluation.compare import label_of
from gibswatch.evaluation.metrics import Curve
from gibswatch.files import write_bytes
from gibswatch.report.pictures import Budget, jpeg_address
from gibswatch.report.rendering import render_page
from gibswatch.report.score_curves import LINE_COLOURS, Chart, Drawn, draw_curves
from gibswatch.types import KIND_NAMES, Kind

__all__ = ["PictureSource", "write_evaluation"]

_MOST_BYTES, _MOST_PICTURES = 12_000_000, 400
_MOST_MISTAKES = 24
"""Shown of each sort and model."""
_LONGER_SIDE = 300
_MOST_CURVES = 16
_TARGET_WORDS = {
    "missing": "missing data (2)",
    "miscoloration": "miscoloration (3)",
    "any": "any fault (2, 3, 4, 7, 8, 9)",
    "multi": "each kind of fault against the rest",
}


@dataclass(frozen=True, slots=True)
class PictureSource:
    """Where the pictures of the days lie."""

    root: Path
    """The archive's folder."""
    layer: str
    epsg: int = 4326


@dataclass(frozen=True, slots=True)
class _Thumbnail:
    """One mistaken day."""

    mistake: Mistake
    words: str
    picture: str | None
    problem: str
    """Why there is no picture."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The mistaken days of one sort."""

    title: str
    shown: tuple[_Thumbnail, ...]
    more: int


@dataclass(frozen=True, slots=True)
class _Model:
    """One evaluated column of scores, at length."""

    name: str
    place: int
    """Of its colour."""
    found: Evaluation
    measures: tuple[tuple[str, str], ...]
    sheets: tuple[_Sheet, ...]

    @property
    def colour(self) -> str:
        """Of its curves."""
        return LINE_COLOURS[self.place % len(LINE_COLOURS)]


def write_evaluation(
    comparison: Comparison, path: Path, pictures: PictureSource | None = None
) -> None:
    """Write the page of a comparison, one file that asks nobody for anything, whole or not at all.

    Parameters
    ----------
    comparison : Comparison
        Of `gibswatch.evaluation.compare`.
    path : Path
        Of the page, e.g. ``evaluation.html``.
    pictures : PictureSource, optional
        Gives the days that were mistaken their pictures; one that cannot be read is named.

    Raises
    ------
    OutputError
        If the folder cannot take the file.
    """
    gallery = _Gallery(pictures)
    models = _models(comparison, gallery)
    page = render_page(
        "evaluation.html.j2",
        comparison=comparison,
        options=comparison.options,
        target=_TARGET_WORDS[comparison.options.target],
        count=len({row.name for row in comparison.rows}),
        columns=columns_of(comparison),
        leaks=_leaks(comparison),
        rows=[row_cells(row) for row in comparison.rows],
        own_threshold=any("*" in row_cells(row)[7] for row in comparison.rows),
        charts=_charts(models),
        models=models,
        kind_names=KIND_NAMES,
        words=measure_words,
        missing=gallery.missing,
        pictures=pictures,
        written=dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=version("gibswatch"),
        acknowledgement=ACKNOWLEDGEMENT,
    )
    write_bytes(path, page)


class _Gallery:
    """Small pictures of days, each encoded once, as many as a page may hold."""

    def __init__(self, source: PictureSource | None) -> None:
        self._source = source
        self._budget = Budget(_MOST_BYTES, _MOST_PICTURES)
        self._made: dict[dt.date, tuple[str | None, str]] = {}
        self.missing: dict[dt.date, str] = {}
        """Days whose picture could not be read, and why."""

    def picture(self, day: dt.date) -> tuple[str | None, str]:
        """Give the address of a day's picture, or why there is none."""
        if day not in self._made:
            self._made[day] = self._make(day)
        return self._made[day]

    def _make(self, day: dt.date) -> tuple[str | None, str]:
        if self._source is None:
            return None, "no archive was named"
        if not self._budget.is_open:
            return None, "left out: the page would grow too large"
        try:
            scene = Archive(self._source.root).scene(self._source.layer, day, self._source.epsg)
        except GibswatchError as error:
            self.missing[day] = str(error)
            return None, "no picture"
        rows, cols = scene.state.shape
        scale = _LONGER_SIDE / max(rows, cols)
        address = jpeg_address(scene, (max(1, round(cols * scale)), max(1, round(rows * scale))))
        self._budget.spend(address)
        return address, ""


def _models(comparison: Comparison, gallery: _Gallery) -> list[_Model]:
    """Lay out what is said of each model; of ``multi``, of each of its classes."""
    models: list[_Model] = []
    places: dict[tuple[str, str, Kind | None], int] = {}
    for row in comparison.rows:
        for found in (row.image, row.pixel):
            for one in () if found is None else found.classes or (found,):
                place = places.setdefault((row.name, one.table.level, one.kind), len(places))
                kind = "" if one.kind is None else f": {KIND_NAMES[one.kind]}"
                name = f"{label_of(row, one.table.level)}{kind}"
                measures, sheets = _measures(one), _sheets(one, gallery)
                models.append(_Model(name, place, one, measures, sheets))
    return models


def _measures(found: Evaluation) -> tuple[tuple[str, str], ...]:
    said = [
        ("AUROC", measure_words(found.auroc)),
        ("Average precision", measure_words(found.average_precision)),
        ("Base rate", f"{found.base_rate:.3f}"),
    ]
    if found.threshold is not None:
        said += [("Recall", measure_words(found.recall)), ("Threshold", str(found.threshold))]
    return tuple(said)


def _charts(models: Sequence[_Model]) -> tuple[Chart, ...]:
    """Draw ROC and precision-recall curves of the first models."""
    first = models[:_MOST_CURVES]
    days = [m.found.base_rate for m in first if m.found.table.level == "image"]
    rate = sum(days) / len(days) if days else first[0].found.base_rate
    roc = [_drawn(m, m.found.roc, m.found.auroc) for m in first]
    precise = [_drawn(m, m.found.precision_recall, m.found.average_precision) for m in first]
    return (
        draw_curves("ROC", ("False-alarm rate", "Recall"), roc, (0, 1)),
        draw_curves(
            "Precision and recall", ("Recall", "Precision"), precise, (rate, rate), is_stepped=True
        ),
    )


def _drawn(model: _Model, curve: Curve | None, area: Measure) -> Drawn:
    """A model has one colour; a random split is dashed."""
    is_dashed = model.found.table.split_by == "random" or model.place >= len(LINE_COLOURS)
    return Drawn(model.name, curve, measure_words(area), model.place, is_dashed)


def _leaks(comparison: Comparison) -> list[tuple[str, list[Leak]]]:
    """Give the measures of each model."""
    return [
        (name, list(leaks)) for name, leaks in groupby(comparison.leaks, lambda leak: leak.name)
    ]


def _sheets(found: Evaluation, gallery: _Gallery) -> tuple[_Sheet, ...]:
    """Show false alarms and misses, the clearest first."""
    sheets = []
    for title, is_miss in (("False alarms", False), ("Misses", True)):
        days = [one for one in found.mistakes if one.is_miss == is_miss]
        shown = [_thumbnail(one, gallery) for one in days[:_MOST_MISTAKES]]
        sheets.append(_Sheet(title, tuple(shown), len(days) - len(shown)))
    return tuple(sheets)


def _thumbnail(mistake: Mistake, gallery: _Gallery) -> _Thumbnail:
    names = ", ".join(f"{int(kind)} {KIND_NAMES[kind]}" for kind in mistake.kinds)
    plain = "labelled anomalous" if mistake.is_miss else "labelled normal"
    return _Thumbnail(mistake, names or plain, *gallery.picture(mistake.date))
