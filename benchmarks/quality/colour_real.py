"""Miscoloration on real pictures: what is found or called wrong, and gains planted into tiles.

Run: .venv/bin/python benchmarks/quality/colour_real.py [--data FOLDER] [--seed 200]
     [--first 2023-01-01] [--last 2023-08-15] [--keep FOLDER]

The small VIIRS pictures and the globes go through `inspect`, as a user would do it.  The tiles of
Terra 2023 are judged as a scan does: orbits from the gaps of true colour, usual colours from the
nearest other days.  Then one predicted granule of 60 of them gets a gain of .5, .8 or .9 in green,
or in red and blue; it is found if half of the pixels that change by 10 levels or more are.  Alarms
are written as pictures into the folder of `--keep`.  Tuned: January to April, seeds 0-9.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from _planting import FAULTY, TILE, expected
from missing_real import BANDS721, TRUE_COLOUR, VIIRS, orbits_of_tiles
from PIL import Image, JpegImagePlugin

from gibswatch.catalogue import find_layer
from gibswatch.detect.colour.rule import ColourFinding, find_colour
from gibswatch.detect.colour.scores import observe_scene
from gibswatch.detect.missing.granules import granules_of
from gibswatch.raster import Scene, observe
from gibswatch.scan import inspect
from gibswatch.scan.normals import LayerNormals
from gibswatch.scan.pictures import PictureFile
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BBox, BoolArray, ByteArray, Kind

GAINS = (0.5, 0.8, 0.9)
CHANNELS = ((1,), (0, 2))
SEEN_LEVELS = 10
FEWEST_PX = 2000
KNOTS = ((0, 30, 60, 120, 190, 255), (0, 110, 160, 210, 240, 255))
"""Stretch of corrected reflectance (Gumley and others 2003): a gain acts before it."""


@dataclass(frozen=True, eq=False)
class Tiles:
    """Days of one product, with what they should show."""

    layer: str
    scenes: Mapping[dt.date, Scene]
    expectations: Mapping[dt.date, Expectation]
    normals: LayerNormals
    folder: Path

    def judge(self, day: dt.date, scene: Scene | None = None) -> ColourFinding:
        """Judge a day, or a changed picture of it."""
        scene = scene or self.scenes[day]
        usual = self.normals.for_day(day)
        return find_colour(scene, observe(scene)[1], self.expectations.get(day), usual)


def read_tiles(
    folder: Path, layer: str, days: Sequence[dt.date], expectations: Mapping[dt.date, Expectation]
) -> Tiles:
    """Read tiles and what is usual in them."""
    normals, scenes = LayerNormals(layer), {}
    for day in days:
        path = folder / f"{day}.jpg"
        if path.is_file():
            box = BBox(-36.0, -18.0, 0.0, 18.0)
            scenes[day] = PictureFile(path, find_layer(layer), day, 4326, box).read()
            normals.add(day, observe_scene(scenes[day], observe(scenes[day])[1]))
    return Tiles(layer, scenes, expectations, normals, folder)


def tell_tiles(tiles: Tiles, keep: Path | None) -> None:
    """Judge the days as they are."""
    called = []
    for day in sorted(tiles.scenes):
        found = tiles.judge(day)
        if found.regions:
            called.append(day)
            print(f"    {day} {found.score:.2f} {found.regions[0].reason}")
            _keep(tiles.scenes[day], found, keep, f"{tiles.layer.split('_')[-1]}-{day}")
    print(f"{tiles.layer}: {len(called)} of {len(tiles.scenes)} real days called", flush=True)


def _keep(scene: Scene, found: ColourFinding, keep: Path | None, name: str) -> None:
    if keep is None:
        return
    keep.mkdir(parents=True, exist_ok=True)
    pixels = scene.pixels[..., :3].copy()
    union = np.any([region.mask for region in found.regions], axis=0)
    marked = pixels.copy()
    marked[union] = pixels[union] // 2 + np.array([127, 0, 0], dtype=np.uint8)
    Image.fromarray(np.hstack([pixels, marked])).save(keep / f"{name}.png")


def with_gain(
    pixels: ByteArray, where: BoolArray, channels: Sequence[int], gain: float
) -> ByteArray:
    """Multiply the reflectance of some channels."""
    changed = pixels.copy()
    for channel in channels:
        value = np.interp(pixels[where, channel], KNOTS[1], KNOTS[0]) * gain
        changed[where, channel] = np.rint(np.interp(value, *KNOTS)).astype(np.uint8)
    return changed


def _encoded_as(path: Path, pixels: ByteArray) -> ByteArray:
    buffer = io.BytesIO()
    with Image.open(path) as image:
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        tables, sampling = image.quantization, JpegImagePlugin.get_sampling(image)
    Image.fromarray(pixels).save(buffer, "JPEG", qtables=tables, subsampling=sampling)
    with Image.open(buffer) as image:
        return np.asarray(image.convert("RGB"))


def draw_granule(expectation: Expectation, rng: np.random.Generator) -> BoolArray | None:
    """One granule that the tile shows 2000 pixels of, or none."""
    granules = granules_of(expectation)
    there = granules.index[expectation.covered & (granules.index >= 0)]
    sizes = np.bincount(there)
    large = np.flatnonzero(sizes >= FEWEST_PX)
    if not large.size:
        return None
    return np.asarray((granules.index == rng.choice(large)) & expectation.covered)


def tell_planted(tiles: Tiles, seed: int) -> None:
    """Plant gains into granules of 60 days."""
    rng = np.random.default_rng(seed)
    days = [day for day in sorted(tiles.scenes) if day in tiles.expectations and day != FAULTY]
    chosen = sorted(days[n] for n in rng.permutation(len(days))[:60])
    found = dict.fromkeys(GAINS, 0)
    false = dict.fromkeys(GAINS, 0)
    count = 0
    for number, day in enumerate(chosen):
        granule = draw_granule(tiles.expectations[day], rng)
        if granule is None:
            continue
        count += 1
        for gain in GAINS:
            hit, outside = _plant(tiles, day, granule, CHANNELS[number % 2], gain)
            found[gain] += hit
            false[gain] += outside
    shown = ", ".join(
        f"gain {g:g}: {found[g]}/{count} found, {false[g]} with a false region" for g in GAINS
    )
    print(f"| {tiles.layer.split('_')[-1]}, seed {seed} | {shown} |", flush=True)


def _plant(
    tiles: Tiles, day: dt.date, granule: BoolArray, channels: Sequence[int], gain: float
) -> tuple[bool, bool]:
    """Say whether it is found, and whether something else is that was not before."""
    scene = tiles.scenes[day]
    pixels = scene.pixels[..., :3]
    changed = _encoded_as(tiles.folder / f"{day}.jpg", with_gain(pixels, granule, channels, gain))
    difference = np.abs(changed.astype(np.int16) - pixels).max(axis=2)
    visible = granule & (difference >= SEEN_LEVELS)
    result = tiles.judge(day, replace(scene, pixels=changed))
    union = np.zeros(TILE.shape, dtype=bool)
    outside = False
    for region in result.regions:
        union |= region.mask
        outside |= bool((region.mask & granule).sum() < 0.5 * region.mask.sum())
    return bool((union & visible).sum() >= 0.5 * max(int(visible.sum()), 1)), outside


def tell_inspected(real: Path) -> None:
    """Inspect what has no neighbours."""
    for folder, bounds in (
        ("terra_z0_2017", (-180.0, -198.0, 108.0, 90.0)), ("global_days", None)
    ):  # fmt: skip
        result = inspect(sorted((real / folder).iterdir()), TRUE_COLOUR, bounds=bounds)
        called = [item for item in result.items if _has_colour(item.findings)]
        print(f"{folder}: {len(called)} of {len(result.items)} called miscoloured")
    print("viirs_small: no date known")
    for path in sorted((real / "viirs_small").iterdir()):
        false_colour = "60d1e90f_c8" in path.name
        layer = VIIRS.replace("TrueColor", "BandsM3-I3-M11") if false_colour else VIIRS
        item = inspect([path], layer).items[0]
        said = "code 3" if _has_colour(item.findings) else "no code 3"
        print(f"    {path.name}: {item.verdict}, {said}, {item.score:.2f}", flush=True)


def _has_colour(findings: Sequence[object]) -> bool:
    return any(getattr(finding, "kind", None) is Kind.MISCOLORATION for finding in findings)


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = os.environ.get("GIBSWATCH_REAL_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--seed", type=int, default=200)
    parser.add_argument("--first", type=dt.date.fromisoformat, default=dt.date(2023, 1, 1))
    parser.add_argument("--last", type=dt.date.fromisoformat, default=dt.date(2023, 8, 15))
    parser.add_argument("--keep", type=Path, help="folder for pictures of the alarms")
    options = parser.parse_args()
    real = options.data / "real"
    print(f"load {os.getloadavg()[0]:.1f}; {options.first} to {options.last}", flush=True)
    tell_inspected(real)
    folder = real / "terra_tile_2023"
    span = (options.last - options.first).days + 1
    days = [options.first + dt.timedelta(days=n) for n in range(span)]
    orbits = orbits_of_tiles(folder / "TrueColor")
    expectations = {day: expected(day, orbits[day]) for day in days if day in orbits}
    for layer in (TRUE_COLOUR, BANDS721):
        tiles = read_tiles(folder / layer.split("_")[-1], layer, days, expectations)
        tell_tiles(tiles, options.keep)
        tell_planted(tiles, options.seed)


if __name__ == "__main__":
    main()
