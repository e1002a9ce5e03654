"""Usual colours of a product before any picture of an archive is known: statistics, no pixels.

The table is written by ``tools/build_colour_prior.py`` from simulated days of the tuning years; it
lets one picture that shows too little of the Earth to judge itself, such as a tile, be judged.
"""

from __future__ import annotations

import io
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.colour.statistics import ColourNormals

__all__ = ["pack_prior", "prior_key", "read_prior"]

_FILE = "colour_prior.npz"
_RARITY_STEP = 1.0 / 40.0
"""Of the decimal logarithm of shares, as they are kept."""
_PARTS = ("warm", "green", "rarity", "whole")


def prior_key(layer: str) -> str:
    """Instrument and product of a layer: satellites of one instrument share a prior.

    Examples
    --------
    >>> prior_key("VIIRS_NOAA20_CorrectedReflectance_TrueColor")
    'VIIRS TrueColor'
    """
    return f"{layer.partition('_')[0]} {layer.rpartition('_')[2]}"


def pack_prior(normals: ColourNormals) -> dict[str, NDArray[np.generic]]:
    """Arrays of a prior, as `read_prior` unpacks them; places are left out."""
    rarity = -np.log10(np.maximum(normals.share, 1e-6)) / _RARITY_STEP
    return {
        "warm": normals.warm.astype(np.float16),
        "green": normals.green.astype(np.float16),
        "rarity": np.rint(np.clip(rarity, 0, 240)).astype(np.uint8),
        "whole": np.array([normals.units, normals.spread], dtype=np.float64),
    }


@cache
def read_prior(layer: str) -> ColourNormals | None:
    """Return what is usual in a layer by the packaged table; None if it has not its product.

    Parameters
    ----------
    layer : str
        Identifier.

    Returns
    -------
    ColourNormals or None
        Without places: thresholds are those of a day that is judged by itself.
    """
    data = (resources.files("gibswatch.detect") / "data" / _FILE).read_bytes()
    key = prior_key(layer)
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        if f"{key} whole" not in stored:
            return None
        warm, green, rarity, whole = (stored[f"{key} {part}"] for part in _PARTS)
    share = np.power(10.0, -_RARITY_STEP * rarity.astype(np.float64)).astype(np.float32)
    return ColourNormals(
        int(whole[0]), warm.astype(np.float32), green.astype(np.float32),
        share, None, float(whole[1]),
    )  # fmt: skip
