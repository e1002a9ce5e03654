"""Days into train, val and test: by chance, by whole months, or by whole events.

Neighbouring days look alike, so days of one event in train and in test make any classifier look
better than it is.  `random` is the predecessor's split and has this fault; `month` and `event` keep
days together in blocks, and only the blocks are dealt out.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from pathlib import Path
from typing import Literal

from gibswatch.archive.labels import SPLITS, Split, label_path, read_labels, write_labels
from gibswatch.archive.layout import Layout
from gibswatch.archive.reader import Archive
from gibswatch.catalogue.grids import check_epsg
from gibswatch.download.wms import find_picture_layer
from gibswatch.errors import UsageError
from gibswatch.types import Kind

__all__ = [
    "DEFAULT_SEED",
    "DEFAULT_SHARES",
    "ArchiveSplit",
    "Shares3",
    "SplitMethod",
    "SplitResult",
    "event_blocks",
    "event_spans",
    "make_split",
    "split_archive",
]

SplitMethod = Literal["random", "month", "event"]
Shares3 = tuple[float, float, float]
DEFAULT_SHARES: Shares3 = (60, 20, 20)
"""Per cent of train, val and test: the predecessor's."""
DEFAULT_SEED = 999
"""The predecessor's."""

_EVENT_GAP = 2
"""Steps without a code that do not end an event: a fault that hides for a day is still the same."""
_BLOCK_STEPS = 16
"""Days without a code in a block, at most: the orbits of Terra, Aqua and Suomi NPP repeat after 16
days, so a block shows each place under every view once."""


@dataclass(frozen=True, slots=True)
class SplitResult:
    """Which split each day belongs to."""

    splits: Mapping[dt.date, Split]
    """By date."""
    by: SplitMethod
    """How it was made; another than asked for where a note says so."""
    notes: tuple[str, ...] = ()
    """What a person should know."""

    @property
    def counts(self) -> dict[Split, int]:
        """Number of days in each split."""
        found = Counter(self.splits.values())
        return {name: found[name] for name in SPLITS}

    @property
    def shares(self) -> dict[Split, float]:
        """Real shares, 0-1."""
        return {name: count / (len(self.splits) or 1) for name, count in self.counts.items()}


@dataclass(frozen=True, slots=True)
class ArchiveSplit:
    """What was written for an archive."""

    layer: str
    path: Path
    """The label file."""
    result: SplitResult
    labelled: int
    """Days with a code, all of them kept."""
    without_picture: int
    """Days of the label file that the archive holds no whole picture of; kept all the same."""


def make_split(
    days: Collection[dt.date],
    *,
    by: SplitMethod = "event",
    shares: Shares3 = DEFAULT_SHARES,
    seed: int = DEFAULT_SEED,
    labels: Mapping[dt.date, Collection[Kind]] | None = None,
) -> SplitResult:
    """Deal days out to train, val and test; the same for the same seed.

    Parameters
    ----------
    days : collection of date
    by : {"random", "month", "event"}
        ``random``: the predecessor's: as many names of splits as there are days, the names sorted,
        shuffled, and given to the days in order.  ``month``: calendar months stay whole.
        ``event``: days with a code that follow each other (any codes; up to two steps without one
        between them do not part them) stay together with the day before and the day after; the
        other days go in blocks of at most 16 steps.  A step is the usual distance of two days.
    shares : three numbers
        Wanted shares of train, val and test, adding up to 100.
    seed : int
    labels : mapping of date to kinds, optional
        Codes of the days; needed by ``event``.

    Returns
    -------
    SplitResult

    Raises
    ------
    UsageError
        If the shares are none.
    """
    wanted = _fractions(shares)
    ordered = sorted(set(days))
    codes = {day: frozenset(kinds) for day, kinds in (labels or {}).items() if kinds}
    labelled = {day: codes[day] for day in ordered if day in codes}
    if by == "random":
        return SplitResult(_random_split(ordered, wanted, seed), by)
    notes: list[str] = []
    if by == "event" and not labelled:
        by = "month"
        notes.append("no day has a code: whole months are kept together, not events")
    events: list[list[dt.date]] = []
    blocks = _months(ordered)
    if by == "event":
        events, blocks = event_blocks(ordered, labelled)
    splits = _deal(events, blocks, wanted, seed, labelled)
    empty = [n for n in SPLITS if wanted[n] and n not in splits.values()]
    if empty and ordered:
        notes.append(
            f"{' and '.join(empty)} got no day: {len(events) + len(blocks)} blocks are too few"
        )
    return SplitResult({day: splits[day] for day in ordered}, by, tuple(notes))


