"""Missing data on real pictures, and with holes planted into them.

Run: .venv/bin/python benchmarks/quality/missing_real.py [--data FOLDER] [--seeds 100 101 102]
     [--first 2023-01-01] [--last 2023-08-15] [--keep FOLDER]

Tiles of Terra 2023 are served on loopback, downloaded and scanned as a user would; in 60 of the
days of each seed holes are planted before.  Tuned: January to April, seeds 0-9; report May to
August and all days with other seeds.  Then the pictures that hold no fault, and the small VIIRS
ones whose date nobody knows.  Intervals: 2.5-97.5 % of 1000 bootstraps by day.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _planting import FAULTY, TERRA, TILE, Planted, plan_holes, write_planted
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from gibswatch.raster.codec import read_picture
from gibswatch.raster.observe import observed_black
from gibswatch.raster.regions import region_area_km2
from gibswatch.scan import inspect, scan
from gibswatch.settings import read_settings
from gibswatch.simulate import EmbeddedServer, ServedLayer, TileFolderSource, create_app
from gibswatch.sky.edges import find_edges
from gibswatch.sky.fit import OrbitFit, fit_orbits
from gibswatch.sky.orbit import Orbit
from gibswatch.types import BBox, BoolArray, DayItem, Kind

TRUE_COLOUR = "MODIS_Terra_CorrectedReflectance_TrueColor"
BANDS721 = "MODIS_Terra_CorrectedReflectance_Bands721"
VIIRS = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
BASELINES = ("climatology", "gibs-ml", "black-share")
BOX = BBox(-36.0, -18.0, 0.0, 18.0)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    planted: int
    found: int
    untouched: int
    false: tuple[dt.date, ...]
    hit: NDArray[np.float64]
    """Pixels of planted days in both masks."""
    either: NDArray[np.float64]
    """Pixels of planted days in either mask."""
    by_form: Mapping[str, tuple[int, int]]

    def __str__(self) -> str:
        iou = self.hit.sum() / max(self.either.sum(), 1.0)
        low, high = _interval(self.hit, self.either)
        forms = ", ".join(f"{form} {found}/{of}" for form, (found, of) in self.by_form.items())
        named = " ".join(str(day) for day in self.false[:8])
        return (
            f"| {self.name} | {self.found}/{self.planted} | {forms} | {iou:.3f} ({low:.3f}-"
            f"{high:.3f}) | {len(self.false)}/{self.untouched} | {named} |"
        )


def orbits_of_tiles(folder: Path) -> dict[dt.date, Orbit]:
    """Orbit of every day by all the others, from true colour."""
    edges = []
    for path in sorted(folder.glob("*.jpg")):
        pixels, image_format = read_picture(path)
        black = observed_black(pixels, layer=TRUE_COLOUR, image_format=image_format)
        edges.append(find_edges(black, TILE, dt.date.fromisoformat(path.stem)))
    fit = fit_orbits(edges, TERRA)
    assert isinstance(fit, OrbitFit)
    found = {day.day: fit.orbit_for(day.day, without={day.day}) for day in edges}
    return {day: orbit for day, orbit in found.items() if orbit is not None}


def scan_tiles(
    folders: Mapping[str, Path], layer: str, root: Path, days: Sequence[dt.date], method: str
) -> list[DayItem]:
    """Serve folders of tiles, and scan one layer of them into an archive."""
    layers = {
        name: (
            ServedLayer(name, "jpg", {4326: "250m"}),
            TileFolderSource(folder, "250m", 3, 2, 4),
        )
        for name, folder in folders.items()
    }
    with EmbeddedServer(create_app(layers)) as server:
        result = scan(
            layer, min(days), max(days) + dt.timedelta(days=1),
            root=root, grid="native", tile_resolution="8km", tiled=True, bbox=BOX,
            method=method, settings=read_settings(base_url=server.base_url), workers=1,
        )  # fmt: skip
    return list(result.items)


def mask_of(item: DayItem) -> BoolArray:
    """Pixels that a scan calls missing."""
    if item.mask is None or not Path(item.mask).is_file():
        return np.zeros(TILE.shape, dtype=bool)
    with Image.open(item.mask) as image:
        return np.asarray(image) == Kind.MISSING_UNEXPECTED


def misses_data(item: DayItem) -> bool:
    """Whether a day is called anomalous for missing data; strange colours are another matter."""
    kinds = {finding.kind for finding in item.findings}
    return item.verdict == "anomalous" and (not kinds or Kind.MISSING_UNEXPECTED in kinds)


def score(name: str, items: Sequence[DayItem], holes: Sequence[Planted]) -> Row:
    """Compare what a scan says with what was planted."""
    by_day = {item.date: item for item in items}
    planted = {hole.day: hole for hole in holes}
    found = [day for day in planted if misses_data(by_day[day])]
    hit, either = [], []
    for day, hole in planted.items():
        seen = mask_of(by_day[day])
        hit.append(float((seen & hole.mask).sum()))
        either.append(float((seen | hole.mask).sum()))
    untouched = [item for item in items if item.date not in planted and item.date != FAULTY]
    false = tuple(i.date for i in untouched if misses_data(i) and i.date is not None)
    forms = sorted({hole.form for hole in holes})
    by_form = {
        form: (
            sum(planted[day].form == form for day in found),
            sum(hole.form == form for hole in holes),
        )
        for form in forms
    }
    return Row(
        name, len(planted), len(found), len(untouched), false,
        np.array(hit), np.array(either), by_form,
    )  # fmt: skip


def truth_of_the_faulty_day(folder: Path) -> BoolArray:
    """Missing area of 2023-08-07, drawn from the gaps of the days before and after alone.

    Row by row: the gaps of both neighbours are shifted by half of what lies between them, which is
    where the gaps of the day between are since every day's are shifted by the same.  What is black
    and not in such a gap is missing.  Nothing of `gibswatch.sky` is used.
    """
    black = {}
    for offset in (-1, 0, 1):
        day = FAULTY + dt.timedelta(days=offset)
        pixels = read_picture(folder / f"{day}.jpg")[0]
        level = np.asarray(pixels[..., :3].max(axis=2) <= 12)
        black[offset] = ndimage.binary_closing(level, np.ones((3, 3)), iterations=1) | level
    before, after = (_gap_positions(black[offset]) for offset in (-1, 1))
    gaps = np.zeros(TILE.shape, dtype=bool)
    for row in range(TILE.rows):
        for start, stop in _between(before[row], after[row]):
            gaps[row, max(0, round(start)) : max(0, round(stop))] = True
    missing = black[0] & ~gaps
    return np.asarray(ndimage.binary_opening(missing, np.ones((5, 5))))


SPACING_PX = 24.6857 / TILE.pixel_width
"""Between passes of one day (science: 2023)."""


def _gap_positions(black: BoolArray) -> list[list[tuple[float, float]]]:
    """First and last column of each gap, row by row; gaps that the picture cuts are left out."""
    found: list[list[tuple[float, float]]] = []
    for row in black:
        steps = np.flatnonzero(np.diff(np.concatenate([[0], row.view(np.int8), [0]])))
        runs = [(float(a), float(b)) for a, b in zip(steps[::2], steps[1::2], strict=True)]
        found.append([(a, b) for a, b in runs if b - a >= 3 and a > 0 and b < TILE.cols])
    return found


def _between(
    before: Sequence[tuple[float, float]], after: Sequence[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Gaps of the day between: each side's phase is the circular mean of its neighbours'."""
    if not before or not after:
        return []
    sides = []
    for side in (0, 1):
        angles = [2 * np.pi * gap[side] / SPACING_PX for gap in (*before, *after)]
        one = np.angle(np.mean(np.exp(1j * np.array(angles[: len(before)]))))
        two = np.angle(np.mean(np.exp(1j * np.array(angles[len(before) :]))))
        step = (two - one) % (2 * np.pi)  # of two days
        sides.append((one, step))
    # One day is half of two days' step, or half a turn more: the known daily shift decides.
    shift = (360.0 % 24.6857) / 24.6857 * 2 * np.pi
    places = []
    for one, step in sides:
        halves = (step / 2, step / 2 + np.pi)
        half = min(halves, key=lambda h: abs(np.angle(np.exp(1j * (h - shift)))))
        places.append((one + half) / (2 * np.pi) * SPACING_PX)
    start = places[0] % SPACING_PX
    width = (places[1] - places[0]) % SPACING_PX
    return [(start + n * SPACING_PX, start + n * SPACING_PX + width) for n in range(-1, 3)]


