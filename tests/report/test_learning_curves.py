"""Loss and average precision of epochs as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest

from gibswatch.models import ModelCard
from gibswatch.models.card import EpochRecord
from gibswatch.report.learning_curves import best_epoch, learning_curves, round_ticks

_SVG = "{http://www.w3.org/2000/svg}"


def _history(precisions: Sequence[float]) -> tuple[EpochRecord, ...]:
    return tuple(EpochRecord(n, 1 / n, found) for n, found in enumerate(precisions, start=1))


def _card(precisions: Sequence[float], layer: str = "A_Layer") -> ModelCard:
    made = SimpleNamespace(model="cnn", target="any", layer=layer, history=_history(precisions))
    return cast("ModelCard", made)


def _root(card: ModelCard) -> ET.Element:
    return ET.fromstring(learning_curves(card))


def _texts(root: ET.Element) -> list[str]:
    return [one.text or "" for one in root.iter(f"{_SVG}text")]


def test_both_lines_have_an_axis_and_a_name_and_the_best_epoch_is_marked() -> None:
    root = _root(_card([0.31, 0.72, 0.9, 0.55]))
    texts = _texts(root)
    assert {"Training loss", "Average precision, validation", "Epoch"} <= set(texts)
    assert {"0.2", "0.4", "0.6", "0.8", "1"} <= set(texts)
    assert {"epoch 3: 0.333", "epoch 3: 0.9", "A_Layer; epoch 3 was kept"} <= set(texts)
    assert [text for text in texts if text in "1234"].count("4") == 1


def test_the_lines_are_told_apart_without_colour() -> None:
    lines = [one for one in _root(_card([0.3, 0.5])).iter(f"{_SVG}path") if one.get("fill")]
    loss, precise = lines
    assert (loss.get("stroke-dasharray"), precise.get("stroke-dasharray")) == (None, "7 4")
    assert loss.get("stroke") != precise.get("stroke")


def test_points_lie_where_the_axis_says() -> None:
    root = _root(_card([0.0, 0.5, 1.0]))
    _, precise = [one for one in root.iter(f"{_SVG}path") if one.get("fill")]
    assert precise.get("d") == "M0.0 170.0L310.0 85.0L620.0 0.0"


def test_of_equal_epochs_the_last_was_kept() -> None:
    assert best_epoch(_history([0.5, 0.9, 0.9, 0.2])).epoch == 3


@pytest.mark.parametrize("count", [1, 2, 150])
def test_few_and_many_epochs(count: int) -> None:
    root = _root(_card([0.5] * count))
    below = {one.text for one in root.iter(f"{_SVG}text") if one.get("y") == "410.0"}
    epochs = sorted(int(text or "") for text in below)
    assert len(epochs) <= 11
    assert (epochs[0], epochs[-1] > 0.9 * count) == (1, True)
    dots = [one for one in root.iter(f"{_SVG}rect") if one.get("width") == "5.4"]
    assert len(dots) == (count if count <= 60 else 0)


def test_a_name_is_text() -> None:
    card = _card([0.5], '<script>alert("x")</script>&')
    root = _root(card)
    assert not list(root.iter(f"{_SVG}script"))
    assert any('<script>alert("x")</script>&' in text for text in _texts(root))


def test_a_model_without_epochs_has_none() -> None:
    with pytest.raises(ValueError, match="cnn has no epochs"):
        learning_curves(_card([]))


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0.0, 1.0, (0.0, 0.5, 1.0)), (0.91, 0.99, (0.9, 0.92, 0.94, 0.96, 0.98, 1.0)),
     (0.0, 4e4, (0.0, 1e4, 2e4, 3e4, 4e4)), (-3.0, 5.0, (-4.0, -2.0, 0.0, 2.0, 4.0, 6.0))],
)  # fmt: skip
def test_ticks_are_round_and_enclose(low: float, high: float, ticks: tuple[float, ...]) -> None:
    assert round_ticks(low, high) == ticks


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5, 1e-9, 1e6])
def test_one_value_has_an_axis_too(value: float) -> None:
    ticks: Any = round_ticks(value, value, (0.0, 2e6))
    assert ticks[0] <= value <= ticks[-1]
    assert ticks[0] < ticks[-1]
    assert ticks[0] >= 0.0
