"""The same answers in the same order from one process, several, and a Dask cluster."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from gibswatch import parallel
from gibswatch.errors import MissingExtraError, UsageError
from gibswatch.parallel import map_ordered, worker_count

NUMBERS = [9.0, 4.0, 1.0, 0.0]
ROOTS = [3.0, 2.0, 1.0, 0.0]


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Address of a scheduler with one worker, in this process, on loopback."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        dashboard_address="127.0.0.1:0",  # None is the fixed port 8787
        protocol="tcp",
        host="127.0.0.1",
    ) as cluster:
        yield cluster.scheduler_address


def test_worker_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert worker_count(100, None) == 8
    assert worker_count(31, None) == 1
    assert worker_count(100, 3) == 3
    assert worker_count(2, 3) == 2
    assert worker_count(0, 3) == 1
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert worker_count(100, None) == 1


@pytest.mark.parametrize("workers", [0, -2])
def test_too_few_workers(workers: int) -> None:
    with pytest.raises(UsageError, match=f"--workers {workers} is too few"):
        list(map_ordered(math.sqrt, NUMBERS, workers=workers))


def test_serial_is_lazy_and_in_this_process() -> None:
    seen: list[int] = []
    results = map_ordered(seen.append, [1, 2, 3])
    next(results)
    assert seen == [1]
    assert list(map_ordered(math.sqrt, [])) == []


def test_spawned_processes_keep_the_order() -> None:
    assert list(map_ordered(math.sqrt, NUMBERS, workers=2)) == ROOTS


def test_an_error_in_a_process_arrives() -> None:
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        list(map_ordered(math.sqrt, [1.0, -1.0], workers=2))


def test_dask_keeps_the_order(scheduler: str) -> None:
    assert list(map_ordered(math.sqrt, NUMBERS, workers=9, scheduler=scheduler)) == ROOTS


def test_an_error_on_dask_arrives(scheduler: str) -> None:
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        list(map_ordered(math.sqrt, [1.0, -1.0], scheduler=scheduler))


def test_a_scheduler_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(parallel, "_SCHEDULER_TIMEOUT_S", 0.5)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can answer there
        address = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"no Dask scheduler answers at {address}"):
            list(map_ordered(math.sqrt, NUMBERS, scheduler=address))


@pytest.mark.parametrize("address", ["nonsense://x", "tcp://127.0.0.1:notaport", ""])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(UsageError, match=r"is not an address: give one like tcp://"):
        list(map_ordered(math.sqrt, NUMBERS, scheduler=address))


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r'pip install "gibswatch\[dask\]"'):
        list(map_ordered(math.sqrt, NUMBERS, scheduler="tcp://127.0.0.1:1"))


def test_ctrl_c_ends_the_workers_too() -> None:
    code = (
        "import time\n"
        "from gibswatch.parallel import map_ordered\n"
        "if __name__ == '__main__':\n"
        "    for _ in map_ordered(time.sleep, [0, 300, 300, 300], workers=2):\n"
        "        print('begun', flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)  # ends when no worker holds the pipes any more
    finally:
        process.kill()
    assert process.returncode != 0
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert errors.count("Traceback") == 1


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_workers_end_with_a_process_that_is_killed(name: str) -> None:
    code = (
        "import time\n"
        "from gibswatch.parallel import map_ordered\n"
        "if __name__ == '__main__':\n"
        "    for _ in map_ordered(time.sleep, [0, 300, 300, 300], workers=2):\n"
        "        print('begun', flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(getattr(signal, name))
        process.communicate(timeout=60)  # ends when no worker holds the pipe any more
    finally:
        process.kill()
    assert process.returncode == -getattr(signal, name)
