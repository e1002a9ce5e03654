"""What the server says when it has no tile to give: OWS exception reports, and a plain 404.

Texts, codes and their order follow OnEarth's ``mod_wmts_wrapper`` and its tests: all faults of one
request are named in one report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

from gibswatch.errors import GibswatchError, MissingExtraError

__all__ = [
    "NOT_FOUND_TEXT",
    "OwsCode",
    "OwsError",
    "OwsFault",
    "exception_report",
    "invalid_parameter",
    "missing_serve_extra",
]

NOT_FOUND_TEXT = "Not Found. The requested URL was not found on this server."
"""Body of a 404: a date outside every period, or an address that the server does not know."""

OwsCode = Literal[
    "InvalidParameterValue", "MissingParameterValue", "OperationNotSupported", "TileOutOfRange"
]

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<ExceptionReport xmlns="http://www.opengis.net/ows/1.1" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="http://schemas.opengis.net/ows/1.1.0/owsExceptionReport.xsd" '
    'version="1.1.0" xml:lang="en">\n'
)


@dataclass(frozen=True, slots=True)
class OwsFault:
    """One thing that is wrong with a request."""

    code: OwsCode
    locator: str
    """The parameter concerned, e.g. TILEROW."""
    text: str


class OwsError(GibswatchError):
    """A request that the server refuses with an exception report.

    Parameters
    ----------
    faults : sequence of OwsFault
        All that is wrong with the request.
    status : int
        HTTP status of the report.
    """

    def __init__(self, faults: Sequence[OwsFault], *, status: int = 400) -> None:
        super().__init__("; ".join(fault.text for fault in faults))
        self.faults = tuple(faults)
        self.status = status


def invalid_parameter(locator: str, text: str) -> OwsFault:
    """Return the fault of a parameter whose value means nothing."""
    return OwsFault("InvalidParameterValue", locator, text)


def exception_report(faults: Sequence[OwsFault]) -> bytes:
    """Return the body of an OWS 1.1 exception report, everything in it escaped.

    Examples
    --------
    >>> body = exception_report([OwsFault("InvalidParameterValue", "LAYER", "a < b")])
    >>> body.decode().splitlines()[3]
    '<ExceptionText>a &lt; b</ExceptionText></Exception>'
    """
    exceptions = "".join(
        f"<Exception exceptionCode={quoteattr(fault.code)} locator={quoteattr(fault.locator)}>\n"
        f"<ExceptionText>{escape(fault.text)}</ExceptionText></Exception>\n"
        for fault in faults
    )
    return f"{_HEAD}{exceptions}</ExceptionReport>\n".encode()


def missing_serve_extra(package: str) -> MissingExtraError:
    """Return the error to raise where a package of the ``serve`` extra is not installed."""
    return MissingExtraError(
        f"the local GIBS server needs {package}, which is not installed: "
        'pip install "gibswatch[serve]"'
    )
