"""One finding, one cause: of findings that overlap the strongest explanation tells all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gibswatch.detect.context import Region
from gibswatch.types import KIND_NAMES, BoolArray, Kind

__all__ = ["one_cause_each"]

_STRENGTH = {
    Kind.STALE: 0,
    Kind.MISSING_UNEXPECTED: 1,
    Kind.DUPLICATED_GRANULE: 2,
    Kind.EDGE_WARPING: 3,
    Kind.STRIPES: 4,
    Kind.MISCOLORATION: 4,
}
"""What explains what comes after it: another day's pixels are black, off colour and off place
elsewhere; what is not there has no colour; a shifted scene steps where it begins.  Of stripes and
colours that one explains the other which is surer: a lost band steps like a stripe."""
_MOSTLY = 0.5
"""Share of a finding within a stronger one from which that explains it."""


def one_cause_each(regions: Sequence[Region]) -> tuple[Region, ...]:
    """Merge findings that overlap.

    Parameters
    ----------
    regions : sequence of Region
        Of any kinds; those that only explain (1, 5 and 6) are left as they are.

    Returns
    -------
    tuple of Region
        Largest first.  A fault that lies mostly within a stronger one is named by that and goes;
        of one that lies within it by less, the rest remains, if there is any.
    """
    kept = [region for region in regions if not region.kind.is_fault]
    faults = sorted((r for r in regions if r.kind.is_fault), key=_strength)
    causes: list[Region] = []
    named: list[set[Kind]] = []
    for region in faults:
        stronger = [n for n, cause in enumerate(causes) if cause.kind is not region.kind]
        held = [_within(region.mask, causes[n].mask) for n in stronger]
        if held and max(held) >= _MOSTLY:
            named[stronger[int(np.argmax(held))]].add(region.kind)
            continue
        rest = region.mask
        for n, share in zip(stronger, held, strict=True):
            if share > 0:
                rest = rest & ~causes[n].mask
        causes.append(region if rest is region.mask else replace(region, mask=rest))
        named.append(set())
    told = [_naming(cause, kinds) for cause, kinds in zip(causes, named, strict=True)]
    return tuple(sorted([*kept, *told], key=lambda region: -int(region.mask.sum())))


def _strength(region: Region) -> tuple[int, float]:
    return _STRENGTH.get(region.kind, len(_STRENGTH)), -region.score


def _within(mask: BoolArray, cause: BoolArray) -> float:
    """Share of a mask that lies within another."""
    size = int(mask.sum())
    return int((mask & cause).sum()) / size if size else 0.0


def _naming(cause: Region, kinds: set[Kind]) -> Region:
    """Say what else the cause explains."""
    if not kinds:
        return cause
    names = " and ".join(KIND_NAMES[kind] for kind in sorted(kinds))
    end = "" if cause.reason.endswith(".") else "."
    return replace(cause, reason=f"{cause.reason}{end} It explains {names} there too.")
