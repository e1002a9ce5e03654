"""Where a file of weights comes from: a path, or an address that the user names."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import aiohttp

from gibswatch.catalogue.xml_guard import quoted
from gibswatch.download.connection import open_session, reason_of
from gibswatch.download.documents import REDIRECTS, same_host
from gibswatch.errors import NothingFetchedError, ServerUnreachableError, UsageError
from gibswatch.files import atomic_path, safe_name, within
from gibswatch.settings import Settings

__all__ = ["MAX_WEIGHTS_BYTES", "OFFICIAL_URL", "Progress", "local_weights"]

OFFICIAL_URL = "https://download.pytorch.org/models/densenet121-a639ec97.pth"
"""DenseNet-121 trained on ImageNet, as PyTorch publishes it; shown in help, never asked unasked."""
MAX_WEIGHTS_BYTES = 200 * 10**6
"""Largest file of weights that is fetched or read; those of DenseNet-121 have 32 MB."""

Progress = Callable[[int, int | None], None]
"""Told the bytes that came, and how many there are, if the server says."""

_MAX_REDIRECTS = 5
_CHUNK = 256 * 2**10
_TOTAL_S = 3600.0
"""Seconds for one file, at most: a line of 0.5 Mbit/s takes 10 minutes for ours."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_TAG = re.compile(r".*-([0-9a-f]{8,64})\.[a-z]+")
"""Name of a file that says what its SHA-256 begins with, as PyTorch publishes them."""
_WAYS = f"give a file, or its https address (the official one: {OFFICIAL_URL})"


def local_weights(
    source: str, folder: Path, settings: Settings, *, on_progress: Progress | None = None
) -> Path:
    """Return the path of a file of weights, fetched first if `source` is an address.

    Parameters
    ----------
    source : str
        Path of a file, or an https address (http on this machine alone).
    folder : Path
        Where a fetched file is put, under the last part of its address.  One that is there already
        is replaced, unless its SHA-256 begins as its name says (``NAME-a639ec97.pth``): that one is
        not fetched again.
    settings : Settings
        Certificate authorities, connect timeout, and ``tile_timeout_s`` as the longest silence.
    on_progress : callable, optional
        Told, after each piece, the bytes so far and the bytes announced (or None).

    Returns
    -------
    Path
        A whole file; what it holds is not checked here.

    Raises
    ------
    UsageError
        If there is no such file, or the address is not of a kind that is fetched.
    NothingFetchedError
        If the server refuses, or the file does not come whole, or is larger than 200 MB.
    ServerUnreachableError
        If no connection can be made.
    OutputError
        If the folder cannot take the file.
    """
    scheme = _SCHEME.match(source)
    if scheme is None:
        return _existing(source)
    if scheme[1].lower() not in ("http", "https"):
        raise UsageError(f"weights {quoted(source)} are at no web address: {_WAYS}")
    address = _checked_address(source)
    name = safe_name(unquote(address.path.rpartition("/")[2]), what="the address's last part")
    target = within(folder, name)
    if not _is_kept(target):
        asyncio.run(_fetch(address.geturl(), target, settings, on_progress))
    return target


def _existing(source: str) -> Path:
    path = Path(source)
    try:
        found = path.is_file()
    except (OSError, ValueError):  # too long, or no path at all
        found = False
    if not found:
        raise UsageError(f"weights {quoted(source)} are no file: {_WAYS}")
    return path


def _checked_address(text: str) -> SplitResult:
    """Split an address that may be asked."""
    try:
        address = urlsplit(text)
        whole = bool(address.hostname) and address.port != 0 and text.isprintable()
    except ValueError:
        whole = False
    if not whole or set(text) & set(" \\"):
        raise UsageError(f"weights {quoted(text)} are at no address that can be asked: {_WAYS}")
    if "@" in address.netloc:  # every message would show the password
        raise UsageError(
            f"the address of weights at {quoted(address.hostname or '')} holds a name or password: "
            "fetch the file yourself, and give its path"
        )
    if address.scheme != "https" and not _is_loopback(address.hostname or ""):
        raise UsageError(
            f"weights {_shown(text)} would come over http, where anybody on the way can change "
            "them: give an https address"
        )
    return address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_kept(target: Path) -> bool:
    """Whether the file is there already and its SHA-256 begins as its name says."""
    tag = _TAG.fullmatch(target.name)
    if tag is None or not target.is_file() or target.stat().st_size > MAX_WEIGHTS_BYTES:
        return False
    with target.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(tag[1])


