"""How like real days the simulated ones are: the same quantities of both, and who lies in range.

Run: .venv/bin/python benchmarks/quality/likeness.py [--tiles 100 --first-seed 700] [--sheet FOLDER]

Tuned on seeds 0-49; 100-799 were reported on and changed what was tuned next, but for the last
hundred: a report after any change takes seeds from 800.  The real
tiles are those of ``shared/data`` (see `GIBSWATCH_REAL_DATA`); a sheet of real beside simulated
days goes to the folder of ``--sheet``, never into the repository.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from gibswatch.simulate.days.clear import clear_picture
from gibswatch.sky.orbit import Orbit, anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import Georeference

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
TILE = Georeference(4326, -36.0, 18.0, 36.0 / 512, 36.0 / 512, 512, 512)
GLOBE = Georeference(4326, -180.0, 90.0, 360.0 / 2048, 180.0 / 1024, 1024, 2048)
PRODUCTS = ("TrueColor", "Bands721")
BLACK = 12
"""Up to this brightest channel a pixel counts as no data."""
QUANTILES = (5, 25, 50, 75, 95)
BINS = ((16, 64), (64, 112), (112, 160), (160, 208), (208, 256))
"""Of brightness, for the spread of chroma."""
WAVES = (4.0, 64.0)
"""Pixels a wave: where the spectrum's slope is fitted."""

_Floats = NDArray[np.float64]


def brightness(picture: NDArray[np.uint8]) -> _Floats:
    """Rec. 601 luma, 0-255."""
    return np.asarray(picture[..., :3] @ np.array((0.299, 0.587, 0.114)))


def chroma(picture: NDArray[np.uint8]) -> _Floats:
    """Distance from grey: length of (Cb, Cr) of JPEG."""
    rgb = picture[..., :3].astype(np.float64)
    luma = brightness(picture)
    return np.asarray(np.hypot(0.564 * (rgb[..., 2] - luma), 0.713 * (rgb[..., 0] - luma)))


def spectrum_slope(luma: _Floats, data: NDArray[np.bool_]) -> float:
    """Slope of log power over log frequency of the radially averaged spectrum.

    No data is filled with the mean and the picture tapered by a Hann window.
    """
    rows, cols = luma.shape
    filled = np.where(data, luma - luma[data].mean(), 0.0)
    filled *= np.hanning(rows)[:, np.newaxis] * np.hanning(cols)
    power = np.abs(np.fft.fft2(filled)) ** 2
    frequency = np.hypot(np.fft.fftfreq(rows)[:, np.newaxis], np.fft.fftfreq(cols))
    edges = np.geomspace(1 / WAVES[1], 1 / WAVES[0], 17)
    ring = np.digitize(frequency.ravel(), edges)
    inside = (ring > 0) & (ring < len(edges))
    total = np.bincount(ring[inside], power.ravel()[inside], len(edges))[1:]
    number = np.bincount(ring[inside], minlength=len(edges))[1:]
    held = number > 0
    middle = np.sqrt(edges[:-1] * edges[1:])[held]
    return float(np.polyfit(np.log(middle), np.log(total[held] / number[held]), 1)[0])


def quantities(picture: NDArray[np.uint8]) -> dict[str, float]:
    """Measure a picture, (rows, cols, 3) uint8, as it decodes from JPEG.

    Returns
    -------
    dict
        ``brightness-q`` quantiles of the luma of data; ``chroma-lo`` half the 10-90 % range of the
        chroma of data whose luma is in a bin from ``lo`` (NaN under 50 pixels); ``slope``;
        ``zeros`` the share of pixels that are (0, 0, 0).
    """
    luma, colour = brightness(picture), chroma(picture)
    highest = picture.max(axis=2)
    data = highest > BLACK
    found = {
        f"brightness-{q}": float(v)
        for q, v in zip(QUANTILES, np.percentile(luma[data], QUANTILES), strict=True)
    }
    for low, high in BINS:
        held = colour[data & (luma >= low) & (luma < high)]
        spread = np.percentile(held, (10, 90)) if held.size >= 50 else np.array((np.nan, np.nan))
        found[f"chroma-{low}"] = float(spread[1] - spread[0]) / 2
    found["slope"] = spectrum_slope(luma, data)
    found["zeros"] = float((highest == 0).mean())
    return found


