"""Stripes along the scans of granules: detectors that are calibrated unlike their neighbours.

Stripes return with a period and are the same in the whole scan line.  In windows of a pass the
spectrum of each beam is taken along the track; where all beams agree in phase, it is the
instrument: clouds that far apart have nothing to do with each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special

from gibswatch.detect.swath.pixels import SwathGrid, SwathPixels

__all__ = ["Stripes", "find_stripes"]

_Singles = NDArray[np.float32]

_BEAMS = 32
_STEP_S = 1.0
_WINDOW, _HOP = 256, 32
"""Lines of a spectrum, and from one to the next."""
_PERIODS_S = (2.5, 42.0)
_SMOOTH = 61
"""Lines whose mean is taken off."""
_FEWEST_BEAMS = 12
_FINE_MORE = 1.25
"""By how much more of stripes finer than two pixels, which means over pixels would not show."""
_MEAN_LINES, _BRIDGED = 64, 24
"""Lines that say how high a wave is, and those without it within."""
_ROWS_OF_WINDOWS, _APART = (2, 3, 5, 8), 4
"""Windows in a row that are looked at together, this many hops from each other."""
_ENOUGH = 16.0
"""Minus the natural logarithm of the chance of such agreement in one place."""


@dataclass(frozen=True, slots=True)
class Stripes:
    """A part of a pass with stripes."""

    pass_index: int
    first_s: float
    """Epoch seconds."""
    last_s: float
    period_s: float
    depth: float
    """Amplitude, as a share of the reflectance."""
    ratio: float
    """Agreement of the beams by what is enough."""


def find_stripes(pixels: SwathPixels, pixel_s: float) -> list[Stripes]:
    """Find parts of passes with stripes, surest first.

    Parameters
    ----------
    pixels : SwathPixels
    pixel_s : float
        Seconds that the satellite takes over a pixel.

    Returns
    -------
    list of Stripes
        The surest of each pass; a `ratio` of 1 is just enough.
    """
    grid = pixels.grid(_STEP_S, _BEAMS)
    residual = _residual(grid)
    lines = residual.shape[1]
    if lines < _WINDOW:
        return []
    numbers = np.arange(
        int(np.ceil(_WINDOW * _STEP_S / _PERIODS_S[1])),
        int(_WINDOW * _STEP_S / _PERIODS_S[0]) + 1,
    )
    taper = np.hanning(_WINDOW).astype(np.float32)
    spectra = [
        _spectra(part, count, numbers, taper)
        for part, count in zip(residual, grid.count, strict=True)
    ]
    usual = _usual(np.concatenate(spectra))
    found = [
        _surest(grid, number, numbers, (agreed / usual, residual[number]), pixel_s)
        for number, agreed in enumerate(spectra)
    ]
    return sorted((one for one in found if one is not None), key=lambda one: -one.ratio)


def _evidence(agreed: _Singles) -> _Singles:
    """How little chance there is for agreement, in windows and in rows of them: minus log p.

    The agreement of one window is exponential by chance, the sum over several of them a gamma
    distribution; stripes of many granules gather evidence where that of each is weak.
    """
    best = agreed.copy()
    for count in _ROWS_OF_WINDOWS:
        span = (count - 1) * _APART
        if agreed.shape[0] <= span:
            continue
        last = agreed.shape[0] - span
        total = sum(agreed[n * _APART : n * _APART + last] for n in range(count))
        surprise = -np.log(np.maximum(special.gammaincc(count, total), 1e-30))
        for n in range(count):
            part = slice(n * _APART, n * _APART + last)
            best[part] = np.maximum(best[part], surprise)
    return best


def _usual(agreed: _Singles) -> _Singles:
    """How many beams agree by chance at each frequency: more at long waves, as clouds are large.

    That is 1 for beams that have nothing to do with each other; their median is ln 2.
    """
    there = agreed.max(axis=1) > 0
    if not there.any():
        return np.ones(agreed.shape[1], dtype=np.float32)
    return np.asarray(np.maximum(np.median(agreed[there], axis=0) / np.log(2.0), 1.0))


def _residual(grid: SwathGrid) -> _Singles:
    """Sums of the differences from the mean along the track, (passes, lines, beams)."""
    count, total = grid.count, grid.total
    near = ndimage.uniform_filter1d(count, _SMOOTH, axis=1)
    mean = ndimage.uniform_filter1d(total, _SMOOTH, axis=1) / np.maximum(near, 1e-3)
    return np.asarray(total - count * mean, dtype=np.float32)


def _spectra(
    residual: _Singles, count: _Singles, numbers: NDArray[np.intp], taper: _Singles
) -> _Singles:
    """How many beams agree, (windows, frequencies)."""
    first = np.arange(0, residual.shape[0] - _WINDOW + 1, _HOP)
    agreed = np.zeros((first.size, numbers.size), dtype=np.float32)
    for row, start in enumerate(first):
        part = slice(start, start + _WINDOW)
        pixels = count[part].sum(axis=0)
        if (pixels > _WINDOW * 0.05).sum() < _FEWEST_BEAMS:
            continue
        waves = np.fft.rfft(residual[part] * taper[:, np.newaxis], axis=0)[numbers]
        power = (np.abs(waves) ** 2).sum(axis=1)
        joint = np.abs(waves.sum(axis=1))
        agreed[row] = joint**2 / np.maximum(power, 1e-9)
    return agreed


def _surest(
    grid: SwathGrid,
    number: int,
    numbers: NDArray[np.intp],
    planes: tuple[_Singles, _Singles],
    pixel_s: float,
) -> Stripes | None:
    """The wave of a pass that chance explains least, and where it is."""
    agreed, residual = planes
    if not agreed.size:
        return None
    evidence = _evidence(agreed)
    row, column = np.unravel_index(int(evidence.argmax()), evidence.shape)
    most = float(evidence[row, column])
    if most <= 0:
        return None
    wave = numbers[column] / _WINDOW
    among = evidence[:, column] >= most  # all windows of the row that says it
    start = int(np.where(among, agreed[:, column], -1.0).argmax()) * _HOP
    first, last = _bounds(residual, grid.count[number], wave, start)
    # Square stripes have a third of their depth in the wave of a third of their period.
    depths = {w: _depth(residual, grid.count[number], w, first, last) for w in (wave, wave / 3.0)}
    wave = max(depths, key=lambda w: depths[w])
    return Stripes(
        number,
        grid.time_of(number, first),
        grid.time_of(number, last),
        float(_STEP_S / wave),
        depths[wave],
        most / _ENOUGH / (_FINE_MORE if 1.0 / wave < 2.0 * pixel_s else 1.0),
    )


def _bounds(residual: _Singles, count: _Singles, wave: float, start: int) -> tuple[int, int]:
    """First line of a wave about a window, and the one after its last.

    A mean over some lines is half as high where it hangs over the end by half.
    """
    height = _heights(residual, count, wave)
    near = slice(max(0, start), start + _WINDOW)
    top = near.start + int(height[near].argmax())
    enough = height >= 0.5 * np.median(np.sort(height[near])[-_MEAN_LINES:])
    first = last = top
    while first > 0 and enough[max(0, first - _BRIDGED) : first].any():
        first -= 1
    while last + 1 < enough.size and enough[last + 1 : last + 1 + _BRIDGED].any():
        last += 1
    return first, last + 1


def _depth(residual: _Singles, count: _Singles, wave: float, first: int, last: int) -> float:
    """Amplitude of a wave between two lines."""
    return float(np.median(_heights(residual, count, wave)[first:last]))


def _heights(residual: _Singles, count: _Singles, wave: float) -> NDArray[np.float64]:
    """Amplitude of a wave about every line, (lines,)."""
    turned = residual.sum(axis=1) * np.exp(-2j * np.pi * wave * np.arange(len(residual)))
    pixels = ndimage.uniform_filter1d(count.sum(axis=1), _MEAN_LINES)
    real, imaginary = (
        ndimage.uniform_filter1d(part, _MEAN_LINES) for part in (turned.real, turned.imag)
    )
    height = 2.0 * np.hypot(real, imaginary) / np.maximum(pixels, 1e-3)
    return np.where(pixels > 0, height, 0.0)
