"""Small models and cards that the tests of the room share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gibswatch.models.card import GridOfModel, ModelCard
from gibswatch.models.registry import find_model
from gibswatch.models.store import save_model

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
QUICK: dict[str, dict[str, float]] = {
    "random-forest": {"n_estimators": 4},
    "isolation-forest": {"n_estimators": 4},
    "network": {"hidden": 6, "num_epochs": 4},
}
"""Parameters by which the slower models are fitted at once."""


def samples(classes: int = 2, count: int = 60) -> tuple[Any, Any]:
    """Clouds of points, one a class, in five dimensions."""
    chance = np.random.default_rng(4)
    y = np.arange(count) % classes
    X = chance.normal(size=(count, 5)) + 3 * (np.arange(5) == y[:, None])
    return X.astype(np.float32), y


def card_of(model: str, classes: int = 2, **changes: Any) -> ModelCard:
    """Make a card as training would."""
    supervised = find_model(model).supervised
    values: dict[str, Any] = {
        "model": model,
        "level": "image",
        "target": "any" if classes == 2 else "multi",
        "layer": LAYER,
        "grid": GridOfModel(4326, 128, 256, (-180.0, -90.0, 180.0, 90.0)),
        "parameters": QUICK.get(model, {}),
        "seed": 3,
        "features": {"version": 1},
        "n_features": 5,
        "classes": tuple(range(classes)) if supervised else (0,),
        "threshold": 0.5,
        "file_bytes": 0,
        "file_sha256": "0" * 64,
        "data_sha256": "0" * 64,
        "split_by": None,
        "counts": {"train": {"0": 30, "1": 30}},
        "metrics": {"ap": 0.5},
        "versions": {},
        "created": "2026-01-01T00:00:00Z",
    }
    return ModelCard(**(values | changes))


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., tuple[Path, Any]]:
    """Fit, save and return a small model: its path and the estimator."""

    def make(model: str, classes: int = 2, **changes: Any) -> tuple[Path, Any]:
        card = card_of(model, classes, **changes)
        estimator = find_model(model).make(card.parameters, card.seed)
        X, y = samples(classes)
        estimator.fit(X, y)
        path = tmp_path / "stored" / f"{model}.skops"
        save_model(path, estimator, card)
        return path, estimator

    return make
