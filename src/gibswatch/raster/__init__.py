"""One picture in memory: decoding, mosaics, the only definition of black, masks to regions."""

from gibswatch.raster.averaging import area_average, overlap_matrix
from gibswatch.raster.codec import (
    decode_picture,
    encode_mask,
    encode_picture,
    read_picture,
)
from gibswatch.raster.mosaic import Mosaic
from gibswatch.raster.observe import BlackRule, Observation, black_rule, observe, observed_black
from gibswatch.raster.regions import outline, pixel_area_km2, region_area_km2
from gibswatch.raster.scene import STATE_CODES, Scene, scene_from_picture, single_value
from gibswatch.raster.strips import Strip, StripMosaic

__all__ = [
    "STATE_CODES",
    "BlackRule",
    "Mosaic",
    "Observation",
    "Scene",
    "Strip",
    "StripMosaic",
    "area_average",
    "black_rule",
    "decode_picture",
    "encode_mask",
    "encode_picture",
    "observe",
    "observed_black",
    "outline",
    "overlap_matrix",
    "pixel_area_km2",
    "read_picture",
    "region_area_km2",
    "scene_from_picture",
    "single_value",
]
