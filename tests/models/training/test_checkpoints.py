"""The folder of a training: who may train there, and what of an earlier run stays or is refused."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gibswatch.errors import OutputError, UsageError
from gibswatch.models.training.checkpoints import HISTORY, TrainingFolder

Held = Callable[..., Any]
PLAN = {"seed": 1}
_HOLD = """
import sys
from pathlib import Path
from gibswatch.models.training.checkpoints import TrainingFolder
with TrainingFolder(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.readline()
"""


def files_of(folder: TrainingFolder) -> dict[str, bytes]:
    """What lies in it."""
    found = [path for path in folder.path.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder.path)): path.read_bytes() for path in found}


@pytest.fixture
def stopped(tmp_path: Path) -> TrainingFolder:
    """What a training left that was stopped after three epochs."""
    folder = TrainingFolder(tmp_path / "model.training")
    folder.begin(PLAN, resume=False)
    for name in ("best", "last"):
        folder.save(name, {HISTORY: np.zeros((3, 2))})
    folder.backbone.write_bytes(b"weights")
    folder.pictures.mkdir()
    for place in (folder.path, folder.pictures):
        (place / "features.bin").write_bytes(b"rows")
        (place / "days.jsonl").write_bytes(b"days")
    return folder


def test_one_process_trains_in_a_folder(stopped: TrainingFolder, held_elsewhere: Held) -> None:
    with held_elsewhere(stopped.path, _HOLD) as child:
        with pytest.raises(OutputError) as caught, stopped.lock():
            pass
        assert caught.value.exit_code == 2
        message = str(caught.value)
        assert message.startswith(f"{stopped.path} is in use by process {child.pid} on ")
        assert message.endswith(
            "(gibswatch train), which trains there: wait until it ends, or use another --out"
        )


def test_a_training_that_was_killed_blocks_nobody(
    stopped: TrainingFolder, held_elsewhere: Held
) -> None:
    with held_elsewhere(stopped.path, _HOLD) as child:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert b"gibswatch train" in (stopped.path / "training.lock").read_bytes()
    with stopped.lock():
        pass


def test_nothing_of_an_earlier_run_stays_when_begun_anew(stopped: TrainingFolder) -> None:
    stopped.begin({"seed": 2}, resume=False)
    assert list(files_of(stopped)) == ["plan.json"]


def test_a_damaged_plan_is_replaced_when_begun_anew(stopped: TrainingFolder) -> None:
    (stopped.path / "plan.json").write_bytes(b"{")
    with pytest.raises(UsageError, match=r"plan\.json is damaged: leave --resume out"):
        stopped.begin(PLAN, resume=True)
    stopped.begin(PLAN, resume=False)
    assert list(files_of(stopped)) == ["plan.json"]


@pytest.mark.parametrize("resume", [True, False])
def test_a_check_changes_nothing(stopped: TrainingFolder, resume: bool) -> None:
    before = files_of(stopped)
    assert stopped.check(PLAN, resume=resume, num_epochs=3) == resume
    assert files_of(stopped) == before


def test_fewer_epochs_than_were_trained_are_refused(stopped: TrainingFolder) -> None:
    match = r"holds a training of 3 epochs, and num_epochs 2 are fewer: give 3 or more, or leave"
    with pytest.raises(UsageError, match=match):
        stopped.check(PLAN, resume=True, num_epochs=2)
    assert stopped.check(PLAN, resume=True, num_epochs=4)
    assert not stopped.check(PLAN, resume=False, num_epochs=2)


def test_epochs_without_a_best_one_do_not_count(stopped: TrainingFolder) -> None:
    """Such a training begins with the first epoch."""
    (stopped.path / "best.npz").unlink()
    assert stopped.check(PLAN, resume=True, num_epochs=1)
