"""How well an orbit that is fitted to the gaps of imagery says where the next gaps are.

Run: .venv/bin/python benchmarks/quality/orbit_fit.py [--data FOLDER] [--every N]

One tropical tile of Terra a day, 2023-01-01 to 08-15, after Terra had left its 16-day grid.  All
settings were chosen with January to April in view; May to August are those to report.  On
2023-08-07 granules are missing; it is not counted.  Then low zoom, and single days of the globe.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.raster.codec import read_picture
from gibswatch.raster.observe import observed_black
from gibswatch.sky.edges import DayEdges, find_edges
from gibswatch.sky.fit import FitRefused, OrbitFit, fit_orbits
from gibswatch.sky.orbit import Orbit, wrap_degrees
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.phases import crossing_offset_deg, implied_crossings, wrap_to
from gibswatch.sky.places import places_at
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
TERRA = SATELLITES["Terra"]
FAULTY = dt.date(2023, 8, 7)
TUNED_UNTIL = dt.date(2023, 5, 1)
TILE = Georeference(4326, -36.0, 18.0, 36 / 512, 36 / 512, 512, 512)
ZOOM_0 = Georeference(4326, -180.0, 90.0, 0.5625, 0.5625, 320, 512)
CAUSAL_DAYS = 16
"""How many days before a day are given to the causal fit."""
BLOCK_ROWS = 8
"""Rows of one JPEG block, whose rings move the edge of a single row by a pixel."""
SQUARE = np.ones((5, 5), dtype=bool)
"""A tolerance of two pixels."""


@dataclass(frozen=True)
class Picture:
    """What is observed of one day."""

    day: dt.date
    black: BoolArray
    edges: DayEdges


@dataclass(frozen=True)
class Agreement:
    """One day's black against what was expected; shares of the picture in percent."""

    iou: float
    unexplained: float
    """Black further than two pixels from any that is expected."""
    wrongly_explained: float
    """Expected black although a pass covered it."""
    edge_px: NDArray[np.float64]
    """Distance of observed edges from the expected ones: medians over `BLOCK_ROWS` rows."""
    row_px: NDArray[np.float64]
    """The same of every single row."""


def read_tiles(folder: Path, every: int = 1) -> list[Picture]:
    """Observe every `every`-th day of the tile."""
    found = []
    for path in sorted(folder.glob("*.jpg"))[::every]:
        pixels, image_format = read_picture(path)
        black = observed_black(pixels, layer=LAYER, image_format=image_format)
        day = dt.date.fromisoformat(path.stem)
        found.append(Picture(day, black, find_edges(black, TILE, day)))
    return found


def read_black(path: Path, georeference: Georeference, level: int) -> Picture:
    """Observe black by its level alone: at low zoom the rule's opening takes gaps away."""
    pixels = read_picture(path)[0][: georeference.rows, :, :3]
    black = np.asarray(pixels.max(axis=2) <= level)
    day = dt.date.fromisoformat(path.stem[-10:])
    return Picture(day, black, find_edges(black, georeference, day))


def compare(picture: Picture, orbit: Orbit) -> Agreement:
    """Compare a day of the tile with what an orbit says of it."""
    expected = ~pass_geometry(orbit, TILE, picture.day).covered
    black = picture.black
    rows, blocks = edge_errors_px(picture.edges, orbit)
    return Agreement(
        iou_of(black, expected),
        100 * float((black & ~ndimage.binary_dilation(expected, SQUARE)).mean()),
        100 * float((expected & ~black).mean()),
        blocks,
        rows,
    )


