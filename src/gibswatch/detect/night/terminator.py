"""The night edge of the day itself: at which zenith angle imagery ends, and by which granules.

Imagery ends where the Sun is too low at every pass that sees a place.  The angle of this cut is
85.5-87.5 degrees and all but constant for an archive.  Some archives also leave out granules under
whose middle the Sun is lower than a limit, so that the edge has wedges of the length of a granule;
which granules these are follows from the limit, their length, and the moment at which they begin.
All of it is fitted to the day: what is fitted are few numbers for the whole edge, so that a single
missing granule among others of the same Sun does not become part of the night.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.night.dark_granules import (
    DarkGranules,
    Evidence,
    Timeline,
    fit_dark_granules,
    make_timeline,
)
from gibswatch.detect.night.night_cut import (
    Edge,
    Samples,
    best_cut,
    edge_spread,
    light_end,
    zenith_of,
)
from gibswatch.detect.night.sunlit import NightCells, Patch, night_cells
from gibswatch.sky.expectation import OUTSIDE, SZA_CUT_DEG, UNDECIDED_FROM_DEG, Expectation
from gibswatch.sky.places import is_separable, pixel_places
from gibswatch.sky.satellites import SATELLITES
from gibswatch.sky.timescale import DAY_S
from gibswatch.types import BoolArray, FloatArray

__all__ = ["Terminator", "dark_by_nature", "fit_terminator"]

_Singles = NDArray[np.float32]

_DEFAULT_SPREAD_DEG = 1.5
_HIDDEN_SPREAD_DEG = 1.0
"""Of a cut that is all but hidden behind granules that are left out."""
_BESIDE_GRANULES_DEG = 0.5
"""Of one that shows between such granules only: five minutes of local time, which a whole edge
tells, are half a degree under 50-60 degrees of latitude."""
_LENGTHS_S = {"MODIS": (300.0,), "VIIRS": (360.0, 85.35)}
_GAIN = 4.0
"""Samples that must come to their right side for granules to be left out."""
_WIDE_DEG, _NARROW_DEG = 87.4, 85.5
"""Some pass may see something up to the first; up to the second a pass surely does."""
_CLEAR_DEG = 0.3
_ASKED = 4.0
_PER_CELL = 2
_WIDER = 0.012
"""By how much of its half-width a swath may be wider or narrower than its record."""
_BOUND_S = 6.0
"""How well the moment is known at which a granule begins."""
_DAY_SLACK_S = 60.0
_ECLIPSED = 0.2
_CAP_DEG, _CAP_BLACK, _CAP_BESIDE, _CAP_BRIGHT, _CAP_LIT = 80.0, 0.995, 0.3, 0.01, 0.3
"""Rows beyond the first, black by the second, beside rows that are black by less than the third,
are cut off if the Sun is over 75 degrees from the zenith but for the fourth and under
`_SURELY_LIT_DEG` for the last, as shares of a row."""
_ODD_SAMPLES, _ODD_OTHER, _ODD_PASSES = 6, 0.2, 3
"""Passes with so many odd samples, and a lower share of others, that make a day odd."""
_SURELY_LIT_DEG = 85.0


@dataclass(frozen=True, slots=True)
class Terminator:
    """Where the imagery of one day ends, as the day itself shows it."""

    cut_deg: float
    """Solar zenith angle at which imagery ends."""
    spread_deg: float
    """Half of the angles over which it does: within it nothing is decided."""
    dark_granule_deg: float | None
    """Granules with more under the satellite at their middle are not processed; None: all are."""
    granule_s: float
    """Length of such a granule."""
    certain: bool
    """Whether the day itself shows the edge; else it is what other days have."""
    note: str
    dark_spread_deg: float = 0.25
    """Granules within this of the limit are not decided."""
    late_s: float = 0.0
    """By how much the passes are later than the orbit says, as far as the Sun tells."""
    phase_s: float = 0.0
    """Seconds after 0 h UTC of the day, by the orbit's time, at which a granule begins."""
    cap_north_deg: float = 90.0
    """North of it the picture is cut off."""
    cap_south_deg: float = -90.0
    undecided_from_deg: float = 180.0
    """Solar zenith angle from which nothing is decided: several passes end before the Sun does, by
    no rule that fits."""


