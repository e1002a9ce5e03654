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

from gibswatch.errors import UsageError
from gibswatch.files import output_folder, storage_errors, write_bytes
from gibswatch.models.rows.matrix import remove_matrix

__all__ = ["CheckpointName", "TrainingFolder"]

CheckpointName = Literal["best", "last"]
State = Mapping[str, NDArray[Any]]
_PLAN = "plan.json"
_MAX_BYTES = 2**31


class TrainingFolder:
    """``NAME.training`` beside the model that is made.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path

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
        text = json.dumps(plan, sort_keys=True, indent=1)
        held = self._plan()
        if resume and held is not None:
            if held != json.loads(text):
                changed = sorted(n for n in {*plan, *held} if held.get(n) != plan.get(n))
                raise UsageError(
                    f"{self.path} holds a training with another {', '.join(changed)[:80]}: give "
                    "the same options and days as then, or leave --resume out to begin anew"
                )
            return
        remove_matrix(self.path)
        for path in (self._file("best"), self._file("last"), self.backbone):
            path.unlink(missing_ok=True)
        write_bytes(self.path / _PLAN, text.encode())

    @property
    def backbone(self) -> Path:
        """Weights of the network before the estimator, where it has one."""
        return self.path / "backbone.safetensors"

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
