"""GDAL as the engine of a download: tiles through rasterio's WMS driver, each with its state.

The driver is given a TMS service of one level, so that one block is one tile is one request, and
has no ``ZeroBlock`` tags (they make black pixels of errors) and no ``Cache`` (a week-old tile is
another day's state).  A block that cannot be read is `absent`, `failed` or `corrupt` by what GDAL
says of it, never zeros.

GDAL keeps some things to itself, and no setting changes that:

* HTTP 204 is a black block to it (even without ``ZeroBlockHttpCodes``), and the service's blank
  tile looks like any other of one value.  A block of one single value is therefore asked for once
  more over plain HTTP, and is what that answer is: `ok`, `server-empty`, `absent`, ...
* It shows neither the answer's headers (no Layer-Time-Actual, no ETag, no Retry-After) nor the
  bytes as served, nor how many they were.
* Scrambled bytes inside a JPEG are pixels to it, as to every decoder.
* A JPEG where PNG was asked for is taken, and redirects are followed.

Facts: GDAL's documentation of the WMS driver, and what GDAL 3.10.3 (rasterio 1.4.4) does against a
scripted server (`tests/download/test_gdal_engine.py`).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import ceil
from types import TracebackType
from typing import Any, Self
from xml.sax.saxutils import escape

import numpy as np

from gibswatch.catalogue.grids import TileMatrix
from gibswatch.catalogue.windows import GridPlan, TileIndex
from gibswatch.download.client import USER_AGENT, TileClient
from gibswatch.download.plan import TileRequest
from gibswatch.download.politeness import Pacer
from gibswatch.download.reachability import Reachability
from gibswatch.download.result import TileResult
from gibswatch.download.retry import Clock, Sleep, TimeBudget, fetch_repeatedly
from gibswatch.download.states import state_of_status
from gibswatch.errors import UsageError
from gibswatch.raster.scene import single_value
from gibswatch.settings import Settings
from gibswatch.types import ByteArray, ImageFormat, TileState

__all__ = ["BLOCK_CACHE_BYTES", "GdalEngine", "tms_service"]

BLOCK_CACHE_BYTES = 64 * 2**20
"""GDAL's block cache.  In bytes: rasterio takes ``GDAL_CACHEMAX=64`` for 64 bytes, and a cache that
holds no whole block makes the driver ask for a tile once a band."""

_USUAL_TILE_BYTES: Mapping[ImageFormat, int] = {"jpg": 64_000, "png": 150_000, "mvt": 0}
"""What a tile is charged with, since GDAL does not show how long it is: GIBS's policy sizes 50
Mbit/s as 350,000 JPEG or 150,000 PNG tiles an hour."""
_BANDS = {"jpg": 3, "png": 4}
_STATUS = re.compile(r"HTTP status code: (\d+), error: (.*?)\.?\s*(?:Add the HTTP status|$)", re.S)
_REFUSED = re.compile(r"Failed to connect|Could not (?:resolve|connect)|Connection timed out", re.I)
_NOT_A_PICTURE = ("ReadBlockFromFile", "server returned exception", "Unable to open")
_TILE_PATH = re.compile(r"/(\d+)/(\d+)/(\d+)\.(\w+)", re.ASCII)

_SERVICE = """\
<GDAL_WMS>
  <Service name="TMS"><ServerUrl>{url}</ServerUrl></Service>
  <DataWindow>
    <UpperLeftX>{west!r}</UpperLeftX><UpperLeftY>{north!r}</UpperLeftY>
    <LowerRightX>{east!r}</LowerRightX><LowerRightY>{south!r}</LowerRightY>
    <TileLevel>{level}</TileLevel><TileCountX>{cols}</TileCountX><TileCountY>{rows}</TileCountY>
    <YOrigin>top</YOrigin>
  </DataWindow>
  <Projection>EPSG:{epsg}</Projection>
  <BlockSizeX>{size}</BlockSizeX><BlockSizeY>{size}</BlockSizeY>
  <BandsCount>{bands}</BandsCount>
  <MaxConnections>1</MaxConnections>
  <Timeout>{timeout}</Timeout>
  <UserAgent>{agent}</UserAgent>
