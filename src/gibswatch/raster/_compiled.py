"""The decorator of compiled code in all rooms; imported where numba is, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

__all__ = ["compiled"]

_Function = TypeVar("_Function", bound=Callable[..., object])


def compiled(function: _Function) -> _Function:
    """Compile on the first call; kept on disk where a folder can be written (numba's own choice).

    Without the interpreter's lock, so that days and tiles are worked on beside each other.
    """
    try:
        return cast("_Function", numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # no folder can take the cache: compile in every process
        return cast("_Function", numba.njit(nogil=True)(function))
