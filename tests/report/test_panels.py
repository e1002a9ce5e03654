"""Tests of the panels of a day."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gibswatch.detect.context import REASON_CODES
from gibswatch.raster.scene import STATE_CODES, scene_from_picture
from gibswatch.report.palette import KIND_COLOURS, REASON_COLOURS, hex_colour
from gibswatch.report.panels import Panel, make_panels
from gibswatch.report.places import Frame
from gibswatch.report.planes import DayPlanes, read_planes
from gibswatch.types import BoolArray, Georeference, Kind

if TYPE_CHECKING:
    from conftest import Standin

_PLACE = Georeference(4326, -20.0, 20.0, 0.4, 0.4, 100, 100)
_FRAME = Frame(_PLACE, 100, 100)


def _planes(**given: object) -> DayPlanes:
    pixels = np.full((100, 100, 3), 90, dtype=np.uint8)
    scene = scene_from_picture(
        pixels, layer="L", date=None, image_format="jpg", georeference=_PLACE, provenance=""
    )
    nothing = np.zeros((100, 100), dtype=bool)
    plain = DayPlanes(scene, nothing, None, None, None)
    return replace(plain, **given)  # type: ignore[arg-type]


def _by_key(panels: tuple[Panel, ...]) -> dict[str, Panel]:
    return {panel.key: panel for panel in panels}


def test_a_day_of_which_nothing_is_known_has_no_panels() -> None:
    assert make_panels(_planes(), _FRAME) == ()


def test_the_mask_names_the_reasons_with_their_shares() -> None:
    reasons = np.zeros((100, 100), dtype=np.uint8)
    reasons[:25] = REASON_CODES["night"]
    reasons[50:55, 50:60] = REASON_CODES["unexpected"]
    panels = _by_key(make_panels(_planes(reasons=reasons), _FRAME))
    legend = {s.name: (s.colour, s.share) for s in panels["reasons"].legend}
    assert set(legend) == {"night", "unexpected"}
    assert legend["unexpected"] == (hex_colour(REASON_COLOURS["unexpected"]), "0.5%")
    assert float(legend["night"][1][:-1]) == pytest.approx(24.5, abs=0.6)  # cos-lat weighted
    assert panels["reasons"].caption == "Why each black pixel is black, and what else was found"


def test_kinds_that_no_reason_stands_for_are_laid_over_the_reasons() -> None:
    reasons = np.zeros((100, 100), dtype=np.uint8)
    kinds = np.zeros((100, 100), dtype=np.uint8)
    kinds[10:20, 10:90] = Kind.STRIPES
    kinds[30:40, 10:90] = Kind.MISSING_UNEXPECTED
    legend = _by_key(make_panels(_planes(reasons=reasons, kinds=kinds), _FRAME))["reasons"].legend
    colours = {s.name: s.colour for s in legend}
    assert colours == {
        "unexpected": hex_colour(REASON_COLOURS["unexpected"]),
        "stripes": hex_colour(KIND_COLOURS[int(Kind.STRIPES)]),
    }


def test_kinds_alone_are_marked() -> None:
    kinds = np.zeros((100, 100), dtype=np.uint8)
    kinds[:60] = Kind.MISSING_UNEXPECTED
    (panel,) = make_panels(_planes(kinds=kinds), _FRAME)
    assert (panel.key, panel.title, panel.caption) == ("marks", "Mask", "What was found")


@pytest.mark.parametrize(
    ("rows", "cols", "shown"),
    [((40, 44), (60, 66), True), ((0, 3), (0, 3), True), ((97, 100), (97, 100), True),
     ((10, 60), (20, 25), False)],
)  # fmt: skip
def test_what_is_small_is_shown_nearer(
    rows: tuple[int, int], cols: tuple[int, int], *, shown: bool
) -> None:
    kinds = np.zeros((100, 100), dtype=np.uint8)
    kinds[slice(*rows), slice(*cols)] = Kind.MISSING_UNEXPECTED
    panels = _by_key(make_panels(_planes(kinds=kinds), _FRAME))
    assert ("close-up" in panels) == shown
    if shown:
        view = panels["close-up"].view
        assert view is not None
        x, y, width, height = view
        assert 0 <= x <= cols[0]
        assert cols[1] <= x + width <= 100
        assert 0 <= y <= rows[0]
        assert rows[1] <= y + height <= 100


def test_the_difference_is_black_by_day_and_imagery_by_night(
    standin: Standin, block: BoolArray
) -> None:
    standin.days(1)
    (item,) = standin.items.values()
    assert item.date is not None
    standin.faults[item.date] = block.astype(np.uint8)
    planes = read_planes(standin.result(), item)
    assert isinstance(planes, DayPlanes)
    assert planes.expectation is not None
    reason, difference = planes.expectation.reason, planes.difference()
    assert difference is not None
    assert block[difference == 1].all()
    assert (difference[block & (reason == 0)] == 1).all()
    dark = (reason == REASON_CODES["night"]) | (reason == REASON_CODES["swath gap"])
    assert ((difference == 2) == (dark & ~planes.black)).all()
    lost = np.full_like(planes.scene.state, STATE_CODES["failed"])
    unsent = replace(planes, scene=replace(planes.scene, state=lost))
    coloured = replace(planes, kinds=np.where(block, 3, 0).astype(np.uint8)).difference()
    assert coloured is not None
    assert (coloured[block] == 3).all()
    unseen = unsent.difference()
    assert unseen is not None
    assert not (unseen == 2).any()


def test_a_raster_of_another_shape_is_left_out(standin: Standin, block: BoolArray) -> None:
    standin.days(1)
    (item,) = standin.items.values()
    item = standin.plant(item.date, Kind.MISSING_UNEXPECTED, block)  # type: ignore[arg-type]
    planes = read_planes(standin.result(), item)
    assert isinstance(planes, DayPlanes)
    assert planes.kinds is not None
    assert (planes.kinds == 2).sum() == block.sum()
    standin.georeference = _PLACE
    standin.pixels, standin.faults = None, {}
    smaller = read_planes(standin.result(), item)
    assert isinstance(smaller, DayPlanes)
    assert smaller.kinds is None
