"""A bounded window of jobs in flight; results as they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from itertools import islice
from typing import Any, TypeVar

__all__ = ["as_they_end", "beside_any_loop", "in_batches"]

_T = TypeVar("_T")


async def as_they_end(
    jobs: Iterable[Coroutine[Any, Any, _T]], limit: int
) -> AsyncGenerator[_T, None]:
    """Run a sliding window of `limit` jobs; results come as they end.

    The first error leaves as it is, not in a group; whatever still runs then is cancelled and has
    ended when this generator is closed.
    """
    async with aclosing(in_batches(jobs, limit)) as batches:
        async for batch in batches:
            for task in batch:
                yield task.result()


async def in_batches(
    jobs: Iterable[Coroutine[Any, Any, _T]], limit: int
) -> AsyncGenerator[list[asyncio.Task[_T]], None]:
    """Run a sliding window of `limit` jobs; what has ended meanwhile comes together, as tasks."""
    waiting = iter(jobs)
    running: set[asyncio.Task[_T]] = set()
    ended: set[asyncio.Task[_T]] = set()
    try:
        while True:
            free = limit - len(running)
            running |= {asyncio.create_task(job) for job in islice(waiting, free)}
            if not running:
                return
            ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            yield list(ended)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, *ended, return_exceptions=True)


def beside_any_loop(job: Callable[[], _T]) -> _T:
    """Do a job that starts a loop; in a thread where one runs here already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return job()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(job).result()
