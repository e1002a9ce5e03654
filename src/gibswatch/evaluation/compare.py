"""Many models in one table, and what a random split made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from gibswatch.archive.split import SplitMethod
from gibswatch.errors import UsageError
from gibswatch.evaluation.evaluate import evaluate_table
from gibswatch.evaluation.results import Evaluation, Measure, Options
from gibswatch.evaluation.scores import ScoreTable
from gibswatch.models.targets import Level

__all__ = ["Comparison", "Leak", "Row", "compare", "label_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One model, trained by one split."""

    name: str
    split_by: SplitMethod | None
    """None for a detector that nothing was trained for."""
    image: Evaluation | None
    pixel: Evaluation | None
    training_s: float | None
    inference_s_per_day: float | None
    peak_memory_mb: float | None


@dataclass(frozen=True, slots=True)
class Leak:
    """One model by both splits: the difference is what neighbouring days gave away."""

    name: str
    measure: Literal["AUROC", "AP"]
    event: float
    random: float

    @property
    def difference(self) -> float:
        """How much better the random split makes it look."""
        return self.random - self.event


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """All models, the best first; those by a random split after the others."""

    options: Options
    rows: tuple[Row, ...]
    leaks: tuple[Leak, ...]
    notes: tuple[str, ...]


def compare(
    tables: Iterable[ScoreTable], options: Options | None = None, notes: Sequence[str] = ()
) -> Comparison:
    """Evaluate tables; image and pixel level of one model, by one split, share a row.

    Parameters
    ----------
    tables : iterable of ScoreTable
        With a truth.
    options : Options, optional
    notes : sequence of str
        What else is to be said of all of them.

    Returns
    -------
    Comparison
        Rows by image AP (then pixel AP), the highest first, random splits last; where a model was
        trained by a split by events and by a random one, both and their difference.

    Raises
    ------
    UsageError
        If there is no table, two say the same, or one cannot be evaluated.
    MissingExtraError
        Without scikit-learn.
    """
    options = options or Options()
    held: dict[tuple[str, SplitMethod | None], dict[str, Evaluation]] = {}
    for table in tables:
        of_model = held.setdefault((table.name, table.split_by), {})
        if table.level in of_model:
            raise UsageError(
                f"two tables of {table.level}s are called {table.name}: name them, as in "
                "first=a.parquet second=b.parquet"
            )
        of_model[table.level] = evaluate_table(table, options)
    if not held:
        raise UsageError("there is no table to compare: give score tables")
    rows = [_row(name, split_by, found) for (name, split_by), found in held.items()]
    rows.sort(key=_rank)
    return Comparison(options, tuple(rows), tuple(_leaks(rows)), _all_notes(rows, notes))


def _rank(row: Row) -> tuple[bool, float, float, str]:
    """Put the best first, and what a random split flatters last."""
    return row.split_by == "random", -_precision(row.image), -_precision(row.pixel), row.name


def _row(name: str, split_by: SplitMethod | None, found: dict[str, Evaluation]) -> Row:
    """Join the levels; costs are those of the table of days, else of pixels."""
    image, pixel = found.get("image"), found.get("pixel")
    tables = [one.table for one in (image, pixel) if one is not None]
    return Row(
        name,
        split_by,
        image,
        pixel,
        next((t.training_s for t in tables if t.training_s is not None), None),
        next((t.inference_s_per_day for t in tables if t.inference_s_per_day is not None), None),
        next((t.peak_memory_mb for t in tables if t.peak_memory_mb is not None), None),
    )


def _precision(found: Evaluation | None) -> float:
    value = None if found is None else found.average_precision.value
    return -1.0 if value is None else value


def _leaks(rows: Sequence[Row]) -> list[Leak]:
    """Pair the splits of each model that has both."""
    by_event = {row.name: row.image for row in rows if row.split_by == "event"}
    leaks = []
    for row in rows:
        honest = by_event.get(row.name)
        if row.split_by != "random" or row.image is None or honest is None:
            continue
        pairs: list[tuple[Literal["AUROC", "AP"], Measure, Measure]] = [
            ("AUROC", honest.auroc, row.image.auroc),
            ("AP", honest.average_precision, row.image.average_precision),
        ]
        leaks += [
            Leak(row.name, measure, event.value, random.value)
            for measure, event, random in pairs
            if event.value is not None and random.value is not None
        ]
    return leaks


def label_of(row: Row, level: Level = "image") -> str:
    """Call a row, e.g. ``forest (event split), pixels``."""
    split = "" if row.split_by is None else f" ({row.split_by} split)"
    return f"{row.name}{split}{', pixels' if level == 'pixel' else ''}"


def _all_notes(rows: Sequence[Row], notes: Sequence[str]) -> tuple[str, ...]:
    """Say once what is true of all rows, and name those of which it is where it is not."""
    said: dict[str, list[Row]] = {}
    of_pixels: dict[str, None] = {}
    for row in rows:
        for note in () if row.image is None else row.image.notes:
            said.setdefault(note, []).append(row)
        for note in () if row.pixel is None else row.pixel.notes:
            of_pixels[f"{label_of(row, 'pixel')}: {note}"] = None
    of_days = [f"{_whose(some, rows)}{note}" for note, some in said.items()]
    honest = {row.image.table.days for row in rows if row.image and row.split_by != "random"}
    random = {row.image.table.days for row in rows if row.image and row.split_by == "random"}
    differ = len(honest) > 1 or len(random) > 1
    other = ["the rows rest on different days: compare them with care"] if differ else []
    return (*notes, *of_days, *of_pixels, *other)


def _whose(some: Sequence[Row], rows: Sequence[Row]) -> str:
    """Name rows, by their split where they are all rows of it; nothing where they are all."""
    of_days = [row for row in rows if row.image is not None]
    if len(some) == len(of_days):
        return ""
    names = []
    for split in dict.fromkeys(row.split_by for row in some):
        mine = [row for row in some if row.split_by == split]
        is_all = split is not None and len(mine) == sum(row.split_by == split for row in of_days)
        names += [f"{split} split"] if is_all else [label_of(row) for row in mine]
    return f"{', '.join(names)}: "
