"""skops, without PyTorch and Dask.

When it is imported it looks through all modules of scikit-learn, and two of them import PyTorch and
Dask where they are installed: six seconds for nothing.  Empty modules stand in their place
meanwhile.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from gibswatch.errors import MissingExtraError

__all__ = ["import_skops"]

_BRIDGES = tuple(f"sklearn.externals.array_api_compat.{name}" for name in ("torch", "dask"))


def import_skops() -> Any:
    """Import `skops.io`.

    Raises
    ------
    MissingExtraError
        If the extra ``models`` is not installed.
    """
    try:
        with _stand_ins():
            import skops.io  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise MissingExtraError(
            f'models need {error.name}: pip install "gibswatch[models]"'
        ) from error
    return skops.io


@contextmanager
def _stand_ins() -> Iterator[None]:
    names = [name for name in _BRIDGES if name not in sys.modules and "skops.io" not in sys.modules]
    for name in names:
        sys.modules[name] = ModuleType(name)
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]
