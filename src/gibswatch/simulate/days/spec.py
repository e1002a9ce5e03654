"""Records of a simulated day: what is asked for, what is broken, and the truth about it.

Everything about a day follows from its `DaySpec`: same specification, same bytes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, ByteArray, Georeference, ImageFormat, Kind

__all__ = [
    "FAULT_CODES",
    "FAULT_KINDS",
    "MASK_PRODUCT",
    "PRODUCTS",
    "ColourEffect",
    "CompositeRule",
    "DaySpec",
    "FaultKind",
    "FaultSpec",
    "Perturbation",
    "Region",
    "SimulatedDay",
    "Tracks",
    "Truth",
    "generator",
    "layer_of",
    "parse_layer",
]

PRODUCTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "MODIS": ("TrueColor", "Bands721", "Bands367"),
        "VIIRS": ("TrueColor", "BandsM11-I2-I1", "BandsM3-I3-M11"),
    }
)
"""Names of the corrected-reflectance products, by instrument."""

MASK_PRODUCT = "Data_No_Data"
"""The layer that says where MODIS has data: a palette PNG."""

Tracks = Literal["sky", "tle"]
"""Where the ground tracks come from: `gibswatch.sky.orbit`, or SGP4 on two-line elements."""

CompositeRule = Literal["nadir", "sun", "latest", "earliest", "by-tile"]
"""Which pass a pixel is taken from: the steepest, the one with the highest Sun, the latest, the
earliest; `by-tile` draws one of these for every tile."""

FaultKind = Literal[
    "missing-granules",
    "missing-orbit",
    "missing-scans",
    "missing-tile",
    "missing-wedge",
    "roll",
    "new-moon",
    "colour",
    "edge-warp",
    "granule-offset",
    "duplicate-granule",
    "stripes",
    "stale-tile",
    "wrong-day",
    "jpeg-damage",
    "blank-tile",
]
FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)

FAULT_CODES: Mapping[FaultKind, Kind | None] = MappingProxyType(
    {
        "missing-granules": Kind.MISSING_UNEXPECTED,
        "missing-orbit": Kind.MISSING_UNEXPECTED,
        "missing-scans": Kind.MISSING_UNEXPECTED,
        "missing-tile": Kind.MISSING_UNEXPECTED,
        "missing-wedge": Kind.MISSING_UNEXPECTED,
        "roll": Kind.MISSING_EXPECTED,
        "new-moon": Kind.MISSING_EXPECTED,
        "colour": Kind.MISCOLORATION,
        "edge-warp": Kind.EDGE_WARPING,
        "granule-offset": Kind.EDGE_WARPING,
        "duplicate-granule": Kind.DUPLICATED_GRANULE,
        "stripes": Kind.STRIPES,
        "stale-tile": Kind.STALE,
        "wrong-day": Kind.STALE,
        "jpeg-damage": None,
        "blank-tile": Kind.MISSING_UNEXPECTED,
    }
)
"""Label code of each fault; damage by transport has none: it makes a tile `suspect`, not a day
anomalous."""

ColourEffect = Literal["gain", "offset", "saturation", "rollover", "swap", "stripes", "ramp"]


def generator(seed: int, *key: object) -> np.random.Generator:
    """Return the random numbers that belong to a seed and a purpose.

    Parameters
    ----------
    seed : int
    *key : object
        What the numbers are for; its text counts, so that no two purposes share numbers.
    """
    text = "\x1f".join([str(seed), *(str(part) for part in key)])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16]))


@dataclass(frozen=True, slots=True)
class Perturbation:
    """How a day differs from the plain geometry, so that no detector can be trivially right."""

    sza_cut_deg: float = 86.5
    """Solar zenith angle at which imagery ends; drawn from 85.5-87.5."""
    local_time_s: float = 0.0
    """Every overpass is later by this much over the same track; drawn from -300..300."""
    swath_factor: float = 1.0
    """Times the width of the swath; drawn from 0.99-1.01."""
    rule: CompositeRule = "nadir"
    granule_s: float = 0.0
    """Length of a granule: 300 (MODIS), 360 or 85.35 (VIIRS); 0: the instrument's own, which a
    `DaySpec` puts in its place."""
    dark_granule_deg: float | None = None
    """Granules under whose middle the Sun's zenith angle is larger are not processed (naturally
    black, no fault); None: all are."""
    dropped_share: float = 0.0
    """Of the inputs of each tile, those that came too late for it: they show only where no other
    input does; drawn from 0-0.15."""


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """One planned fault; what a kind does not use is left as it is."""

    kind: FaultKind
    day: dt.date | None = None
    """Local day on which it happens; None: on every day of the plan."""
    time_s: float | None = None
    """Epoch seconds within the first granule, the first scan, or the orbit that is hit."""
    place: tuple[float, float] | None = None
    """Longitude and latitude instead of the time: of the granule or tile that shows them."""
    count: int = 1
    """Granules, 1-4 as a rule; for `duplicate-granule`: how many granules back its pixels are."""
    share: float = 1.0
    """Of the orbit that is missing: 1 or 0.5; of half a swath that warps: the outer share."""
    seconds: float = 0.0
    """Length of a gap of scans or of a roll; of a colour fault within a granule, 0 being all."""
    part: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    """Left, top, right, bottom of the part of a tile, as shares of it."""
    channels: str = "G"
    """Which of R, G and B are hit: one to three of the letters."""
    effect: ColourEffect = "gain"
    amount: float = 0.0
    """Gain, offset or level of reflectance; the relative depth of stripes."""
    above: float = 0.0
    """Only pixels with a larger reflectance are hit (bright scenes)."""
    distance_km: float = 0.0
    """Of a displacement: at the edge of the swath, or of the whole granule."""
    bearing_deg: float = 0.0
    """Direction of a whole granule's displacement, from north over east."""
    days_off: int = -1
    """Days by which stale pixels are off."""

    @property
    def code(self) -> Kind | None:
        """Label code."""
        return FAULT_CODES[self.kind]


