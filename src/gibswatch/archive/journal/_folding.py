"""All tiles of a finished day in few bytes, and back.

A fold is compressed JSON of columns: a column whose values are all equal is written once, addresses
lose what they have in common, every header is a column.  50 tiles take about 3 kB, most of it
hashes, which nothing can shorten.

What is unfolded came from a disk: a fold is small when it is opened, of the length it says, and
holds only what a tile can be, or it is refused.
"""

from __future__ import annotations

import datetime as dt
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import Any

from gibswatch.archive.journal.records import TileRecord
from gibswatch.catalogue.windows import TileIndex
from gibswatch.types import TILE_STATES

__all__ = ["FoldError", "fold", "folds", "unfold"]

_MAX_TILES = 2048
"""In one fold; a longer day has several."""
_MAX_TEXT_BYTES = 2 * 2**20
"""Of one fold when it is opened: what a damaged one can cost."""
_MAX_COMMON_CHARACTERS = 8192
"""Of what the addresses of a fold have in common: it is written once and read for each tile."""
_MAX_HEADERS = 64
"""Different ones in one fold."""
_COMPRESSION = 6

_FIELDS = ("state", "status", "length", "sha256", "retrieved_at", "message")
_KEYS = {"n", "row", "col", "url", "headers", *_FIELDS}


class FoldError(ValueError):
    """Bytes that are no fold, or records that cannot be folded."""


