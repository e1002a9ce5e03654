"""One map over a process, several processes, or a Dask cluster."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import connection
from typing import Any, TypeVar

from gibswatch.errors import MissingExtraError, UsageError

__all__ = ["check_scheduler", "map_ordered", "worker_count"]

T = TypeVar("T")
R = TypeVar("R")

_FEW = 32
"""Items that one process goes through before others have started."""
_SCHEDULER_TIMEOUT_S = 10
_SCHEDULER = re.compile(
    r"(tcp|tls|ws|wss)://[^\s/:]+:\d{1,5}|(tcp|tls)://\[[0-9a-fA-F:]+\]:\d{1,5}"
)


def worker_count(items: int, workers: int | None) -> int:
    """How many processes to use: `workers` if given, else one a core, or one for few items.

    Raises
    ------
    UsageError
        If `workers` is less than 1.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers} is too few: give 1 or more")
    if workers is None:
        workers = 1 if items < _FEW else (os.cpu_count() or 1)
    return max(1, min(workers, items))


def check_scheduler(address: str) -> None:
    """Refuse what is not the address of a Dask scheduler, before long work begins.

    Raises
    ------
    UsageError
        If it has not the form ``tcp://host:port``.
    """
    if not _SCHEDULER.fullmatch(address):
        raise UsageError(
            f"--scheduler {address[:80]!r} is not an address: give one like tcp://127.0.0.1:8786"
        )


def map_ordered(
    function: Callable[[T], R],
    items: Sequence[T],
    *,
    workers: int | None = 1,
    scheduler: str | None = None,
) -> Iterator[R]:
    """Yield `function(item)` for every item, in the order of the items.

    Parameters
    ----------
    function : callable
        Importable by name, since it may run in another process.
    items : sequence
        Picklable where more than one process is used.
    workers : int or None
        Processes on this machine; 1 runs in this one, None chooses.
    scheduler : str, optional
        Address of a Dask scheduler, e.g. ``tcp://127.0.0.1:8786``; goes before `workers`.

    Raises
    ------
    MissingExtraError
        If a scheduler is named and Dask is not installed.
    UsageError
        If the scheduler does not answer, or `workers` is less than 1.
    """
    if scheduler is not None:
        yield from _map_dask(function, items, scheduler)
        return
    count = worker_count(len(items), workers)
    if count == 1:
        yield from map(function, items)
        return
    yield from _map_processes(function, items, count)


def _map_processes(function: Callable[[T], R], items: Sequence[T], count: int) -> Iterator[R]:
    # Spawned, not forked: a fork copies the locks of running threads.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_end_with_parent)
    try:
        with _ctrl_c_stays_here():
            results = pool.map(
                function, items, chunksize=max(1, min(16, len(items) // (4 * count)))
            )
        yield from results
    except BaseException:
        # Ctrl-C, or nobody wants the rest. A pool that is interrupted while it starts can wait for
        # ever for itself; dead workers end it at once.
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however it was killed.

    What it was given to do would else be done to the end, for nobody.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_for, args=(parent.sentinel,), daemon=True).start()


def _wait_for(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


@contextlib.contextmanager
def _ctrl_c_stays_here() -> Iterator[None]:
    """Let processes that start in this block never see Ctrl-C, which a terminal sends to all.

    They inherit the mask; here a signal that came meanwhile is delivered when the block ends.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _map_dask(function: Callable[[T], R], items: Sequence[T], scheduler: str) -> Iterator[R]:
    check_scheduler(scheduler)
    try:
        from distributed import Client  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise MissingExtraError('--scheduler needs Dask: pip install "gibswatch[dask]"') from error
    try:
        client: Any = Client(scheduler, timeout=_SCHEDULER_TIMEOUT_S, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageError(f"no Dask scheduler answers at {scheduler}: check the address") from error
    with client:
        for future in client.map(function, items, pure=False):
            yield future.result()
