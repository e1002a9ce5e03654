"""Which models there are: one explicit table."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from gibswatch.errors import MissingExtraError, UsageError
from gibswatch.models.targets import Level

__all__ = ["INPUTS", "MODELS", "Input", "ModelEntry", "Parameter", "find_model"]

Input = Literal["hog+hue", "hog", "hue", "patches", "pixels", "backbone"]
INPUTS: tuple[Input, ...] = get_args(Input)
Store = Literal["skops", "safetensors"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that a person may choose."""

    name: str
    """In ``--params``, and of the estimator's constructor."""
    default: float
    """An int where only whole numbers are meant."""
    low: float
    high: float
    """Both are allowed."""
    text: str

    def check(self, value: object) -> float:
        """Return a value of the right type and range.

        Raises
        ------
        UsageError
            If it is another.
        """
        whole = isinstance(self.default, int)
        fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if not fits or not self.low <= value <= self.high:  # type: ignore[operator]
            kind = "a whole number" if whole else "a number"
            raise UsageError(
                f"parameter {self.name} is {str(value)[:40]!r}: give {kind} from {self.low:g} to "
                f"{self.high:g} (default {self.default:g})"
            )
        return value if whole else float(value)  # type: ignore[return-value,arg-type]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of the table."""

    name: str
    text: str
    """What it is, in a line."""
    levels: tuple[Level, ...]
    home: str
    """``module:class`` of the estimator."""
    parameters: tuple[Parameter, ...]
    supervised: bool = True
    """Whether it learns from faulty days; else from normal ones alone."""
    epochs: bool = False
    """Whether it trains in epochs, with a checkpoint after each."""
    shares: bool = True
    """Whether its score is in 0-1."""
    seeded: bool = True
    """Whether a seed changes it."""
    extra: str = "models"
    """What to install for it."""
    inputs: tuple[Input, ...] = ("hog+hue", "hog", "hue")
    """What it may learn from at image level, the default first."""
    store: Store = "skops"
    """Form of its file: safetensors holds arrays and nothing else."""
    on_device: bool = False
    """Whether an accelerator can run it."""

    @property
    def defaults(self) -> dict[str, float]:
        """Defaults of the parameters, by name."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def load_class(self) -> Any:
        """Import the estimator's class.

        Raises
        ------
        MissingExtraError
            If the extra is not installed.
        """
        module, name = self.home.split(":")
        try:
            return getattr(importlib.import_module(module), name)
        except ImportError as error:
            raise MissingExtraError(
                f'model {self.name} needs {error.name}: pip install "gibswatch[{self.extra}]"'
            ) from error

    def make(self, parameters: Mapping[str, float], seed: int, **given: Any) -> Any:
        """Make the unfitted estimator; parameters that are not given have their defaults.

        Parameters
        ----------
        parameters : mapping of str to float
        seed : int
        **given
            What else its constructor asks for: what the rows are, and the device.

        Raises
        ------
        MissingExtraError
            If the extra is not installed.
        """
        chosen: dict[str, Any] = {**self.defaults, **parameters, **given}
        if self.seeded:
            chosen["random_state"] = seed
        return self.load_class()(**chosen)


_ESTIMATORS = "gibswatch.models.estimators"
_DEEP = "gibswatch.models.deep"
_IMAGE: tuple[Level, ...] = ("image",)
_BOTH: tuple[Level, ...] = ("image", "pixel")
_TREES = Parameter("n_estimators", 200, 1, 2000, "trees")
_MEMORY = Parameter("memory_mb", 256, 1, 65_536, "memory that it may take")
_TOP = Parameter("top", 8, 1, 10_000, "patches whose mean is the score of a day, the highest")
_PATIENCE = Parameter(
    "patience", 6, 1, 10_000, "epochs without a better validation, after which it ends"
)


def _epoch_parameters(epochs: int, decay: float, batch: int) -> tuple[Parameter, ...]:
    return (
        Parameter("learning_rate", 1e-3, 1e-8, 10.0, "step of Adam"),
        Parameter("batch_size", batch, 2, 65_536, "rows in a batch"),
        Parameter("num_epochs", epochs, 1, 10_000, "rounds over all rows, at most"),
        Parameter("weight_decay", decay, 0.0, 100.0, "how much weights shrink a step"),
        _PATIENCE,
    )


_ENTRIES = (
    ModelEntry(
        "linear-svm",
        "linear support vector machine, hinge loss",
        _IMAGE,
        f"{_ESTIMATORS}.linear:LinearSVM",
        (
            Parameter("C", 0.1, 1e-9, 1e6, "weight of the loss against the penalty"),
            Parameter("max_iter", 20_000, 1, 10**7, "rounds of the solver, at most"),
        ),
        shares=False,
    ),
    ModelEntry(
        "softmax",
        "multinomial logistic regression; confidences, not calibrated numbers",
        _IMAGE,
        f"{_ESTIMATORS}.linear:Softmax",
        (
            Parameter("C", 0.1, 1e-9, 1e6, "weight of the loss against the penalty"),
            Parameter("max_iter", 2000, 1, 10**7, "rounds of the solver, at most"),
        ),
        seeded=False,
    ),
    ModelEntry(
        "random-forest",
        "random forest of depth 5",
        _BOTH,
        f"{_ESTIMATORS}.forest:RandomForest",
        (
            _TREES,
            Parameter("max_depth", 5, 1, 50, "depth of a tree, at most"),
            Parameter("min_samples_leaf", 1, 1, 10_000, "samples in a leaf, at least"),
        ),
    ),
    ModelEntry(
        "nearest-neighbours",
        "vote of the k nearest training days",
        _IMAGE,
        f"{_ESTIMATORS}.neighbours:NearestNeighbours",
        (Parameter("n_neighbors", 9, 1, 1000, "days that vote"),),
        seeded=False,
    ),
    ModelEntry(
        "network",
        "two-layer fully connected network with softmax; confidences, not calibrated numbers",
        _IMAGE,
        f"{_ESTIMATORS}.network:Network",
        (
            Parameter("hidden", 100, 1, 10_000, "units of the hidden layer"),
            Parameter("learning_rate", 1e-3, 1e-8, 10.0, "step of Adam"),
            Parameter("batch_size", 32, 1, 65_536, "days in a batch"),
            Parameter("num_epochs", 30, 1, 10_000, "rounds over all days"),
            Parameter("reg", 1e-3, 0.0, 1e6, "L2 penalty of the weights"),
        ),
        epochs=True,
    ),
    ModelEntry(
        "isolation-forest",
        "isolation forest; learns from normal days alone",
        _IMAGE,
        f"{_ESTIMATORS}.isolation:IsolationForest",
        (_TREES, Parameter("max_samples", 256, 2, 65_536, "days that a tree sees, at most")),
        supervised=False,
    ),
    ModelEntry(
        "cnn",
        "convolutional network on pixels: three convolutions, two layers; confidences",
        _BOTH,
        f"{_DEEP}.cnn:CNN",
        (
            Parameter("num_channels", 8, 1, 512, "channels of the first convolution"),
            Parameter("hidden", 64, 1, 4096, "units of the first fully connected layer"),
            Parameter("dropout_rate", 0.5, 0.0, 0.95, "share of units left out while it learns"),
            Parameter("augment", 1, 0, 1, "1 varies the pictures while it learns"),
            *_epoch_parameters(30, 0.01, 16),
        ),
        epochs=True,
        extra="deep",
        inputs=("pixels",),
        store="safetensors",
        on_device=True,
    ),
    ModelEntry(
        "densenet",
        "DenseNet-121 with its last layer retrained; needs --weights; confidences",
        _IMAGE,
        f"{_DEEP}.transfer:LastLayer",
        _epoch_parameters(100, 0.1, 32),
        epochs=True,
        extra="deep",
        inputs=("backbone",),
        store="safetensors",
        on_device=True,
    ),
    ModelEntry(
        "padim",
        "a normal distribution of each patch of the map; learns from normal days alone",
        _IMAGE,
        f"{_ESTIMATORS}.padim:PaDiM",
        (Parameter("dimensions", 100, 1, 4096, "numbers of a patch that are used"), _TOP, _MEMORY),
        supervised=False,
        shares=False,
        inputs=("patches", "backbone"),
        store="safetensors",
    ),
    ModelEntry(
        "patchcore",
        "distance to the nearest of many normal patches; learns from normal days alone",
        _IMAGE,
        f"{_ESTIMATORS}.patchcore:PatchCore",
        (Parameter("bank_size", 2000, 1, 10**6, "patches that are kept, at most"), _TOP, _MEMORY),
        supervised=False,
        shares=False,
        inputs=("patches", "backbone"),
        store="safetensors",
    ),
)

MODELS: Mapping[str, ModelEntry] = {entry.name: entry for entry in _ENTRIES}
"""By name."""


def find_model(name: str, level: Level | None = None) -> ModelEntry:
    """Return the entry of a model.

    Raises
    ------
    UsageError
        If there is none of that name, or it does not work at that level.
    """
    entry = MODELS.get(name)
    if entry is None:
        raise UsageError(f"--model {name[:60]!r} is none of ours: give {', '.join(MODELS)}")
    if level is not None and level not in entry.levels:
        others = ", ".join(n for n, other in MODELS.items() if level in other.levels)
        raise UsageError(f"--model {name} does not work at {level} level: give {others}")
    return entry
