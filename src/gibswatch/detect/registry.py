"""The table of methods that `--method` can name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Protocol

from gibswatch.detect import whole_day
from gibswatch.detect.baselines import black_share, climatology, gibs_ml, mask_rule
from gibswatch.detect.context import Context, Detection
from gibswatch.errors import UsageError
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray

__all__ = ["DEFAULT_METHOD", "METHODS", "Detector", "Method", "WantedHues", "get_method"]

WantedHues = Literal["none", "global", "places"]
"""What a method wants counted of the normal days: nothing, the hues of all pixels together, or of
each place."""


class Detector(Protocol):
    """Judges one day."""

    def __call__(
        self, scene: Scene, observed: BoolArray, expectation: Expectation | None, context: Context
    ) -> Detection:
        """Judge one day."""
        ...


@dataclass(frozen=True, slots=True)
class Method:
    """One way to judge days."""

    name: str
    summary: str
    detect: Detector
    hues: WantedHues = "none"


DEFAULT_METHOD = "gibswatch"

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            Method(
                DEFAULT_METHOD,
                "black that orbit, Sun and Moon do not explain, and colours that nature has not",
                whole_day.detect,
            ),
            Method("climatology", "black share against the neighbouring days", climatology.detect),
            Method(
                "gibs-ml",
                "the predecessor's hole rule for VIIRS, and clusters of rare hues",
                gibs_ml.detect,
                "global",
            ),
            Method(
                "gibs-ml-deviation",
                "its earlier form: clusters of hues far from the mean of their place",
                gibs_ml.detect_by_deviation,
                "places",
            ),
            Method("gibs-ml-mask", "the predecessor's mask rule for MODIS", mask_rule.detect),
            Method("black-share", "Worldview's kiosk rule", black_share.detect),
        )
    }
)


def get_method(name: str) -> Method:
    """Return the method called `name`.

    Raises
    ------
    UsageError
        If there is none; the message lists those that there are.
    """
    if name not in METHODS:
        raise UsageError(f"--method {name!r} is not one of {', '.join(METHODS)}")
    return METHODS[name]
