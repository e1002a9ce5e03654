"""What a model is to tell: which codes of a day make which class."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, get_args

from gibswatch.types import Kind

__all__ = [
    "FAULT_KINDS",
    "LEVELS",
    "TARGETS",
    "TARGET_KINDS",
    "Level",
    "Target",
    "class_name",
    "class_of",
]

Level = Literal["image", "pixel"]
LEVELS: tuple[Level, ...] = get_args(Level)
Target = Literal["missing", "miscoloration", "any", "multi"]
TARGETS: tuple[Target, ...] = get_args(Target)

FAULT_KINDS: frozenset[Kind] = frozenset(kind for kind in Kind if kind.is_fault)
"""Codes that make a day anomalous: 2, 3, 4, 7, 8 and 9."""
TARGET_KINDS: Mapping[Target, frozenset[Kind]] = {
    "missing": frozenset({Kind.MISSING_UNEXPECTED}),
    "miscoloration": frozenset({Kind.MISCOLORATION}),
    "any": FAULT_KINDS,
    "multi": FAULT_KINDS,
}
"""Codes that are not normal; of ``multi`` each is a class of its own."""


def class_of(codes: Collection[Kind], target: Target) -> int | None:
    """Class of a day: 0 is normal; 1, or the lowest code of ``multi``, is not.

    Returns
    -------
    int or None
        None for a day whose only codes are 1, 5 or 6: it shows what looks like a fault and is
        none, so it is no example of either class.

    Examples
    --------
    >>> class_of([Kind.MISSING_UNEXPECTED, Kind.MISCOLORATION], "multi")
    2
    >>> class_of([Kind.MISCOLORATION], "missing")
    0
    """
    found = TARGET_KINDS[target].intersection(codes)
    if found:
        return int(min(found)) if target == "multi" else 1
    if codes and not any(kind.is_fault for kind in codes):
        return None
    return 0


def class_name(number: int, target: Target) -> str:
    """Call a class as a person does."""
    if number == 0:
        return "normal"
    return f"code {number}" if target == "multi" else target