</GDAL_WMS>
"""


@dataclass(frozen=True, slots=True)
class _Block:
    """What GDAL made of one tile."""

    state: TileState
    message: str = ""
    status: int | None = None
    pixels: ByteArray | None = None


class GdalEngine:
    """Fetches tiles through GDAL, with the interface of `TileClient`; an async context manager.

    Parameters
    ----------
    settings : Settings
    plan : GridPlan
        Of the tiles: one level of one tile matrix set.
    pacer : Pacer, optional
        Lets requests begin; default: one of its own, made from the settings.
    clock, sleep : callable, optional
        Tell the time, and wait between attempts (tests pass fakes).
    chance : Random, optional
        For the jitter of the waits.

    Raises
    ------
    ServerUnreachableError
        By `fetch`, once ten connections were refused and none was ever made.
    RunStoppedError
        By `fetch`, if the server asks for a longer pause than is waited for.
    UsageError
        By `fetch`, if a request is no WMTS tile of the plan's level.
    """

    def __init__(
        self,
        settings: Settings,
        plan: GridPlan,
        *,
        pacer: Pacer | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._plan = plan
        self._pacer = pacer or Pacer(settings)
        self._clock = clock
        self._sleep = sleep
        self._chance = chance or random.Random()  # noqa: S311 - jitter is no secret
        # One pacer for both: what GDAL asks and what is confirmed share the limits.
        self._http = TileClient(
            settings, pacer=self._pacer, clock=clock, sleep=sleep, chance=self._chance
        )
        self._reachability = Reachability(settings.base_url)
        self._pool: ThreadPoolExecutor | None = None

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        self._pool = ThreadPoolExecutor(self._settings.connections, "gdal")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            # Without waiting: a read that hangs ends by its own timeout, Ctrl-C must not wait.
            self._pool.shutdown(wait=False, cancel_futures=True)
        await self._http.__aexit__(kind, error, trace)

    async def fetch(self, request: TileRequest) -> TileResult:
        """Fetch one tile, asking again after failures that may pass.

        Raises
        ------
        ServerUnreachableError
            If no connection to the server can be made at all.
        UsageError
            If the request is no WMTS tile of the plan's level.
        """
        if self._pool is None:
            raise RuntimeError("GdalEngine is used outside of its `async with` block")

        async def ask(attempt: int, budget: TimeBudget) -> TileResult:
            timeout_s = min(self._settings.tile_timeout_s, budget.left_s)
            service = tms_service(request, self._plan, timeout_s)
            loop = asyncio.get_running_loop()
            async with self._pacer:
                with budget.spending():
                    block = await loop.run_in_executor(self._pool, self._read, service, request)
                if block.pixels is not None:
                    self._pacer.charge(_USUAL_TILE_BYTES[request.image_format])
            self._note_contact(block)
            return _result(request, block, attempt)

        result = await fetch_repeatedly(
            ask, self._settings, clock=self._clock, sleep=self._sleep, chance=self._chance
        )
        if result.pixels is not None and single_value(result.pixels):
            return await self._confirm(result)
        return result

    async def _confirm(self, plain: TileResult) -> TileResult:
        """Ask once more, over plain HTTP, for a tile of which GDAL made one single value."""
        answer = await self._http.fetch(plain.request)
        return replace(answer, attempts=plain.attempts + answer.attempts)

    def _note_contact(self, block: _Block) -> None:
        if block.status is None and _REFUSED.search(block.message):
            self._reachability.refused(block.message)
        elif block.state != "failed" or block.status is not None:
            self._reachability.answered()

    def _read(self, service: str, request: TileRequest) -> _Block:
        import rasterio  # noqa: PLC0415
        from rasterio.errors import RasterioError  # noqa: PLC0415
        from rasterio.windows import Window  # noqa: PLC0415

        size, tile = request.tile_size, request.tile
        window = Window(tile.col * size, tile.row * size, size, size)
        try:
            with (
                rasterio.Env(**self._gdal_options()),
                rasterio.open(service, driver="WMS") as dataset,
            ):
                bands: ByteArray = dataset.read(window=window)
        except RasterioError as error:
            return _failure(error)
        return _Block("ok", pixels=np.ascontiguousarray(np.moveaxis(bands, 0, -1)))

    def _gdal_options(self) -> dict[str, Any]:
        """Options that hold whatever the environment of the process says."""
        options: dict[str, Any] = {
            "GDAL_CACHEMAX": BLOCK_CACHE_BYTES,
            "GDAL_HTTP_CONNECTTIMEOUT": str(ceil(self._settings.connect_timeout_s)),
            "GDAL_HTTP_MAX_RETRY": "0",  # attempts are counted here
            "GDAL_HTTP_UNSAFESSL": "NO",
            "GDAL_ERROR_ON_LIBJPEG_WARNING": "TRUE",
        }
        if self._settings.ca_bundle is not None:
            options["CURL_CA_BUNDLE"] = self._settings.ca_bundle
        return options


def tms_service(request: TileRequest, plan: GridPlan, timeout_s: float) -> str:
    """Return GDAL's service description of the one level that a request belongs to.

    Parameters
    ----------
    request : TileRequest
    plan : GridPlan
    timeout_s : float
        For one request; GDAL takes whole seconds, so it is rounded up.

    Raises
    ------
    UsageError
        If the request is no WMTS tile of the plan's level.
    """
    prefix, extension = _template(request.url, plan.source, request.tile)
    matrix_set, top = plan.matrix_set, plan.matrix_set.matrix(0)
    return _SERVICE.format(
        url=escape(prefix + "/${z}/${y}/${x}." + extension),
        west=matrix_set.extent.west,
        north=matrix_set.extent.north,
        east=matrix_set.extent.west + top.matrix_cols * top.tile_span,
        south=matrix_set.extent.north - top.matrix_rows * top.tile_span,
        level=plan.source.level,
        cols=top.matrix_cols,
        rows=top.matrix_rows,
        epsg=matrix_set.epsg,
        size=request.tile_size,
        bands=_BANDS[request.image_format],
        timeout=max(1, ceil(timeout_s)),
        agent=escape(USER_AGENT),
    )


def _template(url: str, matrix: TileMatrix, tile: TileIndex) -> tuple[str, str]:
    """Split a tile's address into what comes before level, row and column, and the extension."""
    match = _TILE_PATH.search(url, url.rfind("/default/"))
    where = (str(matrix.level), str(tile.row), str(tile.col))
    if match is None or match.end() != len(url) or match.groups()[:3] != where:
        raise UsageError(
            f"--engine gdal reads WMTS tiles of level {matrix.level}, not {url}: "
            "leave --engine out (http)"
        )
    return url[: match.start()], match[4]


def _result(request: TileRequest, block: _Block, attempt: int) -> TileResult:
    return TileResult(
        request,
        block.state,
        block.message,
        dt.datetime.now(dt.UTC),
        attempt,
        block.status,
        pixels=block.pixels,
    )


def _failure(error: BaseException) -> _Block:
    """Make a state of what GDAL says; the innermost of its messages is the plainest."""
    told = []
    cause: BaseException | None = error
    while cause is not None:
        told.append(str(cause))
        cause = cause.__cause__
    message = f"GDAL: {_one_line(told[-1])}"
    if match := _STATUS.search(told[-1]):
        status = int(match[1])
        if status == 0:
            return _Block("failed", f"GDAL: {_one_line(match[2])}")
        if status == 200:
            return _Block("corrupt", "GDAL: HTTP 200 with nothing in it", status)
        state, reason = state_of_status(status)
        return _Block(state, f"GDAL: {reason}", status)
    if any(words in text for text in told for words in _NOT_A_PICTURE):
        return _Block("corrupt", message, 200)
    return _Block("failed", message)


def _one_line(text: str) -> str:
    words = " ".join(text.split())[:200]
    return "".join(c if c.isprintable() else "." for c in words)
