"""A journal in a thread of its own: a commit waits for the disk, and the network must not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from gibswatch.archive.journal.journal import Journal

__all__ = ["JournalThread", "finish_in"]

_T = TypeVar("_T")


class JournalThread:
    """Reads and writes a journal from an event loop; an async context manager.

    What is asked for is done in that order, one at a time.

    Parameters
    ----------
    path : Path
        Of the journal.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "journal")
        self._journal: Journal | None = None

    async def __aenter__(self) -> Self:
        self._journal = await finish_in(self._thread, lambda: Journal(self._path))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        journal, self._journal = self._journal, None
        if journal is not None:
            await finish_in(self._thread, journal.close)
        self._thread.shutdown()

    async def call(self, function: Callable[[Journal], _T]) -> _T:
        """Do something with the journal; whoever is cancelled meanwhile waits for its end."""
        journal = self._journal
        if journal is None:
            raise RuntimeError("JournalThread is used outside of its `async with` block")
        return await finish_in(self._thread, lambda: function(journal))


async def finish_in(thread: Executor | None, function: Callable[[], _T]) -> _T:
    """Run a function in a thread (None: any); whoever is cancelled meanwhile waits for its end."""
    work = asyncio.ensure_future(asyncio.get_running_loop().run_in_executor(thread, function))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.gather(work, return_exceptions=True)
        raise
