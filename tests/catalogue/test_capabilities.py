"""WMTS capabilities: what is read of each layer, and that a bad one harms no other."""

from __future__ import annotations

import random
import time
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gibswatch.catalogue.capabilities import LISTED_PERIODS, read_capabilities
from gibswatch.catalogue.domains import format_domain, parse_domain
from gibswatch.errors import ServiceDocumentError

LIST = "2000-02-24/2000-04-25/P1D 2000-04-28/2026-06-23/P1D"
DOMAIN = LIST.replace(" ", ",")


def layer(
    name: str = "A_Layer",
    *,
    times: str = LIST,
    default: str = "2026-06-23",
    matrix_set: str = "250m",
    media: str = "image/jpeg",
    style: str = "<Style><ows:Identifier>default</ows:Identifier></Style>",
    more: str = "",
) -> str:
    values = "".join(f"<Value>{escape(value)}</Value>" for value in times.split(" "))
    time_ = (
        f"<Dimension><ows:Identifier>Time</ows:Identifier><ows:UOM>ISO8601</ows:UOM>"
        f"<Default>{default}</Default><Current>false</Current>{values}</Dimension>"
    )
    return (
        f"<Layer><ows:Title>Title &amp; more</ows:Title><ows:Identifier>{escape(name)}"
        f"</ows:Identifier>{style}{time_ if times else ''}<TileMatrixSetLink><TileMatrixSet>"
        f"{matrix_set}</TileMatrixSet></TileMatrixSetLink><Format>{media}</Format>{more}</Layer>"
    )


def document(*layers: str) -> bytes:
    return (
        '<Capabilities xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows='
        f'"http://www.opengis.net/ows/1.1"><Contents>{"".join(layers)}</Contents></Capabilities>'
    ).encode()


def test_a_layer_is_read() -> None:
    report = read_capabilities(document(layer()), 4326)
    assert report.problems == ()
    read = report.layers["A_Layer"]
    assert (read.title, read.format, read.matrix_set) == ("Title & more", "jpg", "250m")
    assert format_domain(read.periods) == DOMAIN
    assert (read.default_time, read.may_be_cut) == ("2026-06-23", False)


def test_a_layer_without_time_and_a_vector_layer() -> None:
    vector = layer("V", media="application/vnd.mapbox-vector-tile", matrix_set="1km")
    report = read_capabilities(document(layer("Static", times=""), vector), 4326)
    assert (report.layers["Static"].periods, report.layers["Static"].default_time) == ((), None)
    assert report.layers["V"].format == "mvt"