def _is_index(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_number_or_none(value: object) -> bool:
    return value is None or _is_index(value)


def _is_state(value: object) -> bool:
    return isinstance(value, str) and value in TILE_STATES


_CHECKS: dict[str, Callable[[object], bool]] = {
    "row": _is_index,
    "col": _is_index,
    "state": _is_state,
    "status": _is_number_or_none,
    "length": _is_number_or_none,
    "sha256": _is_text_or_none,
    "retrieved_at": _is_text,
    "message": _is_text,
    "url": _is_text,
    "headers": _is_text_or_none,
}


def folds(records: Iterable[TileRecord]) -> Iterator[bytes]:
    """Fold any number of tiles of one day, sorted by row and column, part by part."""
    waiting = iter(records)
    while part := list(islice(waiting, _MAX_TILES)):
        yield from _halved(part)


def _halved(part: Sequence[TileRecord]) -> Iterator[bytes]:
    try:
        yield fold(part)
    except _TooLongError:
        if len(part) == 1:
            raise
        yield from _halved(part[: len(part) // 2])
        yield from _halved(part[len(part) // 2 :])


class _TooLongError(FoldError):
    """More text than one fold may hold."""


def fold(records: Sequence[TileRecord]) -> bytes:
    """Fold some tiles of one day, sorted by row and column; their date is not written.

    Raises
    ------
    FoldError
        If they are too many, too long, not sorted, or not what a tile can be.
    """
    headers = sorted({name for record in records for name in record.headers})
    if len(headers) > _MAX_HEADERS:
        raise _TooLongError(f"{len(records)} tiles have {len(headers)} different headers")
    columns: dict[str, list[Any]] = {name: [getattr(r, name) for r in records] for name in _FIELDS}
    columns["row"] = [r.tile.row for r in records]
    columns["col"] = [r.tile.col for r in records]
    _check_order(columns["row"], columns["col"])
    document: dict[str, Any] = {
        name: _shorten(name, column, len(records)) for name, column in columns.items()
    }
    document["n"] = len(records)
    document["url"] = _fold_addresses([r.url for r in records])
    document["headers"] = {
        name: _shorten("headers", [r.headers.get(name) for r in records], len(records))
        for name in headers
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    if len(text) > _MAX_TEXT_BYTES:
        raise _TooLongError(f"{len(records)} tiles take {len(text)} bytes in the journal")
    return zlib.compress(text, _COMPRESSION)


def unfold(day: dt.date, data: object) -> list[TileRecord]:
    """Give back what `fold` was given.

    Raises
    ------
    FoldError
        If `data` is no fold.
    """
    document = _open(data)
    if not isinstance(document, dict) or set(document) != _KEYS:
        raise FoldError("a folded day has other columns than it should")
    n = document["n"]
    if not _is_index(n) or n > _MAX_TILES:
        raise FoldError(f"a folded day of {n!r} tiles")
    rows, cols = _lengthen("row", document["row"], n), _lengthen("col", document["col"], n)
    _check_order(rows, cols)
    urls = _unfold_addresses(document["url"], n)
    headers = _unfold_headers(document["headers"], n)
    fields = [_lengthen(name, document[name], n) for name in _FIELDS]
    return [
        TileRecord(day, TileIndex(row, col), state, url, status, header, *rest)
        for row, col, url, header, state, status, *rest in zip(
            rows, cols, urls, headers, *fields, strict=True
        )
    ]


def _open(data: object) -> object:
    if not isinstance(data, bytes):
        raise FoldError("a folded day is not bytes")
    opener = zlib.decompressobj()
    try:
        text = opener.decompress(data, _MAX_TEXT_BYTES)
        if not opener.eof or opener.unused_data:
            raise FoldError("a folded day is short, or too long")
        document: object = json.loads(text)
    except (zlib.error, ValueError, RecursionError) as error:
        raise FoldError(f"a folded day cannot be opened: {error}") from error
    return document


def _check_order(rows: Sequence[int], cols: Sequence[int]) -> None:
    """Each tile once, row by row: folds can then be merged, and nothing is counted twice."""
    if any(one >= two for one, two in pairwise(zip(rows, cols, strict=True))):
        raise FoldError("the tiles of a folded day are not in order")


def _shorten(name: str, column: list[Any], n: int) -> list[Any]:
    _lengthen(name, column, n)
    return column[:1] if all(value == column[0] for value in column) else column


def _lengthen(name: str, column: object, n: int) -> list[Any]:
    if not isinstance(column, list) or len(column) not in {n, min(n, 1)}:
        raise FoldError(f"column {name} of a folded day has not {n} values")
    if not all(map(_CHECKS[name], column)):
        raise FoldError(f"column {name} of a folded day holds what it cannot")
    return _repeated(column, n)


def _repeated(column: list[Any], n: int) -> list[Any]:
    return column if len(column) == n else column * n


def _fold_addresses(urls: list[str]) -> list[Any]:
    """Return what they begin with, their middles, and what they end with."""
    _lengthen("url", urls, len(urls))
    start = _common_start(urls)
    tails = [url[len(start) :] for url in urls]
    end = _common_start([tail[::-1] for tail in tails])[::-1]
    if len(start) + len(end) > _MAX_COMMON_CHARACTERS:
        return ["", _shorten("url", urls, len(urls)), ""]
    middles = [tail[: len(tail) - len(end)] for tail in tails]
    return [start, _shorten("url", middles, len(urls)), end]


def _common_start(texts: list[str]) -> str:
    first, last = min(texts), max(texts)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), None)
    return first if length is None else first[:length]


def _unfold_addresses(addresses: object, n: int) -> list[str]:
    if not isinstance(addresses, list) or len(addresses) != 3:
        raise FoldError("the addresses of a folded day are not three parts")
    start, middles, end = addresses
    if not (isinstance(start, str) and isinstance(end, str)):
        raise FoldError("the addresses of a folded day have no common part")
    if len(start) + len(end) > _MAX_COMMON_CHARACTERS:
        raise FoldError("the addresses of a folded day have a giant common part")
    _lengthen("url", middles, n)
    return _repeated([f"{start}{middle}{end}" for middle in middles], n)


def _unfold_headers(headers: object, n: int) -> list[dict[str, str]]:
    if not isinstance(headers, dict):
        raise FoldError("the headers of a folded day are no table")
    if len(headers) > _MAX_HEADERS:
        raise FoldError(f"a folded day has {len(headers)} headers")
    columns = {name: _lengthen("headers", column, n) for name, column in headers.items()}
    return [
        {name: column[i] for name, column in columns.items() if column[i] is not None}
        for i in range(n)
    ]
