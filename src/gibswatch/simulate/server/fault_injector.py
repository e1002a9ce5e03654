"""ASGI middleware that breaks answers as a `FaultPlan` says."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from gibswatch.errors import UsageError
from gibswatch.simulate.server.exceptions import exception_report, invalid_parameter
from gibswatch.simulate.server.fault_bodies import blank_like, gzipped, other_type, scramble
from gibswatch.simulate.server.fault_requests import read_asked, with_time
from gibswatch.simulate.server.faults import Asked, Effect, FaultPlan, FaultRule
from gibswatch.simulate.server.service import TileService
from gibswatch.simulate.server.wire import WIRE, WIRE_STATUS, Wire

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["FaultInjector"]

_HTML = b"<!DOCTYPE html>\n<html><body><h1>Service temporarily unavailable</h1></body></html>\n"
_REPORT = exception_report([invalid_parameter("TIME", "The service is out of order, by plan")])
_HEAD_ONLY, _WHOLE = 1e-9, 1.0
_DROPS_PER_S = 20.0
"""Of a drip, at most: what is faster comes in larger drops."""
_BODILESS = frozenset({204, 304})
"""HTTP allows no body under these statuses."""


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer of the server, whole, before it is sent."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def replaced(self, body: bytes, **headers: str | None) -> _Reply:
        """Return one with another body, and headers replaced or (None) left out."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        kept = {name: text for name, text in {**self.headers, **named}.items() if text is not None}
        if body or self.body or "content-length" not in kept:  # HEAD tells a length, without a body
            kept["content-length"] = str(len(body))
        return replace(self, body=body, headers=kept)


