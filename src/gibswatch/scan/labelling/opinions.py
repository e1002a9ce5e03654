"""What else is said of the days of an archive: by persons, by earlier runs, by another method."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from gibswatch.archive.labels import label_path, read_labels
from gibswatch.archive.own_labels import days_of_persons, own_labels_path, read_own
from gibswatch.detect.registry import DEFAULT_METHOD
from gibswatch.scan.archived import ArchivedDays
from gibswatch.scan.judging.judge import Workers, judge_sightings
from gibswatch.scan.labelling.given import GivenLabels
from gibswatch.scan.labelling.suggest import Opinions
from gibswatch.scan.passes import JudgedDays
from gibswatch.scan.result import ProgressCallback, silent
from gibswatch.types import VerdictName

__all__ = ["gather_opinions"]

_SECOND_METHOD = "climatology"
_STAGE = "second method"


def gather_opinions(
    archived: ArchivedDays,
    judged: JudgedDays,
    given: GivenLabels | None,
    *,
    method: str,
    workers: Workers,
    on_progress: ProgressCallback = silent,
) -> Opinions:
    """Gather what else is said of the days: by persons, earlier runs, and another method.

    Parameters
    ----------
    archived : ArchivedDays
    judged : JudgedDays
        As the first method judged them.
    given : GivenLabels or None
        Labels besides those of the archive.
    method : str
        The first one.
    workers : Workers
    on_progress : callable
        Told (``second method``, done, total).

    Raises
    ------
    UsageError, ArchiveError
        If the label file, or the record of what was written there, cannot be read.
    """
    labels = read_labels(label_path(archived.layout))
    own = read_own(own_labels_path(archived.layout))
    persons = days_of_persons(labels, own)
    lines = {day: frozenset(line.codes) for day, line in labels.labels.items()}
    second = _SECOND_METHOD if method != _SECOND_METHOD else DEFAULT_METHOD
    # The masks are those of the first method.
    seen = [replace(s, picture=replace(s.picture, mask_path=None, files=None)) for s in judged.seen]
    again = judge_sightings(
        seen, len(judged.items),
        method=second, workers=workers, orbits=judged.orbits,
        on_progress=lambda _stage, done, total: on_progress(_STAGE, done, total),
    )  # fmt: skip
    verdicts: dict[dt.date, VerdictName] = {i.date: i.verdict for i in again if i.date is not None}
    return Opinions(
        {**{day: lines[day] for day in persons}, **(given.codes if given else {})},
        {day: codes for day, codes in own.items() if lines.get(day) == codes},
        verdicts,
        second,
    )
