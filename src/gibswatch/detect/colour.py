"""Miscoloration: granules whose bands are calibrated unlike the rest of the day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from gibswatch.detect.colour_statistics import (
    DARKEST,
    ColourNormals,
    chroma_of,
    learn_normals,
    observe_colour,
)
from gibswatch.detect.colour_steps import Span, bin_seconds, find_spans, make_lanes
from gibswatch.raster.scene import Scene, brightest_channel
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.places import pixel_places
from gibswatch.types import BoolArray
