"""Draw the figures of the documents: maps of the sky, and simulated days.

``docs/figures/sky-*.png`` are computed, without any imagery; ``docs/figures/simulated-*.jpg`` show
what the simulator draws, no picture of GIBS.  They need the extra ``sim``.

Run: make figures
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import numpy as np

from gibswatch.cli.main import main as gibswatch
from gibswatch.raster import encode_picture
from gibswatch.simulate.days.clear import clear_picture
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import ByteArray, Georeference

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "figures"
MOST_BYTES = 300_000

TERRA = "MODIS_Terra_CorrectedReflectance_TrueColor"
SNPP = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
FIGURES: dict[str, tuple[str, ...]] = {
    "sky-terra-eclipse": (TERRA, "2017-08-21"),
    "sky-snpp-solstice": (SNPP, "2016-12-21"),
    "sky-terra-arctic": (TERRA, "2018-03-20", "--epsg", "3413"),
    "sky-terra-tile": (TERRA, "2018-06-21", "--bbox", "-36", "-18", "0", "18", "--size", "512"),
}

GLOBE = Georeference(4326, -180.0, 90.0, 0.36, 0.36, 500, 1000)
TILE = Georeference(4326, -36.0, 18.0, 0.144, 0.144, 250, 250)


def simulated_globe() -> ByteArray:
    """Terra and SNPP on days of two seasons, one under the other."""
    days = (("Terra", dt.date(2018, 1, 20)), ("SNPP", dt.date(2018, 7, 20)))
    return np.vstack([simulated(name, GLOBE, day, "TrueColor", 100) for name, day in days])


def simulated_tiles() -> ByteArray:
    """One tile in four months, in true and in false colour."""
    rows = []
    for product in ("TrueColor", "Bands721"):
        days = [dt.date(2018, month, 20) for month in (1, 4, 7, 10)]
        tiles = [simulated("Terra", TILE, day, product, 101 + n) for n, day in enumerate(days)]
        rows.append(np.hstack(tiles))
    return np.vstack(rows)


def simulated(
    name: str, georeference: Georeference, day: dt.date, product: str, seed: int
) -> ByteArray:
    """Draw one clear day."""
    return clear_picture(seed, anchor_orbit(SATELLITES[name], day), georeference, day, product)


def main() -> int:
    """Draw every figure; 1 if one is too large for the repository."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, arguments in FIGURES.items():
        path = FOLDER / f"{name}.png"
        if gibswatch(["sky", *arguments, "--output", str(path)]) != 0:
            return 1
        if path.stat().st_size > MOST_BYTES:
            print(f"{path} has {path.stat().st_size} bytes, more than {MOST_BYTES}")
            return 1
    for name, picture in (("globes", simulated_globe()), ("tiles", simulated_tiles())):
        content = encode_picture(picture, "jpg", quality=75)
        if len(content) > MOST_BYTES:
            print(f"simulated-{name}.jpg has {len(content)} bytes, more than {MOST_BYTES}")
            return 1
        (FOLDER / f"simulated-{name}.jpg").write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
