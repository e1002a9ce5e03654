"""The decorator of compiled code."""

from __future__ import annotations

from typing import Any

import pytest

from gibswatch.raster._compiled import compiled


def test_where_no_folder_takes_the_cache_it_compiles_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []

    def njit(**options: Any) -> Any:
        seen.append(options)
        if "cache" in options:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr("numba.njit", njit)
    assert compiled(len) is len
    assert seen == [{"nogil": True, "cache": True}, {"nogil": True}]
