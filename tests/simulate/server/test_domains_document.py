"""DescribeDomains: complete histories, cut by time and by pages."""

import datetime as dt
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.catalogue.domains import Period, days_in, format_domain, parse_domain
from gibswatch.catalogue.grids import TileMatrix
from gibswatch.simulate.server.domains_document import (
    DomainsRequest,
    cut_domain,
    domains_document,
)
from gibswatch.simulate.server.exceptions import OwsError
from gibswatch.simulate.server.service import TileService
from gibswatch.simulate.server.sources import ServedLayer
from gibswatch.simulate.server.times import read_time
from gibswatch.simulate.server.wmts import Endpoint, answer_query

SETS = {4326: "1km", 3413: "1km", 3857: "GoogleMapsCompatible_Level7"}
EVERY_OTHER_DAY = ",".join(
    f"{day}/{day}/P1D" for day in (dt.date(2020, 1, 1) + dt.timedelta(2 * k) for k in range(250))
)
ADDRESS = "http://here/wmts/epsg4326/best/wmts.cgi"


class Nothing:
    def days(self) -> frozenset[dt.date]:
        return frozenset()

    def tile(self, *_: dt.date | int | TileMatrix) -> None:
        return None


SERVICE = TileService(
    {
        "Many": (
            ServedLayer("Many", "png", SETS, periods=parse_domain(EVERY_OTHER_DAY)),
            Nothing(),
        ),
        "Static": (ServedLayer("Static", "png", SETS, is_static=True), Nothing()),
        "Polar": (
            ServedLayer("Polar", "png", {3031: "1km"}, periods=parse_domain("2020-01-01")),
            Nothing(),
        ),
    }
)


def describe(**words: object) -> ET.Element:
    request = DomainsRequest(**{"epsg": 4326, "layer": "Many", **words})  # type: ignore[arg-type]
    return ET.fromstring(domains_document(SERVICE, request, ADDRESS))


def test_elements_and_attributes() -> None:
    root = describe(time="2020-01-01/2020-01-02")
    ows = "{http://www.opengis.net/ows/1.1}"
    assert [(e.tag, e.text if not len(e) else None) for e in root.iter()] == [
        ("Domains", None),
        ("SpaceDomain", None),
        ("BoundingBox", None),
        ("DimensionDomain", None),
        (f"{ows}Identifier", "time"),
        ("Domain", "2020-01-01/2020-01-01/P1D"),
        ("Size", "1"),
    ]
    box = root.find("SpaceDomain/BoundingBox")
    assert box is not None
    corners = {"minx": "-180", "miny": "-90", "maxx": "180", "maxy": "90"}
    assert box.attrib == {"crs": "urn:ogc:def:crs:OGC:2:84", **corners}


@pytest.mark.parametrize(("epsg", "west"), [(3413, "-4194304"), (3857, "-20037508.34278925")])
def test_boxes_of_other_projections(epsg: int, west: str) -> None:
    box = describe(epsg=epsg).find("SpaceDomain/BoundingBox")
    assert box is not None
    assert (box.get("crs"), box.get("minx")) == (f"urn:ogc:def:crs:EPSG::{epsg}", west)


def test_the_history_is_not_cut() -> None:
    root = describe()
    assert root.findtext("*/Domain") == EVERY_OTHER_DAY
    assert root.findtext("*/Size") == "250"
    assert root.find("*/NextPage") is None


def test_pages_are_followed_to_the_end() -> None:
    words = {"SERVICE": "WMTS", "REQUEST": "DescribeDomains", "LAYER": "Many", "LIMIT": "100"}
    here, pages = Endpoint(4326, "best", "http://here"), []
    while words:
        root = ET.fromstring(answer_query(SERVICE, words, here).body)
        pages.append(root.findtext("*/Domain") or "")
        following = urlsplit(root.findtext("*/NextPage") or "")
        assert following.path in ("", urlsplit(ADDRESS).path)
        words = {name.upper(): text for name, text in parse_qsl(following.query)}
    assert [page.count("/P1D") for page in pages] == [100, 100, 50]
    assert ",".join(pages) == EVERY_OTHER_DAY


def test_only_what_is_asked_for() -> None:
    assert [part.tag for part in describe(domains="time")] == ["DimensionDomain"]
    assert [part.tag for part in describe(domains="bbox")] == ["SpaceDomain"]


@pytest.mark.parametrize("layer", ["Static", "Polar", "None"])
def test_layers_without_days_here(layer: str) -> None:
    root = describe(layer=layer)
    assert (root.findtext("*/Domain"), root.findtext("*/Size")) == ("", "0")


@pytest.mark.parametrize("time", ["yesterday", "/", "2020-01-01/x", "2020-01-01/2020-02-01/P1D"])
def test_a_time_that_is_no_range(time: str) -> None:
    with pytest.raises(OwsError, match="must follow format of START_DATE/END_DATE"):
        describe(time=time)


@pytest.mark.parametrize(
    ("start", "end", "cut"),
    [
        ("2020-01-05", None, "2020-01-09/2020-01-25/P8D"),
        (None, "2020-01-16", "2020-01-01/2020-01-09/P8D"),
        ("2020-01-09", "2020-01-17", "2020-01-09/2020-01-17/P8D"),
        ("2020-01-10", "2020-01-16", ""),
        (None, None, "2020-01-01/2020-01-25/P8D"),
        ("2020-01-26", None, ""),
        (None, "2019-12-31", ""),
    ],
)
def test_a_range_begins_and_ends_with_a_step(start: str | None, end: str | None, cut: str) -> None:
    bounds = [read_time(text) if text else None for text in (start, end)]
    assert format_domain(cut_domain(parse_domain("2020-01-01/2020-01-25/P8D"), *bounds)) == cut


def test_moments_are_cut_too() -> None:
    periods = parse_domain("2020-01-01T00:00:00Z/2020-01-01T01:00:00Z/PT10M")
    cut = cut_domain(periods, read_time("2020-01-01T00:05:00Z"), read_time("2020-01-01T00:35:00Z"))
    assert format_domain(cut) == "2020-01-01T00:10:00Z/2020-01-01T00:30:00Z/PT10M"


DATES = st.dates(dt.date(2019, 12, 1), dt.date(2021, 12, 31))
STEPS = st.sampled_from(["P1D", "P8D", "P16D", "P1M", "P1Y"])


@given(start=DATES, length=st.integers(0, 500), step=STEPS, first=DATES, last=DATES)
def test_a_cut_domain_has_the_days_between_the_bounds(
    start: dt.date, length: int, step: str, first: dt.date, last: dt.date
) -> None:
    start = start.replace(day=min(start.day, 28))  # a month's last days have no fixed distance
    end = start + dt.timedelta(length)
    periods: tuple[Period, ...] = parse_domain(f"{start}/{end}/{step}")
    cut = cut_domain(periods, read_time(str(first)), read_time(str(last)))
    every = list(days_in(periods, dt.date(2000, 1, 1), dt.date(2030, 1, 1)))
    kept = list(days_in(cut, dt.date(2000, 1, 1), dt.date(2030, 1, 1)))
    assert kept == [day for day in every if first <= day <= last]
