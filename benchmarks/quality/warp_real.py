"""Displaced granules and warped edges planted into real tiles, and what is called on real days.

Run: .venv/bin/python benchmarks/quality/warp_real.py [--data FOLDER] [--seed 300]

The tiles of Terra 2023 are judged as a scan does: orbits from the gaps of true colour, clear sky
from the other days of a block of sixteen.  Then one predicted granule of 60 of them shows what lies
50, 100 or 200 km beside it, in a drawn direction, or its edges show what lies nearer to the track,
growing to 100, 200 or 300 km with the square of the way into the outer 50 %.  It is found if what
is told under code 4 covers half of it.  Tuned on none of these days; all were in view.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from _planting import FAULTY, TERRA, expected
from colour_real import draw_granule
from missing_real import BANDS721, TRUE_COLOUR, orbits_of_tiles
from numpy.typing import NDArray

from gibswatch.catalogue import find_layer
from gibswatch.detect.swath.pixels import from_track_km
from gibswatch.detect.warp.clear_sky import ClearSky
from gibswatch.detect.warp.rule import find_warps
from gibswatch.raster import Scene, observe
from gibswatch.scan.pictures import PictureFile
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BBox, BoolArray

BLOCK = 16
OFFSETS_KM = (50.0, 100.0, 200.0)
EDGES_KM = (100.0, 200.0, 300.0)
KM_PER_PIXEL = 36 / 512 * 111.3
Floats = NDArray[np.floating]


def blocks(scenes: Mapping[dt.date, Scene]) -> dict[dt.date, ClearSky]:
    """Clear sky of sixteen days in a row each."""
    days = sorted(scenes)
    count = max(1, len(days) // BLOCK)
    found: dict[dt.date, ClearSky] = {}
    for part in np.array_split(np.array(days, dtype=object), count):
        clear = ClearSky(scenes[part[0]].georeference)
        for day in part:
            clear.add(scenes[day], observe(scenes[day])[1])
            found[day] = clear
    return found


def shifted(scene: Scene, where: BoolArray, down: Floats, right: Floats) -> Scene:
    """Show at each of some pixels what lies so many rows and columns away from it."""
    rows, cols = np.nonzero(where)
    height, width = where.shape
    row = np.clip(np.rint(rows + down[where]), 0, height - 1).astype(int)
    col = np.clip(np.rint(cols + right[where]), 0, width - 1).astype(int)
    pixels = scene.pixels.copy()
    pixels[rows, cols] = scene.pixels[row, col]
    return replace(scene, pixels=pixels)


def offset(
    scene: Scene, _: Expectation, where: BoolArray, km: float, rng: np.random.Generator
) -> Scene:
    """Displace a granule in a drawn direction."""
    bearing = rng.uniform(0, 2 * math.pi)
    ones = np.ones(where.shape)
    away = km / KM_PER_PIXEL
    return shifted(scene, where, ones * away * math.cos(bearing), ones * away * math.sin(bearing))


def edges(
    scene: Scene, expectation: Expectation, where: BoolArray, km: float, _: np.random.Generator
) -> Scene:
    """Push the outer half of both sides of a granule outwards."""
    away = np.nan_to_num(from_track_km(expectation.cross_track_deg, TERRA))
    reach = float(np.abs(away).max())
    grown = np.clip((np.abs(away) / reach - 0.5) / 0.5, 0.0, None) ** 2
    # The scan goes nearly along the rows: a place nearer to the track is one with a smaller `away`.
    across = np.sign(np.gradient(away, axis=1)) * np.sign(away)
    return shifted(scene, where, np.zeros(where.shape), -across * grown * km / KM_PER_PIXEL)


Plant = Callable[[Scene, Expectation, BoolArray, float, np.random.Generator], Scene]


def tell_planted(
    scenes: Mapping[dt.date, Scene],
    expectations: Mapping[dt.date, Expectation],
    clear: Mapping[dt.date, ClearSky],
    planting: tuple[str, Plant, Sequence[float]],
    seed: int,
) -> None:
    """Plant displacements into granules of 60 days and say how many are found."""
    name, plant, distances = planting
    days = [day for day in sorted(scenes) if day in expectations and day != FAULTY]
    rng = np.random.default_rng(seed)
    chosen = sorted(days[n] for n in rng.permutation(len(days))[:60])
    found = dict.fromkeys(distances, 0)
    count = 0
    for day in chosen:
        granule = draw_granule(expectations[day], rng)
        if granule is None:
            continue
        count += 1
        for km in distances:
            scene = plant(scenes[day], expectations[day], granule, km, rng)
            black = observe(scene)[1]
            regions, _ = find_warps(
                scene, black, expectations[day], clear[day].without(scenes[day], black)
            )
            told = np.any([region.mask for region in regions], axis=0) if regions else granule & 0
            changed = granule & (scene.pixels != scenes[day].pixels).any(axis=2)
            found[km] += int((told & changed).sum() >= 0.5 * max(int(changed.sum()), 1))
    shown = ", ".join(f"{km:g} km {found[km]}/{count}" for km in distances)
    print(f"    {name}: {shown}", flush=True)


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = os.environ.get("GIBSWATCH_REAL_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--seed", type=int, default=300)
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    folder = options.data / "real" / "terra_tile_2023"
    orbits = orbits_of_tiles(folder / "TrueColor")
    box = BBox(-36.0, -18.0, 0.0, 18.0)
    for layer in (TRUE_COLOUR, BANDS721):
        files = {
            dt.date.fromisoformat(path.stem): path
            for path in sorted((folder / layer.split("_")[-1]).glob("*.jpg"))
        }
        scenes = {
            day: PictureFile(path, find_layer(layer), day, 4326, box).read()
            for day, path in files.items()
        }
        expectations = {day: expected(day, orbits[day]) for day in scenes if day in orbits}
        clear = blocks(scenes)
        best = []
        for day in sorted(expectations):
            black = observe(scenes[day])[1]
            day_clear = clear[day].without(scenes[day], black)
            regions, score = find_warps(scenes[day], black, expectations[day], day_clear)
            best.append(score)
            for region in regions:
                print(f"    {day}: {region.reason}", flush=True)
        called = sum(score >= 0.5 for score in best)
        print(
            f"{layer}: {called} of {len(best)} real days called; highest scores "
            f"{np.sort(best)[-3:].round(2)}",
            flush=True,
        )
        for planting in (("granules", offset, OFFSETS_KM), ("edges", edges, EDGES_KM)):
            tell_planted(scenes, expectations, clear, planting, options.seed)


if __name__ == "__main__":
    main()
