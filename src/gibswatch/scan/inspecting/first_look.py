"""`FirstLook`: what tells, before anything is judged, whether a picture is one of its layer at all.

Small figures of one picture, taken in a worker; `no_imagery` says in half a sentence why a picture
with these figures cannot be judged.  The thresholds stand far from every real picture at hand:

==========================================  ===================  ==========  =======================
figure                                      real pictures        threshold   others
==========================================  ===================  ==========  =======================
correlation of neighbouring pixels          0.78 to 0.98         under 0.4   noise 0.0
share of the most frequent colour           0 to 0.03            over 0.5    pages and charts 0.8
share of desert where deserts should be     0.66 to 0.98         under 0.3   turned globes 0 to 0.3
gaps seen of those that there should be     0.5 to 1             under 0.1   VIIRS, photographs 0.0
==========================================  ===================  ==========  =======================
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import ArchiveError, DecodeError
from gibswatch.raster.observe import observe
from gibswatch.raster.scene import STATE_CODES, Scene
from gibswatch.scan.pictures import Picture
from gibswatch.sky.date_fit import PolarEdges, observe_polar_edges
from gibswatch.sky.edges import find_edges
from gibswatch.sky.fit import has_gaps
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.phases import measure_phase
from gibswatch.sky.satellites import SATELLITES, Satellite, satellite_of
from gibswatch.types import BBox, BoolArray, ByteArray, Georeference

__all__ = ["FirstLook", "Turn", "look_first", "no_imagery", "shows_no_deserts"]

Turn = str
"""How a globe is turned: as it should be, or one of three other ways."""

_TURNS: dict[Turn, tuple[int, int]] = {
    "": (1, 1),
    "upside down": (-1, 1),
    "mirrored": (1, -1),
    "turned by half": (-1, -1),
}
_DESERTS = (BBox(-8, 17, 30, 28), BBox(43, 18, 54, 27), BBox(123, -29, 139, -21))
"""The Sahara, Arabia, and the middle of Australia: seldom under clouds."""
_REDDER_BY = 25
"""Levels by which red is over blue on sand."""
_IMAGERY_FROM = 9
"""Level of the brightest channel under which a pixel may be black."""
_FEWEST_PIXELS = 12
_BLANK = 0.999
_SAMPLES = 256
"""Rows and columns in the middle that the texture is taken of, at most."""
_COLOURS = 100_000
"""Pixels whose colours are counted, at most: every n-th."""

_NOISE_BELOW = 0.4
_ONE_COLOUR_FROM = 0.5
_ONE_WHITE_FROM = 0.8
"""Snow may saturate."""
_DESERT_BELOW = 0.3
_DESERT_FROM = 0.6
_GAPLESS_BELOW = 0.1
_GAPS_FROM = 0.6
_GAPLESS_BLACK = 0.04
"""Share of black from which gaps may be hidden: by missing data, where there should be 0.12."""

_FRAME_FROM = 2
_FRAME_LEVELS = 8
"""By which the pixels of a frame may differ: JPEG rings."""
_GAP_LATITUDE_DEG = 15.0
"""Up to here a MODIS gap is more than 1.8 degrees wide."""
_GAP_PIXEL_DEG = 0.45
"""Four pixels of a gap."""
_GAP_LONGITUDES_DEG = 30.0
_GAP_ROWS = 40


@dataclass(frozen=True, slots=True, eq=False)
class FirstLook:
    """Figures of one picture."""

    black: float
    """Share of its pixels that are observed black, 0-1."""
    single_colour: bool
    """Whether all that is not black is of one colour; so it is too where all is black."""
    commonest: float
    """Share of the most frequent colour among the pixels that are not black, 0-1."""
    commonest_white: bool
    """Whether that colour is white, or nearly so."""
    correlation: float
    """Of the brightness of neighbouring pixels, -1..1; NaN where there is no contrast."""
    deserts: dict[Turn, float]
    """Share of sand where the deserts should be, for every way the globe may be turned; empty
    where the picture shows too little of them, or in other colours."""
    frame: int
    """Pixels of one colour along all four sides; 0 where there is no frame."""
    gaps: dict[str, float]
    """Rims of gaps between swaths in the tropics that lie as a satellite's would, by its name, as a
    share of those that it would leave; empty where the picture cannot show them."""
    edges: PolarEdges


def look_first(picture: Picture) -> FirstLook | None:
    """Take the figures of one picture; None if it cannot be read."""
    try:
        scene = picture.ref.read()
    except (DecodeError, ArchiveError):
        return None
    _, black = observe(scene)
    sent = scene.state == STATE_CODES["ok"]
    light = sent & ~black
    pixels = scene.pixels[..., :3]
    share, colour = _commonest(pixels[light])
    return FirstLook(
        black=float(black.sum() / max(1, sent.sum())),
        single_colour=share >= _BLANK,
        commonest=share,
        commonest_white=min(colour) >= 250,
        correlation=_correlation(pixels),
        deserts=_deserts(scene),
        frame=_frame(pixels),
        gaps=_gaps(scene, black),
        edges=observe_polar_edges(black | ~sent, scene.georeference),
    )


def no_imagery(look: FirstLook, satellite: Satellite) -> str:
    """Say why a picture is none of a satellite, or not where its bounds put it; empty if it may be.

    Parameters
    ----------
    look : FirstLook
    satellite : Satellite
        The layer's.

    Returns
    -------
    str
        Half a sentence that goes on after "The picture cannot be judged: ".
    """
    most = _ONE_WHITE_FROM if look.commonest_white else _ONE_COLOUR_FROM
    turned = max(look.deserts, key=lambda turn: look.deserts[turn], default="")
    foreign = _foreign(look.gaps, satellite.name)
    signs = (
        (look.black >= _BLANK, "it shows no imagery at all, all of it is black"),
        (look.single_colour, "it shows no imagery at all, all of it is of one colour"),
        (
            look.commonest > most,
            f"{look.commonest:.0%} of it is of one single colour, as in a page, never in imagery",
        ),
        (
            look.correlation < _NOISE_BELOW,
            "neighbouring pixels have nothing to do with each other, as in noise",
        ),
        (look.frame > 0, f"it has a frame of {look.frame} pixels: cut it off, then bounds hold"),
        (bool(foreign), f"its gaps between swaths are those of {foreign}, not of {satellite.name}"),
        (
            look.gaps.get(satellite.name, 1.0) < _GAPLESS_BELOW and look.black < _GAPLESS_BLACK,
            f"it shows none of the gaps that the swaths of {satellite.name} leave in the tropics",
        ),
        (
            bool(turned) and shows_no_deserts(look) and look.deserts[turned] >= _DESERT_FROM,
            f"its deserts lie where they would on a globe that is {turned}",
        ),
    )
    return next((words for holds, words in signs if holds), "")


def _foreign(gaps: dict[str, float], own: str) -> str:
    """Name another satellite whose gaps these are; empty if there is none."""
    if gaps.get(own, 0.0) >= _GAPLESS_BELOW:
        return ""
    return next((name for name, share in gaps.items() if share >= _GAPS_FROM), "")


def shows_no_deserts(look: FirstLook) -> bool:
    """Whether no sand is where the bounds put the deserts."""
    return bool(look.deserts) and look.deserts[""] < _DESERT_BELOW


def _commonest(colours: ByteArray) -> tuple[float, tuple[int, int, int]]:
    """Share of the most frequent of (n, 3) colours, and which it is."""
    if not len(colours):
        return 1.0, (0, 0, 0)
    wide = colours[:: -(-len(colours) // _COLOURS)].astype(np.uint32)
    values, counts = np.unique(
        (wide[:, 0] << 16) | (wide[:, 1] << 8) | wide[:, 2], return_counts=True
    )
    best = int(values[np.argmax(counts)])
    return float(counts.max() / len(wide)), (best >> 16, best >> 8 & 255, best & 255)


def _correlation(pixels: ByteArray) -> float:
    """The smaller of the correlations with the pixel to the right and with the one below."""
    top, left = (max(0, (size - _SAMPLES) // 2) for size in pixels.shape[:2])
    part = pixels[top : top + _SAMPLES, left : left + _SAMPLES]
    grey = part.mean(axis=2, dtype=np.float32)
    pairs = ((grey[:, 1:], grey[:, :-1]), (grey[1:], grey[:-1]))
    found = [_pearson(one.ravel(), other.ravel()) for one, other in pairs]
    return min(found)


def _pearson(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    if len(one) < _FEWEST_PIXELS or one.std() == 0.0 or other.std() == 0.0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def _frame(pixels: ByteArray) -> int:
    """Width of a frame of one colour around all four sides, 0 if there is none."""
    turned = (pixels, pixels[::-1], pixels.swapaxes(0, 1), pixels[:, ::-1].swapaxes(0, 1))
    colour = pixels[0, 0].astype(np.int16)
    widths = []
    for lines in turned:
        half = lines[: len(lines) // 4].astype(np.int16)
        plain = (np.abs(half - colour) <= _FRAME_LEVELS).all(axis=(1, 2))
        widths.append(int(np.argmin(plain)) if not plain.all() else 0)
    return min(widths) if min(widths) >= _FRAME_FROM else 0


def _gaps(scene: Scene, black: BoolArray) -> dict[str, float]:
    """Share of the rims of gaps in the tropics that lie as a satellite's would, by satellite."""
    g = scene.georeference
    if satellite_of(scene.layer) is None or not scene.layer.endswith("TrueColor"):
        return {}
    top, bottom = min(g.north, _GAP_LATITUDE_DEG), max(g.bbox.south, -_GAP_LATITUDE_DEG)
    width, rows = g.bbox.east - g.west, (top - bottom) / g.pixel_height
    if g.epsg != 4326 or g.pixel_width > _GAP_PIXEL_DEG:
        return {}
    if width < _GAP_LONGITUDES_DEG or rows < _GAP_ROWS:
        return {}
    edges = find_edges(black, g, dt.date(2000, 1, 1))  # nothing here depends on the day
    near = np.abs(edges.latitude_deg) < _GAP_LATITUDE_DEG
    kept = replace(
        edges,
        latitude_deg=edges.latitude_deg[near],
        longitude_deg=edges.longitude_deg[near],
        is_east=edges.is_east[near],
    )
    found = {}
    for satellite in filter(has_gaps, SATELLITES.values()):
        orbit = anchor_orbit(satellite, satellite.launch)
        phase = measure_phase(kept, orbit, spacing_deg=orbit.spacing_deg)
        rims = 2 * rows * width / orbit.spacing_deg
        found[satellite.name] = 0.0 if phase is None else min(phase.edges / rims, 1.0)
    return found