@dataclass(frozen=True, slots=True)
class DaySpec:
    """Everything that a simulated day follows from."""

    satellite: str
    """Key of `gibswatch.sky.satellites.SATELLITES`."""
    product: str
    """One of `PRODUCTS`, or `MASK_PRODUCT`."""
    day: dt.date
    """Local calendar day."""
    seed: int
    quality: int = 85
    """Of the JPEG, 75-95."""
    perturbation: Perturbation = field(default_factory=Perturbation)
    faults: tuple[FaultSpec, ...] = ()
    tracks: Tracks = "sky"
    tle: str = ""
    """Text with two-line elements, for `tracks="tle"`."""
    invented: bool = False
    """Whether the Earth is made up by noise instead of taken from Blue Marble."""

    def __post_init__(self) -> None:
        satellite = SATELLITES.get(self.satellite)
        if satellite is None:
            raise UsageError(f"no satellite {self.satellite!r}: one of {', '.join(SATELLITES)}")
        known = PRODUCTS[satellite.instrument]
        if satellite.instrument == "MODIS":
            known = (*known, MASK_PRODUCT)
        if self.product not in known:
            raise UsageError(
                f"{self.satellite} has no product {self.product!r}: one of {', '.join(known)}"
            )
        if not 2000 <= self.day.year <= 2030:
            raise UsageError(f"{self.day} is outside 2000-2030, the years that can be simulated")
        if not 1 <= self.quality <= 100:
            raise UsageError(f"quality={self.quality} must be from 1 to 100")
        if self.tracks == "tle" and not self.tle.strip():
            raise UsageError("tracks='tle' needs the text of two-line elements")
        if self.perturbation.granule_s <= 0.0:
            own = replace(self.perturbation, granule_s=satellite.granule_s)
            object.__setattr__(self, "perturbation", own)

    @property
    def layer(self) -> str:
        """Identifier of the GIBS layer."""
        return layer_of(self.satellite, self.product)

    @property
    def image_format(self) -> ImageFormat:
        """Format that the layer is served in."""
        return "png" if self.product == MASK_PRODUCT else "jpg"


