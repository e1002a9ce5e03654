"""Cards of models: what is written is what is read, and nonsense is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.errors import UsageError
from gibswatch.models.calibration import Calibration
from gibswatch.models.card import GridOfModel, ModelCard, card_to_bytes, read_card

CARD = ModelCard(
    model="softmax",
    level="image",
    target="multi",
    layer="A_Layer",
    grid=GridOfModel(4326, 10, 20, (-180.0, -90.0, 180.0, 90.0)),
    parameters={"C": 0.5},
    seed=1,
    features={"version": 1, "names": ["hog"]},
    n_features=7,
    classes=(0, 2, 3),
    threshold=0.25,
    file_bytes=10,
    file_sha256="a" * 64,
    data_sha256="b" * 64,
    split_by="event",
    counts={"train": {"0": 5}},
    metrics={"ap": 0.5},
    versions={"numpy": "2"},
    calibration=Calibration("platt", logit=True, xs=(1.5, 0.1)),
    created="2026-01-01T00:00:00+00:00",
    notes=("a note",),
)


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "card.json"
    path.write_text(json.dumps(json.loads(card_to_bytes(CARD)) | changes))
    return path


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    assert read_card(written(tmp_path)) == CARD


def test_fields_of_later_versions_of_the_same_schema_are_ignored(tmp_path: Path) -> None:
    assert read_card(written(tmp_path, more=1)) == CARD


@pytest.mark.parametrize("version", [2, "1", None])
def test_a_newer_card_says_update(tmp_path: Path, version: object) -> None:
    with pytest.raises(UsageError, match="reads version 1: update Gibswatch"):
        read_card(written(tmp_path, schema_version=version))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", "gpt"),
        ("level", "planet"),
        ("target", "all"),
        ("layer", 7),
        ("grid", {"epsg": 1, "rows": 1, "cols": 1, "bbox": [0, 0, 1, 1]}),
        ("grid", {"epsg": 4326, "rows": 0, "cols": 1, "bbox": [0, 0, 1, 1]}),
        ("grid", {"epsg": 4326, "rows": 1.5, "cols": 1, "bbox": [0, 0, 1, 1]}),
        ("grid", {"epsg": 4326, "rows": 1, "cols": True, "bbox": [0, 0, 1, 1]}),
        ("grid", {"epsg": 4326, "rows": 1, "cols": 1, "bbox": []}),
        ("grid", {"epsg": 4326, "rows": 1, "cols": 1, "bbox": [1, 2, 3]}),
        ("grid", {"epsg": 4326, "rows": 1, "cols": 1, "bbox": [0, 0, 0, 1]}),
        ("grid", {"epsg": 4326, "rows": 1, "cols": 1, "bbox": [0, 0, 1, "inf"]}),
        ("grid", []),
        ("parameters", {"C": -1}),
        ("parameters", {"none": 1}),
        ("seed", -1),
        ("features", 3),
        ("n_features", 10**12),
        ("n_features", 0),
        ("classes", [1, 0]),
        ("classes", []),
        ("classes", [0, "x"]),
        ("classes", [0, 10**9]),
        ("notes", "one"),
        ("threshold", None),
        ("file_sha256", "z"),
        ("split_by", "luck"),
        ("created", "yesterday"),
        ("versions", {"numpy": 2}),
        ("calibration", {"method": "platt", "logit": True, "xs": [-1, 0], "ys": []}),
        ("calibration", {"method": "isotonic", "logit": True, "xs": [0, 1], "ys": [1, 0]}),
    ],
)
def test_values_that_no_training_writes_are_refused(
    tmp_path: Path, field: str, value: object
) -> None:
    with pytest.raises(UsageError, match=r"card\.json"):
        read_card(written(tmp_path, **{field: value}))


@pytest.mark.parametrize(
    "data", [b"", b"[1]", b"{", b"\xff\xfe", b'{"threshold": NaN}', b"[" * 9999]
)
def test_what_is_no_card_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=r"card\.json is no card"):
        read_card(path)


@given(
    field=st.sampled_from(sorted(ModelCard.__dataclass_fields__)),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    ),
)
def test_any_value_is_a_card_or_a_plain_refusal(
    tmp_path_factory: pytest.TempPathFactory, field: str, value: object
) -> None:
    try:
        read_card(written(tmp_path_factory.mktemp("card"), **{field: value}))
    except UsageError as error:
        assert "card.json" in str(error)  # noqa: PT017 - either is right
