"""Days of an archive and their label file, as examples of classes."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gibswatch.archive.journal.records import DayRecord
from gibswatch.archive.labels import SPLITS, LabelFile, LabelLine, Split, label_path, read_labels
from gibswatch.archive.layout import Layout
from gibswatch.archive.reader import Archive
from gibswatch.archive.split import SplitMethod, make_split
from gibswatch.catalogue.grids import check_epsg
from gibswatch.download.wms import find_picture_layer
from gibswatch.errors import UsageError
from gibswatch.features import SkippedDay
from gibswatch.models.targets import Target, class_name, class_of
from gibswatch.types import Epsg, Kind

__all__ = ["LabelledDay", "LabelledDays", "check_classes", "read_days"]


@dataclass(frozen=True, slots=True)
class LabelledDay:
    """One day with a picture, a label and a split."""

    date: dt.date
    split: Split
    number: int
    """Its class: 0 is normal."""
    codes: tuple[Kind, ...]
    """Of the label file."""


@dataclass(frozen=True, slots=True)
class LabelledDays:
    """What can be learned from."""

    layer: str
    epsg: Epsg
    root: Path
    target: Target
    labels: Path
    """The file that was read."""
    days: tuple[LabelledDay, ...]
    """By split (train, val, test), then by date."""
    skipped: tuple[SkippedDay, ...]
    """Days of the label file without a whole picture."""
    explained: int
    """Days whose only codes are 1, 5 or 6: no example of any class, and left out."""
    unsplit: int
    """Days that the label file puts into no split."""
    split_by: SplitMethod | None
    """How the days were split; None if the file is none of our splits."""
    sha256: str
    """Of dates, splits, classes and pictures."""

    def of(self, split: Split) -> tuple[LabelledDay, ...]:
        """Days of one split, in order."""
        return tuple(day for day in self.days if day.split == split)

    @property
    def counts(self) -> dict[Split, dict[int, int]]:
        """Days by split and class."""
        found = Counter((day.split, day.number) for day in self.days)
        classes = sorted({0, *(day.number for day in self.days)})
        return {split: {n: found[split, n] for n in classes} for split in SPLITS}


def read_days(
    layer: str,
    target: Target,
    *,
    root: Path,
    epsg: int = 4326,
    labels: Path | None = None,
    split_by: SplitMethod | None = None,
) -> LabelledDays:
    """Read which days there are to learn from; opens no picture.

    Parameters
    ----------
    layer : str
    target : {"missing", "miscoloration", "any", "multi"}
    root : Path
        The archive.
    epsg : {4326, 3413, 3031, 3857}
    labels : Path, optional
        Default: the archive's own label file.
    split_by : {"random", "month", "event"}, optional
        How the days were split; default: found out by splitting them again.

    Raises
    ------
    UsageError
        If there is no label file, or no day that has a split and a whole picture.
    """
    known, code = find_picture_layer(layer).identifier, check_epsg(epsg)
    path = label_path(Layout(root, known, code)) if labels is None else labels
    if not path.is_file():
        raise UsageError(
            f"{path} is not there: make labels with `gibswatch label` and `gibswatch split`, or "
            "name a file with --labels"
        )
    said = read_labels(path)
    lines = {day: line for day, line in said.labels.items() if line.split is not None}
    if not lines:
        raise UsageError(f"{path} puts no day into a split: run `gibswatch split {known}`")
    records = Archive(root).records(known, code)
    skipped = [SkippedDay(day, why) for day in lines if (why := _without_picture(records, day))]
    missing = {day.date for day in skipped}
    days = [_example(line, target) for day, line in lines.items() if day not in missing]
    examples = sorted(
        (day for day in days if day is not None),
        key=lambda day: (SPLITS.index(day.split), day.date),
    )
    if not examples:
        raise UsageError(
            f"{root} holds no whole picture of the {len(lines)} days of {path}: download them "
            "first (`gibswatch download`)"
        )
    return LabelledDays(
        layer=known,
        epsg=code,
        root=root,
        target=target,
        labels=path,
        days=tuple(examples),
        skipped=tuple(skipped),
        explained=len(days) - len(examples),
        unsplit=len(said.labels) - len(lines),
        split_by=split_by or _split_method(said),
        sha256=_hash(examples, records),
    )


def check_classes(days: LabelledDays, *, supervised: bool) -> tuple[str, ...]:
    """Say, before anything is read, whether every class has an example where one is needed.

    Parameters
    ----------
    days : LabelledDays
    supervised : bool
        Whether the model learns from faulty days.

    Returns
    -------
    tuple of str
        Notes: what the test days cannot judge.

    Raises
    ------
    UsageError
        If training or validation days lack a class.
    """
    classes = sorted({0, *(day.number for day in days.days)})
    if supervised and classes == [0]:
        raise UsageError(
            f"{days.labels} has no day with a code for --target {days.target} that has a picture: "
            "give codes (`gibswatch label`), another --target, or train an isolation-forest"
        )
    needed = classes if supervised else [0]
    for split in ("train", "val"):
        for number in needed:
            if not days.counts[split][number]:
                raise UsageError(_lacking(days, split, number))
    lacking = [class_name(n, days.target) for n in classes if not days.counts["test"][n]]
    if not lacking:
        return ()
    return (f"no test day is {' or '.join(lacking)}: an evaluation cannot judge these",)


def _lacking(days: LabelledDays, split: Split, number: int) -> str:
    elsewhere = {name: counts[number] for name, counts in days.counts.items() if counts[number]}
    where = ", ".join(f"{count} in {name}" for name, count in elsewhere.items()) or "none anywhere"
    return (
        f"no {split} day is {class_name(number, days.target)} ({where}): split the days again "
        f"with another seed (`gibswatch split {days.layer} --by event --seed 1`), label more "
        "days, or give another --target"
    )


def _without_picture(records: Mapping[dt.date, DayRecord], day: dt.date) -> str:
    """Why a day cannot be read; empty if it can."""
    record = records.get(day)
    if record is None:
        return "the archive does not hold it"
    return "" if record.complete else "some of its tiles did not arrive"


def _example(line: LabelLine, target: Target) -> LabelledDay | None:
    number = class_of(line.codes, target)
    if number is None or line.split is None:
        return None
    return LabelledDay(line.date, line.split, number, line.codes)


def _split_method(said: LabelFile) -> SplitMethod | None:
    """Find out how a file was split: by the method that, with its defaults, gives the same."""
    splits = {day: line.split for day, line in said.labels.items()}
    codes = {day: line.codes for day, line in said.labels.items()}
    methods: tuple[SplitMethod, ...] = ("event", "month", "random")
    for method in methods:
        again = make_split(splits, by=method, labels=codes)
        if again.splits == splits:
            return again.by
    return None


def _hash(days: Sequence[LabelledDay], records: Mapping[dt.date, DayRecord]) -> str:
    digest = hashlib.sha256()
    for day in days:
        record = records[day.date]
        pictures = [file.sha256 for file in record.files] or [record.finished_at]
        line = [day.date.isoformat(), day.split, day.number, *sorted(map(int, day.codes)), pictures]
        digest.update(json.dumps(line).encode())
    return digest.hexdigest()
