"""Pooled gradients: the same wherever a texture lies."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gibswatch.errors import UsageError
from gibswatch.features import FeatureDefinition
from gibswatch.models.rows.extraction import definition_for
from gibswatch.models.rows.pooling import PooledDefinition, pool_gradients
from gibswatch.types import Georeference

BASE = FeatureDefinition("hog+hue", 32, 64, 8, 10)
POOLED = PooledDefinition(BASE)


def a_vector() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    vector = np.random.default_rng(1).gamma(2.0, size=BASE.length).astype(np.float32)
    cells = vector[: BASE.hog_length].reshape(-1, 9)
    cells[3:7] = 0  # a hole of four cells
    return vector


def test_places_do_not_matter_and_hues_stay() -> None:
    vector = a_vector()
    moved = vector.copy()
    cells = moved[: BASE.hog_length].reshape(-1, 9)
    cells[:] = np.random.default_rng(2).permutation(cells)
    one, other = pool_gradients(vector, POOLED), pool_gradients(moved, POOLED)
    assert not np.array_equal(vector, moved)
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one[-10:], vector[-10:])


def test_numbers_are_percentiles_and_the_share_of_empty_cells() -> None:
    vector = a_vector()
    pooled = pool_gradients(vector, POOLED)
    cells = vector[: BASE.hog_length].reshape(-1, 9)
    assert pooled.shape == (POOLED.length,) == (141,)
    assert pooled.dtype == np.float32
    assert pooled[6] == np.float32(np.median(cells[:, 0].astype(np.float64)))
    assert pooled[12] == cells[:, 0].max()
    assert pooled[9 * 13 + 12] == pytest.approx(cells.sum(axis=1).max())
    assert pooled[130] == np.float32(4 / len(cells))


def test_a_definition_is_read_as_it_was_written() -> None:
    document = json.loads(json.dumps(POOLED.to_json()))
    assert PooledDefinition.from_json(document) == POOLED
    with pytest.raises(UsageError, match="pooled in way 2"):
        PooledDefinition.from_json(document | {"pool": 2})


PLACE = Georeference(4326, 0.0, 10.0, 0.1, 0.1, 100, 200)


def test_only_gradients_are_pooled() -> None:
    assert isinstance(definition_for("image", PLACE, "hog+hue"), PooledDefinition)
    assert isinstance(definition_for("image", PLACE, "hog"), PooledDefinition)
    assert isinstance(definition_for("image", PLACE, "hue"), FeatureDefinition)
    raw = definition_for("image", PLACE, "hog+hue", pool=False)
    assert raw == FeatureDefinition.for_shape(100, 200)
