"""Damaged JPEG pictures: how many are told, and how many sound ones are called damaged.

Run: .venv/bin/python benchmarks/quality/damage.py [--part test] [--seed 7] [--archives 'others-*']
     [--folder bench-days] [--data ../shared/data] [--scrambled 300]

Simulated days have their damage in the pixels: it is counted by the picture's own doubt, as `scan`
and `inspect` take it.  Real tiles are scrambled in their coded data, in five ways, and decoded; of
those whose picture visibly changes (1 % of the pixels by more than 8 levels) it is told who
refuses them: libjpeg alone, the codes, or the doubt about the pixels.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from _sets import add_set_options, archive_pictures, chosen_archives, make_archive

from gibswatch.catalogue import find_layer
from gibswatch.errors import DecodeError
from gibswatch.raster.blockiness import damaged_blocks
from gibswatch.raster.codec import decode_picture
from gibswatch.scan.judging.doubt import doubt_about
from gibswatch.scan.pictures import Picture, PictureFile, date_in_name
from gibswatch.types import BBox, ByteArray

TRUE = "MODIS_Terra_CorrectedReflectance_TrueColor"
TILE = BBox(-36.0, -18.0, 0.0, 18.0)
GLOBE = BBox(-180.0, -90.0, 180.0, 90.0)
LEVEL_0 = BBox(-180.0, -198.0, 108.0, 90.0)
VISIBLE_LEVELS = 8
VISIBLE_SHARE = 0.01
Scramble = Callable[[np.random.Generator, ByteArray], ByteArray]

WAYS: dict[str, tuple[int, Scramble]] = {
    "one bit flipped": (1, lambda drawn, old: old ^ np.uint8(1 << int(drawn.integers(8)))),
    "4 bytes random": (4, lambda drawn, old: drawn.integers(0, 255, old.size, dtype=np.uint8)),
    "100 bytes random": (100, lambda drawn, old: drawn.integers(0, 255, old.size, dtype=np.uint8)),
    "64 bytes shuffled": (64, lambda drawn, old: drawn.permutation(old)),
    "64 bytes zero": (64, lambda _, old: np.zeros_like(old)),
}


def simulated(options: argparse.Namespace) -> None:
    """Count days with damage, and others, that are doubted."""
    for plan in chosen_archives(options.set, options.part, options.archives):
        archive = make_archive(
            options.set, plan, options.seed, options.folder, coarser=options.coarser
        )
        told: Counter[str] = Counter()
        for picture, truth in zip(archive_pictures(archive), archive.truths(), strict=True):
            kinds = {region["kind"] for region in truth.document["regions"]}
            kind = "damaged" if "jpeg-damage" in kinds else "others"
            told[kind] += 1
            if doubt := doubt_about(picture, picture.ref.read()):
                told[f"{kind}, doubted"] += 1
                print(f"    {truth.day} {sorted(kinds)}: {doubt.reason}")
        print(f"{plan.name}: {dict(sorted(told.items()))}", flush=True)


def real(data: Path) -> None:
    """Count real days that are doubted or refused: none should be."""
    places = {
        "terra_tile_2023/TrueColor": TILE,
        "terra_tile_2023/Bands721": TILE,
        "terra_z0_2017": LEVEL_0,
        "global_days": GLOBE,
    }
    layer = find_layer(TRUE)
    for name, box in places.items():
        paths = sorted((data / "real" / name).glob("*.*"))
        bad = []
        for path in paths:
            ref = PictureFile(path, layer, date_in_name(path), 4326, box)
            try:
                doubt = doubt_about(Picture(ref, TRUE, str(path), "name"), ref.read())
            except DecodeError as error:
                bad.append(f"    refused: {error}")
                continue
            if doubt is not None:
                bad.append(f"    {path.name}: {doubt.reason}")
        print(f"{name}: {len(bad)} of {len(paths)} days doubted or refused", *bad, sep="\n")


def scrambled(paths: Sequence[Path], count: int, seed: int) -> None:
    """Tell who refuses scrambled tiles."""
    drawn = np.random.default_rng(seed)
    for name, (length, change) in WAYS.items():
        told: Counter[str] = Counter()
        for _ in range(count):
            body = paths[int(drawn.integers(len(paths)))].read_bytes()
            told[_who(body, _changed(body, length, change, drawn))] += 1
        seen = sum(n for who, n in told.items() if who not in ("libjpeg", "nothing to see"))
        print(f"{name}: {dict(told.most_common())}; told of {seen} that libjpeg shows: "
              f"{seen - told['missed']}", flush=True)  # fmt: skip


def _changed(body: bytes, length: int, change: Scramble, drawn: np.random.Generator) -> bytes:
    start = body.index(b"\xff\xda")
    start += 2 + int.from_bytes(body[start + 2 : start + 4], "big")
    place = int(drawn.integers(start, len(body) - 2 - length))
    data = np.frombuffer(body, np.uint8).copy()
    data[place : place + length] = change(drawn, data[place : place + length])
    return data.tobytes()


def _who(before: bytes, after: bytes) -> str:
    try:
        pixels = decode_picture(after, image_format="jpg", known=True)
    except DecodeError:
        return "libjpeg"
    sound = decode_picture(before, image_format="jpg").astype(np.int16)
    off = np.abs(pixels - sound).max(axis=2) > VISIBLE_LEVELS
    if off.mean() < VISIBLE_SHARE:
        return "nothing to see"
    try:
        decode_picture(after, image_format="jpg")
    except DecodeError:
        return "codes"
    return "missed" if damaged_blocks(pixels) is None else "pixels"


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_set_options(parser, ["others-*"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--scrambled", type=int, default=300)
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}")
    simulated(options)
    real(options.data)
    tiles = sorted((options.data / "real" / "terra_tile_2023").glob("*/*.jpg"))
    if tiles:
        scrambled(tiles, options.scrambled, options.seed)


if __name__ == "__main__":
    main()
