"""The table of features: Parquet, one row a day, written and read piece by piece.

=============  ==================================================================================
``layer``      identifier
``date``       day
``epsg``       projection
``features``   fixed-size list of float32, `FeatureDefinition.names` in order
=============  ==================================================================================

The definition stands in the schema's metadata under ``gibswatch.features``, as JSON.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.features.definition import FeatureDefinition
from gibswatch.files import atomic_path

__all__ = ["FeatureBatch", "FeatureRow", "iter_features", "read_features", "write_features"]

_KEY = b"gibswatch.features"
_GROUP_BYTES = 2**22
"""Of a row group: what is held in memory while a table is written or read."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureRow:
    """The features of one day."""

    layer: str
    date: dt.date
    epsg: int
    features: NDArray[np.float32]
    """(definition.length,) float32."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureBatch:
    """Rows of a table, by columns."""

    definition: FeatureDefinition
    layers: tuple[str, ...]
    dates: tuple[dt.date, ...]
    epsg: tuple[int, ...]
    features: NDArray[np.float32]
    """(days, definition.length) float32, finite."""

    def __len__(self) -> int:
        return len(self.dates)


def write_features(path: Path, definition: FeatureDefinition, rows: Iterable[FeatureRow]) -> int:
    """Write a table, whole or not at all; memory does not grow with its length.

    Parameters
    ----------
    path : Path
        Replaced if it is there.
    definition : FeatureDefinition
    rows : iterable of FeatureRow
        Taken one by one; an error that it raises leaves the file as it was.

    Returns
    -------
    int
        How many rows were written.

    Raises
    ------
    UsageError
        If a vector has another length than the definition says.
    OutputError
        If the folder cannot take the file.
    """
    from pyarrow import parquet  # noqa: PLC0415 (0.2 s that only commands with tables pay)

    schema, group, written = _schema(definition), _rows_at_once(definition), 0
    waiting: list[FeatureRow] = []
    with atomic_path(path) as temporary, parquet.ParquetWriter(temporary, schema) as writer:
        for row in rows:
            if row.features.shape != (definition.length,):
                raise UsageError(
                    f"features of {row.date} have the shape {row.features.shape}: their "
                    f"definition asks for {definition.length} numbers"
                )
            waiting.append(row)
            written += 1
            if len(waiting) == group:
                writer.write_table(_as_table(schema, waiting))
                waiting.clear()
        if waiting:
            writer.write_table(_as_table(schema, waiting))
    return written


def iter_features(path: Path) -> Iterator[FeatureBatch]:
    """Read a table piece by piece; memory does not grow with its length.

    Yields
    ------
    FeatureBatch
        At least one, of no row where the table has none.

    Raises
    ------
    UsageError
        If the file is not there, or is no whole table of features.
    """
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    with _told_as_usage(path, pa.ArrowException), parquet.ParquetFile(path) as file:
        definition = _definition_of(path, file.schema_arrow)
        yield _as_batch(path, definition, file.schema_arrow.empty_table())
        for piece in file.iter_batches(_rows_at_once(definition)):
            yield _as_batch(path, definition, pa.Table.from_batches([piece]))


def read_features(path: Path) -> FeatureBatch:
    """Read a whole table.

    Raises
    ------
    UsageError
        As `iter_features`.
    """
    batches = list(iter_features(path))
    return FeatureBatch(
        batches[0].definition,
        tuple(layer for batch in batches for layer in batch.layers),
        tuple(day for batch in batches for day in batch.dates),
        tuple(code for batch in batches for code in batch.epsg),
        np.concatenate([batch.features for batch in batches]),
    )


def _schema(definition: FeatureDefinition) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    return pa.schema(
        [
            ("layer", pa.string()),
            ("date", pa.date32()),
            ("epsg", pa.int32()),
            ("features", pa.list_(pa.float32(), definition.length)),
        ],
        metadata={_KEY: json.dumps(definition.to_json()).encode()},
    )


def _rows_at_once(definition: FeatureDefinition) -> int:
    return max(1, _GROUP_BYTES // (4 * definition.length))


def _as_table(schema: Any, rows: Sequence[FeatureRow]) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    numbers = pa.array(np.concatenate([row.features for row in rows]), pa.float32())
    columns = [
        pa.array([row.layer for row in rows], pa.string()),
        pa.array([row.date for row in rows], pa.date32()),
        pa.array([row.epsg for row in rows], pa.int32()),
        pa.FixedSizeListArray.from_arrays(numbers, len(rows[0].features)),
    ]
    return pa.Table.from_arrays(columns, schema=schema)


@contextlib.contextmanager
def _told_as_usage(path: Path, arrow_error: type[Exception]) -> Iterator[None]:
    try:
        yield
    except (OSError, arrow_error) as error:
        raise UsageError(
            f"{path} cannot be read as a table of features ({str(error)[:100]}): name one that "
            "`gibswatch features` wrote"
        ) from error


def _definition_of(path: Path, schema: Any) -> FeatureDefinition:
    """The definition in a table's metadata, if the columns are as it says."""
    document = (schema.metadata or {}).get(_KEY)
    if document is None:
        raise UsageError(f"{path} is no table of features: `gibswatch features` writes them")
    definition = FeatureDefinition.from_json(document)
    if not schema.equals(_schema(definition), check_metadata=False):
        raise UsageError(
            f"{path} has other columns than its definition of features says: make it anew with "
            "`gibswatch features`"
        )
    return definition


def _as_batch(path: Path, definition: FeatureDefinition, table: Any) -> FeatureBatch:
    if any(column.null_count for column in table.columns):
        raise UsageError(f"{path} has empty places: make it anew with `gibswatch features`")
    numbers = table.column("features").combine_chunks().flatten()
    features = numbers.to_numpy(zero_copy_only=False).reshape(-1, definition.length)
    if numbers.null_count or not np.isfinite(features).all():
        raise UsageError(
            f"{path} has features that are no numbers: make it anew with `gibswatch features`"
        )
    names = ("layer", "date", "epsg")
    layers, dates, codes = (tuple(table.column(name).to_pylist()) for name in names)
    return FeatureBatch(definition, layers, dates, codes, features)
