"""What a vector of features is: records that go into every table and model, checked when made.

Two tables or models with equal definitions have vectors that can be compared, number by number.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from gibswatch.errors import UsageError

__all__ = [
    "CHANNEL_STATISTICS",
    "FEATURE_KINDS",
    "FEATURE_VERSION",
    "ORIENTATIONS",
    "FeatureDefinition",
    "FeatureKind",
    "PatchDefinition",
]

FEATURE_VERSION = 1
"""Raised whenever a feature's numbers change for the same picture."""
ORIENTATIONS = 9
"""Bins of 20 degrees in a histogram of gradients."""
FeatureKind = Literal["hog", "hue", "hog+hue"]
FEATURE_KINDS: tuple[FeatureKind, ...] = get_args(FeatureKind)
CHANNEL_STATISTICS = ("mean", "std", "p05", "p25", "p50", "p75", "p95")
"""Of each channel in a patch; pNN are percentiles."""

_LONGER_SIDE = 256
_LARGEST_SIDE = 4096
_LARGEST_LENGTH = 2**20
_MOST_BINS = 250
_LARGEST_JSON = 10_000
_CHANNELS = ("red", "green", "blue")


@dataclass(frozen=True, slots=True)
class FeatureDefinition:
    """How one picture becomes one vector; by default of a globe.

    Raises
    ------
    UsageError
        If a field has another type or is out of range; the message names it.

    Examples
    --------
    >>> FeatureDefinition("hog+hue").length
    4618
    """

    kind: FeatureKind = "hog+hue"
    rows: int = 128
    """Of the grid that pictures are averaged to, 2 to 4096."""
    cols: int = 256
    cell: int = 8
    """Side of a cell of the HOG in pixels of the grid, 2 to the grid's shorter side."""
    bins: int = 10
    """Of the hue histogram, 1 to 250."""
    compat: bool = False
    """The predecessor's formulas, faults and all."""
    version: int = FEATURE_VERSION
    """`FEATURE_VERSION` of the code that works the features out."""

    def __post_init__(self) -> None:
        if self.kind not in FEATURE_KINDS:
            raise UsageError(
                f"feature kind {_shown(self.kind)} is unknown: give one of "
                f"{', '.join(FEATURE_KINDS)}"
            )
        _check_whole("rows", self.rows, 2, _LARGEST_SIDE)
        _check_whole("cols", self.cols, 2, _LARGEST_SIDE)
        _check_whole("cell", self.cell, 2, min(self.rows, self.cols))
        _check_whole("bins", self.bins, 1, _MOST_BINS)
        _check_whole("version", self.version, 1, 2**31 - 1)
        if not isinstance(self.compat, bool):
            raise UsageError(f"feature compat {_shown(self.compat)} is neither true nor false")
        if self.length > _LARGEST_LENGTH:
            raise UsageError(
                f"a vector of {self.length} features is too long (at most {_LARGEST_LENGTH}): "
                "give a coarser grid or a larger cell"
            )

    @classmethod
    def for_shape(
        cls,
        rows: int,
        cols: int,
        *,
        kind: FeatureKind = "hog+hue",
        cell: int = 8,
        bins: int = 10,
        compat: bool = False,
    ) -> Self:
        """The definition for pictures of a map, whatever their resolution.

        Parameters
        ----------
        rows, cols : int
            Of any picture of the map: its longer side becomes 256, the other one keeps the ratio.
        kind, cell, bins, compat
            As the fields.

        Raises
        ------
        UsageError
            As the record itself.
        """
        _check_whole("picture rows", rows, 1, 2**31)
        _check_whole("picture cols", cols, 1, 2**31)
        longer = max(rows, cols)
        high, wide = (max(2, round(_LONGER_SIDE * side / longer)) for side in (rows, cols))
        return cls(kind, high, wide, cell, bins, compat)

    @property
    def hog_length(self) -> int:
        """Numbers of the HOG: cell rows, cell columns, 9; 0 without one."""
        if self.kind == "hue":
            return 0
        return (self.rows // self.cell) * (self.cols // self.cell) * ORIENTATIONS

    @property
    def length(self) -> int:
        """Numbers in a vector: those of the HOG, then those of the hue histogram."""
        return self.hog_length + (0 if self.kind == "hog" else self.bins)

    def names(self) -> tuple[str, ...]:
        """A name for each number of a vector, in order: ``hog_3_17_8``, then ``hue_9``."""
        cells = (self.rows // self.cell, self.cols // self.cell)
        hog = (
            f"hog_{row}_{col}_{turn}"
            for row in range(cells[0])
            for col in range(cells[1])
            for turn in range(ORIENTATIONS)
        )
        names = () if self.kind == "hue" else tuple(hog)
        return names if self.kind == "hog" else names + _hue_names(self.bins)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` makes an equal record of them."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, document: object) -> Self:
        """Read what `to_json` gave.

        Parameters
        ----------
        document : mapping, or str or bytes of JSON

        Raises
        ------
        UsageError
            If it is no such document: other fields, types or ranges.
        """
        return cls(**_fields_of(cls, document))


@dataclass(frozen=True, slots=True)
class PatchDefinition:
    """How each square patch of a picture becomes one vector.

    Raises
    ------
    UsageError
        If a field has another type or is out of range; the message names it.

    Examples
    --------
    >>> PatchDefinition().length
    41
    """

    side: int = 32
    """Of a patch in pixels of the picture, 2 to 1024."""
    bins: int = 10
    """Of the hue histogram, 1 to 250."""
    version: int = FEATURE_VERSION

    def __post_init__(self) -> None:
        _check_whole("side", self.side, 2, 1024)
        _check_whole("bins", self.bins, 1, _MOST_BINS)
        _check_whole("version", self.version, 1, 2**31 - 1)

    @property
    def length(self) -> int:
        """Numbers in a vector: share of black, statistics of channels, hues, gradients."""
        return 1 + len(_CHANNELS) * len(CHANNEL_STATISTICS) + self.bins + ORIENTATIONS

    def names(self) -> tuple[str, ...]:
        """A name for each number of a vector, in order."""
        channels = (f"{band}_{figure}" for band in _CHANNELS for figure in CHANNEL_STATISTICS)
        hog = (f"hog_{turn}" for turn in range(ORIENTATIONS))
        return ("black", *channels, *_hue_names(self.bins), *hog)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` makes an equal record of them."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, document: object) -> Self:
        """Read what `to_json` gave; parameters and errors as of `FeatureDefinition.from_json`."""
        return cls(**_fields_of(cls, document))


def _hue_names(bins: int) -> tuple[str, ...]:
    return tuple(f"hue_{number}" for number in range(bins))


def _shown(value: object) -> str:
    return repr(value)[:40]


def _check_whole(name: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise UsageError(
            f"feature {name} {_shown(value)} is wrong: give a whole number from {least} to {most}"
        )


def _fields_of(record: type[FeatureDefinition | PatchDefinition], document: object) -> Any:
    """The fields of a record in a document, all of them and no others."""
    if isinstance(document, str | bytes):
        document = _parsed(document)
    if not isinstance(document, Mapping):
        raise UsageError(f"a definition of features is a JSON object, not {_shown(document)}")
    wanted = {field.name for field in dataclasses.fields(record)}
    if set(document) != wanted:
        raise UsageError(
            f"a definition of features has the fields {', '.join(sorted(wanted))}; this one has "
            f"{_shown(sorted(map(str, document)))}"
        )
    return dict(document)


def _parsed(text: str | bytes) -> object:
    if len(text) > _LARGEST_JSON:
        raise UsageError(f"a definition of features has at most {_LARGEST_JSON} bytes")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"a definition of features is not JSON: {_shown(text)}") from error