async def _fetch(url: str, target: Path, settings: Settings, on_progress: Progress | None) -> None:
    where = url
    for _ in range(_MAX_REDIRECTS + 1):
        place = await _ask(where, target, settings, on_progress)
        if place is None:
            return
        where = _next_address(where, place)
    raise NothingFetchedError(
        f"{_shown(url)} redirects more than {_MAX_REDIRECTS} times: not followed; {_WAYS}"
    )


def _next_address(where: str, place: str) -> str:
    """Address that a redirect leads to: on the same server, or at another one by https."""
    try:
        target = urljoin(where, place)
        if same_host(where, target) or urlsplit(target).scheme == "https":
            return _checked_address(target).geturl()
    except ValueError:  # a UsageError is one too
        pass
    raise NothingFetchedError(
        f"{_shown(where)} redirects to {_shown(place)}, which is neither on the same server nor "
        f"an https address: not followed; {_WAYS}"
    )


async def _ask(
    url: str, target: Path, settings: Settings, on_progress: Progress | None
) -> str | None:
    """Fetch the file, or return the place that the server redirects to."""
    address = urlsplit(url)
    # the session looks for a proxy to the server that it is told of
    settings = replace(settings, base_url=f"{address.scheme}://{address.netloc}")
    patience = aiohttp.ClientTimeout(
        total=_TOTAL_S,
        sock_connect=settings.connect_timeout_s,
        sock_read=settings.tile_timeout_s,
    )
    with _told(url):
        async with (
            open_session(settings, accept_encoding="identity") as session,
            session.get(url, allow_redirects=False, timeout=patience) as response,
        ):
            if response.status in REDIRECTS:
                return response.headers.get("Location", "")
            _check_answer(response, url)
            await _store(response, target, url, on_progress)
    return None


def _check_answer(response: aiohttp.ClientResponse, url: str) -> None:
    if response.status != 200:
        raise NothingFetchedError(
            f"{_shown(url)} is answered with HTTP {response.status} "
            f"({quoted(response.reason or 'no reason')}): check the address; {_WAYS}"
        )
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("", "identity"):
        raise NothingFetchedError(
            f"{_shown(url)} is packed as {quoted(encoding)}, which was not asked for: "
            "fetch the file yourself, and give its path"
        )
    if (response.content_length or 0) > MAX_WEIGHTS_BYTES:
        raise _too_large(url)


async def _store(
    response: aiohttp.ClientResponse, target: Path, url: str, on_progress: Progress | None
) -> None:
    """Write the body beside its place, and move it there when it is whole."""
    count = 0
    # inside, too: the folder's guard would call a lost connection a fault of the disk
    with atomic_path(target) as temporary, _told(url), temporary.open("wb") as file:
        async for chunk in response.content.iter_chunked(_CHUNK):
            count += len(chunk)
            if count > MAX_WEIGHTS_BYTES:
                raise _too_large(url)
            file.write(chunk)
            if on_progress is not None:
                on_progress(count, response.content_length)
        if count == 0:
            raise NothingFetchedError(f"{_shown(url)} is empty: check the address; {_WAYS}")


@contextlib.contextmanager
def _told(url: str) -> Iterator[None]:
    """Turn what the network does into errors that say so."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise ServerUnreachableError(
            f"no connection for {_shown(url)} ({quoted(reason_of(error))}): check the network, the "
            "proxy settings or --ca-bundle; or fetch the file elsewhere, and give its path"
        ) from error
    except TimeoutError as error:
        raise NothingFetchedError(
            f"{_shown(url)} fell silent before its end: run the command again"
        ) from error
    except aiohttp.ClientError as error:
        raise NothingFetchedError(
            f"{_shown(url)} did not come whole ({type(error).__name__}: {quoted(str(error))}): "
            "run the command again"
        ) from error


def _too_large(url: str) -> NothingFetchedError:
    return NothingFetchedError(
        f"{_shown(url)} is larger than the {MAX_WEIGHTS_BYTES} bytes that are read: check the "
        f"address; {_WAYS}"
    )


def _shown(url: str) -> str:
    """Address without its query, where keys to files stand."""
    return quoted(url.partition("?")[0])
