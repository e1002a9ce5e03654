"""Run `gibswatch` in processes that can be killed, as `kill -9` does, at a given step on the disk.

A step is a file opened for writing, renamed or removed in the folder, or a statement that SQLite
runs.  This program imports Gibswatch once; every line that it reads asks for one command, which it
runs in a process of its own (a fork: starting Python anew each time takes a second).

Line in: ``{"step": 0, "folder": ..., "steps_to": FILE, "err_to": FILE, "arguments": [...]}``; with
step 0 nothing is killed, and the number of steps is written to ``steps_to``.
Lines out: the process's number, and, once it has ended, its exit code (-9 if it was killed).
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

_CHANGES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.link", "os.truncate"})
_WRITING = os.O_WRONLY | os.O_RDWR


def install(kill_at: int, folder: str) -> itertools.count[int]:
    """Count the steps of this process from now on, and kill it before the one asked for."""
    steps = itertools.count(1)

    def step(*_: object) -> None:
        if next(steps) == kill_at:  # one C call: safe in all threads
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(event: str, args: tuple[Any, ...]) -> None:
        opened = event == "open" and isinstance(args[2], int) and args[2] & _WRITING
        if (opened or event in _CHANGES) and str(args[0]).startswith(folder):
            step()

    real = sqlite3.connect

    def connect(*args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = real(*args, **options)
        connection.set_trace_callback(step)
        return connection

    sqlite3.connect = connect  # type: ignore[assignment]
    sys.addaudithook(audit)
    return steps


def run(asked: dict[str, Any]) -> int:
    """Run one command in this process, which is a new one; returns its exit code."""
    from gibswatch.cli.main import main as gibswatch

    err = os.open(asked["err_to"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(err, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    steps = install(asked["step"], asked["folder"])
    try:
        return gibswatch(asked["arguments"])
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        Path(asked["steps_to"]).write_text(str(next(steps) - 1))


def say(number: int) -> None:
    """Write one line to standard output."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    """Run what is asked for, until there are no more lines."""
    import gibswatch.archive
    import gibswatch.cli.download
    import gibswatch.cli.main  # noqa: F401

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = run(json.loads(line))
            finally:
                sys.stderr.flush()
                os._exit(code)
        say(child)
        say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
