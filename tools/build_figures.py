"""Draw the figures of the documents: maps of the sky, and simulated days.

``docs/figures/sky-*.png`` are computed, without any imagery; ``docs/figures/simulated-*.jpg`` show
what the simulator draws, no picture of GIBS.  They need the extra ``sim``.
``docs/figures/report.jpg`` is the head of the demo's report, photographed by Chromium if there is
one.  ``real-*.jpg`` and ``colour-masks.jpg`` show real imagery, reduced, and are drawn anew where
it is there (`real_figures`, `colour_figures`).

Run: make figures
"""

from __future__ import annotations

import datetime as dt
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from colour_figures import colour_sheet, small_folder
from gibswatch.cli.main import main as gibswatch
from gibswatch.raster import encode_picture
from gibswatch.simulate.days.clear import clear_picture
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import ByteArray, Georeference
from real_figures import alarms_sheet, likeness_sheet, tiles_folder

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


BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WINDOW = (1280, 1900)


def report_figure() -> bytes | None:
    """Photograph the demo's report of SNPP; None, said aloud, where no browser is."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        print(f"no report.jpg: none of {', '.join(BROWSERS)} is installed")
        return None
    with tempfile.TemporaryDirectory() as name:
        if gibswatch(["demo", "--output-dir", name]) != 0:
            return None
        return photograph(browser, next(Path(name).glob(f"*/4326/scans/{SNPP}/report.html")))


def photograph(browser: str, page: Path) -> bytes:
    """Take a picture of the head of a page that lies on disk, as JPEG."""
    with tempfile.TemporaryDirectory() as name:
        shot = Path(name) / "page.png"
        subprocess.run(
            [
                browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                f"--user-data-dir={name}/profile", f"--screenshot={shot}",
                f"--window-size={WINDOW[0]},{WINDOW[1]}", page.resolve().as_uri(),
            ],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        with Image.open(shot) as picture:
            return small_jpeg(picture.convert("RGB"))


def small_jpeg(picture: Image.Image) -> bytes:
    """Encode as JPEG, as well as `MOST_BYTES` allow."""
    content = b""
    for quality in range(84, 40, -4):
        data = io.BytesIO()
        picture.save(data, "JPEG", quality=quality, optimize=True, progressive=True)
        content = data.getvalue()
        if len(content) <= MOST_BYTES:
            break
    return content


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
    keep_colours()
    keep_real()
    return keep_report()


def keep_colours() -> None:
    """Write the sheet of miscoloured days, where real ones are there."""
    folder = small_folder()
    if folder is None:
        print("no real imagery here: colour-masks.jpg stays as it is")
        return
    sheet = Image.fromarray(colour_sheet(folder))
    (FOLDER / "colour-masks.jpg").write_bytes(small_jpeg(sheet))


def keep_real() -> None:
    """Write the sheets with real imagery, where it is there."""
    folder = tiles_folder()
    if folder is None:
        print("no real imagery here: real-*.jpg stay as they are")
        return
    with tempfile.TemporaryDirectory() as masks:
        sheets = {
            "likeness": likeness_sheet(folder),
            "alarms": alarms_sheet(folder, Path(masks)),
        }
    for name, sheet in sheets.items():
        (FOLDER / f"real-{name}.jpg").write_bytes(small_jpeg(Image.fromarray(sheet)))


def keep_report() -> int:
    """Write the picture of the report; 1 if it is too large for the repository."""
    content = report_figure()
    if content is None:
        return 0
    if len(content) > MOST_BYTES:
        print(f"report.jpg has {len(content)} bytes, more than {MOST_BYTES}")
        return 1
    (FOLDER / "report.jpg").write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
