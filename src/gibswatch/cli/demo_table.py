"""What was planted beside what was found: the truth of each day against the items of the scan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rasterio import features
from rasterio.transform import from_origin
from scipy import ndimage

from gibswatch.archive import Layout
from gibswatch.catalogue import GridPlan
from gibswatch.cli.demo_days import DayTruth, read_indices
from gibswatch.scan import ScanResult
from gibswatch.simulate.days.spec import parse_layer
from gibswatch.types import KIND_NAMES, BoolArray, ByteArray, DayItem, Finding, Kind

__all__ = ["Row", "compare", "row_lines", "summary_lines"]

_FEWEST, _WIDTH = 64, 3
"""Pixels that can be seen of a fault, and its width, under which it is not asked to be found."""
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
    """Pixels that both have, of those that one of them has."""
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
    transform = from_origin(g.west, g.north, g.pixel_width, g.pixel_height)
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
    rows, left = [], list(found)
    for region in truth.regions:
        seen = truth.plane == region["number"]
        # Its size decides: a finding can lie over two regions of an eclipse.
        own = [one for one in left if np.count_nonzero(one.pixels & seen)]
        left = [one for one in left if one not in own or region["kind"].startswith("eclipse")]
        rows.append(_planted_row(truth, region, seen, own, plan))
    of_eclipse = np.isin(truth.plane, [r["number"] for r in truth.regions if _is_eclipse(r)])
    for one in left:
        if not (of_eclipse & one.pixels).any():
            rows.append(
                Row(
                    day, satellite, "", _place(one.pixels, plan), KIND_NAMES[one.finding.kind],
                    one.finding.score, 0.0, is_right=False, comment="nothing was planted there",
                )
            )  # fmt: skip
    return rows


def _planted_row(
    truth: DayTruth,
    region: Mapping[str, Any],
    seen: BoolArray,
    own: Sequence[_Found],
    plan: GridPlan,
) -> Row:
    code = Kind(region["code"])
    right = [one for one in own if one.finding.kind == code]
    alarms = [one for one in own if one.finding.kind.is_fault]
    told = right or own
    if code.is_fault:
        is_right, comment = bool(right), "" if right else _why_missed(seen)
    elif _is_eclipse(region):
        is_right, comment = not alarms, "" if own else "no alarm"
    else:
        is_right, comment = bool(right) and not alarms, ""
    pixels = np.logical_or.reduce([one.pixels for one in told], axis=0) if told else None
    either = None if pixels is None else np.count_nonzero(pixels | seen)
    return Row(
        truth.spec.day,
        truth.spec.satellite,
        _words(region),
        _place(seen, plan),
        ", ".join(sorted({KIND_NAMES[one.finding.kind] for one in told})),
        max((one.finding.score for one in told), default=None),
        None if pixels is None else float(np.count_nonzero(pixels & seen) / max(either or 0, 1)),
        is_right=is_right,
        comment=comment,
    )


def _is_eclipse(region: Mapping[str, Any]) -> bool:
    return str(region["kind"]).startswith("eclipse")


def _why_missed(seen: BoolArray) -> str:
    if not seen.any():
        return "cannot be seen: other passes fill it"
    wide = ndimage.binary_erosion(seen, np.ones((_WIDTH, _WIDTH))).any()
    if np.count_nonzero(seen) < _FEWEST or not wide:
        return f"{np.count_nonzero(seen)} pixels can be seen"
    return ""


def _words(region: Mapping[str, Any]) -> str:
    """Say what was planted."""
    kind, values = region["kind"], region["parameters"]
    count = values.get("count", 1)
    words = {
        "missing-granules": f"{count} granule{'' if count == 1 else 's'} missing",
        "missing-scans": f"{values.get('seconds', 0.0):.0f} s of scans missing",
        "missing-orbit": "half an orbit missing"
        if values.get("share", 1.0) < 1.0
        else "an orbit missing",
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
    cells = [("day", "layer", "planted", "where", "found", "score", "overlap", "")]
    cells += [_cells(row) for row in rows]
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
    lines = [
        f"{len(planted) - wrong} of {len(planted)} planted things are found or explained as they "
        f"should be; {quiet} of {len(clean)} days without any are clean"
    ]
    if wrong or false:
        lines.append(
            f"what was found differs from what was planted: {wrong} of them wrong, {false} found "
            "where nothing was planted; the reports show the days"
        )
    return lines
