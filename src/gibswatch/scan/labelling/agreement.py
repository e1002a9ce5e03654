"""How far two labellings of the same days agree: code by code, and by codes that match."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gibswatch.types import KIND_NAMES, Kind

__all__ = [
    "FAMILIES",
    "AgreementRow",
    "Codes",
    "agreement_rows",
    "count_row",
    "matching",
    "short_codes",
    "unmatched",
]

Codes = Mapping[dt.date, frozenset[Kind]]
"""Codes of each day; none for a normal one."""

FAMILIES: Mapping[str, frozenset[Kind]] = MappingProxyType(
    {
        "missing data": frozenset(
            {Kind.MISSING_EXPECTED, Kind.MISSING_UNEXPECTED, Kind.ECLIPSE_MISSING}
        ),
        "colour": frozenset({Kind.MISCOLORATION, Kind.ECLIPSE_MISCOLORATION}),
    }
)
"""Codes that people tell apart by the cause, not by what they see: within a family they match."""

_PREDECESSORS = frozenset(Kind(code) for code in range(1, 7))
_ECLIPSE = frozenset({Kind.ECLIPSE_MISSING, Kind.ECLIPSE_MISCOLORATION})
_FAULTS = frozenset(kind for kind in Kind if kind.is_fault)


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """Days on which a code, or one of some codes, stands here and there."""

    name: str
    theirs: frozenset[Kind]
    """Codes of the label file that count."""
    ours: frozenset[Kind]
    """Kinds of ours that count."""
    both: int
    """Days that have one of them in both."""
    only_theirs: int
    only_ours: int
    neither: int

    @property
    def days(self) -> int:
        """Number of days compared."""
        return self.both + self.only_theirs + self.only_ours + self.neither

    @property
    def agreement(self) -> float | None:
        """Share of days on which both say the same, 0-1; None without a day."""
        return (self.both + self.neither) / self.days if self.days else None

    @property
    def by_chance(self) -> float:
        """Days in `both` to expect if the two had nothing to do with each other."""
        product = (self.both + self.only_theirs) * (self.both + self.only_ours)
        return product / self.days if self.days else 0.0

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa: 1 full agreement, 0 no more than chance.

        None where one side has the codes on no day or on every day: that is no judgement.

        References
        ----------
        Cohen (1960), A coefficient of agreement for nominal scales, Equation (1).
        """
        theirs, ours = self.both + self.only_theirs, self.both + self.only_ours
        agreed, days = self.agreement, self.days
        if agreed is None or theirs in (0, days) or ours in (0, days):
            return None
        chance = (theirs * ours + (days - theirs) * (days - ours)) / days**2
        return (agreed - chance) / (1 - chance)


def agreement_rows(theirs: Codes, ours: Codes) -> tuple[AgreementRow, ...]:
    """Compare two labellings over the days that both know.

    Parameters
    ----------
    theirs, ours : mapping of date to codes

    Returns
    -------
    tuple of AgreementRow
        A row a code: those of the predecessor, and others that occur.  Then rows of codes that
        match: families, eclipses, faults, and any code at all.
    """
    days = sorted(theirs.keys() & ours.keys())
    used = {kind for day in days for kind in theirs[day] | ours[day]}
    single = [
        (f"{int(kind)} {KIND_NAMES[kind]}", frozenset({kind}))
        for kind in Kind
        if kind in _PREDECESSORS | used
    ]
    joined = [
        *((f"any {name}", kinds) for name, kinds in FAMILIES.items()),
        ("any eclipse", _ECLIPSE),
        ("any fault", _FAULTS),
        ("any code", frozenset(Kind)),
    ]
    return tuple(
        count_row(name, days, theirs, ours, kinds=kinds) for name, kinds in (*single, *joined)
    )


def count_row(
    name: str,
    days: Sequence[dt.date],
    theirs: Codes,
    ours: Codes,
    *,
    kinds: frozenset[Kind],
    their_kinds: frozenset[Kind] | None = None,
) -> AgreementRow:
    """Count the days that have one of some codes.

    Parameters
    ----------
    name : str
        What the row is called.
    days : sequence of datetime.date
        Those to count; both must know them.
    theirs, ours : mapping of date to codes
    kinds : frozenset of Kind
        What counts of ours.
    their_kinds : frozenset of Kind, optional
        What counts of theirs, if it is something else.
    """
    wanted = kinds if their_kinds is None else their_kinds
    there = [bool(theirs[day] & wanted) for day in days]
    here = [bool(ours[day] & kinds) for day in days]
    pairs = list(zip(there, here, strict=True))
    return AgreementRow(
        name,
        wanted,
        kinds,
        pairs.count((True, True)),
        pairs.count((True, False)),
        pairs.count((False, True)),
        pairs.count((False, False)),
    )


def matching(kind: Kind) -> frozenset[Kind]:
    """Return the codes that a person may have given to what we call `kind`.

    Examples
    --------
    >>> sorted(int(code) for code in matching(Kind.MISSING_EXPECTED))
    [1, 2, 5]
    """
    return next((family for family in FAMILIES.values() if kind in family), frozenset({kind}))


def unmatched(codes: Collection[Kind], others: Collection[Kind]) -> frozenset[Kind]:
    """Return the codes that nothing on the other side matches.

    Examples
    --------
    >>> unmatched({Kind.MISSING_UNEXPECTED}, {Kind.MISSING_EXPECTED})
    frozenset()
    """
    there = frozenset(others)
    return frozenset(kind for kind in codes if not matching(kind) & there)


def short_codes(codes: Collection[Kind]) -> str:
    """Write codes in few characters.

    Examples
    --------
    >>> short_codes({Kind(1), Kind(2), Kind(5)}), short_codes(set(Kind) - {Kind(1), Kind(5)})
    ('1/2/5', '2-4/6-9')
    """
    runs: list[list[int]] = []
    for code in sorted(int(code) for code in codes):
        if runs and code == runs[-1][-1] + 1:
            runs[-1].append(code)
        else:
            runs.append([code])
    parts = [[f"{run[0]}-{run[-1]}"] if len(run) > 2 else map(str, run) for run in runs]
    return "/".join(text for part in parts for text in part)
