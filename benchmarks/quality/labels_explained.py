"""What eclipses and the Moon's schedule explain of the predecessor's hand labels, against chance.

Run: .venv/bin/python benchmarks/quality/labels_explained.py [--labels FILE]

The file has 946 days of SNPP, 2015-11-24 to 2018-06-26, most of them without a code.  Eclipses need
no tuning.  The schedule was chosen with the odd months in view: report the even ones.  All days
together are the table of ``gibswatch label --against`` (docs/labelling.md).
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import binomtest

from gibswatch.archive import read_labels as read_label_file
from gibswatch.scan.labelling.agreement import count_row
from gibswatch.scan.labelling.from_sky import eclipse_of
from gibswatch.sky.eclipse_days import EclipseView
from gibswatch.sky.satellites import SATELLITES
from gibswatch.sky.schedule import scheduled_windows
from gibswatch.types import Kind

NAME = "VIIRS_SNPP_CorrectedReflectance_TrueColor.txt"
ECLIPSE_CODES = frozenset({Kind.ECLIPSE_MISSING, Kind.ECLIPSE_MISCOLORATION})
LEAST_SHARE = 0.05
"""Of the Sun's disc: an eclipse that a person could see in the picture."""

Labels = Mapping[dt.date, frozenset[Kind]]


@dataclass(frozen=True)
class Explained:
    """How many days of a kind the schedule explains."""

    days: int
    window_days: int
    coded: int
    hits: int
    p_value: float
    """Chance of as many hits or more if windows and codes had nothing to do with each other."""

    @property
    def expected(self) -> float:
        """Hits by chance."""
        return self.coded * self.window_days / self.days

    def __str__(self) -> str:
        return (
            f"{self.hits:3d} of {self.coded:3d} coded days lie on {self.window_days:3d} of "
            f"{self.days} days; by chance {self.expected:4.1f}, p = {self.p_value:.1e}"
        )


def read_labels(path: Path) -> Labels:
    """Read lines ``{split} {date} {codes}``."""
    lines = read_label_file(path).labels
    return {day: frozenset(line.codes) for day, line in lines.items()}


def eclipses(labels: Labels) -> dict[dt.date, EclipseView | None]:
    """Find the predicted eclipse of every day that has one or is labelled so."""
    found: dict[dt.date, EclipseView | None] = {}
    for day, codes in sorted(labels.items()):
        view = eclipse_of(SATELLITES["SNPP"], day)
        if codes & ECLIPSE_CODES or (view is not None and view.share >= LEAST_SHARE):
            found[day] = view
    return found


def explained(
    labels: Labels, code: int, kind: str, *, parity: int, alone: bool, least: float = 0.0
) -> Explained:
    """Count the days with a code that a kind of window explains.

    Parameters
    ----------
    labels : mapping
    code : int
        Of the predecessor.
    kind : {"lunar-roll", "new-moon"}
    parity : int
        1 for odd months, 0 for even ones.
    alone : bool
        Leave out days that have other codes too (the bad spring of 2016).
    least : float
        Smallest probability of the windows that count.
    """
    days = [day for day in labels if day.month % 2 == parity]
    windows = {
        day
        for day in days
        if any(w.kind == kind and w.probability >= least for w in scheduled_windows("SNPP", day))
    }
    kind_of_code = frozenset({Kind(code)})
    nothing: frozenset[Kind] = frozenset()
    theirs = {day: nothing if alone and len(labels[day]) > 1 else labels[day] for day in days}
    ours = {day: kind_of_code if day in windows else nothing for day in days}
    row = count_row(kind, days, theirs, ours, kinds=kind_of_code)
    coded = row.both + row.only_theirs
    chance = len(windows) / row.days
    p_value = binomtest(row.both, coded, chance, alternative="greater").pvalue
    return Explained(row.days, len(windows), coded, row.both, float(p_value))


def main() -> None:
    """Print the tables."""
    shared = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("GIBSWATCH_REAL_DATA", shared))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=Path, default=folder / "labels" / NAME)
    labels = read_labels(parser.parse_args().labels)
    print("Eclipses (SNPP, by the anchor's orbit): most of the Sun that is covered in daylight")
    for day, view in eclipses(labels).items():
        codes = " ".join(map(str, sorted(labels[day]))) or "none"
        place = "no eclipse anywhere"
        if view is not None:
            place = f"{view.share:.3f} at {view.lat_deg:6.1f} {view.lon_deg:7.1f}"
        print(f"  {day}  codes {codes:5}  {place}")
    for parity, name in ((1, "odd months (the windows were chosen on them)"), (0, "even months")):
        print(f"Schedule, {name}:")
        for what, code, kind, alone, least in (
            ("code 2 alone, day of the roll", 2, "lunar-roll", True, 0.5),
            ("code 2 alone, a day around too", 2, "lunar-roll", True, 0.0),
            ("code 2 at all, day of the roll", 2, "lunar-roll", False, 0.5),
            ("code 1, New Moon and a day around", 1, "new-moon", False, 0.0),
        ):
            result = explained(labels, code, kind, parity=parity, alone=alone, least=least)
            print(f"  {what:34} {result}")


if __name__ == "__main__":
    main()