def fit_terminator(expectation: Expectation, observed: BoolArray, sent: BoolArray) -> Terminator:
    """Fit the night edge of a day.

    Parameters
    ----------
    expectation : Expectation
    observed : (rows, cols) ndarray of bool
        Observed black.
    sent : (rows, cols) ndarray of bool
        Pixels that the server sent; the others say nothing.

    Returns
    -------
    Terminator
        Not `certain` where the picture shows no edge, or none that fits: then the usual cut.
    """
    length = SATELLITES[expectation.satellite].granule_s
    note = f"no night edge to fit: the usual {SZA_CUT_DEG:g} deg"
    usual = Terminator(SZA_CUT_DEG, _DEFAULT_SPREAD_DEG, None, length, certain=False, note=note)
    cells = night_cells(expectation.orbit, expectation.georeference, expectation.day)
    if not cells.place[0].size:
        return usual
    caps = _caps(expectation, observed, sent)
    samples = _samples(cells, expectation, observed, sent, caps)
    usual = replace(usual, cap_south_deg=caps[0], cap_north_deg=caps[1])
    if not samples.black.size:
        return usual
    return _fit(samples, expectation, usual)


def dark_by_nature(expectation: Expectation, terminator: Terminator) -> tuple[BoolArray, BoolArray]:
    """Say where a day is black because the Sun is low.

    Parameters
    ----------
    expectation : Expectation
    terminator : Terminator
        Of the same day.

    Returns
    -------
    natural : (rows, cols) ndarray of bool
        Black is expected: at every pass that sees a pixel the Sun is too low, or the granule is one
        that is left out.
    undecided : (rows, cols) ndarray of bool
        The rest of what may be so, within the fit's certainty; black there is no evidence.
    """
    cells = night_cells(expectation.orbit, expectation.georeference, expectation.day)
    night = np.asarray(~(expectation.sza_deg <= terminator.cut_deg))
    lit = maybe = ~night
    if cells.place[0].size:
        surely, possibly, seen = _lit_blocks(cells, expectation, terminator)
        lit, maybe = cells.laid(surely, ~night), cells.laid(possibly, ~night)
        night |= cells.laid(seen, night)
    natural = night & ~maybe
    undecided = maybe & ~lit
    odd = expectation.sza_deg > terminator.undecided_from_deg
    undecided |= (_capped(expectation, terminator) | odd) & ~natural
    return natural, np.asarray(undecided)


