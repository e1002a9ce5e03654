"""``--params FILE.json``: the predecessor's params.json, and the parameters of our models."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from gibswatch.errors import UsageError
from gibswatch.models.registry import ModelEntry

__all__ = ["ChosenParameters", "read_parameters"]

_PREDECESSOR = (
    "learning_rate", "batch_size", "num_epochs", "dropout_rate", "num_channels",
    "save_summary_steps", "num_workers",
)  # fmt: skip
_WORKERS = "num_workers"
_MOST_WORKERS = 1024
_MAX_BYTES = 2**16


@dataclass(frozen=True, slots=True)
class ChosenParameters:
    """What a person chose."""

    values: dict[str, float] = field(default_factory=dict)
    """Of the estimator, by name."""
    workers: int | None = None
    """Processes for the features; None if not said."""
    notes: tuple[str, ...] = ()
    """What of the file has no meaning for the model."""


def read_parameters(path: Path, entry: ModelEntry) -> ChosenParameters:
    """Read a file of parameters.

    Parameters
    ----------
    path : Path
        A JSON object of names and numbers.
    entry : ModelEntry
        The model that they are for.

    Raises
    ------
    UsageError
        If it cannot be read, a name is known to neither the model nor the predecessor, or a value
        is out of its range.
    """
    document = _read(path)
    known = {parameter.name: parameter for parameter in entry.parameters}
    unknown = sorted(set(document) - set(known) - set(_PREDECESSOR))
    if unknown:
        names = ", ".join([*known, *(name for name in _PREDECESSOR if name not in known)])
        raise UsageError(
            f"{path} has {', '.join(name[:40] for name in unknown[:5])}, which {entry.name} does "
            f"not know: give {names}"
        )
    try:
        values = {n: known[n].check(value) for n, value in document.items() if n in known}
        workers = _workers(document[_WORKERS]) if _WORKERS in document else None
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    idle = [name for name in document if name not in known and name != _WORKERS]
    notes = (f"{path}: {', '.join(idle)} has no meaning for {entry.name}",) if idle else ()
    return ChosenParameters(values, workers, notes)


def _read(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        document = json.loads(data[:_MAX_BYTES])
    except OSError as error:
        raise UsageError(
            f"--params {path} cannot be read ({error.strerror}): name a JSON file"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--params {path} is no JSON file of names and numbers") from error
    if not isinstance(document, dict):
        raise UsageError(f"--params {path} is no JSON file of names and numbers")
    return document


def _workers(value: object) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 0 <= value <= _MOST_WORKERS:  # type: ignore[operator]
        raise UsageError(
            f"parameter {_WORKERS} is {str(value)[:40]!r}: give a whole number from 0 to "
            f"{_MOST_WORKERS}"
        )
    return max(1, value)  # type: ignore[call-overload,no-any-return]
