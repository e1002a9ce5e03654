"""What is folded unfolds to the same; what is no fold is refused at no cost."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import random
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gibswatch.archive.journal import _folding
from gibswatch.archive.journal._folding import FoldError, fold, folds, unfold
from gibswatch.archive.journal.records import TileRecord
from gibswatch.catalogue.windows import TileIndex
from gibswatch.types import TILE_STATES

DAY = dt.date(2023, 8, 7)
LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
BASE = f"https://gibs.earthdata.nasa.gov/wmts/epsg4326/best/{LAYER}/default/{DAY}/250m/3"
TEXTS = st.text(max_size=12)  # lone surrogates too: JSON can hold them
TILES = st.builds(
    TileRecord,
    date=st.just(DAY),
    tile=st.builds(TileIndex, st.integers(0, 9), st.integers(0, 2**70)),
    state=st.sampled_from(TILE_STATES),
    url=TEXTS | st.sampled_from([f"{BASE}/0/1.jpg", f"{BASE}/0/12.jpg"]),
    status=st.none() | st.integers(0, 599),
    headers=st.dictionaries(TEXTS, TEXTS, max_size=4),
    length=st.none() | st.integers(0, 2**70),
    sha256=st.none() | TEXTS,
    retrieved_at=TEXTS,
    message=TEXTS,
)


def place(record: TileRecord) -> TileIndex:
    return record.tile


def served(count: int, cols: int = 10) -> list[TileRecord]:
    """Tiles as GIBS serves them: nothing in common but what GIBS's tiles have in common."""
    noise = random.Random(7)
    return [
        TileRecord(
            DAY,
            TileIndex(n // cols, n % cols),
            "ok",
            f"{BASE}/{n // cols}/{n % cols}.jpg",
            200,
            {
                "Content-Type": "image/jpeg",
                "ETag": f'"{noise.randbytes(8).hex()}"',
                "Layer-Identifier-Actual": f"{LAYER}_v6.1_STD",
                "Layer-Time-Actual": f"{DAY}T00:00:00Z",
            },
            noise.randrange(4000, 90_000),
            hashlib.sha256(noise.randbytes(8)).hexdigest(),
            f"2024-01-01T00:00:{n // 20 % 60:02d}+00:00",
            "",
        )
        for n in range(count)
    ]


@settings(deadline=None)
@given(st.lists(TILES, max_size=8, unique_by=place))
def test_what_is_folded_unfolds_to_the_same(records: list[TileRecord]) -> None:
    ordered = sorted(records, key=place)
    parts = list(folds(ordered))
    assert [tile for part in parts for tile in unfold(DAY, part)] == ordered


def test_fifty_tiles_take_a_ninth_of_their_rows() -> None:
    """Their hashes and ETags alone are 2000 bytes that nothing can shorten."""
    records = served(50)
    rows = sum(len(json.dumps([r.url, dict(r.headers), r.sha256, r.retrieved_at])) for r in records)
    assert 2000 < len(fold(records)) < 3500 < rows / 5


def test_a_long_day_has_parts() -> None:
    records = served(5000, cols=100)
    parts = list(folds(records))
    assert [len(unfold(DAY, part)) for part in parts] == [2048, 2048, 904]
    assert [tile for part in parts for tile in unfold(DAY, part)] == records


def test_long_messages_make_more_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_folding, "_MAX_TEXT_BYTES", 4000)
    records = served(50)
    parts = list(folds(records))
    assert len(parts) == 2
    assert [tile for part in parts for tile in unfold(DAY, part)] == records
    monkeypatch.setattr(_folding, "_MAX_TEXT_BYTES", 100)
    with pytest.raises(FoldError, match="1 tiles take"):
        list(folds(records))


def test_many_different_headers_make_more_parts() -> None:
    records = [
        TileRecord(DAY, TileIndex(0, n), "ok", "", 200, {f"X-{n}": "1"}, 1, "", "", "")
        for n in range(200)
    ]
    parts = list(folds(records))
    assert len(parts) == 4
    assert [tile for part in parts for tile in unfold(DAY, part)] == records


def test_giant_addresses_are_folded_as_they_are() -> None:
    records = [
        TileRecord(DAY, TileIndex(0, n), "ok", "u" * 20_000 + str(n), 200, {}, 1, "", "", "")
        for n in range(3)
    ]
    assert unfold(DAY, fold(records)) == records


@pytest.mark.parametrize(
    "records",
    [
        [served(2)[1], served(2)[0]],
        [served(1)[0], served(1)[0]],
        [TileRecord(DAY, TileIndex(-1, 0), "ok", "", 200, {}, 1, "", "", "")],
        [TileRecord(DAY, TileIndex(0, 0), "fine", "", 200, {}, 1, "", "", "")],  # type: ignore[arg-type]
        [TileRecord(DAY, TileIndex(0, 0), "ok", "", 200, {"a": 1}, 1, "", "", "")],  # type: ignore[dict-item]
    ],
    ids=["order", "twice", "row", "state", "header"],
)
def test_what_could_not_be_read_back_is_not_written(records: list[TileRecord]) -> None:
    with pytest.raises(FoldError):
        fold(records)


def changed(**values: Any) -> bytes:
    document = json.loads(zlib.decompress(fold(served(3))))
    return zlib.compress(json.dumps({**document, **values}).encode())


BOMB = zlib.compress(b" " * 2**28, 9)
HOSTILE = {
    "nothing": b"",
    "text": "text",
    "null": None,
    "garbage": b"\x00\xff" * 40,
    "short": fold(served(3))[:-9],
    "long": fold(served(3)) + b"more",
    "no JSON": zlib.compress(b"{"),
    "deep": zlib.compress(b"[" * 500_000),
    "a list": zlib.compress(b"[]"),
    "other columns": zlib.compress(b'{"n": 1}'),
    "bomb": BOMB,
    "a giant number": zlib.compress(b"9" * 10_000),
    "no number of tiles": changed(n="3"),
    "true tiles": changed(n=True),
    "too many tiles": changed(n=10**12),
    "less than no tiles": changed(n=-3),
    "fewer tiles": changed(n=2),
    "a negative row": changed(row=[-1]),
    "a broken row": changed(row=[0.5]),
    "a tile twice": changed(col=[0, 0, 1]),
    "a list as state": changed(state=[["ok"]]),
    "no such state": changed(state=["fine"]),
    "a number as text": changed(message=[7]),
    "a text as number": changed(length=["7"]),
    "no address": changed(url=None),
    "two parts of addresses": changed(url=["", [""]]),
    "numbers in addresses": changed(url=[1, ["", "", ""], 2]),
    "a giant address": changed(url=["u" * 100_000, [""], ""]),
    "no headers": changed(headers=[]),
    "headers of no text": changed(headers={"ETag": [5]}),
    "100,000 headers": changed(headers={str(n): ["x"] for n in range(100_000)}),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_folds_are_refused_in_little_memory(data: object) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(FoldError):
            unfold(DAY, data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * 2**20


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_any_bytes_are_a_fold_or_refused(noise: bytes, place: int, value: int) -> None:
    good = bytearray(fold(served(3)))
    good[place % len(good)] = value
    for data in (noise, zlib.compress(noise), bytes(good)):
        try:
            unfold(DAY, data)
        except FoldError:
            continue
