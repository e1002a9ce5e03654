"""One writer at a time in a layer's archive, and who it is."""

from __future__ import annotations

from gibswatch.errors import ArchiveInUseError
from gibswatch.file_lock import FileLock

__all__ = ["ArchiveLock"]


class ArchiveLock(FileLock):
    """A context manager: inside, nobody else writes to this layer's archive.

    Parameters
    ----------
    path : Path
        `Layout.lock`.
    command : str
        What is being done, for the message that others get.

    Raises
    ------
    ArchiveInUseError
        On entering, at once, if another process or thread holds it.
    OutputError
        If the path cannot be one; on entering, if the folder cannot be written.
    """

    def refusal(self, holder: str) -> ArchiveInUseError:
        """Make the error that the second gets; `holder` says who the first is."""
        return ArchiveInUseError(
            f"{self._path.stem} in {self._path.parent.parent} is in use by {holder}: "
            "wait until it ends, or name another --output-dir"
        )