@dataclass(frozen=True, slots=True)
class _Call:
    """One request that gets a fault."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    asked: Asked
    rule: FaultRule
    chance: float

    async def reply(self, scope: Scope | None = None) -> _Reply:
        """Let the server answer, and keep the answer back."""
        start: Message = {"status": 500, "headers": []}
        parts = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self.app(scope or self.scope, self.receive, keep)
        headers = {
            name.decode("latin-1"): text.decode("latin-1") for name, text in start["headers"]
        }
        body = b"" if self.scope["method"] == "HEAD" else b"".join(parts)
        return _Reply(start["status"], headers, body)

    async def answer(self, reply: _Reply) -> None:
        """Send an answer as HTTP wants it."""
        headers = [
            (name.encode("latin-1"), text.encode("latin-1"))
            for name, text in self.headers(reply).items()
        ]
        await self.send({"type": "http.response.start", "status": reply.status, "headers": headers})
        body = b"" if self.scope["method"] == "HEAD" else reply.body
        await self.send({"type": "http.response.body", "body": body})

    def headers(self, reply: _Reply) -> dict[str, str]:
        """Headers of the answer with those of the rule."""
        return {**reply.headers, **{name.lower(): text for name, text in self.rule.headers}}

    @property
    def wire(self) -> Wire:
        """The connection itself.

        Raises
        ------
        UsageError
            If the application runs on another server than ours.
        """
        wire: Wire | None = self.scope.get("extensions", {}).get(WIRE)
        if wire is None:
            raise UsageError(
                f"the fault {self.rule.effect!r} needs the connection itself: run the application "
                "with EmbeddedServer or serve_forever"
            )
        return wire

    def write(self, reply: _Reply, share: float, *, chunked: bool = False) -> None:
        """Write the head and a share of the body past HTTP's rules; nothing for a share of 0."""
        self.scope[WIRE_STATUS] = reply.status if share else 0
        body = reply.body[: int(len(reply.body) * share)]
        if not share:
            return
        headers = {**self.headers(reply), "connection": "close"}
        if chunked:
            headers.pop("content-length", None)
            headers["transfer-encoding"] = "chunked"
            body = f"{len(body):x}\r\n".encode() + body + b"\r\n"
        lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
        lines += [f"{name}: {text}" for name, text in headers.items()]
        self.wire.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    async def gone(self) -> None:
        """Wait until the client is gone; when the server stops first, the connection is cut."""
        leaving = asyncio.create_task(self._disconnected())
        stopping = asyncio.create_task(self.wire.stopping.wait())
        try:
            await asyncio.wait({leaving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not leaving.done():
                self.wire.transport.abort()
                await leaving
        finally:
            leaving.cancel()
            stopping.cancel()

    async def _disconnected(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass


class FaultInjector:
    """ASGI middleware: answers that the plan selects go out broken, all others as they are.

    Parameters
    ----------
    app : ASGIApp
    plan : FaultPlan
    service : TileService
        Of the application, for grids and days.

    Raises
    ------
    UsageError
        For a request whose fault needs the connection (hang, drip, reset, truncate by length or
        chunks, wrong_length), if the application runs neither in `EmbeddedServer` nor in
        `serve_forever`.
    """

    def __init__(self, app: ASGIApp, plan: FaultPlan, service: TileService) -> None:
        self._app = app
        self._plan = plan
        self._service = service
        self._made: Counter[Asked] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        asked = read_asked(scope, self._service) if scope["type"] == "http" else None
        rule = None
        if asked is not None:
            rule = self._plan.rule(asked, earlier=self._made[asked])
            self._made[asked] += 1
        if asked is None or rule is None:
            await self._app(scope, receive, send)
            return
        chance = self._plan.chance(asked)
        call = _Call(self._app, scope, receive, send, asked, rule, chance)
        if rule.delay_s:
            await _sleep(call)
        if rule.effect in _DAYS:
            await self._other_day(call)
        else:
            await _EFFECTS[rule.effect](call)

    async def _other_day(self, call: _Call) -> None:
        good = await call.reply()
        time = self._wrong_time(call)
        other = good if time is None else await call.reply(with_time(call.scope, time))
        if other.status != 200:
            other = good
        told = {"layer_time_request": good.headers.get("layer-time-request")}
        if call.rule.form == "asked":
            told["layer_time_actual"] = good.headers.get("layer-time-actual")
        await call.answer(other.replaced(other.body, **told))

    def _wrong_time(self, call: _Call) -> str | None:
        """Time to serve instead: ``default``, or another of the layer's days if it has one."""
        asked, rule = call.asked, call.rule
        if rule.effect == "default_day":
            return "default"
        if asked.date is None or asked.layer not in self._service.layers:
            return None
        days = sorted({day.isoformat()[:10] for day in self._service.layers[asked.layer][1].days()})
        today = asked.date.isoformat()
        earlier = [day for day in days if day < today]
        later = [day for day in days if day > today]
        if rule.days_off < 0:
            earlier, later = later[::-1], earlier[::-1]
        far = abs(rule.days_off)
        return next(iter([*later[far - 1 : far], *later[-1:], *earlier[-1:]]), None)


async def _sleep(call: _Call) -> None:
    wire: Wire | None = call.scope.get("extensions", {}).get(WIRE)
    stopping = asyncio.Event() if wire is None else wire.stopping
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), call.rule.delay_s)


async def _delay(call: _Call) -> None:
    await call.answer(await call.reply())


async def _status(call: _Call) -> None:
    if call.rule.status in _BODILESS:
        await call.answer(_Reply(call.rule.status, {}, b""))
        return
    phrase = f"{call.rule.status} by plan\n".encode()
    headers = {"content-type": "text/plain", "content-length": str(len(phrase))}
    await call.answer(_Reply(call.rule.status, headers, phrase))


async def _hang(call: _Call) -> None:
    call.write(await call.reply(), call.rule.keep or 0.0)
    await call.gone()


async def _drip(call: _Call) -> None:
    good = await call.reply()
    if not good.body:
        await call.answer(good)
        return
    call.write(good, _HEAD_ONLY)
    dripping = asyncio.create_task(_drops(call.wire, good.body, call.rule.bytes_per_s))
    try:
        await call.gone()
    finally:
        dripping.cancel()


async def _drops(wire: Wire, body: bytes, bytes_per_s: float) -> None:
    size = max(1, round(bytes_per_s / _DROPS_PER_S))
    for start in range(0, len(body), size):
        wire.write(body[start : start + size])
        await asyncio.sleep(size / bytes_per_s)
    wire.close()


async def _reset(call: _Call) -> None:
    call.write(await call.reply(), call.rule.keep or 0.0)
    call.wire.reset()
    await call.gone()


async def _truncate(call: _Call) -> None:
    good = await call.reply()
    share = 0.5 if call.rule.keep is None else call.rule.keep
    if not good.body:
        await call.answer(good)
    elif call.rule.form == "file":
        await call.answer(good.replaced(good.body[: int(len(good.body) * share)], etag=None))
    else:
        call.write(good, max(share, _HEAD_ONLY), chunked=call.rule.form == "chunked")
        call.wire.close()
        await call.gone()


async def _wrong_length(call: _Call) -> None:
    good = await call.reply()
    if not good.body:
        await call.answer(good)
        return
    length = max(0, len(good.body) + call.rule.length_by)
    headers = {**good.headers, "content-length": str(length)}
    call.write(replace(good, headers=headers), _WHOLE)
    call.wire.close()
    await call.gone()


async def _scramble(call: _Call) -> None:
    good = await call.reply()
    if good.status == 200 and good.body:
        seed, decodes = int(call.chance * 2**32), call.rule.form == "decodes"
        body = await asyncio.to_thread(scramble, good.body, seed, decodes=decodes)
        good = good.replaced(body)
    await call.answer(good)


async def _wrong_type(call: _Call) -> None:
    good = await call.reply()
    if _is_picture(good):
        body, media_type = await asyncio.to_thread(other_type, good.body)
        good = good.replaced(body, content_type=media_type)
    await call.answer(good)


async def _blank(call: _Call) -> None:
    good = await call.reply()
    if _is_picture(good):
        no_layer = {
            name.replace("-", "_"): None for name in good.headers if name.startswith("layer-")
        }
        good = good.replaced(blank_like(good.body), etag=None, **no_layer)
    await call.answer(good)


async def _xml_200(call: _Call) -> None:
    await call.answer(_Reply(200, {}, b"").replaced(_REPORT, content_type="text/xml"))


async def _html_200(call: _Call) -> None:
    await call.answer(_Reply(200, {}, b"").replaced(_HTML, content_type="text/html"))


async def _empty_200(call: _Call) -> None:
    good = await call.reply()
    await call.answer(good.replaced(b"") if good.status == 200 else good)


async def _gzip(call: _Call) -> None:
    good, how = await call.reply(), call.rule.form or "whole"
    if good.status == 200 and good.body:
        body = await asyncio.to_thread(gzipped, good.body, how)
        good = good.replaced(body, content_encoding=None if how == "unsaid" else "gzip")
    await call.answer(good)


def _is_picture(reply: _Reply) -> bool:
    media_type = reply.headers.get("content-type", "")
    return reply.status == 200 and bool(reply.body) and media_type.startswith("image/")


_DAYS: frozenset[Effect] = frozenset({"wrong_day", "default_day"})
_EFFECTS: Mapping[Effect, Callable[[_Call], Awaitable[None]]] = {
    "status": _status,
    "delay": _delay,
    "hang": _hang,
    "drip": _drip,
    "truncate": _truncate,
    "scramble": _scramble,
    "blank": _blank,
    "reset": _reset,
    "wrong_length": _wrong_length,
    "xml_200": _xml_200,
    "html_200": _html_200,
    "wrong_type": _wrong_type,
    "empty_200": _empty_200,
    "gzip": _gzip,
}
