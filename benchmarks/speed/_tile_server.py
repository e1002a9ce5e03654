"""A server of tiles from memory for benchmarks: HTTP/1.1, keep-alive, a fixed delay, nothing else.

Run: python benchmarks/speed/_tile_server.py FOLDER --delay 0.05

FOLDER holds one JPEG a tile, named ROW-COL.jpg; every day of every layer has these tiles.  The
embedded server of the package speaks the whole protocol and takes about 1 ms of CPU a tile; this
one takes a twentieth of that, so that what is measured is the client.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"
_END = b"\r\n\r\n"


def answers(folder: Path) -> dict[bytes, tuple[bytes, bytes]]:
    """Head (without the day) and body of every tile, by ``ROW/COL``."""
    known = {}
    for file in sorted(folder.glob("*.jpg")):
        row, col = file.stem.split("-")
        body = file.read_bytes()
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nCache-Control: public, max-age=1200\r\n"
            f'ETag: "{row}-{col}"\r\nLayer-Identifier-Actual: A_Layer_v6_STD\r\n'
            f"Access-Control-Allow-Origin: *\r\nContent-Length: {len(body)}\r\n"
        )
        known[f"{row}/{col}".encode()] = (head.encode(), body)
    return known


class TileProtocol(asyncio.Protocol):
    """One connection; requests on it are answered one after the other."""

    def __init__(self, tiles: Mapping[bytes, tuple[bytes, bytes]], delay_s: float) -> None:
        self._tiles, self._delay_s = tiles, delay_s
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request after the delay."""
        self._received += data
        while (end := self._received.find(_END)) >= 0:
            request, self._received = self._received[:end], self._received[end + 4 :]
            self._loop.call_later(self._delay_s, self._answer, request.split(b" ", 2)[1])

    def _answer(self, path: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        parts = path.partition(b".jp")[0].split(b"/")
        found = self._tiles.get(b"/".join(parts[-2:]))
        if found is None:
            self._transport.write(_NOT_FOUND)
            return
        head, body = found
        time = b"Layer-Time-Actual: " + parts[-5] + b"T00:00:00Z\r\n\r\n"
        self._transport.writelines((head, time, body))


async def serve(folder: Path, delay_s: float) -> None:
    """Serve until the process that started this one closes our standard input."""
    tiles = answers(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: TileProtocol(tiles, delay_s), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """Serve, and print the port."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--delay", type=float, default=0.05, help="seconds before each answer")
    options = parser.parse_args()
    asyncio.run(serve(options.folder, options.delay))


if __name__ == "__main__":
    main()