def _interval(hit: NDArray[np.float64], either: NDArray[np.float64]) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    picks = rng.integers(0, len(hit), (1000, len(hit)))
    ious = hit[picks].sum(axis=1) / np.maximum(either[picks].sum(axis=1), 1.0)
    return float(np.percentile(ious, 2.5)), float(np.percentile(ious, 97.5))


def tell_untouched(tiles: Path, days: Sequence[dt.date], root: Path) -> None:
    """Scan the tiles as they are."""
    folders = {TRUE_COLOUR: tiles / "TrueColor", BANDS721: tiles / "Bands721"}
    alone = scan_tiles(folders, BANDS721, root / "alone", days, "gibswatch")
    colour = scan_tiles(folders, TRUE_COLOUR, root / "both", days, "gibswatch")
    beside = scan_tiles(folders, BANDS721, root / "both", days, "gibswatch")
    print("\nUntouched tiles: days called anomalous")
    for name, items in (
        ("TrueColor", colour), ("Bands721 beside it", beside), ("Bands721 alone", alone)
    ):  # fmt: skip
        flagged = [item for item in items if item.verdict == "anomalous"]
        print(f"- {name}: {len(flagged)} of {len(items)}")
        for item in flagged:
            print(f"    {item.date} {item.score:.2f} {item.reason}")
    truth = truth_of_the_faulty_day(tiles / "TrueColor")
    for name, items in (("TrueColor", colour), ("Bands721 beside it", beside)):
        faulty = [item for item in items if item.date == FAULTY]
        if not faulty:
            continue
        mask = mask_of(faulty[0])
        area, wanted = (region_area_km2(one, TILE) for one in (mask, truth))
        iou = (mask & truth).sum() / max((mask | truth).sum(), 1)
        print(
            f"{FAULTY} {name}: {area:.4g} km2 missing, truth {wanted:.4g} km2 "
            f"({area / wanted - 1:+.2%}), IoU {iou:.3f}"
        )


