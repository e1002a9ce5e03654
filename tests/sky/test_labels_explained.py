"""What eclipses and the schedule explain of the predecessor's labels."""

from __future__ import annotations

import datetime as dt
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
WRONG = dt.date(2017, 4, 10)

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    path = ROOT / "benchmarks/quality/labels_explained.py"
    spec = importlib.util.spec_from_file_location("labels_explained", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["labels_explained"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_every_eclipse_code_but_one_wrong_one(benchmark: ModuleType, real_data: Path) -> None:
    labels = benchmark.read_labels(real_data / "labels" / benchmark.NAME)
    assert len(labels) == 946
    predicted = benchmark.eclipses(labels)
    coded = [day for day, codes in labels.items() if codes & benchmark.ECLIPSE_CODES]
    assert len(coded) == 6
    assert predicted[WRONG] is None
    assert all(predicted[day].share > 0.4 for day in coded if day != WRONG)
    uncoded = set(predicted) - set(coded)
    assert len(uncoded) == 3
    assert all(predicted[day].share < 0.4 for day in uncoded)


def test_the_roll_explains_holes_in_months_it_was_not_chosen_on(
    benchmark: ModuleType, real_data: Path
) -> None:
    labels = benchmark.read_labels(real_data / "labels" / benchmark.NAME)
    roll = benchmark.explained(labels, 2, "lunar-roll", parity=0, alone=True, least=0.5)
    assert (roll.hits, roll.coded, roll.window_days, roll.days) == (11, 30, 15, 478)
    assert roll.p_value < 1e-8
    dark = benchmark.explained(labels, 1, "new-moon", parity=0, alone=False)
    assert (dark.hits, dark.coded) == (3, 7)
    assert dark.p_value < 0.05
