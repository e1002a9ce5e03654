"""A trained model's word beside the verdict: the score of `predict`, in one process or several."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import gibswatch as gw
from gibswatch.archive import open_archive
from gibswatch.catalogue import find_layer
from gibswatch.errors import MissingExtraError, UsageError
from gibswatch.models import TrainRequest, load_model, score_days, train_model
from gibswatch.parallel import map_ordered
from gibswatch.raster.scene import STATE_CODES
from gibswatch.scan import ScanResult, Workers, model_scores, read_scan
from gibswatch.scan.archived import ArchivedDays
from gibswatch.scan.judging.judge import day_tasks, observe_pictures
from gibswatch.scan.judging.one_day import judge_one
from gibswatch.scan.model_scores import check_model, model_note, score_scene, with_model
from gibswatch.scan.result import silent
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer
from gibswatch.types import DayItem, ModelScore

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
AQUA = "MODIS_Aqua_CorrectedReflectance_TrueColor"
FIRST, STOP = dt.date(2023, 1, 1), dt.date(2023, 1, 9)
HOLE, COLOUR = dt.date(2023, 1, 4), dt.date(2023, 1, 7)
NOWHERE = Settings(base_url="http://127.0.0.1:9")
"""Nobody listens there: a scan that asked it would say so."""


@pytest.fixture(scope="module")
def stored(labelled_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("stored")
    asked = TrainRequest(LAYER, "softmax", root=labelled_archive, out=out, features="hue")
    return train_model(asked).path


def _scan(root: Path, **options: Any) -> ScanResult:
    given: dict[str, Any] = {
        "stop": STOP,
        "method": "black-share",
        "settings": NOWHERE,
        "confirm": False,
    }
    return gw.scan(LAYER, FIRST, root=root, **(given | options))


def test_days_have_the_score_of_predict_in_every_output(
    stored: Path, few_labelled_days: Path
) -> None:
    result = _scan(few_labelled_days, model=stored)
    model = load_model(stored)
    days = [item.date for item in result.items if item.date is not None]
    wanted = {one.date: one for one in score_days(model, days, root=few_labelled_days)}
    assert len(days) == 8
    for item in result.items:
        told = wanted[item.date]
        assert isinstance(told, gw.models.DayScore)
        assert item.model == ModelScore("softmax", told.score, model.threshold, told.called)
    assert {item.date for item in result.items if item.model and item.model.called} == {
        HOLE, COLOUR,
    }  # fmt: skip
    assert result.folder is not None
    rows = pq.read_table(result.folder / "days.parquet").to_pylist()
    for item, row in zip(result.items, rows, strict=True):
        assert item.model is not None
        assert (row["model"], row["model_called"]) == ("softmax", item.model.called)
        assert (row["model_score"], row["model_threshold"]) == (item.model.score, model.threshold)
    again = read_scan(result.folder)
    assert [item.model for item in again.items] == [item.model for item in result.items]


def test_the_verdict_stays_that_of_the_detectors(stored: Path, few_labelled_days: Path) -> None:
    plain, scored = _scan(few_labelled_days), _scan(few_labelled_days, model=stored)
    assert all(item.model is None for item in plain.items)
    for before, after in zip(plain.items, scored.items, strict=True):
        assert after.model is not None
        said = f" The model softmax scores it {after.model.score:.3g}, over its "
        assert (said in after.reason) == after.model.called  # no day is anomalous here
        assert replace(after, model=None, reason=before.reason) == before
    assert "model softmax: calls 2 of 8 days, 2 of them clean by the detectors" in scored.notes
    assert not any("model" in note for note in plain.notes)


def test_processes_and_a_cluster_say_the_same_as_one(stored: Path, few_labelled_days: Path) -> None:
    distributed = pytest.importorskip("distributed")
    grid = open_archive(few_labelled_days).grid(LAYER)
    assert grid is not None
    file = check_model(stored, LAYER)
    archived = ArchivedDays(few_labelled_days, find_layer(LAYER), grid, model=file)
    pictures, _ = archived.pictures([FIRST, HOLE, COLOUR])
    seen = observe_pictures(pictures, workers=Workers(), on_progress=silent)
    tasks = day_tasks(seen, 3, "black-share", None)
    alone = list(map_ordered(judge_one, tasks))
    assert [item.model and item.model.called for item in alone] == [False, True, True]
    assert list(map_ordered(judge_one, tasks, workers=2)) == alone
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0",
        protocol="tcp", host="127.0.0.1",
    ) as cluster:  # fmt: skip
        assert list(map_ordered(judge_one, tasks, scheduler=cluster.scheduler_address)) == alone


def test_a_process_loads_a_model_once_and_keeps_few(
    stored: Path, few_labelled_days: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []

    def load(path: Path) -> gw.models.LoadedModel:
        loaded.append(path)
        return load_model(path)

    monkeypatch.setattr(model_scores, "_load", load)
    _scan(few_labelled_days, model=stored)
    assert loaded == [stored]
    for number in range(4):
        copy = tmp_path / f"{number}.skops"
        shutil.copy(stored, copy)
        shutil.copy(stored.with_suffix(".json"), copy.with_suffix(".json"))
        check_model(copy, LAYER)
    assert len(model_scores._KEPT._models) == 2


def test_a_model_that_is_exchanged_meanwhile_is_told(
    stored: Path, few_labelled_days: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(stored, tmp_path / "own.skops"))
    card = json.loads(stored.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(card))
    file = check_model(path, LAYER)
    scene = open_archive(few_labelled_days).scene(LAYER, HOLE)
    before = score_scene(file, scene, "clean")
    path.with_suffix(".json").write_text(json.dumps(card | {"threshold": 0.0}))
    assert score_scene(file, scene, "clean") == before  # of the model that was checked
    monkeypatch.setattr(model_scores, "_KEPT", model_scores._Kept())
    with pytest.raises(UsageError, match="no longer the model that the run began with"):
        score_scene(file, scene, "clean")


def test_only_judged_days_that_are_all_there_are_scored(
    stored: Path, few_labelled_days: Path
) -> None:
    file, scene = check_model(stored, LAYER), open_archive(few_labelled_days).scene(LAYER, HOLE)
    assert score_scene(file, scene, "anomalous") is not None
    assert score_scene(None, scene, "anomalous") is None
    for verdict in ("incomplete", "wrong-date", "no-data"):
        assert score_scene(file, scene, verdict) is None
    scene.state[0, 0] = STATE_CODES["failed"]
    assert score_scene(file, scene, "clean") is None


def test_a_model_of_pixels_scores_days(labelled_archive: Path, few_labelled_days: Path) -> None:
    asked = TrainRequest(
        LAYER, "random-forest", level="pixel", root=labelled_archive, out=few_labelled_days.parent,
        parameters={"n_estimators": 5}, max_patches=800,
    )  # fmt: skip
    path = train_model(asked).path
    scene = open_archive(few_labelled_days).scene(LAYER, HOLE)
    found = score_scene(check_model(path, LAYER, [scene.georeference]), scene, "clean")
    assert found is not None
    assert found.score == load_model(path).score(scene)
    half = replace(scene.georeference, rows=256, cols=256, pixel_width=0.28125,
                   pixel_height=0.28125)  # fmt: skip
    with pytest.raises(UsageError, match=r"pictures of 512x512 pixels, this one has 256x256"):
        check_model(path, LAYER, [half])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": AQUA}, f"was trained on {LAYER}, not on {AQUA}"),
        ({"bbox": (-36, -36, 36, 36)}, "train one for this part of the map"),
        (
            {"epsg": 3413, "tile_resolution": "8km"},
            "of EPSG:4326, the picture shows .* of EPSG:3413",
        ),
        ({"model": "nothing.skops"}, "nothing.skops cannot be read"),
        ({"model": "model.pkl"}, "can run code when it is read"),
    ],
)
def test_what_does_not_fit_is_refused_before_a_download(
    stored: Path, tmp_path: Path, server: EmbeddedServer, options: dict[str, Any], message: str
) -> None:
    settings = Settings(base_url=server.base_url)
    given = {"layer": LAYER, "model": stored, "root": tmp_path / "new", **options}
    with pytest.raises(UsageError, match=message):
        gw.scan(given.pop("layer"), "2023-08-01", "2023-08-03", settings=settings, **given)
    assert len(server.requests) == 0
    assert not (tmp_path / "new").exists()


class _Exploit:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


def test_a_hostile_file_is_refused_and_not_run(
    stored: Path, tmp_path: Path, server: EmbeddedServer
) -> None:
    marker, path = tmp_path / "ran", tmp_path / "model.skops"
    data = pickle.dumps(_Exploit(marker))
    path.write_bytes(data)
    card = json.loads(stored.with_suffix(".json").read_text())
    card |= {"file_bytes": len(data), "file_sha256": hashlib.sha256(data).hexdigest()}
    path.with_suffix(".json").write_text(json.dumps(card))
    with pytest.raises(UsageError, match="is not opened"):
        _scan(tmp_path, model=path, settings=Settings(base_url=server.base_url))
    assert not marker.exists()
    assert len(server.requests) == 0


def test_the_extra_is_named(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(MissingExtraError, match=r"gibswatch\[models\]"):
        _scan(tmp_path, model=stored)


def test_without_a_model_none_of_its_room_is_imported(few_labelled_days: Path) -> None:
    script = (
        "import sys, gibswatch as gw\n"
        "from gibswatch.settings import Settings\n"
        f"gw.scan({LAYER!r}, '2023-01-01', '2023-01-03', root={str(few_labelled_days)!r}, "
        f"method='black-share', confirm=False, settings=Settings(base_url={NOWHERE.base_url!r}))\n"
        "assert not {'sklearn', 'skops', 'gibswatch.models'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_inspect_scores_pictures(stored: Path, few_labelled_days: Path) -> None:
    pictures = [few_labelled_days / f"4326/{day}/{LAYER}.jpg" for day in (FIRST, HOLE)]
    result = gw.inspect(
        pictures, LAYER, bounds=(-36, 18, 36, 90), method="black-share", model=stored
    )
    model = load_model(stored)
    scenes = (open_archive(few_labelled_days).scene(LAYER, day) for day in (FIRST, HOLE))
    assert [item.model and item.model.score for item in result.items] == [
        pytest.approx(model.score(scene)) for scene in scenes
    ]
    assert result.notes == ("model softmax: calls 1 of 2 days, 1 of them clean by the detectors",)
    with pytest.raises(UsageError, match="train one for this part of the map"):
        gw.inspect(pictures, LAYER, bounds=(-36, -36, 36, 36), model=stored)


def test_the_sentence_stands_on_called_and_on_anomalous_days() -> None:
    called, quiet = (ModelScore("softmax", s, 0.55, called=s > 0.55) for s in (0.93, 0.25))
    sentence = "The model softmax scores it 0.93, over its threshold of 0.55."
    assert with_model("Said.", "clean", called) == f"Said. {sentence}"
    assert with_model("Said.", "anomalous", called) == f"Said. {sentence}"
    assert with_model("Said.", "clean", quiet) == "Said."
    assert with_model("Said.", "anomalous", quiet).endswith(
        "scores it 0.25, not over its threshold of 0.55."
    )
    assert with_model("Said.", "anomalous", None) == "Said."


def test_calls_are_counted() -> None:
    called, quiet = (ModelScore("softmax", s, 0.55, called=s > 0.55) for s in (0.93, 0.25))
    clean = DayItem(LAYER, HOLE, "clean", 0.1, "", None)
    bad = replace(clean, verdict="anomalous")
    assert model_note([clean, bad]) == ""
    assert model_note([replace(clean, model=quiet)]) == "model softmax: calls 0 of 1 days"
    both = [replace(clean, model=called), replace(bad, model=called), clean]
    told = "model softmax: calls 2 of 2 days, 1 of them clean by the detectors"
    assert model_note(both) == told
