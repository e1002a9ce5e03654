"""Judged days beside the labels of a person: what agrees, what does not, what cannot be said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gibswatch.scan.labelling.agreement import AgreementRow, Codes, agreement_rows, unmatched
from gibswatch.scan.labelling.from_sky import SkyLabel, cause_rows
from gibswatch.types import DayItem, Kind

__all__ = ["Comparison", "Disagreement", "Nature", "codes_of", "compare_labels", "is_judged"]

Nature = Literal["theirs", "ours", "both", "cause"]
"""Who says more: they have a code that nothing of ours matches, we have one, both have; or the
codes match, and tell another cause."""
_ORDER: tuple[Nature, ...] = ("theirs", "both", "ours", "cause")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One day on which the codes differ."""

    date: dt.date
    theirs: tuple[Kind, ...]
    ours: tuple[Kind, ...]
    nature: Nature
    reason: str
    """Ours, in one sentence."""
    has_picture: bool
    """False: by sky and schedule alone."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Verdicts of an archive beside a label file."""

    labelled: int
    """Days of the label file."""
    judged: int
    """Of these, days with a picture that was judged."""
    not_judged: int
    """Days whose picture is not whole."""
    without_picture: int
    """Days of which the archive has nothing."""
    not_labelled: int
    """Judged days that the label file does not have."""
    pictures: tuple[AgreementRow, ...]
    """Over the judged days."""
    sky: tuple[AgreementRow, ...]
    """Over the days without a picture, by what sky and schedule tell; see `cause_rows`."""
    told_by_sky: int
    """Days without a picture of which sky or schedule tell something."""
    disagreements: tuple[Disagreement, ...]
    """With pictures first, those that matter most before others, then by date."""


def is_judged(item: DayItem) -> bool:
    """Whether a verdict says something of the picture."""
    return item.date is not None and item.verdict in ("clean", "anomalous")


def codes_of(items: Sequence[DayItem]) -> Codes:
    """Return the codes of the days that were judged."""
    return {
        item.date: frozenset(Kind(finding.kind) for finding in item.findings)
        for item in items
        if item.date is not None and is_judged(item)
    }


def compare_labels(
    theirs: Codes, items: Sequence[DayItem], sky: Mapping[dt.date, SkyLabel]
) -> Comparison:
    """Compare the verdicts of days with the labels of a person.

    Parameters
    ----------
    theirs : mapping of date to codes
        Of the label file; none for a day that is labelled normal.
    items : sequence of DayItem
        All that is said of the archive's days.
    sky : mapping of date to SkyLabel
        Of the labelled days that have no picture.
    """
    ours = codes_of(items)
    held = {item.date for item in items if item.date is not None}
    absent = theirs.keys() - held
    told = {day: label for day, label in sky.items() if day in absent}
    reasons = {item.date: item.reason for item in items if item.date is not None}
    found = [
        _disagreement(day, theirs[day], ours[day], reasons[day])
        for day in theirs.keys() & ours.keys()
        if theirs[day] != ours[day]
    ]
    found += [
        _disagreement(day, theirs[day], label.kinds, label.reason, has_picture=False)
        for day, label in told.items()
        if not label.agrees(theirs[day])
    ]
    found.sort(key=lambda d: (not d.has_picture, _ORDER.index(d.nature), d.date))
    return Comparison(
        labelled=len(theirs),
        judged=len(theirs.keys() & ours.keys()),
        not_judged=len((theirs.keys() & held) - ours.keys()),
        without_picture=len(absent),
        not_labelled=len(ours.keys() - theirs.keys()),
        pictures=agreement_rows(theirs, ours),
        sky=cause_rows(theirs, told),
        told_by_sky=sum(bool(label.causes) for label in told.values()),
        disagreements=tuple(found),
    )


def _disagreement(
    day: dt.date,
    theirs: frozenset[Kind],
    ours: frozenset[Kind],
    reason: str,
    *,
    has_picture: bool = True,
) -> Disagreement:
    return Disagreement(
        day, tuple(sorted(theirs)), tuple(sorted(ours)), _nature(theirs, ours), reason, has_picture
    )


def _nature(theirs: frozenset[Kind], ours: frozenset[Kind]) -> Nature:
    more, less = unmatched(theirs, ours), unmatched(ours, theirs)
    if more and less:
        return "both"
    return "theirs" if more else "ours" if less else "cause"
