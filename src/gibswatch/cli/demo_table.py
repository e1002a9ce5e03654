"""What was planted beside what was found: the truth of each day against the items of the scan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rasterio import Affine, features
from scipy import ndimage

from gibswatch.archive import Layout
from gibswatch.catalogue import GridPlan
from gibswatch.cli.demo_days import DayTruth, read_indices
from gibswatch.scan import ScanResult
from gibswatch.simulate.days.spec import parse_layer
from gibswatch.types import KIND_NAMES, BoolArray, DayItem, Finding, Kind

__all__ = ["Row", "compare", "row_lines", "summary_lines"]

_FEWEST, _WIDTH = 64, 3
"""Pixels that can be seen of a fault, and its width, under which a miss is told with them."""
_SHADOWS = (Kind.ECLIPSE_MISSING, Kind.ECLIPSE_MISCOLORATION)
_OUTLINE_PX = 2
"""By so much an outline in lon/lat may be off the pixels that it was drawn around."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was planted, found, or both."""

    day: dt.date
    satellite: str
    planted: str
    """In words; empty where nothing was."""
    place: str
    found: str
    """In words; empty where nothing was."""
    score: float | None
    """Of what was found there."""
    overlap: float | None
    """Pixels that both have, of those that one of them has; a shadow has no edge to compare."""
    is_right: bool
    comment: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    finding: Finding
    pixels: BoolArray


def compare(
    result: ScanResult, truths: Mapping[dt.date, DayTruth], plan: GridPlan
) -> tuple[Row, ...]:
    """Make a row for each thing that was planted, and for each that was found beside it.

    Parameters
    ----------
    result : ScanResult
        Of one layer.
    truths : Mapping
        Of every day of the scan.
    plan : GridPlan
        Of pictures and truth.
    """
    rows: list[Row] = []
    for item in result.items:
        if item.date is not None and result.root is not None:
            layout = Layout(result.root, result.layer, plan.grid.epsg)
            found = _found(item, layout.mask(item.date), plan)
            rows += _day_rows(item, truths[item.date], found, plan)
    return tuple(rows)


def _found(item: DayItem, mask: Path, plan: GridPlan) -> list[_Found]:
    """Pixels of each finding: those of the day's mask that lie in its outline."""
    if not item.findings:
        return []
    kinds, g = read_indices(mask), plan.georeference
    transform = Affine(g.pixel_width, 0.0, g.west, 0.0, -g.pixel_height, g.north)
    result = []
    for finding in item.findings:
        inside = np.ones(g.shape, dtype=bool)
        if finding.geometry is not None:
            drawn = features.rasterize([finding.geometry], g.shape, transform=transform)
            inside = ndimage.binary_dilation(drawn, iterations=_OUTLINE_PX)
        result.append(_Found(finding, inside & (kinds == finding.kind)))
    return result


def _day_rows(item: DayItem, truth: DayTruth, found: Sequence[_Found], plan: GridPlan) -> list[Row]:
    day, satellite = truth.spec.day, truth.spec.satellite
    if item.verdict not in ("clean", "anomalous"):  # a demo without a network has no such day
        return [Row(day, satellite, "", "", item.verdict, None, None, is_right=False)]
    regions = [(region, truth.plane == region["number"]) for region in truth.regions]
    owners = [_owner(one, [seen for _, seen in regions]) for one in found]
    rows = []
    for number, (region, seen) in enumerate(regions):
        own = [one for one, owner in zip(found, owners, strict=True) if owner == number]
        if _is_eclipse(region):  # black and darkened are one shadow, that one finding explains
            own += [one for one in found if one.finding.kind in _SHADOWS and one not in own]
        rows.append(_planted_row(truth, region, seen, own, plan))
    for one, owner in zip(found, owners, strict=True):
        if owner is None:
            what, score, where = one.finding.kind, one.finding.score, _place(one.pixels, plan)
            rows.append(Row(day, satellite, "", where, _name(what), score, 0.0, is_right=False))
    return rows


def _owner(one: _Found, places: Sequence[BoolArray]) -> int | None:
    """Which of the planted things a finding is: that of which it has the most pixels, if any."""
    pixels = [np.count_nonzero(one.pixels & seen) for seen in places]
    return int(np.argmax(pixels)) if any(pixels) else None


def _planted_row(
    truth: DayTruth,
    region: Mapping[str, Any],
    seen: BoolArray,
    own: Sequence[_Found],
    plan: GridPlan,
) -> Row:
    code = Kind(region["code"])
    has_own = any(one.finding.kind == code for one in own)
    alarmed = any(one.finding.kind.is_fault for one in own)
    if code.is_fault:
        is_right, comment = (True, "") if has_own else _why_missed(seen)
    elif _is_eclipse(region):
        is_right, comment = not alarmed, "" if own else "no alarm"
    else:
        is_right, comment = has_own and not alarmed, ""
    return Row(
        truth.spec.day,
        truth.spec.satellite,
        _words(region),
        _place(seen, plan),
        " + ".join(_name(kind) for kind in sorted({one.finding.kind for one in own})),
        max((one.finding.score for one in own), default=None),
        None if _is_eclipse(region) else _overlap(seen, own),
        is_right=is_right,
        comment=comment,
    )


