"""The label file that verdicts are compared with, read and checked before anything is judged."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from gibswatch.archive.labels import read_labels
from gibswatch.catalogue.layers import find_layer
from gibswatch.errors import UnknownLayerError, UsageError
from gibswatch.scan.labelling.agreement import Codes

__all__ = ["GivenLabels", "read_given"]


@dataclass(frozen=True, slots=True)
class GivenLabels:
    """Labels of a person."""

    path: Path
    codes: Codes


def read_given(path: Path, layer: str) -> GivenLabels:
    """Read the labels of a layer.

    Parameters
    ----------
    path : Path
        In the archive's form, which is the predecessor's.
    layer : str
        Identifier; a file that has the name of another layer is refused.

    Raises
    ------
    UsageError
        If there is no such file, it cannot be read, says nothing, or is another layer's.
    """
    if not path.is_file():
        raise UsageError(f"--against {path} is no file: name a label file (docs/labels.md)")
    other = _named_layer(path)
    if other not in (None, layer):
        raise UsageError(
            f"--against {path} is of {other} by its name, not of {layer}: name that layer, or "
            "rename the file"
        )
    labels = read_labels(path).labels
    if not labels:
        raise UsageError(f"--against {path} has no day in it: name a label file (docs/labels.md)")
    return GivenLabels(path, {day: frozenset(line.codes) for day, line in labels.items()})


def _named_layer(path: Path) -> str | None:
    with contextlib.suppress(UnknownLayerError):
        return find_layer(path.stem).identifier
    return None
