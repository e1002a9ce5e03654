"""Deep models on a small archive: what comes out, what a kill loses, and what is refused."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gibswatch.archive import open_archive
from gibswatch.errors import UsageError
from gibswatch.features import PatchPixels, patch_pixels
from gibswatch.models import TrainRequest, TrainResult, load_model, train_model
from gibswatch.models.deep.weights import save_backbone
from gibswatch.models.rows.extraction import rows_of_scene
from gibswatch.models.storage.store import read_model
from gibswatch.raster.scene import Scene

pytestmark = pytest.mark.usefixtures("one_thread")

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
HOLE, NORMAL = dt.date(2023, 1, 4), dt.date(2023, 1, 2)
TINY = {"num_channels": 2, "hidden": 4, "batch_size": 8, "learning_rate": 0.01}
EPOCHS = 4
SELF_NOTE = "no ImageNet weights: the network learned from the training days themselves"
Trained = Callable[..., TrainResult]


def scene_at(root: Path, day: dt.date) -> Scene:
    return open_archive(root).scene(LAYER, day)


def tiny_cnn(trained: Trained) -> TrainResult:
    return trained("cnn", size=32, parameters={**TINY, "num_epochs": EPOCHS})


def test_cnn_of_pictures(trained: Trained, labelled_archive: Path) -> None:
    done = tiny_cnn(trained)
    card = done.card
    assert done.path.name == f"{LAYER}_cnn_any.safetensors"
    assert done.path.with_suffix(".json").is_file()
    assert card.features == {"of": "pixels", "rows": 32, "cols": 32, "wraps": False, "version": 1}
    assert card.n_features == 32 * 32 * 3
    assert card.counts == {"train": {"0": 12, "1": 4}, "val": {"0": 6, "1": 2}}
    assert [one.epoch for one in card.history] == [1, 2, 3, 4]
    assert all(one.loss > 0 and 0 <= one.average_precision <= 1 for one in card.history)
    best = max(one.average_precision for one in card.history)
    assert card.metrics["average_precision"] == pytest.approx(best)
    assert card.backbone == ""
    assert {"torch", "safetensors"} <= set(card.versions)
    assert not any("network" in note for note in card.notes)
    left = sorted(path.name for path in done.path.with_suffix(".training").iterdir())
    assert left == ["best.npz", "last.npz", "plan.json", "training.lock"]


def test_a_loaded_model_says_what_the_estimator_says(
    trained: Trained, labelled_archive: Path
) -> None:
    done = tiny_cnn(trained)
    model, scene = load_model(done.path), scene_at(labelled_archive, HOLE)
    rows = rows_of_scene(scene, model.scorer.definition)
    assert rows.dtype == np.uint8
    expected = read_model(done.path.with_suffix("")).estimator.anomaly_score(rows)[0]
    assert model.score(scene) == expected
    assert model.judge(scene).called == (expected > done.card.threshold)


def test_cnn_of_patches(trained: Trained, labelled_archive: Path) -> None:
    done = trained("cnn", level="pixel", max_patches=600, parameters={**TINY, "num_epochs": 3})
    assert done.path.name == f"{LAYER}_cnn_any_pixel.safetensors"
    assert done.card.features == {"of": "patch-pixels", "side": 32, "version": 1}
    assert sum(done.card.counts["train"].values()) <= 600
    assert done.card.metrics["pixel_average_precision"] > 0.5
    model, scene = load_model(done.path), scene_at(labelled_archive, HOLE)
    raster = model.score_raster(scene)
    assert raster.shape == (512, 512)
    hole = scene.pixels.max(axis=2) == 0
    assert np.median(raster[hole]) > np.median(raster[~hole])
    patches = patch_pixels(scene, PatchPixels()).reshape(256, -1)
    scores = model.scorer.estimator.anomaly_score(patches)
    np.testing.assert_allclose(raster[::32, ::32].ravel(), scores, rtol=1e-6)
    assert model.score(scene) == pytest.approx(np.sort(scores)[-8:].mean())


def test_each_kind_has_its_share(trained: Trained, labelled_archive: Path) -> None:
    done = trained("cnn", target="multi", size=32, parameters={**TINY, "num_epochs": 1})
    assert done.card.classes == (0, 2, 3)
    found = load_model(done.path).judge(scene_at(labelled_archive, HOLE))
    assert set(found.class_scores) == {2, 3}
    assert sum(found.class_scores.values()) == pytest.approx(found.score)


def test_densenet_of_a_file(trained: Trained, random_weights: Path, labelled_archive: Path) -> None:
    done = trained("densenet", weights=str(random_weights), size=32, parameters={"num_epochs": 3})
    card = done.card
    assert done.path.name == f"{LAYER}_densenet_any.safetensors"
    assert card.backbone == "trained on what is unknown (random.safetensors)"
    assert "what the network learned from is unknown: its file does not say" in card.notes
    assert card.n_features == 1024
    assert len(card.history) == 3
    stored = read_model(done.path)
    assert stored.backbone is not None
    given = read_safetensors(random_weights)
    kept = stored.backbone.arrays()
    assert kept.keys() == given.keys()
    for name in ("features.conv0.weight", "features.norm5.running_var"):
        np.testing.assert_array_equal(kept[name], given[name])
    model, scene = load_model(done.path), scene_at(labelled_archive, HOLE)
    rows = rows_of_scene(scene, model.scorer.definition, stored.backbone)
    assert model.score(scene) == pytest.approx(stored.estimator.anomaly_score(rows)[0])


def read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    import safetensors.numpy

    found: dict[str, NDArray[Any]] = safetensors.numpy.load_file(path)
    return found


def test_a_network_that_learned_from_the_days_says_so(trained: Trained) -> None:
    told: list[tuple[str, int, int]] = []
    done = self_taught(trained, told)
    assert done.card.backbone == (
        "self-supervised on the training days; no ImageNet weights (self)"
    )
    assert SELF_NOTE in done.card.notes
    assert done.card.features["maps"] is True
    assert done.card.n_features == 4 * 4 * 128
    assert done.card.classes == (0,)
    left = sorted(path.name for path in done.path.with_suffix(".training").iterdir())
    assert left == ["plan.json", "training.lock"]


def self_taught(trained: Trained, _told: Any = None) -> TrainResult:
    """Padim on the maps of a network that saw one batch of the normal days."""
    return trained(
        "padim", features="backbone", weights="self", self_steps=1, size=32,
        parameters={"dimensions": 5},
    )  # fmt: skip


def test_a_network_that_learned_is_not_taught_again(
    trained: Trained, labelled_archive: Path, few_labels: Path, tmp_path: Path
) -> None:
    """Stopped after its weights were learned, it goes on with them to the same model."""
    first = self_taught(trained)
    shutil.copytree(first.path.parent, tmp_path / "out")
    backbone = read_model(first.path).backbone
    assert backbone is not None
    folder = (tmp_path / "out" / first.path.name).with_suffix(".training")
    save_backbone(folder / "backbone.safetensors", backbone.arrays(), trained_on="self-supervised")
    told: list[tuple[str, int, int]] = []
    again = train_model(
        TrainRequest(
            LAYER, "padim", root=labelled_archive, labels=few_labels, out=tmp_path / "out",
            features="backbone", weights="self", self_steps=1, size=32,
            parameters={"dimensions": 5}, resume=True,
        ),
        lambda *step: told.append(step),
    )  # fmt: skip
    assert first.path.name == f"{LAYER}_padim_any_backbone.safetensors"
    assert not [step for step in told if step[0] == "weights"]
    assert again.path.read_bytes() == first.path.read_bytes()


@pytest.mark.parametrize(
    ("model", "parameters"), [("padim", {"dimensions": 5}), ("patchcore", {"bank_size": 50})]
)
def test_places_of_a_grid(
    trained: Trained, labelled_archive: Path, model: str, parameters: dict[str, float]
) -> None:
    done = trained(model, parameters=parameters)
    assert done.path.name == f"{LAYER}_{model}_any.safetensors"
    assert done.card.features["of"] == "patch-grid"
    assert (done.card.features["rows"], done.card.features["cols"]) == (16, 16)
    assert done.card.counts["train"] == {"0": 12, "1": 0}  # normal ones alone
    assert done.card.history == ()
    assert done.card.metrics["auroc"] > 0.8
    loaded, stored = load_model(done.path), read_model(done.path)
    hole = scene_at(labelled_archive, HOLE)
    rows = rows_of_scene(hole, loaded.scorer.definition)
    assert loaded.score(hole) == stored.estimator.anomaly_score(rows)[0]
    assert loaded.score(hole) > loaded.score(scene_at(labelled_archive, NORMAL))


def halved(scene: Scene) -> Scene:
    g = scene.georeference
    half = dataclasses.replace(
        g, rows=256, cols=256, pixel_width=2 * g.pixel_width, pixel_height=2 * g.pixel_height
    )
    return dataclasses.replace(
        scene, pixels=scene.pixels[::2, ::2], state=scene.state[::2, ::2], georeference=half
    )


def test_only_models_of_patches_want_their_resolution(
    trained: Trained, labelled_archive: Path
) -> None:
    small = halved(scene_at(labelled_archive, HOLE))
    with pytest.raises(UsageError, match=r"pictures of 512x512 pixels, this one has 256x256"):
        load_model(trained("padim", parameters={"dimensions": 5}).path).score(small)
    assert 0 <= load_model(tiny_cnn(trained).path).score(small) <= 1


_CHILD = """
import json, os, sys
from pathlib import Path
import torch
from gibswatch.models import TrainRequest, train_model
torch.set_num_threads(1)
root, labels, out, fields = sys.argv[1:]
def tell(stage, done, total):
    if stage == "train" and done == 2:
        os.kill(os.getpid(), 9)