def split_archive(
    root: Path,
    layer: str,
    epsg: int = 4326,
    *,
    by: SplitMethod = "event",
    shares: Shares3 = DEFAULT_SHARES,
    seed: int = DEFAULT_SEED,
) -> ArchiveSplit:
    """Split an archive's days, and write the label file; codes that stand there are kept.

    Every day with a whole picture takes part, and every day that the file names already.

    Parameters
    ----------
    root : Path
        The archive's root (`--output-dir`).
    layer : str
    epsg : {4326, 3413, 3031, 3857}
    by, shares, seed
        As for `make_split`.

    Raises
    ------
    UsageError
        If there is no day, the shares are none, or the label file cannot be read; nothing is
        written then.
    """
    known, code = find_picture_layer(layer).identifier, check_epsg(epsg)
    path = label_path(Layout(root, known, code))
    before = read_labels(path)
    records = Archive(root).records(known, code)
    whole = {day for day, record in records.items() if record.complete}
    labels = {day: line.codes for day, line in before.labels.items()}
    if not whole and not labels:
        raise UsageError(
            f"{root} holds no whole day of {known} in EPSG:{code}: download some first "
            "(`gibswatch download`), or take over a tree of gibs-ml (`gibswatch verify --adopt`)"
        )
    result = make_split(whole | labels.keys(), by=by, shares=shares, seed=seed, labels=labels)
    write_labels(path, before.with_splits(result.splits), before=before)
    labelled = sum(bool(codes) for codes in labels.values())
    return ArchiveSplit(known, path, result, labelled, len(labels.keys() - whole))


def event_spans(
    days: Sequence[dt.date], labelled: Collection[dt.date]
) -> list[tuple[dt.date, dt.date]]:
    """First and last day of each event: labelled days that follow each other.

    Parameters
    ----------
    days : sequence of date
        All that there are, in order: their usual distance is a step.
    labelled : collection of date
        Up to two steps without one of them do not end an event.
    """
    step = _step(days)
    spans: list[tuple[dt.date, dt.date]] = []
    for day in (day for day in days if day in labelled):
        if spans and day - spans[-1][1] <= (_EVENT_GAP + 1) * step:
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return spans


def event_blocks(
    days: Sequence[dt.date], labelled: Collection[dt.date]
) -> tuple[list[list[dt.date]], list[list[dt.date]]]:
    """Part days into events with a day around each, and blocks of what lies between them.

    Parameters
    ----------
    days : sequence of date
        In order.
    labelled : collection of date

    Returns
    -------
    events, blocks : lists of lists of date
        Together each day once; a block has at most 16 days.
    """
    step = _step(days)
    number: dict[dt.date, int] = {}
    for index, (first, last) in enumerate(event_spans(days, labelled)):
        number |= {day: index for day in days if first - step <= day <= last + step}
    runs = [(key, list(run)) for key, run in groupby(days, lambda day: number.get(day, -1))]
    events = [run for key, run in runs if key >= 0]
    return events, [piece for key, run in runs if key < 0 for piece in _pieces(run)]