_PREFIXES = {
    "Terra": "MODIS_Terra",
    "Aqua": "MODIS_Aqua",
    "SNPP": "VIIRS_SNPP",
    "NOAA-20": "VIIRS_NOAA20",
    "NOAA-21": "VIIRS_NOAA21",
}


def layer_of(satellite: str, product: str) -> str:
    """Return the identifier of the layer that shows a product.

    >>> layer_of("Terra", "TrueColor")
    'MODIS_Terra_CorrectedReflectance_TrueColor'
    """
    family = "" if product == MASK_PRODUCT else "CorrectedReflectance_"
    return f"{_PREFIXES[satellite]}_{family}{product}"


def parse_layer(identifier: str) -> tuple[str, str]:
    """Tell satellite and product of a layer that can be simulated.

    Raises
    ------
    UsageError
        If it is none of them.

    Examples
    --------
    >>> parse_layer("VIIRS_NOAA20_CorrectedReflectance_BandsM11-I2-I1")
    ('NOAA-20', 'BandsM11-I2-I1')
    """
    for satellite, record in SATELLITES.items():
        products = PRODUCTS[record.instrument]
        for product in (*products, *((MASK_PRODUCT,) if record.instrument == "MODIS" else ())):
            if layer_of(satellite, product) == identifier:
                return satellite, product
    raise UsageError(
        f"{identifier} cannot be simulated: corrected reflectance of Terra, Aqua, SNPP, NOAA-20 "
        "and NOAA-21 can, and MODIS_Terra_Data_No_Data and MODIS_Aqua_Data_No_Data"
    )


@dataclass(frozen=True, slots=True)
class Region:
    """One fault, or what the Moon or the Sun explain, as it came out in a picture."""

    number: int
    """Value of `Truth.region`, from 1."""
    kind: str
    """A `FaultKind`, or `eclipse-missing`, `eclipse-miscoloration`."""
    code: Kind | None
    footprint_pixels: int
    """Pixels that the fault concerns: what it hit before its neighbours were laid over it."""
    visible_pixels: int
    substituted_pixels: int
    granules: tuple[str, ...]
    parameters: Mapping[str, Any]
    """JSON-ready: the fault as it was planned or drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is true of each pixel; planes are (rows, cols).

    Of the picture as it is: a pixel that a neighbour filled has the neighbour's pass and angles.
    """

    codes: tuple[Kind, ...]
    """Label of the day: codes of what can be seen in this picture, ascending."""
    label: ByteArray
    """Code of each pixel, 0 where all is well."""
    region: ByteArray
    """`Region.number` whose footprint a pixel is in; 0: none."""
    granule: NDArray[np.int32]
    """Number of the granule since 2000-01-01 UTC, -1 where nothing is seen."""
    pass_index: NDArray[np.int32]
    """Number of the pass, counted within the local day from the west of +180; -1: none."""
    coverage: ByteArray
    """Inputs that see the pixel in daylight."""
    time_s: NDArray[np.float64]
    """Epoch seconds, NaN where nothing is seen."""
    sza_deg: NDArray[np.float32]
    vza_deg: NDArray[np.float32]
    glint_deg: NDArray[np.float32]
    obscuration: NDArray[np.float32]
    """Share of the Sun's disc that the Moon covers."""
    visible: BoolArray
    """Where a person sees a fault: clean and faulty picture differ after encoding."""
    substituted: BoolArray
    """Where a neighbouring pass filled what is missing."""
    clean: ByteArray
    """The picture without faults, decoded from its encoding."""
    regions: tuple[Region, ...]
    parameters: Mapping[str, Any]
    """JSON-ready: the `DaySpec` and what was drawn from it."""


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedDay:
    """A picture of a day and the truth about it."""

    spec: DaySpec
    georeference: Georeference
    data: bytes
    """The picture as it is served: JPEG or palette PNG."""
    pixels: ByteArray
    """(rows, cols, 3) RGB, or (rows, cols, 4) RGBA of a mask layer; decoded from `data`."""
    drawn: ByteArray
    """The same before encoding."""
    truth: Truth