def _deserts(scene: Scene) -> dict[Turn, float]:
    """Mean over the deserts of the share of sand, for every turn; at least two must be seen."""
    g = scene.georeference
    if g.epsg != 4326 or not scene.layer.endswith("TrueColor"):
        return {}
    found: dict[Turn, float] = {}
    for turn, (down, across) in _TURNS.items():
        pixels = scene.pixels[::down, ::across, :3]
        shares = [_sand(pixels, _window(g, box)) for box in _DESERTS]
        known = [share for share in shares if share is not None]
        if len(known) < 2:
            return {}
        found[turn] = float(np.mean(known))
    return found


def _window(g: Georeference, box: BBox) -> tuple[slice, slice] | None:
    """Rows and columns of a box, or None where the picture does not hold all of it."""
    top, bottom = (g.north - box.north) / g.pixel_height, (g.north - box.south) / g.pixel_height
    left, right = (box.west - g.west) / g.pixel_width, (box.east - g.west) / g.pixel_width
    if min(top, left) < 0 or bottom > g.rows or right > g.cols:
        return None
    return slice(round(top), round(bottom)), slice(round(left), round(right))


def _sand(pixels: ByteArray, window: tuple[slice, slice] | None) -> float | None:
    """Share of reddish pixels among those that are not black; None where most are black."""
    if window is None:
        return None
    part = pixels[window].reshape(-1, 3).astype(np.int16)
    light = part[part.max(axis=1, initial=0) >= _IMAGERY_FROM]
    if len(light) < max(_FEWEST_PIXELS, len(part) // 2):
        return None
    return float((light[:, 0] - light[:, 2] > _REDDER_BY).mean())