def _fractions(shares: Shares3) -> dict[Split, Fraction]:
    """Exact shares that add up to 1."""
    try:
        exact = [Fraction(str(float(value))) for value in shares]
    except ValueError:
        exact = []
    if len(exact) != 3 or min(exact) < 0 or sum(exact) != 100:
        raise UsageError(
            f"shares {'/'.join(str(value) for value in shares)} are no split: give three numbers "
            "from 0 that add up to 100, e.g. 60/20/20"
        )
    return {name: value / 100 for name, value in zip(SPLITS, exact, strict=True)}


def _random_split(
    days: Sequence[dt.date], wanted: Mapping[Split, Fraction], seed: int
) -> dict[dt.date, Split]:
    """Shuffle names and give them to the days in order, as the predecessor's split_data.py does."""
    first = int(wanted["train"] * len(days))
    second = int((wanted["train"] + wanted["val"]) * len(days))
    names: list[Split] = ["train"] * first
    names += ["val"] * (second - first)
    names += ["test"] * (len(days) - second)
    names.sort()
    random.Random(seed).shuffle(names)  # noqa: S311 - not for secrets
    return dict(zip(days, names, strict=True))


def _months(days: Iterable[dt.date]) -> list[list[dt.date]]:
    return [list(month) for _, month in groupby(days, lambda day: (day.year, day.month))]


def _step(days: Sequence[dt.date]) -> dt.timedelta:
    """Usual distance of two days: a day, or more for a layer of weeks or months."""
    distances = sorted(later - day for day, later in pairwise(days))
    return distances[len(distances) // 2] if distances else dt.timedelta(days=1)


def _pieces(run: list[dt.date]) -> list[list[dt.date]]:
    """Cut a run into pieces of nearly equal length."""
    count = -(-len(run) // _BLOCK_STEPS)
    edges = [len(run) * n // count for n in range(count + 1)]
    return [run[start:stop] for start, stop in pairwise(edges)]


def _deal(
    events: Sequence[Sequence[dt.date]],
    blocks: Sequence[Sequence[dt.date]],
    wanted: Mapping[Split, Fraction],
    seed: int,
    labelled: Mapping[dt.date, frozenset[Kind]],
) -> dict[dt.date, Split]:
    """Deal blocks out, the largest first, each to the split that lacks most.

    Events come first and are dealt so that every code comes near the shares (iterative
    stratification, Sechidis et al. 2011, with whole events for samples); the blocks then bring all
    days near them.
    """
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    size = sum(map(len, events)) + sum(map(len, blocks))
    events, blocks = _largest_first(events, chance), _largest_first(blocks, chance)
    total = Counter(kind for kinds in labelled.values() for kind in kinds)
    rare = sorted(total, key=lambda kind: (total[kind], kind))
    lacks: dict[object, dict[Split, Fraction]] = {
        key: {name: share * count for name, share in wanted.items()}
        for key, count in _with_days(total, size)
    }
    splits: dict[dt.date, Split] = {}
    left = len(events) + len(blocks)
    for block in (*events, *blocks):
        held = Counter(kind for day in block for kind in labelled.get(day, ()))
        key: object = next((kind for kind in rare if held[kind]), "day")
        open_to = [name for name in SPLITS if wanted[name]]
        empty = [name for name in open_to if name not in splits.values()]
        if left <= len(empty):
            open_to = empty
        chosen = max(open_to, key=lambda name: (lacks[key][name], lacks["day"][name]))
        for what, count in _with_days(held, len(block)):
            lacks[what][chosen] -= count
        splits |= dict.fromkeys(block, chosen)
        left -= 1
    return splits


def _with_days(codes: Mapping[Kind, int], days: int) -> list[tuple[object, int]]:
    """Counts by code, and of all days."""
    return [*codes.items(), ("day", days)]


def _largest_first(
    blocks: Sequence[Sequence[dt.date]], chance: random.Random
) -> list[Sequence[dt.date]]:
    mixed = list(blocks)
    chance.shuffle(mixed)
    return sorted(mixed, key=len, reverse=True)
