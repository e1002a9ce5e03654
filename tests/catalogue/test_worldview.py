"""Links into Worldview."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qs, urlsplit

from gibswatch.catalogue.worldview import worldview_url
from gibswatch.types import BBox

DAY = dt.date(2023, 8, 7)


def test_the_box_is_shown_in_the_geographic_view() -> None:
    url = worldview_url("Layer", DAY, 4326, BBox(-36, -18, 0, 18))
    assert urlsplit(url).hostname == "worldview.earthdata.nasa.gov"
    assert parse_qs(urlsplit(url).query) == {
        "l": ["Layer"],
        "t": ["2023-08-07"],
        "v": ["-36.0000,-18.0000,0.0000,18.0000"],
    }


def test_polar_views_have_no_box() -> None:
    for epsg, view in ((3413, "arctic"), (3031, "antarctic")):
        query = parse_qs(urlsplit(worldview_url("L", DAY, epsg, BBox(0, 1, 2, 3))).query)  # type: ignore[arg-type]
        assert query == {"l": ["L"], "t": ["2023-08-07"], "p": [view]}


def test_a_layer_name_cannot_add_a_field() -> None:
    query = parse_qs(urlsplit(worldview_url("a&p=arctic#<script>", DAY, 3857)).query)
    assert query == {"l": ["a&p=arctic#<script>"], "t": ["2023-08-07"]}