def edge_errors_px(
    edges: DayEdges, orbit: Orbit
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance of observed edges from the expected ones, row by row and block by block."""
    crossing = implied_crossings(edges, orbit)
    beside = crossing - wrap_degrees(orbit.node_lon_deg + crossing_offset_deg(orbit))
    number = np.rint(beside / orbit.spacing_deg).astype(np.intp)
    off = (beside - number * orbit.spacing_deg) / edges.pixel_deg
    row = np.rint((TILE.north - edges.latitude_deg) / edges.pixel_deg - 0.5).astype(np.intp)
    key = np.stack([number, edges.is_east.astype(np.intp), row // BLOCK_ROWS])
    _, which = np.unique(key, axis=1, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    cuts = np.flatnonzero(np.diff(which.ravel()[order])) + 1
    groups = np.split(off[order], cuts)
    whole = [float(np.median(group)) for group in groups if len(group) >= BLOCK_ROWS // 2]
    return np.abs(off), np.abs(np.array(whole))


def iou_of(one: BoolArray, other: BoolArray) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max((one | other).sum(), 1))


def leave_one_out(pictures: Sequence[Picture]) -> dict[dt.date, Orbit]:
    """Orbit of every day by all the others."""
    fit = _fitted([p.edges for p in pictures])
    orbits = {p.day: fit.orbit_for(p.day, without={p.day}) for p in pictures}
    return {day: orbit for day, orbit in orbits.items() if orbit is not None}


def causal(pictures: Sequence[Picture], days: int = CAUSAL_DAYS) -> dict[dt.date, Orbit]:
    """Orbit of every day by a fit of the days before alone, from the third picture on."""
    found: dict[dt.date, Orbit] = {}
    for n in range(2, len(pictures)):
        fit = fit_orbits([p.edges for p in pictures[max(0, n - days) : n]], TERRA)
        orbit = fit.orbit_for(pictures[n].day) if isinstance(fit, OrbitFit) else None
        if orbit is not None:
            found[pictures[n].day] = orbit
    return found


def crossing_errors_deg(
    pictures: Sequence[Picture], orbits: Mapping[dt.date, Orbit]
) -> dict[dt.date, float]:
    """How far the crossings of each day's own edges lie from the orbit's."""
    fit, errors = _fitted([p.edges for p in pictures]), {}
    for era in fit.eras:
        for phase in era.phases:
            if (orbit := orbits.get(phase.day)) is not None:
                mine = wrap_degrees(orbit.node_lon_deg + crossing_offset_deg(orbit))
                drift = 360.0 * (fit.spacing_deg / orbit.spacing_deg - 1.0)
                said = mine * (1.0 + drift / 360.0) - 360.0 * phase.day.toordinal()
                off = wrap_to(np.asarray(phase.phase_deg - said), fit.spacing_deg)
                errors[phase.day] = float(off)
    return errors


def _fitted(edges: Sequence[DayEdges]) -> OrbitFit:
    fit = fit_orbits(edges, TERRA)
    if isinstance(fit, FitRefused):
        raise SystemExit(fit.reason)
    return fit


def report(name: str, pictures: Sequence[Picture], orbits: Mapping[dt.date, Orbit]) -> None:
    """Print one row for each half and for all."""
    errors = crossing_errors_deg(pictures, orbits)
    normal = [p for p in pictures if p.day != FAULTY and p.day in orbits]
    judged = {p.day: compare(p, orbits[p.day]) for p in normal}
    halves: tuple[tuple[str, Callable[[dt.date], bool]], ...] = (
        ("Jan-Apr", lambda day: day < TUNED_UNTIL),
        ("May-Aug", lambda day: day >= TUNED_UNTIL),
        ("all", lambda _: True),
    )
    for half, chosen in halves:
        some = [found for day, found in judged.items() if chosen(day)]
        off = np.array([error for day, error in errors.items() if chosen(day)])
        iou = np.array([found.iou for found in some])
        edge = np.concatenate([found.edge_px for found in some])
        rows = np.concatenate([found.row_px for found in some])
        worst = max(found.unexplained for found in some)
        print(
            f"  {name:13} {half:8} {len(some):4d} {np.sqrt(np.mean(off**2)):7.4f}"
            f" {np.median(iou):7.4f} {np.percentile(iou, 5):7.4f} {iou.min():7.4f}"
            f" {edge.mean():5.2f} {np.percentile(edge, 99):5.2f} {np.percentile(rows, 99):5.2f}"
            f" {np.median([f.unexplained for f in some]):8.4f} {worst:8.4f}"
            f" {max(f.wrongly_explained for f in some):8.4f}"
        )
    for day, found in judged.items():
        if found.unexplained > 0.05:
            print(f"    {day}: {found.unexplained:.3f} % unexplained, IoU {found.iou:.4f}")


def report_singles(data: Path) -> None:
    """Print low zoom, each day by the others, and days of the globe, each by itself."""
    low = [read_black(p, ZOOM_0, 12) for p in sorted((data / "terra_z0_2017").glob("*.png"))]
    fit = _fitted([p.edges for p in low])
    print(
        "Level 0, 2017, by the other days (black is max(R, G, B) <= 12): IoU of black under 25 deg"
    )
    for picture in low:
        orbit = fit.orbit_for(picture.day, without={picture.day})
        if orbit is not None:
            print(f"  {picture.day} {tropical(picture.black, ZOOM_0, picture.day, orbit)[0]:.3f}")
    print("The globe, by the picture itself: IoU of black under 25 deg, of covered under 62 deg")
    for path in sorted((data / "global_days").iterdir()):
        rows, cols = read_picture(path)[0].shape[:2]
        place = Georeference(4326, -180.0, 90.0, 360.0 / cols, 180.0 / rows, rows, cols)
        picture = read_black(path, place, 8)
        orbit = _fitted([picture.edges]).orbit_for(picture.day)
        if orbit is not None:
            black, covered = tropical(picture.black, place, picture.day, orbit)
            print(f"  {picture.day} {black:.3f} {covered:.4f}")


def tropical(
    black: BoolArray, georeference: Georeference, day: dt.date, orbit: Orbit
) -> tuple[float, float]:
    """IoU of black under 25 degrees, and of what is covered under 62."""
    covered = pass_geometry(orbit, georeference, day, sza_limit_deg=86.5).covered
    latitude = np.abs(places_at(georeference, np.arange(georeference.rows), 0)[1])
    low, middle = latitude < 25.0, latitude < 62.0
    return iou_of(black[low], ~covered[low]), iou_of(~black[middle], covered[middle])


def main() -> None:
    """Print the tables."""
    shared = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("GIBSWATCH_REAL_DATA", shared))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=folder / "real")
    parser.add_argument("--every", type=int, default=1, help="take every N-th day of the tile")
    options = parser.parse_args()
    tiles = read_tiles(options.data / "terra_tile_2023" / "TrueColor", options.every)
    started = time.process_time()
    for picture in tiles:
        find_edges(picture.black, TILE, picture.day)
    found = time.process_time()
    fit = _fitted([p.edges for p in tiles])
    fitted = time.process_time()
    print(
        f"{len(tiles)} days: edges {(found - started) / len(tiles) * 1e3:.1f} ms, "
        f"fit {(fitted - found) / len(tiles) * 1e3:.1f} ms a day; {len(fit.eras)} era(s)"
    )
    print(
        "                          days rms deg     IoU 5th pc.     min  edge   p99  rows"
        "  unexplained: median, max; wrongly explained: max (% of the tile)"
    )
    report("leave one out", tiles, leave_one_out(tiles))
    report("causal", tiles, causal(tiles))
    normal = [p for p in tiles if p.day != FAULTY]
    report("two days", normal, causal(normal, days=2))
    report_singles(options.data)


if __name__ == "__main__":
    main()