train_model(TrainRequest(
    root=Path(root), labels=Path(labels), out=Path(out), resume=True, **json.loads(fields)
), tell)
"""


def assert_same_weights(one: Path, other: Path) -> None:
    """Bit by bit: both files have the same hash."""
    assert one.read_bytes() == other.read_bytes()


def test_resume_after_a_kill_gives_the_undisturbed_model(
    trained: Trained, labelled_archive: Path, few_labels: Path, tmp_path: Path
) -> None:
    whole = tiny_cnn(trained)
    out = tmp_path / "killed"
    parameters = {**TINY, "num_epochs": EPOCHS}
    fields = {"layer": LAYER, "model": "cnn", "size": 32, "parameters": parameters}
    paths = [str(path) for path in (labelled_archive, few_labels, out)]
    command = [sys.executable, "-c", _CHILD, *paths, json.dumps(fields)]
    one_core = os.environ | {"OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, check=False, capture_output=True, env=one_core)
    assert ended.returncode == -9, ended.stderr.decode()
    assert not list(out.glob("*.safetensors"))
    told: list[tuple[str, int, int]] = []
    resumed = train_model(
        TrainRequest(
            LAYER, "cnn", root=labelled_archive, labels=few_labels, out=out, size=32,
            parameters=parameters, resume=True,
        ),
        lambda *step: told.append(step),
    )  # fmt: skip
    assert [step for step in told if step[0] == "features"] == []
    assert [step[1] for step in told if step[0] == "train"] == [3, 4]
    assert_same_weights(resumed.path, whole.path)
    assert resumed.card.history == whole.card.history
    assert resumed.card.threshold == whole.card.threshold
    assert resumed.card.metrics == whole.card.metrics


@pytest.fixture
def finished(trained: Trained, tmp_path: Path) -> Path:
    """A copy of the folder of a CNN's training."""
    return Path(shutil.copytree(tiny_cnn(trained).path.parent, tmp_path / "finished"))