def tell_planted(tiles: Path, days: Sequence[dt.date], seeds: Sequence[int], root: Path) -> None:
    """Plant holes and scan."""
    orbits = orbits_of_tiles(tiles / "TrueColor")
    candidates = [day for day in days if day in orbits and day != FAULTY]
    print("\n| seed, layer, method | found | by form | IoU | false days | which |")
    print("|---|---|---|---|---|---|")
    for seed in seeds:
        holes = plan_holes(orbits, candidates, seed, min(60, len(candidates) // 2))
        folder = root / f"planted-{seed}"
        for product in ("TrueColor", "Bands721"):
            write_planted(tiles / product, folder / product, holes)
        folders = {TRUE_COLOUR: folder / "TrueColor", BANDS721: folder / "Bands721"}
        archive = root / f"archive-{seed}"
        for layer, method in (
            (TRUE_COLOUR, "gibswatch"), (BANDS721, "gibswatch"),
            *((TRUE_COLOUR, method) for method in BASELINES),
        ):  # fmt: skip
            items = scan_tiles(folders, layer, archive, days, method)
            print(score(f"{seed}, {layer.split('_')[-1]}, {method}", items, holes), flush=True)


def tell_other_pictures(real: Path) -> None:
    """Inspect the globes without a fault, and the small VIIRS pictures."""
    for folder, bounds in (
        ("terra_z0_2017", (-180.0, -198.0, 108.0, 90.0)), ("global_days", None)
    ):  # fmt: skip
        files = sorted((real / folder).iterdir())
        result = inspect(files, TRUE_COLOUR, bounds=bounds)
        print(f"\n{folder}: {dict(result.verdicts)}")
        for item in result.items:
            print(f"    {Path(item.file or '').name} {item.score:.2f} {item.reason}")
    print("\nviirs_small, true colour: no date known")
    for path in sorted((real / "viirs_small").iterdir()):
        layer = VIIRS if "60d1e90f_c8" not in path.name else VIIRS.replace(
            "TrueColor", "BandsM3-I3-M11"
        )  # fmt: skip
        item = inspect([path], layer).items[0]
        codes = sorted({int(finding.kind) for finding in item.findings})
        dates = " ".join(str(day) for day in item.date_candidates)
        print(f"    {path.name}: {item.verdict} {codes} {item.score:.2f} dates {dates}")
        print(f"        {item.reason}")


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = os.environ.get("GIBSWATCH_REAL_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--seeds", type=int, nargs="*", default=[100, 101, 102])
    parser.add_argument("--first", type=dt.date.fromisoformat, default=dt.date(2023, 1, 1))
    parser.add_argument("--last", type=dt.date.fromisoformat, default=dt.date(2023, 8, 15))
    parser.add_argument("--keep", type=Path, help="folder for the archives, kept afterwards")
    options = parser.parse_args()
    real = options.data / "real"
    tiles = real / "terra_tile_2023"
    span = (options.last - options.first).days + 1
    days = [options.first + dt.timedelta(days=n) for n in range(span)]
    print(f"load {os.getloadavg()[0]:.1f}; {options.first} to {options.last}")
    with tempfile.TemporaryDirectory() as temporary:
        root = options.keep or Path(temporary)
        tell_untouched(tiles, days, root / "untouched")
        if options.seeds:
            tell_planted(tiles, days, options.seeds, root)
    tell_other_pictures(real)


if __name__ == "__main__":
    main()
