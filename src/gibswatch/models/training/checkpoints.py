"""The folder of a training that runs: its plan, its rows, and its checkpoints best and last."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import OutputError, UsageError
from gibswatch.file_lock import FileLock
from gibswatch.files import output_folder, storage_errors, write_bytes
from gibswatch.models.rows.matrix import remove_matrix

__all__ = ["HISTORY", "CheckpointName", "TrainingFolder"]

CheckpointName = Literal["best", "last"]
State = Mapping[str, NDArray[Any]]
_PLAN = "plan.json"
_LOCK = "training.lock"
HISTORY = "history"
"""In a checkpoint, (epochs, 2): loss of the training rows and average precision of the validation
rows, of which the best checkpoint has most."""
_MAX_BYTES = 2**31


class _TrainingLock(FileLock):
    """Says what to do where another process trains."""

    def refusal(self, holder: str) -> OutputError:
        return OutputError(
            f"{self._path.parent} is in use by {holder}, which trains there: wait until it ends, "
            "or use another --out"
        )


class TrainingFolder:
    """``NAME.training`` beside the model that is made.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def lock(self) -> FileLock:
        """Make the lock of the folder: inside, no other process or thread trains there.

        Entering it raises OutputError at once if one does, or if the folder cannot be written.
        """
        return _TrainingLock(self.path / _LOCK, "gibswatch train")

    def check(
        self, plan: Mapping[str, Any], *, resume: bool, num_epochs: float | None = None
    ) -> bool:
        """Say whether a run of this plan goes on with an earlier one; changes nothing.

        Parameters
        ----------
        plan : mapping
            As of `begin`.
        resume : bool
        num_epochs : float, optional
            How many are to be trained, with those that were; None for a model without epochs.

        Raises
        ------
        UsageError
            If it is to go on, and the earlier one had another plan, had more epochs, or is damaged.
        """
        held = self._plan() if resume else None
        if held is None:
            return False
        if held != json.loads(json.dumps(plan)):
            changed = sorted(n for n in {*plan, *held} if held.get(n) != plan.get(n))
            raise UsageError(
                f"{self.path} holds a training with another {', '.join(changed)[:80]}: give "
                "the same options and days as then, or leave --resume out to begin anew"
            )
        done = 0 if num_epochs is None else self._epochs_done()
        if num_epochs is not None and num_epochs < done:
            raise UsageError(
                f"{self.path} holds a training of {done} epochs, and num_epochs {num_epochs} are "
                f"fewer: give {done} or more, or leave --resume out to begin anew"
            )
        return True

    def begin(self, plan: Mapping[str, Any], *, resume: bool) -> None:
        """Make the folder ready for a plan.

        Parameters
        ----------
        plan : mapping
            JSON values: all that decides what comes out.
        resume : bool
            Keep what an earlier run of the same plan left; else begin anew.

        Raises
        ------
        UsageError
            If it holds a run of another plan.
        OutputError
            If it cannot be written.
        """
        output_folder(self.path)
        if self.check(plan, resume=resume):
            return
        for folder in (self.path, self.pictures):
            remove_matrix(folder)
        with storage_errors(self.path):
            for path in (self._file("best"), self._file("last"), self.backbone):
                path.unlink(missing_ok=True)
        write_bytes(self.path / _PLAN, json.dumps(plan, sort_keys=True, indent=1).encode())

    @property
    def backbone(self) -> Path:
        """Weights of the network before the estimator, where it has one."""
        return self.path / "backbone.safetensors"

    @property
    def pictures(self) -> Path:
        """Folder of the pictures that the network learns from, where it does."""
        return self.path / "pictures"

    @property
    def fetched(self) -> Path:
        """Folder of the weights that were fetched: a server's name for them meets no other file."""
        return self.path / "fetched"

    def save(self, name: CheckpointName, state: State) -> None:
        """Write a checkpoint, whole or not at all."""
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **state)
        write_bytes(self._file(name), buffer.getvalue(), flush=False)

    def load(self, name: CheckpointName) -> dict[str, NDArray[Any]] | None:
        """Read a checkpoint; None if there is none.

        Raises
        ------
        UsageError
            If it is damaged.
        """
        path = self._file(name)
        if not path.exists():
            return None
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
                return {key: arrays[key] for key in arrays.files}
        except (OSError, ValueError, EOFError, KeyError, BadZipFile) as error:
            raise self._damaged(path) from error

    def finish(self, *, epochs: bool) -> None:
        """Remove the rows; what is needed to add epochs stays, where there are any."""
        remove_matrix(self.path)
        if not epochs:
            with storage_errors(self.path):
                self.backbone.unlink(missing_ok=True)

    def _epochs_done(self) -> int:
        """Count the epochs that a run would go on from, as far as the checkpoints say."""
        last = self.load("last") if self._file("best").exists() else None
        history = np.empty(0) if last is None else last.get(HISTORY, np.empty(0))
        return len(history) if history.ndim == 2 else 0

    def _damaged(self, path: Path) -> UsageError:
        return UsageError(f"{path} is damaged: leave --resume out to begin anew")

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.npz"

    def _plan(self) -> Any:
        try:
            return json.loads((self.path / _PLAN).read_bytes()[:_MAX_BYTES])
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self._damaged(self.path / _PLAN) from error