@pytest.fixture
def again(labelled_archive: Path, few_labels: Path, finished: Path) -> Callable[..., TrainResult]:
    """Go on with that training, with changes."""

    def go_on(told: list[int] | None = None, /, **changes: Any) -> TrainResult:
        fields: dict[str, Any] = {
            "size": 32, "parameters": {**TINY, "num_epochs": EPOCHS}, "resume": True,
        }  # fmt: skip
        asked = TrainRequest(
            LAYER, "cnn", root=labelled_archive, labels=few_labels, out=finished,
            **(fields | changes),
        )  # fmt: skip

        def tell(stage: str, done: int, _total: int) -> None:
            if told is not None and stage == "train":
                told.append(done)

        return train_model(asked, tell)

    return go_on


def test_a_training_that_ended_is_not_trained_again(
    trained: Trained, again: Callable[..., TrainResult]
) -> None:
    told: list[int] = []
    assert_same_weights(again(told).path, tiny_cnn(trained).path)
    assert told == []


def test_more_epochs_go_on_from_the_last(again: Callable[..., TrainResult]) -> None:
    told: list[int] = []
    done = again(told, parameters={**TINY, "num_epochs": EPOCHS + 1})
    assert told == [EPOCHS + 1]
    assert len(done.card.history) == EPOCHS + 1


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"size": 40}, "features"),
        ({"seed": 5}, "seed"),
        ({"device": "cpu"}, "device"),
        ({"parameters": {**TINY, "hidden": 5, "num_epochs": EPOCHS}}, "params"),
        ({"parameters": {**TINY, "patience": 2, "num_epochs": EPOCHS}}, "params"),
    ],
)
def test_other_options_are_refused_on_resume(
    again: Callable[..., TrainResult], changes: dict[str, Any], what: str
) -> None:
    with pytest.raises(UsageError, match=rf"holds a training with another {what}: give the same"):
        again(**changes)


