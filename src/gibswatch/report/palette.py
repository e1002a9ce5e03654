"""Colours of the report: told apart by people with any colour vision, on light and on dark paper.

Those of the reasons were moved from hand-picked ones until the two most alike were as far apart as
could be in CIELAB, to the usual eye and to three that lack a pigment; the test repeats the measure.
In the calendar, blue against orange-red is the pair that every common colour blindness keeps, and
what is no verdict is hatched or hollow besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gibswatch.types import Kind

__all__ = ["KIND_COLOURS", "REASON_COLOURS", "REASON_WORDS", "hex_colour"]

Colour = tuple[int, int, int]

REASON_COLOURS: Mapping[str, Colour] = MappingProxyType(
    {
        "night": (24, 40, 144),
        "swath gap": (24, 117, 155),
        "scheduled": (156, 91, 219),
        "eclipse": (255, 248, 30),
        "terminator": (148, 189, 253),
        "server-empty": (223, 250, 252),
        "not fetched": (125, 142, 128),
        "unexpected": (240, 58, 16),
    }
)
"""Of `gibswatch.detect.REASON_CODES` but imagery and what lies outside of the globe."""

REASON_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "night": "the Sun is too low when the satellite passes",
        "swath gap": "no pass of the day sees it: passes do not meet near the equator",
        "scheduled": "a manoeuvre or calibration that the Moon sets",
        "eclipse": "the Moon's shadow",
        "terminator": "at the edge of the night, where the last dark granules may be left out",
        "server-empty": "the service sent its blank tile",
        "not fetched": "the tile did not arrive, so nothing is said of it",
        "unexpected": "nothing explains it: missing data, an anomaly",
    }
)
"""What each reason means, for a person."""

KIND_COLOURS: Mapping[int, Colour] = MappingProxyType(
    {
        int(Kind.MISSING_EXPECTED): REASON_COLOURS["scheduled"],
        int(Kind.MISSING_UNEXPECTED): REASON_COLOURS["unexpected"],
        int(Kind.MISCOLORATION): (232, 90, 190),
        int(Kind.EDGE_WARPING): (240, 150, 60),
        int(Kind.ECLIPSE_MISSING): REASON_COLOURS["eclipse"],
        int(Kind.ECLIPSE_MISCOLORATION): (250, 225, 140),
        int(Kind.STRIPES): (120, 210, 240),
        int(Kind.STALE): (90, 190, 110),
        int(Kind.DUPLICATED_GRANULE): (190, 140, 90),
    }
)
"""Of what a mask marks."""


def hex_colour(colour: Colour) -> str:
    """Colour as CSS writes it, e.g. ``#ff4e28``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
