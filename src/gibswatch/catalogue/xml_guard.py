"""XML that comes from outside: read only where it is small, plain and whole.

A capabilities document of the service has no document type, so one that has is refused before
anything it declares is looked at.  With it go external entities, remote DTDs and entities that
grow ("billion laughs").  Nothing here opens a file or a connection.
"""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from gibswatch.errors import ServiceDocumentError

__all__ = ["MAX_DOCUMENT_BYTES", "local_name", "parse_xml", "quoted"]

MAX_DOCUMENT_BYTES = 32 * 2**20
"""Largest document that is read, as sent and unpacked."""

_MAX_DEPTH = 64
_MAX_NODES = 500_000
_MAX_TAG_BYTES = 2**20
_CHUNK = 2**16
_QUOTED = 160


class _Guard:
    """Watches a document go by and raises at the first thing that ours never have."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._depth = 0
        self._nodes = 0

    def doctype(self, name: str, _system: str | None, _public: str | None, _inner: int) -> None:
        """Refuse any document type."""
        raise ServiceDocumentError(
            f"{self._what} declares a document type ({quoted(name)}), as no document of GIBS does: "
            "refused; check --base-url"
        )

    def start(self, _name: str, attributes: list[str]) -> None:
        """Count an element and its attributes."""
        self._depth += 1
        self._nodes += 1 + len(attributes) // 2
        if self._depth > _MAX_DEPTH:
            raise ServiceDocumentError(
                f"{self._what} is nested more than {_MAX_DEPTH} deep: refused; check --base-url"
            )
        if self._nodes > _MAX_NODES:
            raise ServiceDocumentError(
                f"{self._what} has more than {_MAX_NODES} elements and attributes: refused; "
                "check --base-url"
            )

    def end(self, _name: str) -> None:
        """Leave an element."""
        self._depth -= 1


def parse_xml(data: bytes, *, what: str) -> Any:
    """Parse a document that was fetched from a server.

    Parameters
    ----------
    data : bytes
        The whole document, unpacked.
    what : str
        How an error calls it, e.g. its address.

    Returns
    -------
    lxml.etree._Element
        The root, without comments and processing instructions.

    Raises
    ------
    ServiceDocumentError
        If it is larger than `MAX_DOCUMENT_BYTES`, has a document type, more than 64 levels or
        500,000 elements and attributes, a tag of more than 1 MiB, or is not well-formed.
    """
    from lxml import etree  # noqa: PLC0415

    if len(data) > MAX_DOCUMENT_BYTES:
        raise ServiceDocumentError(
            f"{what} has {len(data)} bytes, more than the {MAX_DOCUMENT_BYTES} that are read: "
            "check --base-url"
        )
    _watch(data, what)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _malformed(what, error) from error
    if root.getroottree().docinfo.doctype:
        raise ServiceDocumentError(f"{what} declares a document type: refused; check --base-url")
    return root


def local_name(element: Any) -> str:
    """Name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def quoted(text: str) -> str:
    r"""Text from outside as an error may show it: short, on one line, nothing unprintable.

    Examples
    --------
    >>> quoted("No\x1b[2J such  layer\n")
    "'No\\x1b[2J such layer'"
    """
    words = " ".join(text[: 4 * _QUOTED].split())
    return repr(words if len(words) <= _QUOTED else words[: _QUOTED - 3] + "...")


def _watch(data: bytes, what: str) -> None:
    guard = _Guard(what)
    parser = expat.ParserCreate()
    parser.ordered_attributes = True
    parser.StartDoctypeDeclHandler = guard.doctype
    parser.StartElementHandler = guard.start
    parser.EndElementHandler = guard.end
    try:
        for start in range(0, len(data), _CHUNK):
            parser.Parse(data[start : start + _CHUNK])
            if start + _CHUNK - parser.CurrentByteIndex > _MAX_TAG_BYTES:
                raise ServiceDocumentError(
                    f"{what} has a tag or comment of more than {_MAX_TAG_BYTES} bytes: refused; "
                    "check --base-url"
                )
        parser.Parse(b"", True)  # noqa: FBT003
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise _malformed(what, error) from error


def _malformed(what: str, error: Exception) -> ServiceDocumentError:
    return ServiceDocumentError(
        f"{what} is no well-formed XML ({quoted(str(error))}): try again, or check --base-url"
    )
