"""Files of parameters, the predecessor's and ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gibswatch.errors import UsageError
from gibswatch.models.registry import find_model
from gibswatch.models.training.params import read_parameters

PREDECESSOR = {
    "learning_rate": 1e-3, "batch_size": 32, "num_epochs": 10, "dropout_rate": 0.8,
    "num_channels": 32, "save_summary_steps": 100, "num_workers": 4,
}  # fmt: skip


def written(folder: Path, document: Any) -> Path:
    path = folder / "params.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_the_predecessors_file_is_understood(tmp_path: Path) -> None:
    path = written(tmp_path, PREDECESSOR)
    chosen = read_parameters(path, find_model("network"))
    assert chosen.values == {"learning_rate": 1e-3, "batch_size": 32, "num_epochs": 10}
    assert chosen.workers == 4
    (note,) = chosen.notes
    assert note.endswith(
        "dropout_rate, num_channels, save_summary_steps has no meaning for network"
    )
    forest = read_parameters(path, find_model("random-forest"))
    assert forest.values == {}
    assert "learning_rate" in forest.notes[0]


def test_our_own_parameters(tmp_path: Path) -> None:
    chosen = read_parameters(written(tmp_path, {"C": 1, "num_workers": 0}), find_model("softmax"))
    assert (chosen.values, chosen.workers, chosen.notes) == ({"C": 1.0}, 1, ())


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"lerning_rate": 1}, r"has lerning_rate, which network does not know: give hidden, learn"),
        ({"learning_rate": "fast"}, r"parameter learning_rate is 'fast': give a number from"),
        ({"batch_size": 0}, r"batch_size is '0': give a whole number from 1"),
        ({"num_workers": -1}, r"num_workers is '-1'"),
        ({"num_workers": True}, r"num_workers is 'True'"),
        ({"hidden": 1e400}, r"hidden is 'inf'"),
        ([1], r"no JSON file of names and numbers"),
        ("{", r"no JSON file of names and numbers"),
        ("[" * 20_000, r"no JSON file of names and numbers"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path: Path, document: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_parameters(written(tmp_path, document), find_model("network"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.json cannot be read"):
        read_parameters(tmp_path / "none.json", find_model("network"))
    with pytest.raises(UsageError, match="cannot be read"):
        read_parameters(tmp_path, find_model("network"))
