"""Files of a day that wait for the day to be finished, in a folder of their own beside their place.

Nothing that is in the archive is replaced before all of a day is there.  The folder's name is the
layer's: a process that was killed leaves one folder, and the next one that begins the day removes
it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from gibswatch.files import replace_files, storage_errors

__all__ = ["StagedFiles", "remove_leftovers"]


class StagedFiles:
    """Temporary files, each with the place where it belongs; an owner commits or discards them.

    Parameters
    ----------
    folder : Path
        The day's.
    layer : str
    """

    def __init__(self, folder: Path, layer: str) -> None:
        self._folder = folder / f".part-{layer}"
        self._moves: dict[Path, Path] = {}

    def path(self, target: Path) -> Path:
        """Return where a file is to be written until it moves to `target`.

        Raises
        ------
        OutputError
            If the folder cannot be made.
        """
        with storage_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        return self._moves.setdefault(target, self._folder / target.name)

    def commit(self) -> None:
        """Flush every file and move it to its place.

        Raises
        ------
        OutputError
            If a folder cannot take one; what is left is removed then too.
        """
        try:
            replace_files([(finished, target) for target, finished in self._moves.items()])
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove what has not been moved.  A second time it does nothing."""
        self._moves.clear()
        shutil.rmtree(self._folder, ignore_errors=True)


def remove_leftovers(folder: Path, layer: str) -> None:
    """Remove what a killed process left of one layer in a day's folder or in a folder of its tiles.

    Only for whoever holds the layer's lock.
    """
    with storage_errors(folder):
        if not folder.is_dir():
            return
        shutil.rmtree(folder / f".part-{layer}", ignore_errors=True)
        for pattern in (f".part-{layer}.*", f".part-{layer}_Tile_[0-9]*"):
            for path in folder.glob(pattern):
                path.unlink(missing_ok=True)
