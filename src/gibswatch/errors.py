"""The one exception tree.

Every error that Gibswatch raises on purpose descends from `GibswatchError` and carries the exit
code that the command line ends with (`exit_code`).  Builtin parents are kept, so that callers who
know nothing of Gibswatch catch what they expect::

    GibswatchError                       1  internal error
    ├── UsageError (ValueError)          2  what was asked for cannot be done as asked
    │   ├── UnknownLayerError
    │   ├── UnknownGridError
    │   ├── GridMismatchError
    │   ├── BoundsError
    │   ├── DateRangeError
    │   ├── UnsafeNameError
    │   ├── OutputError                  the folder cannot take what would be written
    │   │   └── ArchiveInUseError        another process writes there
    │   └── MissingExtraError (ImportError)
    ├── DecodeError                      1  bytes that are not the picture they claim to be
    ├── ArchiveError                     1  a journal or picture that cannot be read
    ├── RunStoppedError                  4  ended before its end; what is finished is kept
    └── NothingFetchedError              5  nothing of what was asked for could be had
        ├── ServerUnreachableError
        └── ServiceDocumentError         a document that did not come, or cannot be trusted

Warnings are classes too: `GibswatchWarning` > `RenamedLayerWarning`.
"""

from __future__ import annotations

__all__ = [
    "ArchiveError",
    "ArchiveInUseError",
    "BoundsError",
    "DateRangeError",
    "DecodeError",
    "GibswatchError",
    "GibswatchWarning",
    "GridMismatchError",
    "MissingExtraError",
    "NothingFetchedError",
    "OutputError",
    "RenamedLayerWarning",
    "RunStoppedError",
    "ServerUnreachableError",
    "ServiceDocumentError",
    "UnknownGridError",
    "UnknownLayerError",
    "UnsafeNameError",
    "UsageError",
]


class GibswatchError(Exception):
    """Root of all errors that Gibswatch raises on purpose."""

    exit_code = 1


class UsageError(GibswatchError, ValueError):
    """What was asked for cannot be done as asked; the message says what to ask instead."""

    exit_code = 2


class UnknownLayerError(UsageError):
    """A layer name that the catalogue does not hold."""


class UnknownGridError(UsageError):
    """A projection, tile matrix set, level or resolution that GIBS or the layer does not have."""


class GridMismatchError(UsageError):
    """The folder holds this layer on another grid than the one asked for."""


class BoundsError(UsageError):
    """A bounding box that is empty, reversed or outside the projection."""


class DateRangeError(UsageError):
    """Dates that cannot be read, or that do not make a range."""


class UnsafeNameError(UsageError):
    """A name that must not become part of a path."""


class OutputError(UsageError):
    """The output folder cannot take what would be written (rights, space, not a folder)."""


class ArchiveInUseError(OutputError):
    """Another process, or another thread of this one, writes to this layer's archive."""


class MissingExtraError(UsageError, ImportError):
    """A command needs packages of an extra that is not installed."""


class DecodeError(GibswatchError):
    """Bytes that are not, whole and exactly, the picture they claim to be."""


class ArchiveError(GibswatchError):
    """A journal or a picture of the archive that cannot be read."""


class RunStoppedError(GibswatchError):
    """The run was ended before its end: by the server's Retry-After, or by its own deadline.

    What is finished is kept; the message says when to run the same command again.
    """

    exit_code = 4


class NothingFetchedError(GibswatchError):
    """The run ended without one tile, or without the document that was asked for."""

    exit_code = 5


class ServerUnreachableError(NothingFetchedError):
    """No connection to the server could be made."""


class ServiceDocumentError(NothingFetchedError):
    """A document of the service (capabilities, time domains) that did not come or is refused."""


class GibswatchWarning(UserWarning):
    """Root of all warnings of Gibswatch."""


class RenamedLayerWarning(GibswatchWarning):
    """A layer was asked for by a name that GIBS no longer uses."""
