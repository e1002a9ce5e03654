"""Steps of colour along a pass: whole scan lines, against what nature does in parts of them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gibswatch.detect.colour.steps import Lanes, Span, bin_seconds, find_spans, make_lanes

_PASSES, _ROWS, _COLS = 4, 150, 64
_ROW_S = 5.0


def _grid() -> tuple[Lanes, NDArray[np.float64], NDArray[np.int32], NDArray[np.float64]]:
    number, row, col = (a.ravel() for a in np.indices((_PASSES, _ROWS, _COLS)))
    time = 1000.0 * number + row * _ROW_S + 1.0
    beside = (col + 0.5) / (_COLS / 2) - 1.0
    lanes = make_lanes(number.astype(np.int32), time, beside, _ROW_S)
    rng = np.random.default_rng(3)
    coarse = rng.normal(0.0, 0.03, (_PASSES, _ROWS // 5, _COLS // 4))
    nature = np.repeat(np.repeat(coarse, 5, axis=1), 4, axis=2).ravel()
    return lanes, nature + rng.normal(0.0, 0.02, nature.size), number.astype(np.int32), time


def _find(shift: float, first: float, last: float) -> list[Span]:
    lanes, residual, number, time = _grid()
    inside = (number == 2) & (time >= 2000.0 + first) & (time < 2000.0 + last)
    return find_spans(lanes, residual + shift * inside, least=3.0)


@pytest.mark.parametrize("shift", [0.3, 0.08, -0.08])
def test_a_span_is_found_with_its_bounds_and_its_shift(shift: float) -> None:
    span = _find(shift, 200.0, 500.0)[0]
    assert (span.pass_index, span.closed) == (2, True)
    assert span.first_s == pytest.approx(2200.0, abs=6.0)
    assert span.last_s == pytest.approx(2500.0, abs=6.0)
    assert span.shift == pytest.approx(shift, rel=0.3)
    assert span.strength > 4.5


def test_a_span_to_the_end_of_the_pass_has_one_step() -> None:
    span = _find(0.1, 500.0, 9999.0)[0]
    assert not span.closed
    assert span.pass_index == 2
    assert span.first_s == pytest.approx(2500.0, abs=6.0)
    assert span.last_s >= 2749.0


def test_a_few_scans_are_found() -> None:
    span = _find(0.3, 300.0, 310.0)[0]
    assert span.pass_index == 2
    assert span.last_s - span.first_s < 40.0


def test_nature_alone_has_no_large_span() -> None:
    assert all(abs(s.shift) < 0.05 for s in _find(0.0, 0.0, 0.0) if s.strength >= 4.5)


def test_a_blob_that_is_no_scan_line_is_no_span() -> None:
    lanes, residual, number, time = _grid()
    col = np.arange(residual.size) % _COLS
    blob = (number == 1) & (np.abs(time - 1300.0) < 100.0) & (col < _COLS // 4)
    spans = find_spans(lanes, residual + 0.3 * blob, least=3.0)
    assert all(s.strength < 4.5 or abs(s.shift) < 0.05 for s in spans if s.pass_index == 1)


def test_bins_are_pixels_but_not_too_short() -> None:
    assert bin_seconds(0.28) == pytest.approx(4.6, abs=0.1)
    assert bin_seconds(0.01) == 2.5
