"""Hues of the normal days on their way through a scan: counted in the first pass, each day once.

Only methods that ask for them have them counted.  One histogram holds all days, so that memory does
not grow with their number; a day that was counted is left out of it when it is judged itself.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from gibswatch.archive.labels import label_path, read_labels
from gibswatch.archive.layout import Layout
from gibswatch.detect.hues.histogram import DayHues, HueHistogram, HueNormals, day_hues
from gibswatch.detect.registry import WantedHues, get_method
from gibswatch.raster.scene import Scene
from gibswatch.types import BoolArray, Kind

__all__ = ["HueTally", "hue_tally", "take_hues"]

_COLOURS = 3
"""Bands of a picture that has hues."""
_MISCOLOURED = frozenset({Kind.MISCOLORATION, Kind.ECLIPSE_MISCOLORATION})


@dataclass(frozen=True, slots=True)
class HueTally:
    """Counts the hues of the normal days of a scan."""

    histogram: HueHistogram
    faulty: frozenset[dt.date] = frozenset()
    """Days whose colours the label file calls wrong: never counted."""

    @property
    def wanted(self) -> WantedHues:
        """What is counted of each day."""
        return "places" if self.places else "global"

    @property
    def places(self) -> bool:
        """Whether the hues of each place are counted: then the work stays in one process."""
        return self.histogram.per_pixel

    def add(self, day: dt.date | None, hues: DayHues | None) -> bool:
        """Count a day if it is a normal one of the others' size, and say whether it was."""
        if hues is None or day in self.faulty or not self.histogram.fits(hues):
            return False
        self.histogram.add(hues)
        return True

    def normals(self, *, counted: bool) -> HueNormals:
        """Give what a day is judged by.

        Parameters
        ----------
        counted : bool
            Whether the day itself was counted.
        """
        return HueNormals(self.histogram, counted)

    def summary(self) -> str:
        """Say in one line what was counted."""
        days, out = self.histogram.days, len(self.faulty)
        if days == 0:
            return "no normal day to count hues of: colours are not judged"
        left = f"; the label file calls the colours of {out} days wrong" if out else ""
        return f"hues of {days} normal day{'' if days == 1 else 's'} counted{left}"


def hue_tally(method: str, layout: Layout | None = None) -> HueTally | None:
    """Begin to count what a method asks for; None if it asks for nothing.

    Parameters
    ----------
    method : str
        A name of `gibswatch.detect.METHODS`.
    layout : Layout, optional
        Of an archive, whose label file says which days are not normal.

    Raises
    ------
    UsageError
        If there is no such method, or the label file cannot be read.
    """
    wanted = get_method(method).hues
    if wanted == "none":
        return None
    labels = {} if layout is None else read_labels(label_path(layout)).labels
    faulty = {day for day, line in labels.items() if _MISCOLOURED.intersection(line.codes)}
    return HueTally(HueHistogram(per_pixel=wanted == "places"), frozenset(faulty))


def take_hues(scene: Scene, black: BoolArray, *, places: bool) -> DayHues | None:
    """Take the hues of a day, in a worker; None of pictures without colours.

    Parameters
    ----------
    scene : Scene
    black : (rows, cols) ndarray of bool
        Observed black.
    places : bool
        Whether the hue of each place is wanted.
    """
    if scene.pixels.shape[2] < _COLOURS:
        return None
    return day_hues(scene, black, places=places)
