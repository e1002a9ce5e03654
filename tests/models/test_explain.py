"""Where a model sees a fault: heat over the hole, from places and from networks."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gibswatch.archive import open_archive
from gibswatch.errors import UsageError
from gibswatch.features import FeatureDefinition
from gibswatch.features.pixels import PicturePixels
from gibswatch.models import LoadedModel, TrainResult, load_model
from gibswatch.models.calibration import Calibration
from gibswatch.models.explain import HeatMap, _peak, can_explain, explain
from gibswatch.raster.scene import Scene

pytestmark = pytest.mark.usefixtures("one_thread")

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
HOLE, NORMAL = dt.date(2023, 1, 4), dt.date(2023, 1, 2)
Trained = Callable[..., TrainResult]


@pytest.fixture
def padim(trained: Trained) -> LoadedModel:
    return load_model(trained("padim", parameters={"dimensions": 5}).path)


@pytest.fixture
def cnn(trained: Trained) -> LoadedModel:
    tiny = {"num_channels": 2, "hidden": 4, "batch_size": 8, "learning_rate": 0.01}
    return load_model(trained("cnn", size=32, parameters={**tiny, "num_epochs": 4}).path)


@pytest.fixture
def densenet(trained: Trained, random_weights: Path) -> LoadedModel:
    asked: Any = {"weights": str(random_weights), "size": 32, "parameters": {"num_epochs": 3}}
    return load_model(trained("densenet", **asked).path)


@pytest.fixture(scope="module")
def scene(labelled_archive: Path) -> Scene:
    return open_archive(labelled_archive).scene(LAYER, HOLE)


def check(found: HeatMap, scene: Scene) -> None:
    assert found.values.shape == scene.georeference.shape
    assert found.values.dtype == np.float32
    assert found.values.min() >= 0
    assert found.values.max() <= 1


def test_heat_of_places_is_where_the_hole_is(padim: LoadedModel, scene: Scene) -> None:
    assert can_explain(padim)
    found = explain(padim, scene)
    check(found, scene)
    assert found.source == "scores of places"
    hole = scene.pixels.max(axis=2) == 0
    assert np.median(found.values[hole]) > 0.3
    assert np.percentile(found.values[~hole], 75) < 0.1
    assert found.values.max() > 0.9


def test_a_normal_day_stays_under_one(
    padim: LoadedModel, scene: Scene, labelled_archive: Path
) -> None:
    normal = open_archive(labelled_archive).scene(LAYER, NORMAL)
    assert not padim.judge(normal).called
    raised = dataclasses.replace(padim.card, threshold=10 * padim.threshold)
    high = LoadedModel(raised, padim.scorer)
    check(explain(high, normal), normal)
    assert explain(high, normal).values.max() < 0.5


def test_a_picture_that_is_the_same_everywhere_is_dark(padim: LoadedModel, scene: Scene) -> None:
    class Flat:
        has_raster = True
        definition = padim.scorer.definition
        is_native = True

        def raster(self, one: Scene) -> NDArray[np.float32]:
            return np.full(one.georeference.shape, 99.0, np.float32)

    flat = LoadedModel(padim.card, Flat())  # type: ignore[arg-type]
    assert (explain(flat, scene).values == 0).all()


def test_vectors_of_places_have_heat_too(trained: Trained, scene: Scene) -> None:
    model = load_model(
        trained(
            "padim", features="backbone", weights="self", self_steps=1, size=32,
            parameters={"dimensions": 5},
        ).path
    )  # fmt: skip
    found = explain(model, scene)
    check(found, scene)
    assert found.source == "scores of places"


@pytest.mark.parametrize("name", ["cnn", "densenet"])
def test_networks_say_it_by_grad_cam(
    name: str, scene: Scene, request: pytest.FixtureRequest
) -> None:
    model: LoadedModel = request.getfixturevalue(name)
    assert can_explain(model)
    found = explain(model, scene)
    check(found, scene)
    assert found.source == "Grad-CAM"


def with_threshold(model: LoadedModel, threshold: float) -> LoadedModel:
    return LoadedModel(dataclasses.replace(model.card, threshold=threshold), model.scorer)


def speaks(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let something speak for a fault, whatever the few epochs have taught."""
    rising = np.linspace(0.1, 1.0, 16).reshape(4, 4)
    if isinstance(model.scorer.definition, PicturePixels):
        monkeypatch.setattr(type(model.scorer.estimator), "heat_map", lambda _self, _rows: rising)
    else:
        slope = np.ones(1024)
        monkeypatch.setattr(type(model.scorer.estimator), "class_weights", lambda _self: slope)


