"""The whole history of a layer, from the service's DescribeDomains.

Capabilities list only the latest 100 periods of a layer; a list of that length may be cut.  The
answer is cut too where it is long: then it names the next page.  Form of the document: OnEarth's
source, gibs-facts section 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gibswatch.catalogue.domains import Period, parse_domain
from gibswatch.catalogue.xml_guard import local_name, parse_xml, quoted
from gibswatch.errors import DateRangeError, ServiceDocumentError

__all__ = ["DomainsPage", "read_domains"]


@dataclass(frozen=True, slots=True)
class DomainsPage:
    """One answer of DescribeDomains."""

    periods: tuple[Period, ...]
    """By start; empty where the layer has no time in the range that was asked for."""
    listed: int
    """Number of periods in the document."""
    size: int | None = None
    """What the document says of the layer's number of periods, if it does."""
    next_page: str | None = None
    """What it says of the rest (an address, or where to go on); None on the last page."""


def read_domains(data: bytes, *, what: str = "DescribeDomains") -> DomainsPage:
    """Read an answer of DescribeDomains.

    Parameters
    ----------
    data : bytes
    what : str
        How an error calls it.

    Raises
    ------
    ServiceDocumentError
        If the bytes are refused (`parse_xml`), are another document (the message quotes a server's
        exception), have no time dimension, or a period that cannot be read.

    Examples
    --------
    >>> page = read_domains(
    ...     b"<Domains><DimensionDomain><Identifier>time</Identifier>"
    ...     b"<Domain>2000-02-24/2000-04-25/P1D,2000-04-28/2000-08-06/P1D</Domain>"
    ...     b"</DimensionDomain></Domains>"
    ... )
    >>> page.listed, str(page.periods[1])
    (2, '2000-04-28/2000-08-06/P1D')
    """
    root = parse_xml(data, what=what)
    if local_name(root) != "Domains":
        raise ServiceDocumentError(
            f"{what} is a {quoted(local_name(root))} and no Domains document: "
            f"it says {quoted(' '.join(root.itertext()))}"
        )
    for dimension in root:
        if local_name(dimension) == "DimensionDomain" and _text(dimension, "Identifier") in (
            "time",
            "Time",
        ):
            return _page(root, dimension, what)
    raise ServiceDocumentError(f"{what} has no domain of time: the layer may be without time")


def _page(root: Any, dimension: Any, what: str) -> DomainsPage:
    text = _text(dimension, "Domain")
    try:
        periods = parse_domain(text)
    except DateRangeError as error:
        raise ServiceDocumentError(f"{what} lists a period that cannot be read: {error}") from error
    size = _text(dimension, "Size")
    page = _child(dimension, "NextPage")
    if page is None:
        page = _child(root, "NextPage")
    return DomainsPage(
        periods,
        len(periods),
        int(size) if size.isascii() and size.isdigit() and len(size) < 10 else None,
        None if page is None else _where(page),
    )


def _where(page: Any) -> str:
    """Text of the element, or its link."""
    text = (page.text or "").strip()
    links = [value for name, value in page.attrib.items() if name.rpartition("}")[2] == "href"]
    return text or next(iter(links), "")


def _child(element: Any, name: str) -> Any:
    return next((child for child in element if local_name(child) == name), None)


def _text(element: Any, name: str) -> str:
    child = _child(element, name)
    return "" if child is None else (child.text or "").strip()
