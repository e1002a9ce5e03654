"""What is refused before a training begins leaves an earlier one's folder as it was."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from gibswatch.errors import NothingFetchedError, OutputError, UsageError
from gibswatch.models import TrainRequest, TrainResult, train_model
from gibswatch.models.training.checkpoints import TrainingFolder

pytestmark = pytest.mark.usefixtures("one_thread")

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
EPOCHS = 4
QUICK = {"hidden": 10, "num_epochs": EPOCHS, "learning_rate": 0.003}


@pytest.fixture(scope="module")
def whole(
    labelled_archive: Path, few_labels: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TrainRequest, TrainResult]:
    """A training of the two-layer network that ended."""
    asked = TrainRequest(
        LAYER, "network", root=labelled_archive, labels=few_labels, features="hue",
        out=tmp_path_factory.mktemp("whole"), parameters=QUICK,
    )  # fmt: skip
    return asked, train_model(asked)


@pytest.fixture
def asked(whole: tuple[TrainRequest, TrainResult], tmp_path: Path) -> TrainRequest:
    """The same request, over a copy of what that training left."""
    out = shutil.copytree(whole[0].out, tmp_path / "out")
    return dataclasses.replace(whole[0], out=Path(out))


def contents(folder: Path) -> dict[str, bytes]:
    """All that lies under a folder, but the lock and what was fetched."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    kept = [p for p in files if p.name != "training.lock" and p.parent.name != "fetched"]
    return {str(path): path.read_bytes() for path in kept}


def folder_of(out: Path) -> TrainingFolder:
    (path,) = out.glob("*.training")
    return TrainingFolder(path)


def test_a_second_training_into_a_folder_is_refused(asked: TrainRequest) -> None:
    """The first one is at its first epoch; another thread is refused as a process is."""
    refused: list[BaseException | None] = []

    def tell(stage: str, done: int, _total: int) -> None:
        if (stage, done) == ("train", 1):
            with ThreadPoolExecutor(1) as other:
                second = dataclasses.replace(asked, seed=2)
                refused.append(other.submit(train_model, second).exception())

    done = train_model(dataclasses.replace(asked, seed=1), tell)
    (error,) = refused
    assert isinstance(error, OutputError)
    assert "which trains there: wait until it ends, or use another --out" in str(error)
    assert done.card.seed == 1
    assert len(done.card.history) == EPOCHS


def test_no_checkpoint_is_loaded_without_resume(
    whole: tuple[TrainRequest, TrainResult], asked: TrainRequest, tmp_path: Path
) -> None:
    """Even one that comes from elsewhere while the rows are made."""
    folder, kept = folder_of(asked.out), folder_of(whole[0].out)
    told: list[int] = []

    def tell(stage: str, done: int, total: int) -> None:
        if stage == "features" and done == total:
            for name in ("best.npz", "last.npz"):
                shutil.copy(kept.path / name, folder.path / name)
        if stage == "train":
            told.append(done)

    done = train_model(dataclasses.replace(asked, seed=2), tell)
    apart = train_model(dataclasses.replace(asked, seed=2, out=tmp_path / "apart"))
    assert told == [1, 2, 3, 4]
    assert done.card.history == apart.card.history
    assert done.card.history != whole[1].card.history


def test_fewer_epochs_than_were_trained_are_refused(asked: TrainRequest) -> None:
    before = contents(asked.out)
    fewer = dataclasses.replace(asked, resume=True, parameters={**QUICK, "num_epochs": EPOCHS - 1})
    with pytest.raises(UsageError, match=r"4 epochs, and num_epochs 3 are fewer: give 4 or more"):
        train_model(fewer)
    assert contents(asked.out) == before
    again = train_model(dataclasses.replace(fewer, resume=False))
    assert len(again.card.history) == EPOCHS - 1


@pytest.fixture
def interrupted(tmp_path: Path) -> TrainingFolder:
    """What a training of DenseNet-121's last layer left."""
    folder = TrainingFolder(tmp_path / "models" / f"{LAYER}_densenet_any.training")
    folder.begin({"weights": "another"}, resume=False)
    folder.save("best", {"a": np.zeros(2)})
    folder.save("last", {"a": np.zeros(2)})
    folder.backbone.write_bytes(b"weights")
    return folder


@pytest.fixture
def densenet(
    labelled_archive: Path, few_labels: Path, interrupted: TrainingFolder
) -> Callable[[str], TrainResult]:
    """Train it there, with other weights."""

    def train(weights: str) -> TrainResult:
        asked = TrainRequest(
            LAYER, "densenet", root=labelled_archive, labels=few_labels, size=32,
            out=interrupted.path.parent, weights=weights, parameters={"num_epochs": 1},
        )  # fmt: skip
        return train_model(asked)

    return train


@pytest.mark.parametrize("name", ["typo.safetensors", "wrong.safetensors", "model.pth"])
def test_refused_weights_leave_an_earlier_training(
    interrupted: TrainingFolder, densenet: Callable[[str], TrainResult], tmp_path: Path, name: str
) -> None:
    path, before = tmp_path / name, contents(interrupted.path)
    if name != "typo.safetensors":
        path.write_bytes(b"\x80\x04.")
    with pytest.raises(UsageError, match=name.replace(".", r"\.")):
        densenet(str(path))
    assert contents(interrupted.path) == before


class _Junk(BaseHTTPRequestHandler):
    """Answers with a file that holds no weights; ``/gone`` is not there."""

    def do_GET(self) -> None:
        self.send_response(404 if self.path.startswith("/gone") else 200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"junk")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def junk_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Junk) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["gone.safetensors", "backbone.safetensors", "best.npz"])
def test_fetched_weights_that_are_none_leave_an_earlier_training(
    interrupted: TrainingFolder,
    densenet: Callable[[str], TrainResult],
    junk_server: str,
    name: str,
) -> None:
    """Whatever the server calls its file."""
    before = contents(interrupted.path)
    with pytest.raises(NothingFetchedError if name.startswith("gone") else UsageError):
        densenet(f"{junk_server}/{name}")
    assert contents(interrupted.path) == before


def test_weights_may_be_those_that_an_earlier_training_kept(
    interrupted: TrainingFolder, densenet: Callable[[str], TrainResult], random_weights: Path
) -> None:
    """They are read before its folder is cleared."""
    shutil.copy(random_weights, interrupted.backbone)
    assert densenet(str(interrupted.backbone)).card.backbone.endswith("(backbone.safetensors)")