BAD = {
    "no identifier in the style": (layer("Bad", style="<Style/>"), "OWSLib cannot read it"),
    "a box without corners": (layer("Bad", more="<ows:WGS84BoundingBox/>"), "OWSLib cannot"),
    "no template": (layer("Bad", more="<ResourceURL/>"), "OWSLib cannot read it"),
    "no time value": (
        layer("Bad")
        .replace("<Value>2000-02-24/2000-04-25/P1D</Value>", "")
        .replace("<Value>2000-04-28/2026-06-23/P1D</Value>", ""),
        "a dimension lists no Value",
    ),
    "an empty time value": (layer("Bad", times="2000-02-24/2000-04-25/P1D "), "Value .* is empty"),
    "no default": (
        layer("Bad").replace("<Default>2026-06-23</Default>", ""),
        "a dimension has no Default",
    ),
    "no step": (layer("Bad", times="2000-02-24/2000-04-25"), "is not a period"),
    "a step that is none": (layer("Bad", times="2000-02-24/2000-04-25/P1Q"), "'P1Q' is not a step"),
    "times swapped": (layer("Bad", times="2001-02-24/2000-04-25/P1D"), "ends before it starts"),
    "unknown set": (layer("Bad", matrix_set="3km"), "its tile matrix set is 3km"),
    "unknown format": (layer("Bad", media="image/tiff"), "its format is image/tiff"),
    "a path": (layer("../../etc/passwd"), "cannot be used as a file name"),
    "no name": (layer(""), "it has no identifier"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_layer_is_listed_and_harms_no_other(name: str) -> None:
    text, reason = BAD[name]
    report = read_capabilities(document(layer("First"), text, layer("Last")), 4326)
    assert list(report.layers) == ["First", "Last"]
    assert len(report.problems) == 1
    with pytest.raises(AssertionError, match=f"EPSG:4326.* is left out: .*{reason}"):
        raise AssertionError(report.problems[0])
    assert report.problems[0].isprintable()


def test_two_malformed_layers_and_one_of_an_unknown_namespace() -> None:
    stranger = '<Layer xmlns="urn:unknown"><Identifier>X</Identifier></Layer>'
    inside = layer("Good", more='<x:Thing xmlns:x="urn:unknown" x:a="1"><x:B/></x:Thing>')
    bad = [BAD["no template"][0], BAD["no time value"][0]]
    report = read_capabilities(document(bad[0], inside, stranger, bad[1]), 4326)
    assert list(report.layers) == ["Good"]
    assert [p.split(" ")[0] for p in report.problems] == ["Bad", "Bad", "1"]
    assert "unknown namespace" in report.problems[2]


def test_every_step_of_gibs_is_read() -> None:
    steps = "P1D P4D P8D P16D P1M P1Y PT6M PT10M PT30M P1429D PT39M49S"
    times = " ".join(f"2020-01-01T00:00:00Z/2020-01-01T00:00:00Z/{s}" for s in steps.split())
    report = read_capabilities(document(layer(times=times)), 4326)
    assert len(report.layers["A_Layer"].periods) == len(steps.split())


def test_a_bad_layer_within_a_layer_leaves_the_outer_one() -> None:
    report = read_capabilities(document(layer("Outer", more=BAD["no template"][0])), 4326)
    assert list(report.layers) == ["Outer"]
    assert len(report.problems) == 1


def test_of_a_doubled_layer_the_first_is_taken() -> None:
    report = read_capabilities(document(layer(), layer(matrix_set="1km")), 4326)
    assert report.layers["A_Layer"].matrix_set == "250m"
    assert "listed twice" in report.problems[0]


@pytest.mark.parametrize(("count", "cut"), [(99, False), (LISTED_PERIODS, True), (130, True)])
def test_a_hundred_periods_may_be_cut(count: int, cut: bool) -> None:
    times = " ".join(f"{1900 + n}-01-01/{1900 + n}-06-01/P1D" for n in range(count))
    assert read_capabilities(document(layer(times=times)), 4326).layers["A_Layer"].may_be_cut is cut


@pytest.mark.parametrize(
    "data",
    [
        b"<html><body>Sorry</body></html>",
        b"<ExceptionReport><Exception><Text>Sorry</Text></Exception></ExceptionReport>",
        b'<Capabilities xmlns="http://www.opengis.net/wmts/1.0">Sorry</Capabilities>',
        b'<Capabilities xmlns="urn:other"><Contents>Sorry</Contents></Capabilities>',
    ],
)
def test_another_document_is_refused_with_its_words(data: bytes) -> None:
    with pytest.raises(ServiceDocumentError, match="no list of WMTS layers: it says 'Sorry'"):
        read_capabilities(data, 4326)


def test_ten_megabytes_are_read() -> None:
    times = " ".join(f"{1900 + n}-01-01/{1900 + n}-06-01/P1D" for n in range(99))
    one = layer("LAYER", times=times, more=f"<ows:Abstract>{'words ' * 900}</ows:Abstract>")
    layers = [one.replace("LAYER", f"L{n}") for n in range(1100)]
    data = document(*layers, BAD["no template"][0])
    assert len(data) > 10 * 10**6
    started = time.process_time()
    report = read_capabilities(data, 4326)
    assert time.process_time() - started < 4
    assert (len(report.layers), len(report.problems)) == (1100, 1)


@pytest.mark.realdata
def test_onearths_own_header_with_layers_in_it(real_data: Path) -> None:
    header = (real_data / "service/samples/epsg4326_best_header_gc.xml").read_text("utf-8")
    contents = f"<Contents>{layer()}{BAD['no template'][0]}</Contents></Capabilities>"
    report = read_capabilities(header.replace("</Capabilities>", contents).encode(), 4326)
    assert (list(report.layers), len(report.problems)) == (["A_Layer"], 1)


@given(
    st.lists(
        st.tuples(
            st.dates(), st.integers(0, 4000), st.sampled_from(["P1D", "P8D", "P1M", "P1Y", "PT6M"])
        ),
        min_size=1,
        max_size=30,
    )
)
def test_any_domain_is_read_as_it_was_written(
    parts: list[tuple[object, int, str]],
) -> None:
    texts = []
    for start, _days, step in parts:
        texts.append(f"{start}/{start}/{step}")
    domain = format_domain(parse_domain(",".join(texts)))
    report = read_capabilities(document(layer(times=domain.replace(",", " "))), 4326)
    assert format_domain(report.layers["A_Layer"].periods) == domain


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 12))
def test_mutated_capabilities_parse_or_are_refused(rng: random.Random, changes: int) -> None:
    data = bytearray(document(layer("First"), BAD["no template"][0], layer("Last", times="")))
    for _ in range(changes):
        place = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[place] = rng.randrange(256)
            case 1:
                del data[place : place + rng.randrange(1, 60)]
            case 2:
                data[place:place] = data[place : place + rng.randrange(1, 200)]
            case _:
                data[place:place] = rng.choice([b"</Layer>", b"<Layer>", b"&x;", b"\0", b'"'])
    try:
        report = read_capabilities(bytes(data), 4326)
    except ServiceDocumentError as error:
        said: tuple[str, ...] = (str(error),)
    else:
        said = report.problems
        assert all(name == read.identifier for name, read in report.layers.items())
    assert all(line.isprintable() for line in said)
