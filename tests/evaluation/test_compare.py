"""Many models in one table, and the leak of a random split."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.errors import UsageError
from gibswatch.evaluation import (
    COLUMNS,
    Options,
    ScoreTable,
    compare,
    comparison_to_json,
    measure_words,
    row_cells,
)
from gibswatch.evaluation.metrics import Curve

DAYS = np.arange("2023-01-01", 120, dtype="datetime64[D]")
TRUTH = np.arange(120) % 10 == 0


def table(name: str, skill: float, seed: int = 0, **changes: object) -> ScoreTable:
    scores = np.random.default_rng(seed).random(120) + skill * TRUTH
    made = ScoreTable(name, "image", DAYS, scores, TRUTH)
    return replace(made, **changes)  # type: ignore[arg-type]


def pixels(name: str) -> ScoreTable:
    truth = np.tile([True, False, False], 40)
    return ScoreTable(
        name, "pixel", DAYS, np.tile([0.9, 0.1, 0.95], 40), truth, training_s=8.0,
        peak_memory_mb=2.0,
    )  # fmt: skip


def test_the_best_is_first_and_what_a_random_split_flatters_last() -> None:
    found = compare(
        [
            table("svm", 0.2, split_by="event"),
            table("svm", 5.0, split_by="random"),
            table("scan", 0.6),
            table("forest", 0.9, split_by="event"),
        ],
        Options(resamples=0),
    )
    assert [(row.name, row.split_by) for row in found.rows] == [
        ("forest", "event"),
        ("scan", None),
        ("svm", "event"),
        ("svm", "random"),
    ]


def test_the_leak_is_the_difference_of_the_splits() -> None:
    honest, flattered = table("svm", 0.2, split_by="event"), table("svm", 5.0, split_by="random")
    found = compare([honest, flattered, table("scan", 0.6)], Options(resamples=0))
    assert [(leak.name, leak.measure) for leak in found.leaks] == [("svm", "AUROC"), ("svm", "AP")]
    area = found.leaks[0]
    assert area.random == 1.0
    assert area.difference == 1.0 - area.event > 0.1


def test_levels_of_one_model_share_a_row() -> None:
    found = compare([table("forest", 9, training_s=3.0), pixels("forest")], Options(resamples=0))
    (row,) = found.rows
    assert row.pixel is not None
    assert (row.training_s, row.peak_memory_mb) == (3.0, 2.0)
    cells = dict(zip(COLUMNS, row_cells(row), strict=True))
    assert cells == {
        "Model": "forest",
        "Split": "-",
        "Days": "120",
        "Positive": "12",
        "AUROC": "1.000",
        "AP": "1.000",
        "AP / base": "10.0",
        "Recall": "1.000*",
        "Pixel AP": f"{row.pixel.average_precision.value:.3f}",
        "Training": "3 s",
        "A day": "-",
        "Memory": "2 MB",
    }


def test_the_document_is_strict_json_and_holds_the_curves() -> None:
    found = compare([table("a", 0.5, inference_s_per_day=0.002), pixels("a")], Options("any"))
    document = json.loads(json.dumps(comparison_to_json(found), allow_nan=False))
    (model,) = document["models"]
    assert model["inference_s_per_day"] == 0.002
    assert model["image"]["threshold"]["source"] == "table"
    assert model["image"]["auroc"]["interval"]["by"] == "day"
    roc = model["image"]["roc"]
    assert (roc["false_alarm_rate"][0], roc["recall"][-1]) == (0, 1)
    assert model["pixel"]["threshold"] is None


def test_notes_are_said_once_and_name_the_model_where_only_one_has_them() -> None:
    first = table("a", 1, notes=("of both", "of a"))
    found = compare([first, table("b", 1, notes=("of both",))], Options(resamples=0), ["first"])
    assert found.notes == ("first", "of both", "a: of a")
    other = compare([first, table("b", 1).only(first.days[:50])], Options(resamples=0))
    assert "the rows rest on different days: compare them with care" in other.notes


def test_two_tables_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match=r"two tables of images are called a: name them"):
        compare([table("a", 1), table("a", 2)])
    with pytest.raises(UsageError, match="no table to compare"):
        compare([])


def test_an_interval_stands_beside_its_value() -> None:
    (row,) = compare([table("a", 0.5)], Options()).rows
    assert row.image is not None
    words = measure_words(row.image.auroc, 2)
    interval = row.image.auroc.interval
    assert interval is not None
    assert words == f"{row.image.auroc.value:.2f} ({interval.low:.2f} to {interval.high:.2f})"


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    curve = Curve(np.linspace(0, 1, 5000), np.linspace(0, 1, 5000)).thinned(100)
    assert (len(curve.x), curve.x[0], curve.x[-1]) == (100, 0, 1)
