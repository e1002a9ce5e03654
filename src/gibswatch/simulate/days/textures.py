"""The textures that clouds are made of: swirls, cells, streaks.  Each is made once a process."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter

from gibswatch.simulate.days.noise import Between, Floats, Texture, fractal, rounded

__all__ = ["cells", "grain", "smooth", "streaks", "swirls"]

_SIZE = 1024
_ROWS = 32
"""Stirred at a time: their arrays stay in the processor's cache."""
_STRENGTH = 6.0
"""Texels of half the size that a step of the flow carries, in the root mean square."""


@lru_cache(maxsize=1)
def swirls() -> Texture:
    """Fractal noise drawn out by eddies into filaments and spirals; standard normal."""
    base = fractal("swirl base", _SIZE, 3.0, (2.5, 512))
    return Texture("swirls", rounded(_stirred(base, steps=6)))


@lru_cache(maxsize=1)
def streaks() -> Texture:
    """Long fibres, bent by eddies: cirrus; standard normal."""
    base = fractal("streaks", _SIZE, 2.8, (2, 400), stretch=3.5)
    return Texture("streaks", rounded(_stirred(base, steps=3)))


@lru_cache(maxsize=1)
def cells() -> Texture:
    """Lumps with narrow gaps between, of several sizes: cumulus and stratocumulus."""
    folds = np.zeros((_SIZE, _SIZE), np.float32)
    for octave, (waves, weight) in enumerate(((16, 0.6), (34, 1.0), (70, 0.9), (150, 0.55))):
        wave = fractal(f"cells {octave}", _SIZE, 1.0, (0.75 * waves, 1.5 * waves))
        folds += np.float32(weight) * np.abs(wave)
    large = fractal("cells large", _SIZE, 2.2, (4, 512))
    return Texture("cells", rounded(0.85 * rounded(folds) + 0.5 * large))


@lru_cache(maxsize=1)
def grain() -> Texture:
    """Plain fractal noise, for the ground and for what is finer than the others."""
    return Texture("grain", fractal("grain", _SIZE, 2.6, (4, 512)))


@lru_cache(maxsize=1)
def smooth() -> Texture:
    """Waves without detail: dust, wind, where one kind of cloud turns into the next."""
    return Texture("smooth", fractal("smooth", 256, 4.2, (2, 24)))


@lru_cache(maxsize=1)
def _paths() -> dict[int, Floats]:
    """How far the flow of eddies (curl of a stream function) carries, after three and six steps."""
    half = _SIZE // 2
    stream = fractal("stream", half, 5.2, (2, 14))
    wide = np.pad(stream, 1, mode="wrap")
    flow_down = np.ascontiguousarray(np.gradient(wide, axis=1)[1:-1, 1:-1])
    flow_across = np.ascontiguousarray(-np.gradient(wide, axis=0)[1:-1, 1:-1])
    speed = np.sqrt(np.mean(flow_down**2 + flow_across**2))
    found = {steps: np.empty((2, half, half), np.float32) for steps in (3, 6)}
    for first in range(0, half, _ROWS):
        part = slice(first, first + _ROWS)
        rows, cols = np.mgrid[part, 0:half].astype(np.float32)
        down, across = np.zeros_like(rows), np.zeros_like(rows)
        for step in range(1, 7):
            place = Between(rows + down, cols + across, (half, half))
            moves = [place.read(flow) * (_STRENGTH / speed) for flow in (flow_down, flow_across)]
            down, across = down - moves[0].astype(np.float32), across - moves[1].astype(np.float32)
            if step in found:
                found[step][:, part] = down, across
    return found


def _stirred(base: Floats, *, steps: int) -> Floats:
    """Carry a picture along the flow of eddies."""
    down, across = _paths()[steps]
    smoothed = spline_filter(base, 3, mode="grid-wrap")
    stirred = np.empty_like(base)
    cols = np.arange(_SIZE, dtype=np.float32)[np.newaxis, :]
    for first in range(0, _SIZE, _ROWS):
        part = slice(first, first + _ROWS)
        rows = np.arange(_SIZE, dtype=np.float32)[part, np.newaxis]
        fine = Between(rows * np.float32(0.5), cols * np.float32(0.5), (_SIZE // 2, _SIZE // 2))
        bent = [2 * fine.read(flow) + plain for flow, plain in ((down, rows), (across, cols))]
        map_coordinates(
            smoothed, bent, order=3, mode="grid-wrap", prefilter=False, output=stirred[part]
        )
    return stirred
