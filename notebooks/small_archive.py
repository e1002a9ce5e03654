"""Small simulated archives, that the notebooks work on.

They lie in a temporary folder, or in the folder that ``GIBSWATCH_NOTEBOOK_DATA`` names: what is
there already is used.  Each notebook works on a copy of its own, which is made anew when it starts.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from shown import run

__all__ = ["VIIRS", "prepare"]

VIIRS = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
BOX = "0 0 36 36"
"""Degrees: 256 by 256 pixels."""

_MISSING = ("missing-granules", "count = 2"), ("missing-orbit", "share = 1.0")
_COLOURS = ("G", 0.5), ("RB", 0.6), ("B", 0.4), ("R", 0.5)
_TILE = 'kind = "missing-tile"\nday = {day}\nplace = [18.0, 18.0]\npart = [0.1, 0.6, 0.3, 0.8]\n'


def prepare(notebook: str, layer: str = VIIRS) -> Path:
    """Give a notebook an archive of its own.

    Parameters
    ----------
    notebook : str
        Its name, and that of its folder.
    layer : str
        VIIRS: 40 days of 2017 with events of two days.  MODIS: 10 days of 2023 with
        single days of missing data, and the layer of no data beside it.

    Returns
    -------
    Path
        Folder of the notebook, empty but for the archive in ``data``.
    """
    home = Path(os.environ.get("GIBSWATCH_NOTEBOOK_DATA") or tempfile.mkdtemp(prefix="gibswatch-"))
    original = home / "simulated" / layer.partition("_Corrected")[0]
    original.parent.mkdir(parents=True, exist_ok=True)
    with original.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another notebook may be making the same
        if not (original / "whole").is_file():
            _make(original, layer)
            (original / "whole").touch()
    folder = home / notebook
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(original, folder / "data", ignore=shutil.ignore_patterns("whole"))
    return folder


def _make(folder: Path, layer: str) -> None:
    """Simulate an archive; days that are there already are kept."""
    if layer == VIIRS:
        _simulate(layer, dt.date(2017, 5, 8), 40, _write_plan(folder, "faults", _viirs()))
        return
    first = dt.date(2023, 6, 1)
    faults = list(_modis(first))
    tile = _TILE.format(day=first + dt.timedelta(days=8))
    _simulate(layer, first, 10, _write_plan(folder, "faults", [*faults, tile]))
    mask = layer.partition("_Corrected")[0] + "_Data_No_Data"
    _simulate(mask, first, 10, _write_plan(folder, "mask-faults", faults))


def _simulate(layer: str, first: dt.date, days: int, plan: Path) -> None:
    stop = first + dt.timedelta(days=days)
    run(
        f"gibswatch simulate archive {layer} --start {first} --end {stop} --grid native "
        f"--bbox {BOX} --faults {plan} --seed 7 --workers 1 --output-dir {plan.parent}"
    )


def _write_plan(folder: Path, name: str, faults: list[str] | Iterator[str]) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text("\n".join(f"[[fault]]\n{fault}" for fault in faults), encoding="utf-8")
    return path


def _viirs() -> Iterator[str]:
    """Events of two days, three days apart: missing data, then colours, ..."""
    chance = random.Random(3)
    day, number = dt.date(2017, 5, 11), 0
    while day < dt.date(2017, 6, 13):
        half = number // 2
        if number % 2:
            channels, amount = _COLOURS[half % 4]
            what = f'kind = "colour"\neffect = "gain"\nchannels = "{channels}"\namount = {amount}\n'
            what += "count = 2"
        else:
            kind, amount = _MISSING[half % 2]
            what = f'kind = "{kind}"\n{amount}'
        for _ in range(2):
            yield f"{what}\nday = {day}\nplace = {_place(chance)}\n"
            day += dt.timedelta(days=1)
        day += dt.timedelta(days=3)
        number += 1


def _modis(first: dt.date) -> Iterator[str]:
    """Two granules, an orbit and a granule, on three days."""
    chance = random.Random(5)
    kinds = (
        (2, '"missing-granules"\ncount = 2'),
        (5, '"missing-orbit"\nshare = 1.0'),
        (7, '"missing-granules"\ncount = 1'),
    )
    for offset, kind in kinds:
        day = first + dt.timedelta(days=offset)
        yield f"kind = {kind}\nday = {day}\nplace = {_place(chance)}\n"


def _place(chance: random.Random) -> str:
    return f"[{chance.uniform(8, 28):.1f}, {chance.uniform(8, 28):.1f}]"
