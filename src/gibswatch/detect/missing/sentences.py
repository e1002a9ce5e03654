"""Findings of missing data in words: one sentence each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gibswatch.detect.context import REASON_CODES, Region
from gibswatch.detect.words import area_words, granule_words, place_words
from gibswatch.raster.regions import pixel_area_km2
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.schedule import Window
from gibswatch.sky.timescale import datetime_at
from gibswatch.types import BoolArray, ByteArray, Georeference, Kind

__all__ = ["clean_note", "eclipse_sentence", "hole_sentence", "roll_sentence"]

_WORDS = (
    ("swath gap", "swath gaps"),
    ("night", "night"),
    ("terminator", "granules at the night edge"),
    ("eclipse", "an eclipse"),
    ("scheduled", "a scheduled manoeuvre"),
    ("server-empty", "blank tiles of the server"),
)


def hole_sentence(mask: BoolArray, expectation: Expectation, granules: Sequence[str]) -> str:
    """Say what is missing, where, and what does not explain it."""
    g = expectation.georeference
    which = granule_words(granules) or "a part of the picture"
    verb = "is" if len(granules) == 1 or not granules else "are"
    excluded = ["not night", "not a swath gap", "no eclipse", "nothing scheduled"]
    if expectation.scheduled:
        excluded[3] = "not the manoeuvre that is scheduled"
    return (
        f"Missing data: {which} {verb} black where a pass saw daylight: "
        f"{area_words(mask, g)} {place_words(mask, g)}; {', '.join(excluded)}."
    )


def roll_sentence(
    mask: BoolArray, expectation: Expectation, window: Window, granules: Sequence[str]
) -> str:
    """Say which manoeuvre explains a hole."""
    g = expectation.georeference
    which = granule_words(granules) or "a part of the picture"
    return (
        f"Scheduled: {which} black over {area_words(mask, g)} {place_words(mask, g)}: {window.why}."
    )


def eclipse_sentence(mask: BoolArray, expectation: Expectation) -> str:
    """Say which part of an eclipse is black."""
    most = float(expectation.obscuration[mask].max())
    times = expectation.time_s[mask]
    when = f"{datetime_at(float(np.nanmedian(times))):%Y-%m-%d %H:%M} UTC"
    return (
        f"Eclipse of the Sun: {area_words(mask, expectation.georeference)} "
        f"{place_words(mask, expectation.georeference)} are black at {when}, when the Moon covers "
        f"{most:.0%} of the Sun."
    )


def clean_note(reasons: ByteArray, georeference: Georeference, regions: Sequence[Region]) -> str:
    """Say how much is black, and why, as half a sentence."""
    area = pixel_area_km2(georeference)
    sums = np.bincount(reasons.ravel(), weights=area.ravel(), minlength=256)
    total = sums.sum() - sums[REASON_CODES["outside"]]
    if not total > 0:
        return "nothing of the picture lies on the globe"
    parts = [(sums[REASON_CODES[code]] / total, words) for code, words in _WORDS]
    parts = sorted((part for part in parts if part[0] >= 0.0005), reverse=True)
    lost = sums[REASON_CODES["unexpected"]] / total
    share = sum(part for part, _ in parts) + lost
    if lost:
        parts.append((lost, "unexplained"))
    if not parts:
        return "no part of it is black"
    if len(parts) == 1:
        return f"{share:.1%} is black, all of it {parts[0][1]}"
    listed = [f"{words} ({part:.1%})" for part, words in parts]
    said = f"{share:.1%} is black, all of it {', '.join(listed[:-1])} and {listed[-1]}"
    explained = [region.reason for region in regions if region.kind is Kind.MISSING_EXPECTED]
    return f"{said}; {explained[0].rstrip('.')}" if explained else said
