"""R16: model files that others wrote: refused or harmless, whatever byte is another."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gibswatch.models.card import GridOfModel, ModelCard
from gibswatch.models.registry import find_model
from gibswatch.models.storage.store import save_model

_CHILD = """
import hashlib, json, sys, warnings
from pathlib import Path
import numpy as np
from gibswatch.errors import UsageError
from gibswatch.models.storage.store import read_model

warnings.simplefilter("ignore")
path, seed = Path(sys.argv[1]), int(sys.argv[2])
whole, card = path.read_bytes(), json.loads(path.with_suffix(".json").read_text())
chance = np.random.default_rng(seed)
points = chance.normal(size=(20, 5)).astype(np.float32)
ends = {"refused": 0, "loaded": 0}
for _ in range(150):
    data = bytearray(whole)
    for at in chance.integers(0, len(data), size=chance.integers(1, 4)):
        data[at] = chance.integers(256)
    path.write_bytes(data)
    changed = card | {"file_bytes": len(data), "file_sha256": hashlib.sha256(data).hexdigest()}
    path.with_suffix(".json").write_text(json.dumps(changed))
    try:
        estimator = read_model(path).estimator
    except UsageError:
        ends["refused"] += 1
        continue
    scores = estimator.anomaly_score(points)  # must not crash
    assert scores.shape == (20,)
    ends["loaded"] += 1
print(json.dumps(ends))
"""


@pytest.mark.parametrize("model", ["random-forest", "isolation-forest", "nearest-neighbours"])
def test_changed_bytes_are_refused_or_harmless(tmp_path: Path, model: str) -> None:
    """Bytes change at random and the card is made to fit; a crash would end the child."""
    parameters = {} if model == "nearest-neighbours" else {"n_estimators": 3}
    card = ModelCard(
        model=model, level="image", target="any", layer="A_Layer", seed=1, n_features=5,
        grid=GridOfModel(4326, 10, 20, (-180.0, -90.0, 180.0, 90.0)), parameters=parameters,
        features={"version": 1}, classes=(0,) if model == "isolation-forest" else (0, 1),
        threshold=0.5, file_bytes=0, file_sha256="0" * 64, data_sha256="0" * 64, split_by=None,
        counts={}, metrics={}, versions={}, created="2026-01-01T00:00:00Z",
    )  # fmt: skip
    chance = np.random.default_rng(2)
    estimator = find_model(model).make(parameters, 1)
    estimator.fit(chance.normal(size=(60, 5)).astype(np.float32), np.arange(60) % 2)
    path = tmp_path / "model.skops"
    save_model(path, estimator, card)
    command = [sys.executable, "-c", _CHILD, str(path), "7"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    ends = json.loads(ended.stdout)
    assert ends["refused"] > 50
    assert sum(ends.values()) == 150
