"""Findings over each other: one cause tells it, and names the others."""

from __future__ import annotations

import numpy as np

from gibswatch.detect.causes import one_cause_each
from gibswatch.detect.context import Region
from gibswatch.types import Kind


def _region(kind: Kind, first: int, last: int, score: float = 0.9) -> Region:
    mask = np.zeros((10, 100), dtype=bool)
    mask[:, first:last] = True
    return Region(kind, mask, score, f"{kind.name}.")


def _spans(regions: tuple[Region, ...]) -> list[tuple[Kind, int, int]]:
    found = []
    for region in regions:
        cols = np.flatnonzero(region.mask.any(axis=0))
        found.append((region.kind, int(cols[0]), int(cols[-1]) + 1))
    return found


def test_findings_apart_stay_as_they_are() -> None:
    regions = (_region(Kind.MISSING_UNEXPECTED, 0, 30), _region(Kind.MISCOLORATION, 50, 60))
    assert one_cause_each(regions) == regions


def test_the_strongest_explains_what_lies_within_it_and_says_so() -> None:
    regions = [
        _region(Kind.MISCOLORATION, 10, 20),
        _region(Kind.STALE, 0, 50),
        _region(Kind.STRIPES, 40, 52),
    ]
    (only,) = one_cause_each(regions)
    assert only.kind is Kind.STALE
    assert only.reason == "STALE. It explains miscoloration and stripes there too."


def test_what_lies_mostly_outside_keeps_the_rest() -> None:
    regions = [_region(Kind.MISSING_UNEXPECTED, 0, 20), _region(Kind.STRIPES, 10, 90)]
    assert _spans(one_cause_each(regions)) == [
        (Kind.STRIPES, 20, 90), (Kind.MISSING_UNEXPECTED, 0, 20),
    ]  # fmt: skip


def test_two_of_one_kind_are_two_findings() -> None:
    regions = [_region(Kind.MISCOLORATION, 0, 40), _region(Kind.MISCOLORATION, 30, 50)]
    assert len(one_cause_each(regions)) == 2


def test_what_only_explains_is_left_alone() -> None:
    regions = [
        _region(Kind.STALE, 0, 50),
        _region(Kind.ECLIPSE_MISCOLORATION, 10, 20),
        _region(Kind.MISSING_EXPECTED, 30, 35),
    ]
    assert [region.kind for region in one_cause_each(regions)] == [
        Kind.STALE, Kind.ECLIPSE_MISCOLORATION, Kind.MISSING_EXPECTED,
    ]  # fmt: skip


def test_a_sentence_without_an_end_gets_one() -> None:
    half = Region(Kind.STALE, _region(Kind.STALE, 0, 50).mask, 1.0, "12 pixels")
    (only,) = one_cause_each([half, _region(Kind.STRIPES, 0, 10)])
    assert only.reason == "12 pixels. It explains stripes there too."


def test_of_stripes_and_colours_the_surer_explains_the_other() -> None:
    band_lost = [_region(Kind.STRIPES, 0, 30, 0.6), _region(Kind.MISCOLORATION, 0, 30, 0.95)]
    (only,) = one_cause_each(band_lost)
    assert only.kind is Kind.MISCOLORATION
    assert only.reason.endswith("It explains stripes there too.")
    striped = [_region(Kind.STRIPES, 0, 30, 0.8), _region(Kind.MISCOLORATION, 0, 30, 0.6)]
    (only,) = one_cause_each(striped)
    assert only.kind is Kind.STRIPES
