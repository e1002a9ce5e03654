"""Models: labelled days to a stored model, and a stored model to scores.

Nothing here imports scikit-learn before a model is made or loaded: it is the extra ``models``.
"""

from gibswatch.features import SkippedDay
from gibswatch.models.card import ModelCard
from gibswatch.models.predict import DayScore, LoadedModel, load_model, score_days, score_scenes
from gibswatch.models.registry import MODELS, ModelEntry, find_model
from gibswatch.models.targets import LEVELS, TARGETS, Level, Target, class_name
from gibswatch.models.training.dataset import LabelledDay, LabelledDays, read_days
from gibswatch.models.training.params import ChosenParameters, read_parameters
from gibswatch.models.training.request import TrainRequest
from gibswatch.models.training.train import TrainResult, train_model

__all__ = [
    "LEVELS",
    "MODELS",
    "TARGETS",
    "ChosenParameters",
    "DayScore",
    "LabelledDay",
    "LabelledDays",
    "Level",
    "LoadedModel",
    "ModelCard",
    "ModelEntry",
    "SkippedDay",
    "Target",
    "TrainRequest",
    "TrainResult",
    "class_name",
    "find_model",
    "load_model",
    "read_days",
    "read_parameters",
    "score_days",
    "score_scenes",
    "train_model",
]