@pytest.mark.parametrize("lost", ["epoch", "history", "adam.0.step", "network.fc1.bias"])
def test_a_checkpoint_that_lacks_something_is_told(
    again: Callable[..., TrainResult], finished: Path, lost: str
) -> None:
    (last,) = finished.rglob("last.npz")
    with np.load(last) as arrays:
        kept = {name: arrays[name] for name in arrays.files if name != lost}
    np.savez(last, **kept)
    with pytest.raises(UsageError, match=r"cannot be trained: .*leave --resume out to begin anew"):
        again()


def test_patience_ends_a_training(labelled_archive: Path, few_labels: Path, tmp_path: Path) -> None:
    """A step so small that nothing gets better; resumed, it is over at once."""
    parameters = {**TINY, "learning_rate": 1e-8, "num_epochs": 50, "patience": 2}
    asked = TrainRequest(
        LAYER, "cnn", root=labelled_archive, labels=few_labels, out=tmp_path, size=32,
        parameters={**parameters, "dropout_rate": 0.0}, device="cpu",
    )  # fmt: skip
    first = train_model(asked)
    reached = [one.average_precision for one in first.card.history]
    assert len(reached) < 50
    best = reached.index(max(reached))
    assert len(reached) == best + 3
    told: list[str] = []
    more = dataclasses.replace(
        asked, resume=True, parameters={**asked.parameters, "num_epochs": 60}
    )
    second = train_model(more, lambda *step: told.append(step[0]))
    assert "train" not in told
    assert_same_weights(first.path, second.path)


@pytest.mark.parametrize(
    ("model", "changes", "message"),
    [
        ("cnn", {"features": "hog"}, "cnn does not learn from hog: give --features pixels"),
        ("padim", {"features": "hue"}, "padim does not learn from hue: give --features patches or"),
        ("softmax", {"features": "pixels"}, "does not learn from pixels: give --features hog"),
        ("cnn", {"size": 31}, "--size 31 is out of range: give 32 to 4096 pixels"),
        ("cnn", {"size": 4097}, "--size 4097 is out of range"),
        ("densenet", {}, "needs its weights: give --weights FILE or URL .*or --weights self"),
        ("padim", {"features": "backbone"}, "padim on features of DenseNet-121 needs its weights"),
        ("cnn", {"weights": "self"}, "--weights are of DenseNet-121, which cnn does not use"),
        ("padim", {"weights": "self"}, "--weights are of DenseNet-121, which padim does not use"),
        ("densenet", {"weights": "self", "self_steps": 0}, "--self-steps 0: give a number from 1"),
        ("padim", {"target": "multi"}, "learns from normal days alone and tells no kinds"),
        ("densenet", {"weights": "self", "level": "pixel"}, "does not work at pixel level"),
        ("cnn", {"device": "tpu"}, "--device 'tpu' is none: give auto, cpu or cuda"),
    ],
)
def test_what_does_not_go_together_is_refused(
    labelled_archive: Path, tmp_path: Path, model: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        train_model(
            TrainRequest(LAYER, model, root=labelled_archive, out=tmp_path / "models", **changes)
        )
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("name", ["nowhere.safetensors", "notes.txt", "model.pth"])
def test_weights_that_are_none_are_refused(
    labelled_archive: Path, few_labels: Path, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    if name != "nowhere.safetensors":
        path.write_bytes(b"\x80\x04.")
    asked = TrainRequest(
        LAYER, "densenet", root=labelled_archive, labels=few_labels, out=tmp_path / "models",
        weights=str(path),
    )  # fmt: skip
    with pytest.raises(UsageError, match=name.replace(".", r"\.")):
        train_model(asked)
    assert not list((tmp_path / "models").glob("*.safetensors"))
