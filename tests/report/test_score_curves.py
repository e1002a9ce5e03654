"""Curves as paths of SVG."""

from __future__ import annotations

import numpy as np

from gibswatch.evaluation.metrics import Curve, precision_recall_curve
from gibswatch.report.score_curves import LINE_COLOURS, Drawn, draw_curves


def test_corners_of_the_chart_are_corners_of_the_shares() -> None:
    curve = Curve(np.array([0.0, 0.25, 1.0]), np.array([0.0, 0.5, 1.0]))
    chart = draw_curves("ROC", ("x", "y"), [Drawn("m", curve, "", 9, is_dashed=True)], (0, 1))
    (line,) = chart.lines
    assert line.path == "M0.0 400.0L100.0 200.0L400.0 0.0"
    assert (line.colour, line.is_dashed) == (LINE_COLOURS[1], True)
    assert chart.chance == "M0 400.0L400 0.0"


def test_the_area_under_the_steps_is_the_average_precision() -> None:
    truth = np.array([True, False, True, False])
    curve = precision_recall_curve(truth, np.array([4.0, 3.0, 2.0, 1.0]))
    drawn = [Drawn("m", curve, "", 0, is_dashed=False), Drawn("n", None, "", 1, is_dashed=False)]
    (line,) = draw_curves("PR", ("x", "y"), drawn, (0.5, 0.5), is_stepped=True).lines
    # Precision 2/3 between recalls 1/2 and 1, 1 below: 5/6 of the square.
    assert line.path.endswith("H200.0V200.0H200.0V0.0H0.0V0.0")
    assert "V133.3H200.0" in line.path
