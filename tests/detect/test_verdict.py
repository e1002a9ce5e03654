"""Tests of the verdict: a pure function of tile states and a detection."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.detect import Detection, Region, decide
from gibswatch.types import TILE_STATES, Kind

_MASK = np.ones((2, 2), dtype=bool)
_HOLE = Detection(0.9, "a hole", (Region(Kind.MISSING_UNEXPECTED, _MASK, 0.9, "a hole"),))
_CLEAN = Detection(0.1, "as usual")


@pytest.mark.parametrize(
    ("tiles", "detection", "verdict", "cause"),
    [
        ({"ok": 50}, _CLEAN, "clean", None),
        ({"ok": 50}, _HOLE, "anomalous", None),
        ({}, _HOLE, "anomalous", None),
        ({"ok": 40, "server-empty": 10}, _HOLE, "anomalous", None),
        ({"ok": 49, "failed": 1}, _HOLE, "incomplete", "network"),
        ({"ok": 49, "corrupt": 1}, _HOLE, "incomplete", "network"),
        ({"ok": 49, "suspect": 1}, _HOLE, "incomplete", "network"),
        ({"ok": 49, "absent": 1}, _HOLE, "incomplete", "server"),
        ({"absent": 50}, None, "incomplete", "server"),
        ({"ok": 49, "wrong-date": 1}, _HOLE, "incomplete", "server"),
        ({"ok": 48, "absent": 1, "failed": 1}, _HOLE, "incomplete", "mixed"),
        ({"wrong-date": 50}, _HOLE, "wrong-date", None),
        ({"server-empty": 50}, _HOLE, "incomplete", "server"),
        ({"not-yet": 50}, None, "no-data", None),
        ({"ok": 50}, None, "incomplete", None),
    ],
)
def test_table_of_verdicts(
    tiles: dict[str, int], detection: Detection | None, verdict: str, cause: str | None
) -> None:
    judgement = decide(tiles, detection)
    assert judgement.verdict == verdict
    assert judgement.incomplete_cause == cause
    assert judgement.reason.endswith(".")


@pytest.mark.parametrize("kind", list(Kind))
def test_kinds_1_5_and_6_only_explain(kind: Kind) -> None:
    judgement = decide({"ok": 1}, Detection(0.9, "x", (Region(kind, _MASK, 0.9, "x"),)))
    assert judgement.verdict == ("clean" if kind in (1, 5, 6) else "anomalous")


@given(st.dictionaries(st.sampled_from(TILE_STATES), st.integers(0, 60)))
def test_a_failed_download_never_looks_like_an_anomaly(tiles: dict[str, int]) -> None:
    judgement = decide(tiles, _HOLE)
    missing = [s for s, n in tiles.items() if n and s not in ("ok", "server-empty")]
    blank = {s for s, n in tiles.items() if n} == {"server-empty"}
    assert (judgement.verdict == "anomalous") is (not missing and not blank)
    assert (judgement.incomplete_cause is not None) is (judgement.verdict == "incomplete")


def test_a_day_that_the_server_has_not_says_so() -> None:
    assert decide({"absent": 3}, None).reason.startswith("Not published")
    assert (
        "3 of 5 tiles did not arrive (2 absent, 1 failed)"
        in decide({"ok": 2, "absent": 2, "failed": 1}, None).reason
    )


def test_a_fault_speaks_for_itself_and_a_clean_day_says_what_is_black() -> None:
    small = Region(Kind.MISSING_UNEXPECTED, _MASK, 0.6, "Missing data: a strip.")
    large = Region(Kind.MISSING_UNEXPECTED, _MASK, 0.9, "Missing data: an orbit.")
    shadow = Region(Kind.ECLIPSE_MISSING, _MASK, 1.0, "Eclipse of the Sun.")
    found = decide({"ok": 1}, Detection(0.9, "3 % is black", (shadow, small, large)))
    assert found.reason == "Missing data: an orbit."
    whole = Region(
        Kind.MISCOLORATION, np.ones((3, 3), dtype=bool), 0.7, "Miscoloration: a granule."
    )
    both = decide({"ok": 1}, Detection(0.9, "x", (large, whole)))
    assert both.reason == "Miscoloration: a granule. Also found: missing data, unexpected."
    clean = decide({"ok": 1}, Detection(0.2, "3 % is black, all of it night", (shadow,)))
    assert clean.reason == "Nothing missing: 3 % is black, all of it night."
