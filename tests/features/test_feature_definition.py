"""Definitions: lengths, names, a way to JSON and back, and nothing else taken from JSON."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.errors import UsageError
from gibswatch.features import FEATURE_VERSION, FeatureDefinition, PatchDefinition

Definition = FeatureDefinition | PatchDefinition
DEFINITIONS: tuple[Definition, ...] = (
    FeatureDefinition(),
    FeatureDefinition("hog", 64, 64, 16, 10, compat=True),
    FeatureDefinition("hue", bins=36),
    FeatureDefinition(version=FEATURE_VERSION + 1),
    PatchDefinition(),
    PatchDefinition(side=8, bins=1),
)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_names_are_as_many_as_numbers_and_all_different(definition: Definition) -> None:
    names = definition.names()
    assert len(names) == len(set(names)) == definition.length


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_json_and_back(definition: Definition) -> None:
    document = definition.to_json()
    text = json.dumps(document)
    for given_ in (document, text, text.encode()):
        assert type(definition).from_json(given_) == definition


def test_lengths_and_order() -> None:
    definition = FeatureDefinition("hog+hue", 17, 24, 8, 3)
    assert definition.length == 2 * 3 * 9 + 3
    assert definition.hog_length == 54
    names = definition.names()
    assert names[:2] == ("hog_0_0_0", "hog_0_0_1")
    assert names[53:] == ("hog_1_2_8", "hue_0", "hue_1", "hue_2")
    assert FeatureDefinition("hue", bins=4).length == 4
    assert FeatureDefinition("hog", 16, 16).length == 36
    assert PatchDefinition().names()[:3] == ("black", "red_mean", "red_std")


@pytest.mark.parametrize(
    ("shape", "grid"),
    [((2048, 4096), (128, 256)), ((640, 1280), (128, 256)), ((1024, 1024), (256, 256)),
     ((90, 30), (256, 85)), ((1, 5000), (2, 256))],
)  # fmt: skip
def test_one_map_has_one_grid_at_any_resolution(
    shape: tuple[int, int], grid: tuple[int, int]
) -> None:
    definition = FeatureDefinition.for_shape(*shape, cell=2)
    assert (definition.rows, definition.cols) == grid


BAD: dict[str, list[Any]] = {
    "kind": ["HOG", "", None, 1, [], {}, "hog+hue+hog"],
    "rows": [0, 1, -8, 4097, 10**30, 8.0, "128", None, True, [128]],
    "cols": [1, 4097, float("nan"), float("inf")],
    "cell": [0, 1, 129, "8", False],
    "bins": [0, 251, -1, 10.0],
    "compat": [0, 1, "false", None],
    "version": [0, -1, "1", True, 2**40],
}


@pytest.mark.parametrize(("field", "value"), [(k, v) for k, values in BAD.items() for v in values])
def test_hostile_values_are_refused_by_name(field: str, value: object) -> None:
    document = FeatureDefinition().to_json() | {field: value}
    with pytest.raises(UsageError, match=field):
        FeatureDefinition.from_json(document)


@pytest.mark.parametrize("field", ["side", "bins", "version"])
@pytest.mark.parametrize("value", [0, -1, 10**9 + 2**31, 1.5, "4", None, True, []])
def test_hostile_values_of_patches_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(UsageError, match=field):
        PatchDefinition.from_json(PatchDefinition().to_json() | {field: value})


@pytest.mark.parametrize(
    "document",
    [
        "", "{", "[]", "null", "12", b"\xff\xfe", "[" * 9000, "x" * 20_000, "{}", None, 3, [], {},
        {"kind": "hog"}, FeatureDefinition().to_json() | {"__class__": "os.system"},
        {1: 2}, '{"kind": NaN}',
    ],
)  # fmt: skip
def test_what_is_no_definition_is_refused(document: object) -> None:
    with pytest.raises(UsageError, match="a definition of features"):
        FeatureDefinition.from_json(document)


FIELDS = [field.name for field in dataclasses.fields(FeatureDefinition)]
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING))
def test_any_document_is_a_definition_or_a_usage_error(changes: dict[str, object]) -> None:
    with contextlib.suppress(UsageError):
        found = FeatureDefinition.from_json(FeatureDefinition().to_json() | changes)
        assert found.length == len(found.names()) > 0


def test_a_vector_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match=r"too long .* give a coarser grid or a larger cell"):
        FeatureDefinition("hog", 4096, 4096, 2)
