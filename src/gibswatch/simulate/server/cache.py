"""Pictures kept in memory, the longest unused forgotten first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from gibswatch.types import ByteArray

__all__ = ["CACHE_BYTES", "PictureCache"]

CACHE_BYTES = 256 << 20
"""What a source keeps, unless it is told otherwise."""

_K = TypeVar("_K", bound=Hashable)


class PictureCache(Generic[_K]):
    """Pictures by key; safe to use from many threads.

    Parameters
    ----------
    make : Callable[[key], ndarray]
        Called by one thread at a time, once a key as long as its picture is kept.  It may itself
        get other pictures from this cache.
    max_bytes : int
        Pictures are kept up to this size together (two at least).
    """

    def __init__(self, make: Callable[[_K], ByteArray], max_bytes: int = CACHE_BYTES) -> None:
        self._make = make
        self._max_bytes = max_bytes
        self._kept: OrderedDict[_K, ByteArray] = OrderedDict()
        self._lock = threading.Lock()
        self._making = threading.RLock()

    def get(self, key: _K) -> ByteArray:
        """Return the picture of `key`, made now if it is not kept."""
        picture = self._find(key)
        if picture is not None:
            return picture
        with self._making:
            picture = self._find(key)
            if picture is None:
                picture = self._make(key)
                self._keep(key, picture)
            return picture

    def _find(self, key: _K) -> ByteArray | None:
        with self._lock:
            picture = self._kept.get(key)
            if picture is not None:
                self._kept.move_to_end(key)
            return picture

    def _keep(self, key: _K, picture: ByteArray) -> None:
        with self._lock:
            self._kept[key] = picture
            size = sum(kept.nbytes for kept in self._kept.values())
            while size > self._max_bytes and len(self._kept) > 2:
                size -= self._kept.popitem(last=False)[1].nbytes