def _lit_blocks(
    cells: NightCells, expectation: Expectation, terminator: Terminator
) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Where the cells near the edge surely show imagery, where possibly, and where a pass looks."""
    step = cells.sky.lattice.step
    offsets = np.arange(step)
    surely, possibly, seen = np.zeros((3, cells.place[0].size, step, step), dtype=bool)
    low, high = (
        np.float32(np.cos(np.radians(terminator.cut_deg + side * terminator.spread_deg)))
        for side in (-1.0, 1.0)
    )
    timeline = None
    for patch in cells.patches(offsets, terminator.late_s):
        beside = np.abs(patch.share)
        inside = (patch.local >= -_DAY_SLACK_S) & (patch.local < DAY_S + _DAY_SLACK_S)
        looked = inside & (beside <= 1.0 + _WIDER)
        seen[patch.cells] |= looked
        light = looked & (patch.sun >= high)
        sure = light & (patch.sun >= low) & (beside <= 1.0 - _WIDER)
        if terminator.dark_granule_deg is not None:
            if timeline is None:
                timeline = make_timeline(expectation, _span(cells), terminator.late_s)
            kept, perhaps = _kept(patch, timeline, terminator)
            sure &= kept
            light &= perhaps
        surely[patch.cells] |= sure
        possibly[patch.cells] |= light
    return surely, possibly, seen


def _span(cells: NightCells) -> _Singles:
    """First and last moment of all passes."""
    time = cells.sky.fields[1]
    return np.asarray([np.nanmin(time), np.nanmax(time)], dtype=np.float32)


def _kept(patch: Patch, timeline: Timeline, terminator: Terminator) -> tuple[BoolArray, BoolArray]:
    """Pixels of a pass whose granule is surely processed, and possibly."""
    limit = terminator.dark_granule_deg or 0.0
    sure = np.ones(patch.time.shape, dtype=bool)
    perhaps = np.zeros(patch.time.shape, dtype=bool)
    for side in (-_BOUND_S, _BOUND_S):
        angle = timeline.of_granules(
            patch.time + np.float32(side), terminator.granule_s, terminator.phase_s
        )
        sure &= angle <= limit - terminator.dark_spread_deg
        perhaps |= angle <= limit + terminator.dark_spread_deg
    if not terminator.certain:
        perhaps[:] = True
    return sure, perhaps


def _samples(
    cells: NightCells,
    expectation: Expectation,
    observed: BoolArray,
    sent: BoolArray,
    caps: tuple[float, float],
) -> Samples:
    """Take samples of the cells near the edge."""
    looks = cells.looks(_PER_CELL)
    at = looks.rows, looks.cols
    latitude = pixel_places(expectation.georeference)[1][at]
    weight = sent[at] & (expectation.reason[at] != OUTSIDE)
    weight &= (expectation.obscuration[at] < _ECLIPSED) & ~looks.at_edge
    weight &= (latitude > caps[0]) & (latitude < caps[1])
    weights = weight.astype(np.float64)
    if is_separable(expectation.georeference):
        weights *= np.cos(np.radians(latitude))
    return Samples(looks, observed[at], weights)


def _caps(expectation: Expectation, observed: BoolArray, sent: BoolArray) -> tuple[float, float]:
    """Latitudes, south and north, beyond which a map is cut off: straight, and not by the Sun."""
    if not is_separable(expectation.georeference):
        return -90.0, 90.0
    latitude = pixel_places(expectation.georeference)[1][:, 0]
    count = np.maximum(sent.sum(axis=1), 1)
    share = (observed & sent).sum(axis=1) / count
    with np.errstate(invalid="ignore"):
        bright = (expectation.sza_deg <= _SURELY_LIT_DEG).mean(axis=1)
        low_sun = (expectation.sza_deg < UNDECIDED_FROM_DEG).mean(axis=1) < _CAP_BRIGHT
    rows = np.flatnonzero((np.abs(latitude) > _CAP_DEG) & (np.abs(latitude) < 90.0))
    north = _cap(rows[latitude[rows] > 0], share, bright, low_sun)
    south = _cap(rows[latitude[rows] < 0][::-1], share, bright, low_sun)
    top = 90.0 if north is None else float(latitude[north])
    bottom = -90.0 if south is None else float(latitude[south])
    return bottom, top


def _cap(
    rows: NDArray[np.intp], share: FloatArray, bright: FloatArray, low_sun: BoolArray
) -> int | None:
    """Return the first row, from a pole on, that is not cut off; None if none is."""
    lit = np.flatnonzero(share[rows] < _CAP_BLACK)
    if not lit.size or lit[0] < 3 or lit[0] + 2 >= rows.size:
        return None
    edge = int(lit[0])
    inner = rows[edge - 3 : edge]
    is_straight = bool((share[rows[edge + 1 : edge + 3]] < _CAP_BESIDE).all())
    is_cut = bool((bright[inner] > _CAP_LIT).all() and low_sun[rows[:edge]].all())
    return int(rows[edge]) if is_straight and is_cut else None


def _capped(expectation: Expectation, terminator: Terminator) -> BoolArray:
    """Pixels beyond the latitudes at which the picture is cut off."""
    latitude = pixel_places(expectation.georeference)[1]
    if terminator.cap_north_deg >= 90.0 and terminator.cap_south_deg <= -90.0:
        return np.zeros(latitude.shape, dtype=bool)
    beyond = (latitude >= terminator.cap_north_deg) | (latitude <= terminator.cap_south_deg)
    return np.asarray(beyond)


def _fit(samples: Samples, expectation: Expectation, usual: Terminator) -> Terminator:
    """Fit cut, lateness and dark granules to samples."""
    plain = best_cut(samples, None)
    rule, edge, kept = _dark_rule(samples, expectation, plain)
    if not edge.shown and rule is None:
        return usual
    spread = edge_spread(samples, kept, edge) if edge.shown else _HIDDEN_SPREAD_DEG
    limit = (edge.cut_deg - spread, UNDECIDED_FROM_DEG)
    sure = kept
    if rule is not None:  # granules close to the limit are undecided anyway
        spread = max(spread, _BESIDE_GRANULES_DEG)
        timeline = make_timeline(expectation, samples.looks.time, edge.late_s)
        angle = timeline.of_granules(samples.looks.time, rule.length_s, rule.phase_s)
        sure = np.asarray(angle <= rule.limit_deg - rule.spread_deg)
    is_odd = _leaves_passes(samples, expectation, zenith_of(samples, sure, edge.late_s), limit)
    found = replace(
        usual,
        undecided_from_deg=UNDECIDED_FROM_DEG if is_odd else 180.0,
        cut_deg=round(edge.cut_deg, 3),
        spread_deg=round(spread, 3),
        late_s=edge.late_s,
        certain=True,
        note=f"imagery ends at a solar zenith angle of {edge.cut_deg:.1f} deg",
    )
    if rule is None:
        return found
    return replace(
        found,
        dark_granule_deg=round(rule.limit_deg, 3),
        dark_spread_deg=rule.spread_deg,
        granule_s=rule.length_s,
        phase_s=rule.phase_s,
        note=f"{found.note}, granules darker than {rule.limit_deg:.1f} deg are left out",
    )


def _leaves_passes(
    samples: Samples,
    expectation: Expectation,
    zenith_deg: FloatArray,
    limits_deg: tuple[float, float],
) -> bool:
    """Whether several passes are black under a low Sun, and not where it is higher."""
    night, low = limits_deg
    looks = samples.looks
    number = expectation.pass_index[looks.rows, looks.cols]
    black = samples.black & (samples.weight > 0.0) & (number >= 0) & (zenith_deg < night - 0.2)
    if not black.any():
        return False
    size = int(number.max()) + 1
    odd = np.bincount(number[black & (zenith_deg > low)], minlength=size)
    other = np.bincount(number[black & (zenith_deg <= low)], minlength=size)
    return int(((odd >= _ODD_SAMPLES) & (other < _ODD_OTHER * odd)).sum()) >= _ODD_PASSES


def _dark_rule(
    samples: Samples, expectation: Expectation, plain: Edge
) -> tuple[DarkGranules | None, Edge, BoolArray | None]:
    """Look for granules that are left out, where black before the edge asks for it.

    The angle at which imagery ends is needed for it and found by it: so it is done twice.
    """
    end = light_end(samples, plain)
    best: tuple[DarkGranules | None, Edge, BoolArray | None] = (None, plain, None)
    for start, clear in ((end, end - _CLEAR_DEG), (max(end, _WIDE_DEG), min(end, _NARROW_DEG))):
        found = _rule_from(samples, expectation, plain, (start, clear))
        if found is not None and found[1].cost < best[1].cost:
            best = found
    return best if best[1].cost <= plain.cost - _GAIN else (None, plain, None)


def _rule_from(
    samples: Samples, expectation: Expectation, plain: Edge, start: tuple[float, float]
) -> tuple[DarkGranules, Edge, BoolArray] | None:
    """Find the rule and the cut by turns, from a guess of the cut on."""
    lengths = _LENGTHS_S[SATELLITES[expectation.satellite].instrument]
    evidence = _evidence(samples, *start, plain.late_s)
    edge, found = plain, None
    for _ in range(2):
        if evidence is None or float(evidence.weight[evidence.black].sum()) < _ASKED:
            return None
        timeline = make_timeline(expectation, samples.looks.time, edge.late_s)
        rule = fit_dark_granules(evidence, timeline, lengths)
        if rule is None:
            return None
        angle = timeline.of_granules(samples.looks.time, rule.length_s, rule.phase_s)
        kept = np.asarray(angle <= rule.limit_deg)
        edge, lengths = best_cut(samples, kept), (rule.length_s,)
        evidence = _evidence(samples, edge.cut_deg, edge.cut_deg - _CLEAR_DEG, edge.late_s)
        found = rule, edge, kept
    return found


def _evidence(samples: Samples, end_deg: float, clear_deg: float, late_s: float) -> Evidence | None:
    """Places that some pass sees with light, under an angle that is clear of the night.

    Parameters
    ----------
    samples : Samples
    end_deg : float
        Passes see something up to this solar zenith angle.
    clear_deg : float
        Places with less than this at the brightest pass.
    late_s : float
        Seconds by which passes are late.
    """
    looks = samples.looks
    sun = looks.sun + np.float32(late_s) * looks.drift
    best = np.maximum.reduceat(sun, looks.first)
    wanted = (best >= np.float32(np.cos(np.radians(clear_deg)))) & (samples.weight > 0.0)
    chosen = (sun >= np.float32(np.cos(np.radians(end_deg)))) & wanted[looks.sample]
    if not chosen.any():
        return None
    sample = looks.sample[chosen]
    first = np.flatnonzero(np.diff(sample, prepend=-1))
    places = sample[first]
    return Evidence(
        first,
        looks.time[chosen],
        looks.number[chosen],
        samples.black[places],
        samples.weight[places],
    )
