"""Stored models at work: what they score, and what they refuse."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gibswatch.archive import open_archive
from gibswatch.errors import MissingExtraError, UsageError
from gibswatch.features import PicturePixels
from gibswatch.models import (
    DayScore,
    LoadedModel,
    SkippedDay,
    TrainRequest,
    load_model,
    score_days,
    score_scenes,
    train_model,
)
from gibswatch.models.card import read_card
from gibswatch.models.rasters import write_score_raster
from gibswatch.models.rows.backbones import BackboneDefinition
from gibswatch.models.rows.extraction import definition_of
from gibswatch.models.rows.grids import PatchGrid
from gibswatch.raster.scene import Scene

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
HOLE = dt.date(2023, 1, 4)


@pytest.fixture(scope="module")
def stored(labelled_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("stored")
    asked = TrainRequest(LAYER, "softmax", root=labelled_archive, out=out, features="hog+hue")
    return train_model(asked).path


@pytest.fixture(scope="module")
def of_patches(labelled_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    asked = TrainRequest(
        LAYER, "random-forest", level="pixel", root=labelled_archive,
        out=tmp_path_factory.mktemp("patches"), parameters={"n_estimators": 10}, max_patches=2000,
    )  # fmt: skip
    return load_model(train_model(asked).path)


@pytest.fixture(scope="module")
def scene(labelled_archive: Path) -> Scene:
    return open_archive(labelled_archive).scene(LAYER, HOLE)


def test_a_picture_is_scored_and_called(stored: Path, scene: Scene) -> None:
    model = load_model(stored)
    assert model.layer == LAYER
    score = model.score(scene)
    (found,) = score_scenes(model, [scene])
    assert found == DayScore(HOLE, score, called=score > model.threshold)
    assert found.called


def test_a_score_that_is_no_number_is_refused(
    stored: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_model(stored)
    for score in (np.nan, np.inf):
        monkeypatch.setattr(type(loaded.scorer), "rows", lambda *_, told=score: np.array([told]))
        with pytest.raises(UsageError, match=r"the model softmax gives no number for .*train it"):
            loaded.score(scene)


def test_days_of_an_archive(stored: Path, labelled_archive: Path) -> None:
    days = [HOLE, dt.date(2023, 1, 1), dt.date(1999, 1, 1)]
    told: list[tuple[str, int, int]] = []
    found = list(
        score_days(
            load_model(stored), days, root=labelled_archive, on_progress=lambda *s: told.append(s)
        )
    )
    assert [one.date for one in found] == sorted(days)
    assert isinstance(found[0], SkippedDay)
    assert told == [("score", 1, 3), ("score", 2, 3), ("score", 3, 3)]


def test_an_archive_without_the_layer_is_told(stored: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no day of MODIS_Terra"):
        list(score_days(load_model(stored), [HOLE], root=tmp_path))


def test_another_layer_place_or_projection_is_refused(stored: Path, scene: Scene) -> None:
    model = load_model(stored)
    with pytest.raises(UsageError, match=r"trained on MODIS_Terra.*the picture shows MODIS_Aqua"):
        model.score(dataclasses.replace(scene, layer="MODIS_Aqua_CorrectedReflectance_TrueColor"))
    for change in ({"west": 0.0}, {"epsg": 3857}, {"pixel_width": 1.0}):
        place = dataclasses.replace(scene.georeference, **change)
        with pytest.raises(UsageError, match="train one for this part of the map"):
            model.score(dataclasses.replace(scene, georeference=place))


def test_features_of_another_version_are_refused(stored: Path, tmp_path: Path) -> None:
    card = json.loads(stored.with_suffix(".json").read_text())
    path = tmp_path / "other.skops"
    path.write_bytes(stored.read_bytes())
    for change, message in (
        (
            {"version": 99},
            r"features of version 99, this Gibswatch makes version 1: train it again",
        ),
        ({"pool": 7}, r"pooled in way 7, this Gibswatch pools in way 1: train it again"),
        ({"kind": "hue"}, r"pools gradients and has none"),
        ({"bins": 11}, r"names features of length \d+ and a model of \d+"),
        ({"cell": "x"}, r"feature cell 'x'"),
        ({"more": 1}, r"a definition of features has the fields"),
    ):
        document = card | {"features": card["features"] | change}
        path.with_suffix(".json").write_text(json.dumps(document))
        with pytest.raises(UsageError, match=message):
            load_model(path)


def test_a_card_of_features_that_the_model_does_not_learn_from_is_refused(
    stored: Path, tmp_path: Path
) -> None:
    card = json.loads(stored.with_suffix(".json").read_text())
    path = tmp_path / "other.skops"
    path.write_bytes(stored.read_bytes())
    for definition in (
        BackboneDefinition(32, 32, maps=False),
        PicturePixels(32, 32),
        PatchGrid.of((64, 64)),
    ):
        document = card | {"features": definition.to_json(), "n_features": definition.length}
        path.with_suffix(".json").write_text(json.dumps(document))
        with pytest.raises(UsageError):
            load_model(path)
        again: Any = {"features": definition.to_json(), "n_features": definition.length}
        with pytest.raises(UsageError, match="softmax does not learn from: the card was changed"):
            definition_of(dataclasses.replace(read_card(stored.with_suffix(".json")), **again))


def test_pixels_of_the_hole_score_higher(of_patches: LoadedModel, scene: Scene) -> None:
    raster = of_patches.score_raster(scene)
    hole = scene.pixels.max(axis=2) == 0
    assert raster.shape == (512, 512)
    assert raster.dtype == np.float32
    assert np.median(raster[hole]) > np.percentile(raster[~hole], 90)
    assert of_patches.score(scene) == pytest.approx(np.sort(np.unique(raster))[-1], abs=0.3)


def test_a_model_of_pictures_has_no_pixels(stored: Path, scene: Scene) -> None:
    with pytest.raises(UsageError, match="scores no pixels: train one with --level pixel"):
        load_model(stored).score_raster(scene)


def test_a_model_of_patches_wants_its_resolution(of_patches: LoadedModel, scene: Scene) -> None:
    g = scene.georeference
    half = dataclasses.replace(
        g, rows=256, cols=256, pixel_width=2 * g.pixel_width, pixel_height=2 * g.pixel_height
    )
    small = dataclasses.replace(
        scene, pixels=scene.pixels[::2, ::2], state=scene.state[::2, ::2], georeference=half
    )
    with pytest.raises(UsageError, match=r"pictures of 512x512 pixels, this one has 256x256"):
        of_patches.score(small)


def test_a_raster_of_scores_lies_where_the_picture_does(
    of_patches: LoadedModel, scene: Scene, tmp_path: Path
) -> None:
    import rasterio

    scores = of_patches.score_raster(scene)
    write_score_raster(tmp_path / "score.tif", scores, scene.georeference)
    with rasterio.open(tmp_path / "score.tif") as dataset:
        np.testing.assert_array_equal(dataset.read(1), scores)
        assert tuple(dataset.bounds) == scene.georeference.bbox.as_tuple()
        assert dataset.crs.to_epsg() == 4326


def test_a_bare_install_can_read_the_room_and_names_the_extra(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import sys\nimport gibswatch.models\n"
        "assert not {'sklearn', 'skops'} & set(sys.modules), 'imported at once'"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(MissingExtraError, match=r"gibswatch\[models\]"):
        load_model(stored)
