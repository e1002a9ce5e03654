"""One holder of a file's lock at a time, and who it is.

The operating system holds the lock and lets go of it when the process ends, however it ends: what a
killed process leaves behind blocks nobody.  The locked file itself says who holds it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import json
import os
import socket
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from gibswatch.errors import OutputError
from gibswatch.files import storage_errors

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["FileLock"]

_HELD_ELSEWHERE = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
_LOCKED_BYTE = 2**30
"""On Windows a locked byte cannot be read: one far behind what the file says."""
_MOST_READ_BYTES = 4096


@dataclass(slots=True)
class _Held:
    """A lock that this process holds."""

    descriptor: int
    thread: int
    command: str
    since: str
    depth: int = 1


_held: dict[str, _Held] = {}
"""By the real path of the file."""
_guard = threading.Lock()


class FileLock:
    """A context manager: inside, nobody else holds the lock of this file.

    The thread that holds it may enter it again (`verify` downloads); another thread of the same
    process is refused as another process is.

    Parameters
    ----------
    path : Path
        Made, with its folder, if it is not there; stays, empty, when the lock is let go.
    command : str
        What is being done, for the message that others get.

    Raises
    ------
    OutputError
        If the path cannot be one; on entering, if the folder cannot be written, or, at once, if
        another process or thread holds the lock.
    """

    def __init__(self, path: Path, command: str) -> None:
        self._path = path
        self._command = command
        with storage_errors(path):
            self._key = os.path.realpath(path)

    def __enter__(self) -> Self:
        with _guard:
            held = _held.get(self._key)
            if held is None:
                _held[self._key] = self._take()
            elif held.thread == threading.get_ident():
                held.depth += 1
            else:
                raise self.refusal(_describe(_holder(os.getpid(), held.since, held.command)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with _guard:
            held = _held.get(self._key)
            if held is None:  # in a child of the process that holds it
                return
            held.depth -= 1
            if held.depth == 0:
                del _held[self._key]
                with contextlib.suppress(OSError):
                    os.ftruncate(held.descriptor, 0)
                os.close(held.descriptor)

    def refusal(self, holder: str) -> OutputError:
        """Make the error that the second gets; `holder` says who the first is."""
        return OutputError(f"{self._path} is in use by {holder}: wait until it ends")

    def _take(self) -> _Held:
        since = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        with storage_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                self._sign(descriptor, since)
            except BaseException:
                os.close(descriptor)
                raise
        return _Held(descriptor, threading.get_ident(), self._command, since)

    def _sign(self, descriptor: int, since: str) -> None:
        if not _lock(descriptor):
            raise self.refusal(_describe(_read_holder(descriptor)))
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, _holder(os.getpid(), since, self._command))


def _lock(descriptor: int) -> bool:
    """Lock the file, or return False if another holds it."""
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD_ELSEWHERE:
            return False
        raise
    return True


def _holder(pid: int, since: str, command: str) -> bytes:
    host = socket.gethostname()
    values = {"pid": pid, "host": host, "since": since, "command": command[:200]}
    return json.dumps(values).encode() + b"\n"


def _read_holder(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, _MOST_READ_BYTES)


def _describe(holder: bytes) -> str:
    """Say who holds the lock; the file may be anybody's, so only what can be shown is."""
    try:
        values = json.loads(holder)
        text = (
            f"process {values['pid']} on {values['host']} since {values['since']} "
            f"({values['command']})"
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return "another process"  # one that has not said yet who it is
    return "".join(c if c.isprintable() else "." for c in text)[:400]


def _forget_after_fork() -> None:
    """A child has copies of the descriptors: they would keep the lock when its parent is killed."""
    global _guard  # noqa: PLW0603 - the parent's may be taken by a thread that the child lacks
    _guard = threading.Lock()
    for held in _held.values():
        with contextlib.suppress(OSError):
            os.close(held.descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
