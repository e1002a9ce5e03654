"""The greedy k-centre: how well it covers, and the same from a stream."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from gibswatch.models.estimators.coreset import PROJECTED, CoresetStream, k_centre


def _longest_way(vectors: Any, centres: Any) -> float:
    ways = np.linalg.norm(vectors[:, None].astype(float) - centres[None].astype(float), axis=2)
    return float(ways.min(axis=1).max())


def _drawn(seed: int, count: int, length: int) -> Any:
    return np.random.default_rng(seed).normal(size=(count, length)).astype(np.float32)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_longest_way_is_at_most_twice_the_shortest_possible(seed: int, count: int) -> None:
    vectors = _drawn(seed, 11, 2)
    best = min(_longest_way(vectors, vectors[list(c)]) for c in combinations(range(11), count))
    chosen = k_centre(vectors, count, np.random.default_rng(seed))
    assert len(set(chosen)) == count
    assert _longest_way(vectors, vectors[chosen]) <= 2 * best * (1 + 1e-5)


def test_each_choice_is_the_farthest_from_those_before() -> None:
    vectors = _drawn(1, 200, 5)
    chosen = k_centre(vectors, 30, np.random.default_rng(1))
    for number in range(1, 30):
        ways = np.linalg.norm(vectors[:, None] - vectors[chosen[:number]], axis=2).min(axis=1)
        assert ways[chosen[number]] == pytest.approx(ways.max(), rel=1e-4)


def test_it_covers_much_better_than_chance() -> None:
    chance = np.random.default_rng(2)
    # Nearly all vectors are alike; a few are far from them, as rare ground is in a picture.
    vectors = np.concatenate([_drawn(2, 3000, 4), 30 + 10 * _drawn(3, 30, 4)])
    greedy = _longest_way(vectors, vectors[k_centre(vectors, 60, chance)])
    drawn = [_longest_way(vectors, vectors[chance.permutation(3030)[:60]]) for _ in range(5)]
    assert greedy < 0.5 * min(drawn)


def test_equal_vectors_are_chosen_once() -> None:
    vectors = np.repeat(np.eye(3, dtype=np.float32), 20, axis=0)
    chosen = k_centre(vectors, 10, np.random.default_rng(0))
    assert sorted(chosen // 20) == [0, 1, 2]


def test_none_is_chosen_twice_where_rounding_is_larger_than_distances() -> None:
    vectors = 1e4 + 1e-3 * _drawn(4, 50, 3)
    chosen = k_centre(vectors, 40, np.random.default_rng(0))
    assert len(set(chosen)) == len(chosen)


def test_few_vectors_are_all_kept() -> None:
    np.testing.assert_array_equal(
        k_centre(_drawn(0, 4, 2), 9, np.random.default_rng(0)), [0, 1, 2, 3]
    )


def _streamed(vectors: Any, room: int, size: int, parts: int) -> Any:
    stream = CoresetStream(room, size, vectors.shape[1], np.random.default_rng(7))
    for tag, part in enumerate(np.array_split(vectors, parts)):
        stream.add(part, tag)
    return stream.finish()


@pytest.mark.parametrize("room", [41, 100, 333, 5000])
def test_a_stream_covers_nearly_as_well_as_the_whole(room: int) -> None:
    vectors = _drawn(5, 2000, 3)
    whole = _longest_way(vectors, vectors[k_centre(vectors, 40, np.random.default_rng(7))])
    kept, _ = _streamed(vectors, room, 40, 13)
    assert kept.shape == (40, 3)
    assert _longest_way(vectors, kept) < 2 * whole


def test_tags_stay_beside_their_vectors() -> None:
    vectors = np.repeat(np.arange(20, dtype=np.float32), 50)[:, None] * np.ones(3, np.float32)
    kept, tags = _streamed(vectors + 0.1 * _drawn(6, 1000, 3), 120, 60, 20)
    np.testing.assert_array_equal(np.round(kept[:, 0] / 1.0).astype(int).clip(0, 19), tags)


def test_long_vectors_are_compared_by_projections_and_kept_as_they_are() -> None:
    length = 4 * PROJECTED
    far = 3 * np.eye(20, length, dtype=np.float32) * np.float32(np.sqrt(length))
    vectors = np.concatenate([_drawn(8, 500, length), far])
    kept, _ = _streamed(vectors, 200, 30, 4)
    known = {row.tobytes() for row in vectors}
    assert all(row.tobytes() in known for row in kept)
    # Those that stand apart from all others are kept whatever the projection.
    assert {row.tobytes() for row in far} <= {row.tobytes() for row in kept}


def test_the_buffer_takes_what_is_said_of_it() -> None:
    for length in (3, 4 * PROJECTED):
        stream = CoresetStream(1000, 10, length, np.random.default_rng(0))
        held = sum(a.nbytes for a in (stream._vectors, stream._tags))
        assert held <= 1000 * CoresetStream.bytes_per_vector(length)
        if stream._directions is not None:
            assert stream._directions.nbytes <= CoresetStream.bytes_fixed(length)
