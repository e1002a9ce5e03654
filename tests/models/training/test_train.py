"""Training on a small archive: what comes out, what is refused, and what a kill loses."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gibswatch.errors import UsageError
from gibswatch.models import (
    MODELS,
    DayScore,
    Target,
    TrainRequest,
    TrainResult,
    load_model,
    read_days,
    score_days,
    train_model,
)
from gibswatch.models.storage.store import read_model

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
QUICK: dict[str, dict[str, float]] = {
    "random-forest": {"n_estimators": 30},
    "isolation-forest": {"n_estimators": 30},
    "network": {"hidden": 10, "num_epochs": 8, "learning_rate": 0.003},
}


def request(root: Path, out: Path, model: str, **changes: Any) -> TrainRequest:
    values: dict[str, Any] = {
        "layer": LAYER, "model": model, "root": root, "out": out, "features": "hue",
        "parameters": QUICK.get(model, {}),
    }  # fmt: skip
    return TrainRequest(**(values | changes))


@pytest.fixture(scope="module")
def undisturbed(labelled_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    """A network that nothing stopped."""
    return train_model(request(labelled_archive, tmp_path_factory.mktemp("whole"), "network"))


@pytest.fixture
def finished(undisturbed: TrainResult, tmp_path: Path) -> Path:
    """A copy of the folder of that training."""
    return Path(shutil.copytree(undisturbed.path.parent, tmp_path / "finished"))


@pytest.mark.parametrize("model", [n for n, entry in MODELS.items() if entry.store == "skops"])
def test_every_model_trains_and_tells_faulty_test_days(
    labelled_archive: Path, tmp_path: Path, model: str
) -> None:
    # Of few days an isolation forest learns no gradients, and a hole has no hue.
    alone = model == "isolation-forest"
    target: Target = "miscoloration" if alone else "any"
    features = "hue" if alone else "hog+hue"
    told: list[tuple[str, int, int]] = []
    done = train_model(
        request(labelled_archive, tmp_path, model, features=features, target=target),
        lambda *step: told.append(step),
    )
    assert done.path == tmp_path / f"{LAYER}_{model}_{target}.skops"
    days = sum(sum(counts.values()) for counts in done.card.counts.values())
    assert told[:days] == [("features", number, days) for number in range(1, days + 1)]
    assert done.card.counts["val"] == ({"0": 20, "1": 3} if alone else {"0": 17, "1": 6})
    assert done.card.features["kind"] == features
    loaded = load_model(done.path)
    test = read_days(LAYER, target, root=labelled_archive).of("test")
    scores = list(score_days(loaded, [day.date for day in test], root=labelled_archive))
    found = np.array([one.score for one in scores if isinstance(one, DayScore)])
    faulty = np.array([day.number > 0 for day in test])
    assert roc_auc_score(faulty, found) > 0.8
    assert done.card.metrics["average_precision"] > 2 * done.card.metrics["base_rate"]


def test_the_threshold_lets_one_normal_day_in_thirty_through(undisturbed: TrainResult) -> None:
    card = undisturbed.card
    assert card.metrics["false_alarm_rate"] == 0  # of 17 days none
    assert card.metrics["normal_days"] == 17
    assert any("rests on 17 normal validation days" in note for note in card.notes)


def test_the_same_seed_gives_the_same_model(labelled_archive: Path, tmp_path: Path) -> None:
    few: Any = {"parameters": {"n_estimators": 5}}
    cards = [
        train_model(
            request(labelled_archive, tmp_path / name, "random-forest", **few, seed=seed)
        ).card
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert cards[0].metrics == cards[1].metrics
    assert cards[0].threshold == cards[1].threshold != cards[2].threshold
    assert cards[0].data_sha256 == cards[1].data_sha256


def test_each_kind_can_be_a_class(labelled_archive: Path, tmp_path: Path) -> None:
    done = train_model(request(labelled_archive, tmp_path, "softmax", target="multi"))
    assert done.card.classes == (0, 2, 3)
    loaded = load_model(done.path)
    days = read_days(LAYER, "multi", root=labelled_archive).of("test")
    coloured = [day.date for day in days if day.number == 3]
    for one in score_days(loaded, coloured, root=labelled_archive):
        assert isinstance(one, DayScore)
        assert set(one.class_scores) == {2, 3}
        assert one.class_scores[3] > one.class_scores[2]  # type: ignore[index]


def test_calibrated_scores_are_shares(labelled_archive: Path, tmp_path: Path) -> None:
    plain = train_model(request(labelled_archive, tmp_path / "a", "linear-svm")).card
    card = train_model(request(labelled_archive, tmp_path / "b", "linear-svm", calibrate=True)).card
    assert card.calibration is not None
    assert card.calibration.method == "platt"
    assert 0 <= card.threshold <= 1
    assert card.metrics["auroc"] == plain.metrics["auroc"]


def test_patches_by_masks(labelled_archive: Path, tmp_path: Path) -> None:
    done = train_model(
        request(labelled_archive, tmp_path, "random-forest", level="pixel", max_patches=4000)
    )
    assert done.path.name == f"{LAYER}_random-forest_any_pixel.skops"
    assert done.card.metrics["pixel_average_precision"] > 0.95
    assert done.card.metrics["auroc"] > 0.95
    counts = done.card.counts["train"]
    assert sum(counts.values()) <= 4000
    assert 0.3 < counts["1"] / sum(counts.values()) < 0.6


def test_resume_after_a_kill_gives_the_undisturbed_model(
    labelled_archive: Path, undisturbed: TrainResult, tmp_path: Path
) -> None:
    """Kill the process in the features, and again among the epochs."""
    out = tmp_path / "killed"
    script = (
        "import os, sys, time\nfrom pathlib import Path\n"
        "from gibswatch.models import TrainRequest, train_model\n"
        "stage, number = sys.argv[3], int(sys.argv[4])\n"
        "def tell(name, done, total):\n"
        "    if name == stage and done == number: os.kill(os.getpid(), 9)\n"
        f"train_model(TrainRequest({LAYER!r}, 'network', root=Path(sys.argv[1]),"
        f" out=Path(sys.argv[2]), features='hue', parameters={QUICK['network']!r},"
        " resume=True), tell)\n"
    )
    for stage, number in (("features", 40), ("train", 5)):
        command = [sys.executable, "-c", script, str(labelled_archive), str(out), stage, number]
        ended = subprocess.run(list(map(str, command)), check=False, capture_output=True)
        assert ended.returncode == -9, ended.stderr.decode()
        assert not list(out.glob("*.skops"))
    told: list[tuple[str, int, int]] = []
    resumed = train_model(
        request(labelled_archive, out, "network", resume=True), lambda *step: told.append(step)
    )
    assert [step for step in told if step[0] == "features"] == []
    assert min(step[1] for step in told if step[0] == "train") == 6
    one, other = (read_model(done.path).estimator for done in (undisturbed, resumed))
    for name in ("weights1_", "weights2_", "bias1_", "bias2_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert resumed.card.threshold == undisturbed.card.threshold
    assert resumed.card.metrics == undisturbed.card.metrics


def test_more_epochs_go_on_from_the_last_checkpoint(labelled_archive: Path, finished: Path) -> None:
    many = {**QUICK["network"], "num_epochs": 11}
    told: list[tuple[str, int, int]] = []
    train_model(
        request(labelled_archive, finished, "network", parameters=many, resume=True),
        lambda *step: told.append(step),
    )
    assert [step[1] for step in told if step[0] == "train"] == [9, 10, 11]


def test_resuming_another_training_is_refused(labelled_archive: Path, finished: Path) -> None:
    with pytest.raises(UsageError, match=r"holds a training with another seed: give the same"):
        train_model(request(labelled_archive, finished, "network", seed=5, resume=True))


def test_a_damaged_checkpoint_is_told(labelled_archive: Path, finished: Path) -> None:
    (last,) = finished.rglob("last.npz")
    last.write_bytes(last.read_bytes()[:-50])
    with pytest.raises(UsageError, match=r"last\.npz is damaged: leave --resume out"):
        train_model(request(labelled_archive, finished, "network", resume=True))


def test_pictures_that_cannot_be_read_are_skipped_and_told(
    labelled_copy: Path, tmp_path: Path
) -> None:
    picture = labelled_copy / "4326" / "2023-01-01" / f"{LAYER}.jpg"
    picture.write_bytes(picture.read_bytes()[:3000])
    with (labelled_copy / "4326" / f"{LAYER}.txt").open("a") as file:
        file.write("train 2024-05-05 2\n")
    done = train_model(request(labelled_copy, tmp_path, "softmax"))
    assert [str(day.date) for day in done.skipped] == ["2024-05-05", "2023-01-01"]
    assert done.skipped[0].reason == "the archive does not hold it"
    before = train_model(request(labelled_copy, tmp_path, "softmax", target="missing"))
    assert sum(before.card.counts["train"].values()) == 55


def relabel(root: Path, **changes: str) -> None:
    """Replace texts in the label file."""
    path = root / "4326" / f"{LAYER}.txt"
    text = path.read_text()
    for old, new in changes.items():
        text = text.replace(f"{old} ", f"{new} ")
    path.write_text(text)


@pytest.mark.parametrize(("gone", "stays"), [("train", "val"), ("val", "train")])
def test_a_class_without_an_example_is_said_before_training(
    labelled_copy: Path, tmp_path: Path, gone: str, stays: str
) -> None:
    path = labelled_copy / "4326" / f"{LAYER}.txt"
    lines = path.read_text().splitlines()
    path.write_text(
        "".join(
            (line.removesuffix(" 3") + " " if line.startswith(gone) else line) + "\n"
            for line in lines
        )
    )
    told: list[Any] = []
    with pytest.raises(UsageError, match=rf"no {gone} day is miscoloration \(\d+ in {stays}"):
        train_model(
            request(labelled_copy, tmp_path, "softmax", target="miscoloration"),
            lambda *step: told.append(step),
        )
    assert told == []
    assert not tmp_path.joinpath("models").exists()


def test_what_the_test_days_lack_is_a_note(labelled_copy: Path, tmp_path: Path) -> None:
    relabel(labelled_copy, test="train")
    card = train_model(request(labelled_copy, tmp_path, "softmax")).card
    assert "no test day is normal or any: an evaluation cannot judge these" in card.notes


def test_normal_days_are_enough_for_an_isolation_forest(
    labelled_copy: Path, tmp_path: Path
) -> None:
    path = labelled_copy / "4326" / f"{LAYER}.txt"
    normal = [line for line in path.read_text().splitlines() if line.endswith(" ")]
    path.write_text("\n".join(normal) + "\n")
    with pytest.raises(UsageError, match="train an isolation-forest"):
        train_model(request(labelled_copy, tmp_path, "softmax"))
    card = train_model(request(labelled_copy, tmp_path, "isolation-forest")).card
    assert card.classes == (0,)
    assert "auroc" not in card.metrics


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "none"}, "none of ours"),
        ({"level": "pixel"}, "does not work at pixel level"),
        ({"seed": -1}, "--seed -1"),
        ({"max_patches": 3}, "--max-patches 3"),
        ({"masks": Path("nowhere")}, "give --level pixel too"),
        ({"model": "random-forest", "level": "pixel", "masks": Path("nowhere")}, "is no folder"),
        ({"model": "random-forest", "level": "pixel", "calibrate": True}, "--calibrate is for"),
        ({"model": "isolation-forest", "target": "multi"}, "tells no kinds"),
        ({"labels": Path("nowhere.txt")}, "nowhere.txt is not there"),
        ({"layer": "MODIS_Aqua_CorrectedReflectance_TrueColor"}, "is not there: make labels"),
    ],
)
def test_what_does_not_go_together_is_refused(
    labelled_archive: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    model = changes.pop("model", "softmax")
    with pytest.raises(UsageError, match=message):
        train_model(request(labelled_archive, tmp_path / "models", model, **changes))
    assert not (tmp_path / "models").exists()


def test_the_card_tells_what_it_was_trained_on(labelled_archive: Path, tmp_path: Path) -> None:
    done = train_model(request(labelled_archive, tmp_path, "softmax", split_by="event"))
    document = json.loads(done.path.with_suffix(".json").read_text())
    assert document["layer"] == LAYER
    assert document["grid"]["rows"] == document["grid"]["cols"] == 512
    assert document["split_by"] == "event"
    assert {"gibswatch", "numpy", "scikit-learn", "skops"} <= set(document["versions"])
    assert document["training_s"] > 0
    left = sorted(path.name for path in done.path.with_suffix(".training").iterdir())
    assert left == ["plan.json", "training.lock"]
