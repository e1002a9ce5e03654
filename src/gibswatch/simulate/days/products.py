"""From reflectance to the colours of the corrected-reflectance layers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibswatch.errors import UsageError
from gibswatch.types import ByteArray

__all__ = ["BANDS", "BAND_TRIPLES", "bands_of", "brightness_of", "reflectance_of", "to_rgb"]

BANDS = ("blue", "green", "red", "nir", "swir16", "swir21")
"""Order of a stack: MODIS bands 3, 4, 1, 2, 6, 7; VIIRS M3, M4, I1, I2, I3, M11."""

BAND_TRIPLES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "TrueColor": ("red", "green", "blue"),
        "Bands721": ("swir21", "nir", "red"),
        "Bands367": ("blue", "swir16", "swir21"),
        "BandsM11-I2-I1": ("swir21", "nir", "red"),
        "BandsM3-I3-M11": ("blue", "swir16", "swir21"),
    }
)
"""Which bands a product shows as red, green and blue."""

# The stretch of NASA's Rapid Response true colour, which GIBS's corrected reflectance keeps:
# reflectance 0-1.1 as 0-255, then straight lines between these knots (Gumley, Descloitres and
# Schmaltz 2003, "Creating reprojected true color MODIS images").
_KNOTS = ((0, 30, 60, 120, 190, 255), (0, 110, 160, 210, 240, 255))
_FULL = 1.1
_STEPS = 8192
_TABLE_FULL = 1.25
_LEVELS = np.interp(np.arange(_STEPS) * (_TABLE_FULL / _STEPS / _FULL * 255.0), *_KNOTS).astype(
    np.float32
)

_DARKER = {"Bands721": (0.028, 0.96), "BandsM11-I2-I1": (0.028, 0.96)}
"""Reflectance that a product shows as black, and how much of what is beyond it counts.

Of the same scenes of Terra, band 1 is darker in Bands721 than in true colour, by these numbers;
that the other bands and VIIRS are treated alike is taken for granted.
"""


def _screen(black: float, share: float) -> ByteArray:
    """Bytes by the step of the table that a reflectance falls on.

    Data is never (0, 0, 0), but where the product itself shows the darkest sea as black.
    """
    reflectance = (np.arange(_STEPS) * (_TABLE_FULL / _STEPS) - black) * share
    levels = np.interp(reflectance / _FULL * 255.0, *_KNOTS)
    found: ByteArray = np.maximum(np.rint(levels), 0 if black else 1).astype(np.uint8)
    found[0] = 0  # no data; JPEG makes a few more zeros of the darkest sea
    return found


_BYTES = {product: _screen(*_DARKER.get(product, (0.0, 1.0))) for product in BAND_TRIPLES}


def bands_of(product: str) -> tuple[str, ...]:
    """Bands that a product needs, in the order of `BANDS`.

    Raises
    ------
    UsageError
        If there is no such product.

    Examples
    --------
    >>> bands_of("TrueColor")
    ('blue', 'green', 'red')
    """
    if product not in BAND_TRIPLES:
        raise UsageError(f"no product {product!r}: one of {', '.join(BAND_TRIPLES)}")
    return tuple(band for band in BANDS if band in BAND_TRIPLES[product])


def brightness_of(reflectance: ArrayLike) -> NDArray[np.float32]:
    """Stretch reflectance to the brightness on a screen, 0-255, not yet rounded."""
    index = np.asarray(reflectance, np.float32) * np.float32(_STEPS / _TABLE_FULL)
    return np.asarray(_LEVELS[np.clip(index, 0, _STEPS - 1).astype(np.int16)])


def reflectance_of(brightness: ArrayLike) -> NDArray[np.float32]:
    """Reflectance that is shown with a brightness 0-255: the inverse of `brightness_of`."""
    level = np.interp(np.asarray(brightness, np.float64), _KNOTS[1], _KNOTS[0])
    return np.asarray(level * (_FULL / 255.0), np.float32)


def to_rgb(bands: ArrayLike, product: str, names: tuple[str, ...] = BANDS) -> ByteArray:
    """Turn reflectances into a product's picture.

    Parameters
    ----------
    bands : (..., len(names)) array_like
        Reflectance; 1.1 and more (1.18 in Bands721) is white.  NaN is shown as 0.
    product : str
        Key of `BAND_TRIPLES`.
    names : tuple of str
        What the bands are.

    Returns
    -------
    (..., 3) ndarray of uint8

    Raises
    ------
    UsageError
        If there is no such product, or a band is missing.
    """
    needed = bands_of(product)
    missing = [band for band in needed if band not in names]
    if missing:
        raise UsageError(f"{product} needs the bands {', '.join(missing)} too")
    stack = np.asarray(bands)
    picture = np.empty((*stack.shape[:-1], 3), np.uint8)
    scale = np.float32(_STEPS / _TABLE_FULL)
    screen = _BYTES[product]
    for channel, band in enumerate(BAND_TRIPLES[product]):
        index = stack[..., names.index(band)] * scale
        np.nan_to_num(index, copy=False)
        np.clip(index, 0, _STEPS - 1, out=index)
        picture[..., channel] = screen[index.astype(np.int16)]
    return picture