def read(path: Path) -> NDArray[np.uint8]:
    """Decode a picture as RGB."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def through_jpeg(picture: NDArray[np.uint8], quality: int = 80) -> NDArray[np.uint8]:
    """Encode and decode, with the quantisation and the halved chroma (4:2:0) of the real tiles."""
    return read_bytes(
        simplejpeg.encode_jpeg(
            np.ascontiguousarray(picture), quality=quality, colorsubsampling="420"
        )
    )


def read_bytes(content: bytes) -> NDArray[np.uint8]:
    """Decode bytes as RGB."""
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB"))


def table(rows: Iterable[Mapping[str, float]]) -> dict[str, _Floats]:
    """Turn records into columns."""
    records = list(rows)
    return {name: np.array([record[name] for record in records]) for name in records[0]}


def tile_days(number: int) -> list[dt.date]:
    """Spread days over a year, all months."""
    return [dt.date(2023, 1, 1) + dt.timedelta(days=int(n * 365 / number)) for n in range(number)]


def terra_orbit(day: dt.date) -> Orbit:
    """Terra as fitted to the real tiles of 2023, but for its longitude: the gaps have any phase.

    The half-angle is that whose narrowest gap leaves as many exact zeros as the real ones do.
    """
    orbit = anchor_orbit(SATELLITES["Terra"], day)
    return replace(
        orbit,
        spacing_deg=24.6857,
        period_s=240 * 24.6857,
        semi_major_km=7077.0,
        inclination_deg=98.10,
        half_angle_deg=54.95,
    )


def simulated_tile(seed: int, day: dt.date, product: str) -> NDArray[np.uint8]:
    """Draw the real tiles' tile, through JPEG."""
    return through_jpeg(clear_picture(seed, terra_orbit(day), TILE, day, product))


def simulated_small(seed: int, day: dt.date) -> NDArray[np.uint8]:
    """Draw a day of SNPP, through JPEG, shrunk as the real ones: without smoothing.

    The real plots hold single bright and dark pixels: they were thinned out, not averaged.
    """
    orbit = anchor_orbit(SATELLITES["SNPP"], day)
    globe = through_jpeg(clear_picture(seed, orbit, GLOBE, day, "TrueColor"))
    small = Image.fromarray(globe).resize((300, 150), Image.Resampling.NEAREST)
    return np.asarray(small)


def real_tiles(folder: Path, product: str) -> list[Path]:
    """Real tiles without a known fault."""
    files = sorted((folder / "real" / "terra_tile_2023" / product).glob("*.jpg"))
    return [file for file in files if file.stem != "2023-08-07"]


def compare_tiles(folder: Path, product: str, number: int, first: int) -> dict[str, float]:
    """Print a line a quantity; return the share of simulated tiles within the real range."""
    real = table(quantities(read(file)) for file in real_tiles(folder, product))
    days = tile_days(number)
    drawn = table(quantities(simulated_tile(first + n, day, product)) for n, day in enumerate(days))
    print(f"{product}: {number} simulated tiles, seeds from {first}; 1 %, 50 %, 99 %")
    shares = {}
    for name, values in drawn.items():
        low, middle, high = np.nanpercentile(real[name], (1, 50, 99))
        shares[name] = float(np.mean((values >= low) & (values <= high)))
        ours = " ".join(f"{v:8.3f}" for v in np.nanpercentile(values, (1, 50, 99)))
        print(
            f"  {name:14} real {low:8.3f} {middle:8.3f} {high:8.3f}  "
            f"simulated {ours}  within {shares[name]:.0%}"
        )
    return shares


def compare_days(folder: Path, number: int, first: int) -> dict[str, bool]:
    """Print a line a quantity; return whether the simulated median is within the real range."""
    files = sorted((folder / "real" / "viirs_small").glob("*_c2_normal_*.png"))
    real = table(quantities(read(file)) for file in files)
    days = [dt.date(2016, 1, 9) + dt.timedelta(days=int(n * 366 / number)) for n in range(number)]
    drawn = table(quantities(simulated_small(first + n, day)) for n, day in enumerate(days))
    print(f"SNPP: {number} simulated days, seeds from {first}, beside {len(files)} real ones")
    within = {}
    for name, values in drawn.items():
        low, high, middle = real[name].min(), real[name].max(), float(np.nanmedian(values))
        within[name] = bool(low <= middle <= high)
        word = "within" if within[name] else "OUTSIDE"
        print(f"  {name:14} real {low:8.3f}..{high:8.3f}  simulated median {middle:8.3f}  {word}")
    return within


def write_sheet(folder: Path, target: Path, first: int) -> None:
    """Write real tiles (upper rows) beside simulated ones of the same days."""
    days = [dt.date(2023, month, 15) for month in range(1, 9)]
    for product in PRODUCTS:
        sheet = np.zeros((4 * 512, 4 * 512, 3), np.uint8)
        for number, day in enumerate(days):
            row, col = divmod(number, 4)
            path = folder / "real" / "terra_tile_2023" / product / f"{day}.jpg"
            across = slice(512 * col, 512 * (col + 1))
            sheet[1024 * row : 1024 * row + 512, across] = read(path)
            drawn = simulated_tile(first + number, day, product)
            sheet[1024 * row + 512 : 1024 * (row + 1), across] = drawn
        target.mkdir(parents=True, exist_ok=True)
        Image.fromarray(sheet).save(target / f"likeness-{product}.png")
    print(f"sheets written to {target}; they hold real pixels: keep them out of the repository")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, default=100)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=700)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    folder = Path(os.environ.get("GIBSWATCH_REAL_DATA", SHARED))
    for product in PRODUCTS:
        compare_tiles(folder, product, options.tiles, options.first_seed)
    compare_days(folder, options.days, options.first_seed)
    if options.sheet is not None:
        write_sheet(folder, options.sheet, options.first_seed)


if __name__ == "__main__":
    main()
