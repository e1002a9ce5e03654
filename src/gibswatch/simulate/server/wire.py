"""The connection under a request, for answers that HTTP does not allow: cut short or reset."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["WIRE", "WIRE_STATUS", "Wire", "protocol_with_wire"]

WIRE = "gibswatch.wire"
"""Key of the `Wire` in the extensions of an ASGI scope."""
WIRE_STATUS = "gibswatch.wire_status"
"""Key in the scope of the status that was written to the wire, past ASGI; 0 for none."""


@dataclass(frozen=True, slots=True, eq=False)
class Wire:
    """A client's connection."""

    transport: asyncio.Transport
    stopping: asyncio.Event
    """Set once the server is told to stop."""

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.transport.write(data)

    def close(self) -> None:
        """End the connection once all that was written is sent."""
        self.transport.close()

    def reset(self) -> None:
        """End the connection with a TCP reset: the client sees an error, not an end."""
        if self.transport.is_closing():
            return  # the client was faster
        connection = self.transport.get_extra_info("socket")
        linger = struct.pack("ii", 1, 0)  # on, 0 s: close() drops what is unsent and sends RST
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()


def protocol_with_wire(stopping: asyncio.Event) -> type[asyncio.Protocol]:
    """Return uvicorn's HTTP/1.1 protocol, with a `Wire` in the scope of every request.

    Raises
    ------
    ImportError
        If uvicorn is not installed.
    """
    from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: PLC0415

    class Wired(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.app = _with_extension(self.app, Wire(transport, stopping))

    return Wired


def _with_extension(app: Callable[..., Any], wire: Wire) -> ASGIApp:
    async def extended(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[WIRE] = wire
        await app(scope, receive, send)

    return extended