def _overlap(seen: BoolArray, own: Sequence[_Found]) -> float | None:
    """Pixels that truth and findings share, of those that one of them has."""
    if not own:
        return None
    pixels = np.logical_or.reduce([one.pixels for one in own])
    return float(np.count_nonzero(pixels & seen) / np.count_nonzero(pixels | seen))


def _is_eclipse(region: Mapping[str, Any]) -> bool:
    return str(region["kind"]).startswith("eclipse")


def _why_missed(seen: BoolArray) -> tuple[bool, str]:
    """Whether it is right that nothing was found, and why."""
    if not seen.any():
        return True, "cannot be seen: other passes fill it"
    wide = ndimage.binary_erosion(seen, np.ones((_WIDTH, _WIDTH))).any()
    if np.count_nonzero(seen) < _FEWEST or not wide:
        return False, f"only {np.count_nonzero(seen)} pixels can be seen"
    return False, ""


def _name(kind: Kind) -> str:
    return f"{int(kind)} {KIND_NAMES[kind]}"


def _words(region: Mapping[str, Any]) -> str:
    """Say what was planted."""
    kind, values = region["kind"], region["parameters"]
    count, half = values.get("count", 1), values.get("share", 1.0) < 1.0
    words = {
        "missing-granules": f"{count} granule{'' if count == 1 else 's'} missing",
        "missing-scans": f"{values.get('seconds', 0.0):.0f} s of scans missing",
        "missing-orbit": f"{'half ' if half else ''}an orbit missing",
        "missing-tile": "part of a tile missing" if "part" in values else "a tile missing",
        "missing-wedge": "a pass missing in a tile",
        "roll": f"roll towards the Moon, {values.get('seconds', 0.0) / 60:.0f} min",
        "eclipse-missing": "eclipse, black",
        "eclipse-miscoloration": "eclipse, darkened",
    }
    return words.get(kind, str(kind).replace("-", " "))


def _place(pixels: BoolArray, plan: GridPlan) -> str:
    """Middle of some pixels, e.g. ``12 N  34 W``."""
    rows, cols = np.nonzero(pixels)
    if not rows.size:
        return ""
    g = plan.georeference
    lat = g.north - (float(np.median(rows)) + 0.5) * g.pixel_height
    turns = np.exp(2j * np.pi * (cols + 0.5) / g.cols).mean()  # the globe has no edge
    lon = g.west + float(np.angle(turns) % (2 * np.pi)) / (2 * np.pi) * g.cols * g.pixel_width
    return f"{abs(lat):2.0f} {'S' if lat < 0 else 'N'} {abs(lon):3.0f} {'W' if lon < 0 else 'E'}"


def row_lines(rows: Sequence[Row]) -> list[str]:
    """Lay rows out as a table, its heading first."""
    heading = ("day", "layer", "planted", "where", "found", "score", "overlap", "")
    cells = [heading, *(_cells(row) for row in rows)]
    widths = [max(len(line[n]) for line in cells) for n in range(len(cells[0]))]
    return [
        "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells
    ]


def _cells(row: Row) -> tuple[str, ...]:
    says = "right" if row.is_right else "wrong"
    return (
        str(row.day),
        row.satellite,
        row.planted or "nothing",
        row.place,
        row.found or "nothing",
        "" if row.score is None else f"{row.score:.2f}",
        "" if row.overlap is None else f"{row.overlap:.2f}",
        f"{says}: {row.comment}" if row.comment else says,
    )


def summary_lines(rows: Sequence[Row], results: Sequence[ScanResult]) -> list[str]:
    """Say in two lines how much of it is right."""
    planted = [row for row in rows if row.planted]
    wrong = sum(not row.is_right for row in planted)
    false = sum(not row.planted for row in rows)
    touched = {(row.day, row.satellite) for row in planted}
    clean = [
        item
        for result in results
        for item in result.items
        if (item.date, parse_layer(result.layer)[0]) not in touched
    ]
    quiet = sum(item.verdict == "clean" for item in clean)
    right = len(planted) - wrong
    told = f"planted: {right} of {len(planted)} found, or explained, as they should be"
    lines = [f"{told}; without anything planted: {quiet} of {len(clean)} days clean"]
    if wrong or false:
        lines.append(
            f"it differs: {wrong} wrong of what was planted, {false} found where nothing was; "
            "the reports show the days"
        )
    return lines
