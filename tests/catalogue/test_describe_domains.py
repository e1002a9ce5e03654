"""Answers of DescribeDomains."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.catalogue.describe_domains import read_domains
from gibswatch.catalogue.domains import format_domain
from gibswatch.errors import ServiceDocumentError

DOMAIN = "2000-02-24/2000-04-25/P1D,2000-04-28/2026-06-23/P1D"


def document(domain: str = DOMAIN, more: str = "<Size>2</Size>", name: str = "time") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Domains xmlns:ows="http://www.opengis.net/ows/1.1">'
        '<SpaceDomain><BoundingBox crs="urn:ogc:def:crs:OGC:2:84" minx="-180" miny="-90" maxx="180"'
        f' maxy="90"/></SpaceDomain><DimensionDomain><ows:Identifier>{name}</ows:Identifier>'
        f"<Domain>{domain}</Domain>{more}</DimensionDomain></Domains>"
    ).encode()


def test_a_page_is_read() -> None:
    page = read_domains(document())
    assert format_domain(page.periods) == DOMAIN
    assert (page.listed, page.size, page.next_page) == (2, 2, None)


def test_namespaces_do_not_matter() -> None:
    data = document().replace(b"<Domains ", b'<Domains xmlns="urn:any" ')
    assert read_domains(data).listed == 2


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ("<NextPage>http://h/x?offset=2</NextPage>", "http://h/x?offset=2"),
        ('<NextPage href="/x?offset=2"/>', "/x?offset=2"),
        ("<NextPage>2</NextPage>", "2"),
        ("<NextPage/>", ""),
    ],
)
def test_the_next_page_is_named(more: str, where: str) -> None:
    assert read_domains(document(more=more)).next_page == where
    outside = document(more="").replace(b"</Domains>", f"{more}</Domains>".encode())
    assert read_domains(outside).next_page == where


def test_a_domain_without_periods() -> None:
    page = read_domains(document("", "<Size>0</Size>"))
    assert (page.periods, page.listed, page.size) == ((), 0, 0)


def test_a_size_that_is_no_number_is_passed_over() -> None:
    assert read_domains(document(more="<Size>many</Size>")).size is None


def test_twenty_five_thousand_periods() -> None:
    one = "2020-01-01T00:00:00Z/2020-01-01T00:50:00Z/PT10M"
    assert read_domains(document(",".join([one] * 25_000))).listed == 25_000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (document("2000-02-24/2000-04-25/P1Q"), "a period that cannot be read: 'P1Q'"),
        (document(name="elevation"), "no domain of time"),
        (b"<Domains/>", "no domain of time"),
        (b"<ExceptionReport>Invalid LAYER</ExceptionReport>", "it says 'Invalid LAYER'"),
        (b"<!DOCTYPE Domains><Domains/>", "document type"),
        (b"", "no well-formed XML"),
    ],
)
def test_what_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ServiceDocumentError, match=message):
        read_domains(data)


@given(st.data())
def test_mutated_answers_are_read_or_refused(data: st.DataObject) -> None:
    text = bytearray(document())
    for _ in range(data.draw(st.integers(1, 6))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    said = ""
    try:
        read_domains(bytes(text))
    except ServiceDocumentError as error:
        said = str(error)
    assert said.isprintable()
