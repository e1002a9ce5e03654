"""Compiled and sparse averaging are one rule, pixel by pixel; without numba nothing is missing."""

from __future__ import annotations

import builtins
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gibswatch.raster import _kernels, averaging
from gibswatch.raster.averaging import area_average, sparse_average
from gibswatch.raster.scene import single_value
from gibswatch.types import ByteArray, FloatArray


def speckled(rows: int, cols: int, seed: int) -> ByteArray:
    """Imagery, black, and values on both sides of the border between them, in patches and alone."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (rows, cols, 3), dtype=np.uint8)
    kind = rng.random((rows, cols)) * rng.choice([0.3, 1.0])
    pixels[kind < 0.2] = rng.choice([0, 7, 8])
    pixels[(kind >= 0.2) & (kind < 0.25)] = (9, 0, 3)
    pixels[: rng.integers(0, rows), : rng.integers(0, cols)] = 0
    return pixels


def compiled(pixels: ByteArray, row_edges: FloatArray, col_edges: FloatArray) -> ByteArray:
    rows, cols = averaging._in_parts(row_edges), averaging._in_parts(col_edges)
    assert rows is not None
    assert cols is not None
    return averaging._compiled_average(_kernels, pixels, rows, cols)


@settings(deadline=None)
@given(
    scale=st.sampled_from([1.0625, 1.25, 1.25, 1.25, 1.5, 2.0, 2.5, 5.0, 10.0]),
    first=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    cells=st.tuples(st.integers(1, 25), st.integers(1, 25)),
    beyond=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_both_ways_give_the_same_pixels(
    scale: float, first: tuple[int, int], cells: tuple[int, int], beyond: bool, seed: int
) -> None:
    """From any sixteenth on; the last cells may reach a little over the picture's end."""
    edges = [at / 16 + np.arange(n + 1) * scale for at, n in zip(first, cells, strict=True)]
    size = [int(np.ceil(e[-1])) for e in edges]
    if beyond:
        size = [max(n - 1, int(np.floor(e[-2])) + 1) for n, e in zip(size, edges, strict=True)]
    pixels = speckled(size[0], size[1], seed)
    np.testing.assert_array_equal(compiled(pixels, *edges), sparse_average(pixels, *edges))


@pytest.mark.parametrize("scale", [40.0, 80.0])
def test_many_source_pixels_in_a_cell(scale: float) -> None:
    pixels = speckled(400, 320, 5)
    edges = np.arange(int(400 / scale) + 1) * scale, np.arange(int(320 / scale) + 1) * scale
    np.testing.assert_array_equal(compiled(pixels, *edges), sparse_average(pixels, *edges))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_large_picture(seed: int) -> None:
    pixels = speckled(640, 5120, seed)
    edges = np.arange(513) * 1.25, np.arange(4097) * 1.25
    np.testing.assert_array_equal(compiled(pixels, *edges), sparse_average(pixels, *edges))


def test_halves_go_to_the_even_neighbour() -> None:
    """A mean of four pixels can be a half; both ways round it as numpy does."""
    pixels = np.full((2, 8, 3), 100, dtype=np.uint8)
    for cell, raised in enumerate((2, 4, 6, 8)):
        pixels[0, 2 * cell] += np.uint8(raised)
    edges = np.arange(2) * 2.0, np.arange(5) * 2.0
    wanted = [100, 101, 102, 102]
    for average in (compiled, sparse_average):
        assert average(pixels, *edges)[0, :, 0].tolist() == wanted


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Forget that numba was loaded."""
    monkeypatch.setattr(averaging, "_COMPILED", averaging._Compiled())
    return monkeypatch


EDGES = np.arange(9) * 1.25, np.arange(9) * 1.25


def test_numba_is_loaded_once_it_pays(fresh: pytest.MonkeyPatch) -> None:
    loads: list[ModuleType] = []

    def load() -> ModuleType:
        loads.append(_kernels)
        return _kernels

    fresh.setattr(averaging, "_load", load)
    fresh.setattr(averaging, "_WORTH_LOADING_CELLS", 3 * 64)
    pixels = speckled(10, 10, 3)
    results = []
    for wanted in (0, 0, 1, 1):
        results.append(area_average(pixels, *EDGES))
        assert len(loads) == wanted
    assert all((one == results[0]).all() for one in results)


def test_without_numba_the_sparse_way_is_taken(fresh: pytest.MonkeyPatch) -> None:
    real, asked = builtins.__import__, []

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("gibswatch.raster") and "_kernels" in (rest[2] or ()):
            asked.append(name)
            raise ImportError("no numba here")
        return real(name, *rest, **more)

    fresh.setattr(averaging, "_WORTH_LOADING_CELLS", 1)
    fresh.setattr(builtins, "__import__", refuse)
    pixels = speckled(10, 10, 4)
    for _ in range(2):
        np.testing.assert_array_equal(area_average(pixels, *EDGES), sparse_average(pixels, *EDGES))
    assert len(asked) == 1


def test_edges_that_numbers_cannot_count_go_the_sparse_way() -> None:
    assert averaging._in_parts(np.arange(4) * 3.7) is None
    assert averaging._in_parts(np.arange(4) * 1.25) is not None


@pytest.mark.parametrize("shape", [(1, 1, 3), (512, 512, 3), (256, 256, 4), (5, 9, 3)])
def test_a_single_value(shape: tuple[int, int, int]) -> None:
    pixels = np.full(shape, 7, dtype=np.uint8)
    pixels[..., 1] = 99  # one colour, though not one number
    assert single_value(pixels)
    if shape[:2] == (1, 1):
        return
    for at in ((0, -1, 0), (-1, 0, 1), (-1, -1, 2), (shape[0] // 2, 1, 0)):
        other = pixels.copy()
        other[at] += 1
        assert not single_value(other)
