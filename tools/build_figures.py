"""Draw the maps of docs/sky.md: ``docs/figures/sky-*.png``, computed, without any imagery.

Run: make figures
"""

from __future__ import annotations

import sys
from pathlib import Path

from gibswatch.cli.main import main as gibswatch

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
    return 0


if __name__ == "__main__":
    sys.exit(main())
