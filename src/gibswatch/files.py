"""Writing files whole or not at all, and keeping names from becoming paths."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gibswatch.errors import OutputError, UnsafeNameError

__all__ = ["atomic_path", "output_folder", "safe_name", "storage_errors", "write_bytes"]

_NAME = re.compile(r"(?!.*\.$)[A-Za-z0-9][A-Za-z0-9_.+-]{0,199}")
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
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; on success flush it to disk and move it into place.

    If the block raises, or the process dies, `target` is as it was before: whole or absent.  A link
    stays a link: the file that it leads to is written.

    Raises
    ------
    OutputError
        If the folder cannot take the file, or a device, pipe or folder is in its place.
    """
    with storage_errors(target):
        target = target.resolve() if target.is_symlink() else target
        if target.exists() and not target.is_file():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".part-", suffix=target.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o644)
            _flush_to_disk(temporary)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def write_bytes(target: Path, data: bytes) -> None:
    """Write `data` to `target`, whole or not at all.

    Raises
    ------
    OutputError
        If the folder cannot take the file.
    """
    with atomic_path(target) as temporary:
        temporary.write_bytes(data)


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
