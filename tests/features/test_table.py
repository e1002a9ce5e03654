"""The table of features: whole or absent, read as it was written, and nothing else read."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from gibswatch.errors import OutputError, UsageError
from gibswatch.features import (
    FeatureDefinition,
    FeatureRow,
    iter_features,
    read_features,
    table,
    write_features,
)

DEFINITION = FeatureDefinition("hue", bins=4)
FIRST = dt.date(2023, 8, 1)


def rows(count: int, length: int = 4) -> Iterator[FeatureRow]:
    for number in range(count):
        numbers = np.arange(length, dtype=np.float32) + np.float32(number / 7)
        yield FeatureRow("Some_Layer", FIRST + dt.timedelta(number), 3413, numbers)


def raw(path: Path, columns: dict[str, Any], metadata: dict[bytes, bytes] | None) -> Path:
    parquet.write_table(pa.table(columns).replace_schema_metadata(metadata), path)
    return path


def good_columns(count: int = 2) -> dict[str, Any]:
    numbers = pa.array(np.arange(4 * count, dtype=np.float32))
    return {
        "layer": pa.array(["L"] * count),
        "date": pa.array([FIRST] * count, pa.date32()),
        "epsg": pa.array([4326] * count, pa.int32()),
        "features": pa.FixedSizeListArray.from_arrays(numbers, 4),
    }


GOOD_METADATA = {b"gibswatch.features": json.dumps(DEFINITION.to_json()).encode()}


@pytest.mark.parametrize("count", [0, 1, 5])
def test_read_as_written(tmp_path: Path, count: int) -> None:
    path = tmp_path / "deep" / "table.parquet"
    assert write_features(path, DEFINITION, rows(count)) == count
    found = read_features(path)
    assert found.definition == DEFINITION
    assert len(found) == count
    assert found.layers == ("Some_Layer",) * count
    assert found.dates == tuple(FIRST + dt.timedelta(n) for n in range(count))
    assert found.epsg == (3413,) * count
    assert found.features.dtype == np.float32
    expected = [row.features for row in rows(count)]
    np.testing.assert_array_equal(found.features, np.reshape(expected, (count, 4)))


def test_anything_that_reads_parquet_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_features(path, DEFINITION, rows(2))
    found = parquet.read_table(path)
    assert found.schema.field("features").type == pa.list_(pa.float32(), 4)
    assert found.column("date").to_pylist() == [FIRST, FIRST + dt.timedelta(1)]
    assert json.loads(found.schema.metadata[b"gibswatch.features"])["kind"] == "hue"


def test_rows_go_to_disk_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_GROUP_BYTES", 3 * 4 * 4)
    path = tmp_path / "table.parquet"
    written: list[int] = []
    as_table = table._as_table

    def counted(schema: Any, part: Any) -> Any:
        written.append(len(part))
        return as_table(schema, part)

    monkeypatch.setattr(table, "_as_table", counted)
    write_features(path, DEFINITION, rows(8))
    assert written == [3, 3, 2]
    assert parquet.ParquetFile(path).num_row_groups == 3
    assert [len(batch) for batch in iter_features(path)] == [0, 3, 3, 2]


def test_an_error_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_features(path, DEFINITION, rows(2))
    before = path.read_bytes()

    def broken() -> Iterator[FeatureRow]:
        yield from rows(3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_features(path, DEFINITION, broken())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_vector_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"2023-08-01 have the shape \(5,\): .* 4 numbers"):
        write_features(tmp_path / "t.parquet", DEFINITION, rows(1, length=5))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="something else stands there"):
        write_features(tmp_path, DEFINITION, rows(1))


def test_a_good_file_by_other_hands_is_read(tmp_path: Path) -> None:
    path = raw(tmp_path / "t.parquet", good_columns(), GOOD_METADATA)
    assert len(read_features(path)) == 2


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"{}"])
def test_what_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"t\.parquet cannot be read as a table of features"):
        read_features(path)


def test_a_torn_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_features(path, DEFINITION, rows(50))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UsageError, match="cannot be read as a table of features"):
        read_features(path)


def test_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read as a table of features"):
        read_features(tmp_path / "none.parquet")


@pytest.mark.parametrize(
    ("changes", "metadata", "said"),
    [
        ({}, None, "is no table of features"),
        ({}, {b"gibswatch.features": b"{"}, "a definition of features is not JSON"),
        ({}, {b"gibswatch.features": b"[]"}, "a definition of features is a JSON object"),
        ({"features": pa.array([[1.0], [2.0]])}, GOOD_METADATA, "has other columns"),
        ({"date": pa.array(["x", "y"])}, GOOD_METADATA, "has other columns"),
        ({"more": pa.array([1, 2])}, GOOD_METADATA, "has other columns"),
        ({"layer": pa.array(["L", None])}, GOOD_METADATA, "has empty places"),
        (
            {"features": pa.array([[1, 2, 3, None], [1, 2, 3, 4]], pa.list_(pa.float32(), 4))},
            GOOD_METADATA,
            "features that are no numbers",
        ),
        (
            {"features": pa.array([[1, 2, 3, np.inf], [1, 2, 3, 4]], pa.list_(pa.float32(), 4))},
            GOOD_METADATA,
            "features that are no numbers",
        ),
    ],
)
def test_another_table_is_refused(
    tmp_path: Path, changes: dict[str, Any], metadata: dict[bytes, bytes] | None, said: str
) -> None:
    path = raw(tmp_path / "t.parquet", good_columns() | changes, metadata)
    with pytest.raises(UsageError, match=said):
        read_features(path)