@pytest.mark.parametrize("calibration", [None, Calibration("platt", True, (2.0, 1.5))])
@pytest.mark.parametrize("name", ["cnn", "densenet"])
def test_a_called_day_reaches_one_half_and_no_other(
    name: str,
    calibration: Calibration | None,
    scene: Scene,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fitted: LoadedModel = request.getfixturevalue(name)
    speaks(fitted, monkeypatch)
    scorer = dataclasses.replace(fitted.scorer, calibration=calibration)
    score = LoadedModel(fitted.card, scorer).score(scene)
    assert 0 < score < 1
    asked = (0.0, 0.3 * score, score - 1e-9, score, score + 1e-9, (1 + score) / 2, 1.0, 2.0)
    peaks = []
    for threshold in asked:
        model = with_threshold(LoadedModel(fitted.card, scorer), threshold)
        peak = explain(model, scene).values.max()
        assert (peak >= 0.5) == model.judge(scene).called
        peaks.append(float(peak))
    assert peaks == sorted(peaks, reverse=True)
    assert peaks[2:5] == pytest.approx([0.5] * 3, abs=1e-3)  # no step
    assert [peaks[0], peaks[-1]] == pytest.approx([1, 0], abs=1e-6)


@pytest.mark.parametrize("threshold", [0.0, 1e-6, 0.3, 0.532, 0.7156, 0.999999, 1.0])
def test_the_hottest_place_of_a_day_rises_with_the_score(threshold: float) -> None:
    scores = np.linspace(0, 1, 201)
    peaks = np.array([_peak(float(score), threshold) for score in scores])
    assert np.isfinite(peaks).all()
    assert ((peaks >= 0.5) == (scores > threshold)).all()
    assert (np.diff(peaks) >= 0).all()
    if 0 < threshold < 1:
        assert [peaks[0], peaks[-1]] == pytest.approx([0, 1], abs=1e-5)


def test_where_nothing_speaks_for_a_fault_there_is_no_heat(
    cnn: LoadedModel, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = np.zeros((4, 4))
    monkeypatch.setattr(type(cnn.scorer.estimator), "heat_map", lambda _self, _rows: nothing)
    assert (explain(with_threshold(cnn, 0.0), scene).values == 0).all()


def test_heat_of_densenet_is_that_of_its_last_maps(densenet: LoadedModel, scene: Scene) -> None:
    """A picture of 2 by 3 last maps: the slope of what speaks for a fault, map by map."""
    from gibswatch.features import standard_picture
    from gibswatch.models.rows.backbones import BackboneDefinition
    from gibswatch.models.scoring import enlarged

    wide = dataclasses.replace(densenet.scorer, definition=BackboneDefinition(64, 96, maps=False))
    found = explain(LoadedModel(densenet.card, wide), scene).values
    assert wide.backbone is not None
    picture = standard_picture(scene, 64, 96)[np.newaxis]
    maps = wide.backbone.last_map(picture)[0].astype(np.float64)
    assert maps.shape == (1024, 2, 3)
    means = maps.mean(axis=(1, 2))
    weights = wide.estimator.weights()
    layer, scale = weights["network.layer.weight"], weights["network.scale"]
    slope = (layer[1] - layer[0]).astype(np.float64) / scale
    heat = np.maximum((slope[:, None, None] * maps).sum(axis=0), 0)
    share = float(wide.estimator.anomaly_score(means[np.newaxis].astype(np.float32))[0])
    large = enlarged(heat.astype(np.float32), found.shape)
    expected = large / max(large.max(), 1e-12) * _peak(share, densenet.threshold)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_model_of_vectors_cannot_say_it(padim: LoadedModel, scene: Scene) -> None:
    vectors = FeatureDefinition.for_shape(512, 512)
    scorer = dataclasses.replace(padim.scorer, estimator=object(), definition=vectors)
    model = LoadedModel(padim.card, scorer)
    assert not can_explain(model)
    elsewhere = dataclasses.replace(scene, layer="Another_Layer")
    # said before anything else is looked at
    with pytest.raises(UsageError, match="cannot say where a fault lies: train a cnn, densenet,"):
        explain(model, elsewhere)


def test_a_picture_of_something_else_is_refused(cnn: LoadedModel, scene: Scene) -> None:
    with pytest.raises(UsageError, match="the picture shows Another_Layer"):
        explain(cnn, dataclasses.replace(scene, layer="Another_Layer"))
