"""The days of an archive that are most worth a person's look."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from gibswatch.errors import UsageError
from gibswatch.scan.labelling.agreement import Codes, matching
from gibswatch.scan.labelling.comparison import codes_of, is_judged
from gibswatch.scan.labelling.turns import take_turns
from gibswatch.types import KIND_NAMES, DayItem, Kind, VerdictName

__all__ = ["Opinions", "Suggestion", "suggest_days"]

_THRESHOLD = 0.5
"""Score from which a day is anomalous."""
_NEAR = 0.25
"""Distance from it at which a score stops being doubtful."""
_UNCONFIRMED = 0.1
"""What a fault is worth that is neither doubtful nor contradicted."""
_RARE_DAYS, _RARE_SHARE = 3, 0.01
"""Up to so many days, or such a share of all, a kind is called rare."""
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Opinions:
    """What else is said of the days."""

    labels: Codes
    """Of the days that a person has labelled."""
    earlier: Codes
    """That an earlier run wrote into the label file."""
    second: Mapping[dt.date, VerdictName]
    """Verdicts by another method."""
    second_name: str
    """Of that method."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One day that a person should look at."""

    date: dt.date
    verdict: VerdictName
    score: float
    kinds: tuple[Kind, ...]
    worth: float
    """Higher is more; compares days of one kind."""
    why: str
    """One sentence."""


def suggest_days(items: Sequence[DayItem], count: int, opinions: Opinions) -> list[Suggestion]:
    """Choose the days that are most worth a person's look; the same for the same input.

    The kinds take turns, the rarest first and days without a finding last; of each kind the day
    that is most doubtful, contradicted or new comes first.  Days are at least 8 days apart; where
    that leaves some of `count`, only days of one kind are, and at last days of one event (a kind
    with at most two days between).

    Parameters
    ----------
    items : sequence of DayItem
        Judged days; others are passed over.
    count : int
        How many days, at most.
    opinions : Opinions

    Raises
    ------
    UsageError
        If `count` is not positive.
    """
    check_count(count)
    judged = [item for item in items if is_judged(item)]
    codes = codes_of(judged)
    days_with = Counter(kind for kinds in codes.values() for kind in kinds)
    groups: dict[Kind | None, list[Suggestion]] = {}
    for item in judged:
        if item.date is None or item.date in opinions.labels:
            continue
        found = _weigh(item, codes[item.date], days_with, len(judged), opinions)
        if found is not None:
            groups.setdefault(_leading(codes[item.date], days_with), []).append(found)
    for group in groups.values():
        group.sort(key=lambda day: (-day.worth, day.date))
    order = sorted(groups, key=lambda kind: _rarity(kind, days_with))
    chosen = take_turns([[day.date for day in groups[kind]] for kind in order], count)
    return [groups[order[turn.kind]][turn.place] for turn in chosen]


def check_count(count: int) -> int:
    """Return `count` if so many days can be suggested.

    Raises
    ------
    UsageError
        If it is not positive.
    """
    if count <= 0:
        raise UsageError(f"--suggest {count} is no number of days: give 1 or more")
    return count


def _leading(kinds: Collection[Kind], days_with: Mapping[Kind, int]) -> Kind | None:
    """The rarest kind of a day; faults go before what only explains."""
    return min(kinds, key=lambda kind: _rarity(kind, days_with), default=None)


def _rarity(kind: Kind | None, days_with: Mapping[Kind, int]) -> tuple[bool, bool, int, int]:
    """Sort key: faults before explanations before nothing, rare before frequent."""
    if kind is None:
        return (True, True, 0, 0)
    return (False, not kind.is_fault, days_with[kind], int(kind))


def _weigh(
    item: DayItem,
    kinds: frozenset[Kind],
    days_with: Mapping[Kind, int],
    judged: int,
    opinions: Opinions,
) -> Suggestion | None:
    """Say why a day is worth a look; None if nothing speaks for it."""
    if item.date is None:
        return None
    reasons = [
        _near_threshold(item.score),
        _methods_differ(item, opinions),
        _labels_differ(item.date, kinds, opinions),
        _rare(kinds, days_with, judged),
    ]
    worth = sum(weight for weight, _ in reasons)
    why = [words for _, words in reasons if words]
    if not why:
        faults = [KIND_NAMES[kind] for kind in sorted(kinds) if kind.is_fault]
        if not faults:
            return None
        worth, why = _UNCONFIRMED, [f"no person has seen the {' and '.join(faults)} yet"]
    sentence = "; ".join(why)
    return Suggestion(
        item.date, item.verdict, item.score, tuple(sorted(kinds)), worth,
        f"{sentence[:1].upper()}{sentence[1:]}.",
    )  # fmt: skip


def _near_threshold(score: float) -> tuple[float, str]:
    nearness = max(0.0, 1.0 - abs(score - _THRESHOLD) / _NEAR)
    side = "over" if score >= _THRESHOLD else "under"
    return nearness, f"the score {score:.2f} is just {side} the threshold" if nearness else ""


def _methods_differ(item: DayItem, opinions: Opinions) -> tuple[float, str]:
    other = opinions.second.get(item.date) if item.date is not None else None
    if other not in ("clean", "anomalous") or other == item.verdict:
        return 0.0, ""
    return 1.0, f"it is {item.verdict} here, and {other} by {opinions.second_name}"


def _labels_differ(day: dt.date, kinds: frozenset[Kind], opinions: Opinions) -> tuple[float, str]:
    """Whether an earlier run, or a person on the days beside, says otherwise."""
    earlier = opinions.earlier.get(day)
    if earlier is not None and earlier != kinds:
        return 1.0, f"an earlier run wrote {_listed(earlier)}, this one finds {_listed(kinds)}"
    beside = [opinions.labels.get(day - _DAY), opinions.labels.get(day + _DAY)]
    both = frozenset(Kind).intersection(*(codes or frozenset() for codes in beside))
    lacking = sorted(kind for kind in both if not matching(kind) & kinds)
    if lacking:
        return 1.0, f"the days before and after are labelled {_listed(lacking)}, it is not"
    return 0.0, ""


def _rare(kinds: Collection[Kind], days_with: Mapping[Kind, int], judged: int) -> tuple[float, str]:
    rare = [k for k in kinds if days_with[k] <= max(_RARE_DAYS, _RARE_SHARE * judged)]
    if not rare:
        return 0.0, ""
    kind = min(rare, key=lambda k: _rarity(k, days_with))
    return 0.5, f"{KIND_NAMES[kind]} is rare: {days_with[kind]} of {judged} days"


def _listed(codes: Collection[Kind]) -> str:
    return " ".join(str(int(code)) for code in sorted(codes)) or "nothing"
