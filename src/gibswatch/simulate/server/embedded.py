"""Running the server: inside a process for as long as a block lasts, or until Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gibswatch.errors import GibswatchError, UsageError
from gibswatch.simulate.server.app import RequestLog, create_app
from gibswatch.simulate.server.exceptions import missing_serve_extra
from gibswatch.simulate.server.faults import FaultPlan
from gibswatch.simulate.server.sources import ServedLayer, TileSource
from gibswatch.simulate.server.wire import protocol_with_wire

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from uvicorn import Server

__all__ = ["EmbeddedServer", "embedded_server", "serve_forever"]

_START_DEADLINE_S = 30.0
_GRACE_S = 5
_REFUSALS = {
    errno.EADDRINUSE: "is in use: use another port, or --port 0 for any free one",
    errno.EACCES: "may not be opened by you: use a port of 1024 or more, or --port 0",
    errno.EADDRNOTAVAIL: "is not an address of this machine: use --host 127.0.0.1",
}


class EmbeddedServer:
    """A server in a thread of this process, for demonstrations and tests.

    Parameters
    ----------
    app : Starlette
        From `create_app`.
    host : str
    port : int
        0 takes any free port.

    Examples
    --------
    ::

        with EmbeddedServer(create_app(layers)) as server:
            download(..., base_url=server.base_url)
        assert all(record.status == 200 for record in server.requests)
    """

    def __init__(self, app: Starlette, host: str = "127.0.0.1", port: int = 0) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._base_url: str | None = None
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    @property
    def base_url(self) -> str:
        """Scheme, host and port, e.g. ``http://127.0.0.1:40123``; kept after the server stopped.

        Raises
        ------
        UsageError
            If the server was never started.
        """
        if self._base_url is None:
            raise UsageError("the server has no address yet: use it in a with statement")
        return self._base_url

    @property
    def requests(self) -> RequestLog:
        """All requests so far."""
        log: RequestLog = self._app.state.requests
        return log

    def __enter__(self) -> Self:
        """Start the server and wait until it answers.

        Raises
        ------
        UsageError
            If the port cannot be had.
        MissingExtraError
            If uvicorn is not installed.
        GibswatchError
            If the server ends before it answers, or does not within 30 s.
        """
        started = threading.Event()
        listener = _listen(self._host, self._port)
        try:
            self._server = _make_server(self._app, started.set)
        except BaseException:
            listener.close()
            raise
        self._base_url = _address(listener)
        self._thread = threading.Thread(
            target=self._run, args=(self._server, listener, started), daemon=True
        )
        self._thread.start()
        if not started.wait(_START_DEADLINE_S) or self._failure is not None:
            failure = self._failure
            self._stop()
            raise GibswatchError(f"the embedded server did not start: {failure}") from failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server; answers under way get 5 s to end."""
        self._stop()

    def _run(self, server: Server, listener: socket.socket, started: threading.Event) -> None:
        try:
            server.run(sockets=[listener])
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            self._failure = error
        finally:
            listener.close()
            started.set()

    def _stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_GRACE_S + 5)
        self._server = self._thread = None


def embedded_server(
    layers: Mapping[str, tuple[ServedLayer, TileSource]], faults: FaultPlan | None = None
) -> EmbeddedServer:
    """Return a server of `layers` on a free port of the loopback, for a with statement in a test.

    Parameters
    ----------
    layers : Mapping[str, tuple[ServedLayer, TileSource]]
        By identifier.
    faults : FaultPlan, optional
        Which answers are broken on purpose, and how.

    Raises
    ------
    MissingExtraError
        If starlette is not installed.
    """
    return EmbeddedServer(create_app(layers, faults=faults))


def serve_forever(
    app: Starlette,
    host: str,
    port: int,
    *,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve in the main thread until Ctrl-C.

    Parameters
    ----------
    app : Starlette
        From `create_app`.
    host : str
    port : int
        0 takes any free port.
    on_ready : Callable[[str], None], optional
        Called with the base URL once the server answers.

    Raises
    ------
    UsageError
        If the port cannot be had.
    MissingExtraError
        If uvicorn is not installed.
    """
    with _listen(host, port) as listener:
        address = _address(listener)

        def ready() -> None:
            if on_ready is not None:
                on_ready(address)

        try:
            _make_server(app, ready).run(sockets=[listener])
        except KeyboardInterrupt:
            return


def _make_server(app: Starlette, on_start: Callable[[], None]) -> Server:
    """Return a uvicorn server that calls `on_start` once it accepts connections."""
    try:
        import uvicorn  # noqa: PLC0415
    except ImportError as error:
        raise missing_serve_extra("uvicorn") from error

    stopping = asyncio.Event()

    class Notifying(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            on_start()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            stopping.set()  # what hangs on purpose ends now
            await super().shutdown(sockets=sockets)

    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        http=protocol_with_wire(stopping),
        timeout_graceful_shutdown=_GRACE_S,
    )
    return Notifying(config)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if not 0 <= port <= 65535:
        raise UsageError(f"port {port} cannot be: use 0 to 65535")
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except socket.gaierror as error:
        raise UsageError(f"host {host!r} is not known: use --host 127.0.0.1") from error
    except OSError as error:
        refusal = _REFUSALS.get(error.errno or 0)
        if refusal is None:
            raise
        raise UsageError(f"port {port} of {host} {refusal}") from error


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
