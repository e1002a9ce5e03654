"""Tables of scores and labels to metrics and comparisons; runs nothing itself."""

from gibswatch.evaluation.score_files import read_scores, write_scores
from gibswatch.evaluation.scores import (
    FAULT_KINDS,
    TARGETS,
    Joined,
    Level,
    ScoreTable,
    Target,
    join_labels,
    target_kinds,
)

__all__ = [
    "FAULT_KINDS",
    "TARGETS",
    "Joined",
    "Level",
    "ScoreTable",
    "Target",
    "join_labels",
    "read_scores",
    "target_kinds",
    "write_scores",
]
