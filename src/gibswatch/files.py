"""Writing files whole or not at all, and keeping names from becoming paths."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gibswatch.errors import OutputError, UnsafeNameError

__all__ = [
    "atomic_path",
    "flush_files",
    "output_folder",
    "replace_files",
    "safe_name",
    "storage_errors",
    "within",
    "write_bytes",
]

_NAME = re.compile(r"(?!.*\.$)[A-Za-z0-9][A-Za-z0-9_.+-]{0,199}")
_NAME_KEPT = 150
"""Characters of a file's name that its temporary name keeps: 255 are a name's limit."""
_FLUSHES_AT_ONCE = 4
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def safe_name(name: str, *, what: str = "name") -> str:
    """Return `name` if it can be one component of a path on every system, else refuse it.

    Parameters
    ----------
    name : str
        For instance a layer identifier.
    what : str
        How the error calls it.

    Raises
    ------
    UnsafeNameError
        If the name is empty, longer than 200 characters, has a character other than ASCII letters,
        digits and ``_.+-``, starts or ends with a dot, holds ``..``, or is reserved on Windows.

    Examples
    --------
    >>> safe_name("VIIRS_SNPP_CorrectedReflectance_BandsM11-I2-I1")
    'VIIRS_SNPP_CorrectedReflectance_BandsM11-I2-I1'
    """
    if not _NAME.fullmatch(name) or ".." in name or _RESERVED.fullmatch(name):
        shown = name if len(name) <= 60 else name[:57] + "..."
        raise UnsafeNameError(
            f"{what} {shown!r} cannot be used as a file name: "
            "use at most 200 letters, digits and _ . + -, the first a letter or digit"
        )
    return name


def within(root: Path, *parts: str) -> Path:
    """Return the path of `parts` under `root`, if no link on the way leads out of `root`.

    The root itself may be a link, and a link from one place under it to another is followed.  Costs
    one look at each part; nothing needs to be there.

    Raises
    ------
    OutputError
        If a folder, or the file, is a link that leads out; the message names it.
    """
    path = os.fspath(root)
    with storage_errors(root):
        for part in parts:
            path = os.path.join(path, part)  # noqa: PTH118 - called for every tile, Path is slow
            if os.path.islink(path):  # noqa: PTH114
                _check_link(root, Path(path))
    return Path(path)


def _check_link(root: Path, link: Path) -> None:
    with storage_errors(link), contextlib.suppress(FileNotFoundError):
        link.stat()  # a link to itself leads nowhere; one to what is not there yet may
    target = Path(os.path.realpath(link))
    if not target.is_relative_to(os.path.realpath(root)):
        raise OutputError(
            f"{link} is a link that leads out of {root}, to {target}: put a folder or file in its "
            "place, or name another folder (which may itself be a link)"
        )


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals to write `path` into an `OutputError` with a way out."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(
                f"no space left to write {path}: free some, or name another folder; "
                "what was finished is kept"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise OutputError(f"no right to write {path}: name another folder") from error
        if isinstance(error, NotADirectoryError | FileExistsError | IsADirectoryError):
            raise OutputError(
                f"{path} cannot be written, something else stands there: name another folder"
            ) from error
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}): name another folder"
        ) from error
    except ValueError as error:
        if "embedded null" not in str(error):
            raise
        raise OutputError(f"{str(path)!r} is no path (it holds NUL): name another") from error


def output_folder(path: Path) -> Path:
    """Make the folder `path` and prove that a file can be written in it.

    Raises
    ------
    OutputError
        If it cannot be made or written.
    """
    with storage_errors(path):
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    return path


@contextlib.contextmanager
def atomic_path(target: Path, *, flush: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `target`; on success flush it to disk and move it into place.

    If the block raises, or the process dies, `target` is as it was before: whole or absent.  A link
    stays a link: the file that it leads to is written.

    Parameters
    ----------
    target : Path
    flush : bool
        False: leave it to the caller to call `flush_files` before the file is relied upon.  Until
        then a power failure, though not the end of the process, can leave it empty.

    Raises
    ------
    OutputError
        If the folder cannot take the file, or a device, pipe or folder is in its place.
    """
    with storage_errors(target):
        target = _make_room(target)
        prefix = f".part-{target.name[:_NAME_KEPT]}-"
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=prefix, suffix=target.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o644)
            if flush:
                _flush_to_disk(temporary)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def write_bytes(target: Path, data: bytes, *, flush: bool = True) -> None:
    """Write `data` to `target`, whole or not at all; `flush` is that of `atomic_path`.

    Raises
    ------
    OutputError
        If the folder cannot take the file.
    """
    with atomic_path(target, flush=flush) as temporary:
        temporary.write_bytes(data)


def flush_files(paths: Sequence[Path]) -> None:
    """Bring files to disk, several at a time: that takes a quarter of the time of one by one.

    Raises
    ------
    OutputError
        If the disk refuses.
    """
    with ThreadPoolExecutor(_FLUSHES_AT_ONCE) as threads:
        list(threads.map(_flush_one, paths))


def replace_files(moves: Sequence[tuple[Path, Path]]) -> None:
    """Flush finished files and move each to its place on the same disk; a link stays a link.

    Raises
    ------
    OutputError
        If the folder cannot take a file, or a device, pipe or folder is in its place.
    """
    flush_files([finished for finished, _ in moves])
    for finished, target in moves:
        with storage_errors(target):
            finished.chmod(0o644)
            finished.replace(_make_room(target))


def _make_room(target: Path) -> Path:
    """Make the folder of a file, and return where it really lies."""
    target = target.resolve() if target.is_symlink() else target
    if target.exists() and not target.is_file():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _flush_one(path: Path) -> None:
    with storage_errors(path):
        _flush_to_disk(path)


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
