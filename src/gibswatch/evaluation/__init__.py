"""Tables of scores and labels to metrics and comparisons; runs nothing itself."""

from gibswatch.evaluation.compare import Comparison, Leak, Row, compare
from gibswatch.evaluation.documents import (
    COLUMNS,
    columns_of,
    comparison_to_json,
    measure_words,
    row_cells,
)
from gibswatch.evaluation.evaluate import evaluate_table
from gibswatch.evaluation.results import Evaluation, KindRecall, Measure, Mistake, Options
from gibswatch.evaluation.score_files import read_scores, write_scores
from gibswatch.evaluation.scores import Joined, ScoreTable, join_labels, target_kinds
from gibswatch.evaluation.threshold import Threshold, from_normals, on_table
from gibswatch.models.targets import FAULT_KINDS, TARGETS, Level, Target

__all__ = [
    "COLUMNS",
    "FAULT_KINDS",
    "TARGETS",
    "Comparison",
    "Evaluation",
    "Joined",
    "KindRecall",
    "Leak",
    "Level",
    "Measure",
    "Mistake",
    "Options",
    "Row",
    "ScoreTable",
    "Target",
    "Threshold",
    "columns_of",
    "compare",
    "comparison_to_json",
    "evaluate_table",
    "from_normals",
    "join_labels",
    "measure_words",
    "on_table",
    "read_scores",
    "row_cells",
    "target_kinds",
    "write_scores",
]
