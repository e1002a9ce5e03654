"""Tests of `gibswatch scan` and `inspect` as commands, on drawn days and on real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gibswatch.cli.scan import _explaining
from gibswatch.models import TrainRequest, train_model
from gibswatch.scan import budget
from gibswatch.simulate import EmbeddedServer, ServedLayer, TileFolderSource, create_app

_LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
_RANGE = ("--start", "2023-08-01", "--end", "2023-08-15")
_BOX = ("--bbox", "-36", "-36", "36", "36")

Run = Callable[..., Any]


def test_scan_prints_what_is_wrong_and_where_the_report_is(
    run: Run, tmp_path: Path, server: EmbeddedServer
) -> None:
    where = ("--output-dir", tmp_path, "--base-url", server.base_url)
    ended = run("scan", _LAYER, *_RANGE, *_BOX, *where)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith("2023-08-08  anomalous")
    assert "14 days (1 anomalous, 13 clean)" in lines[1]
    assert lines[2] == "fetched 28 tiles; 0 days were there already"
    report = Path(lines[3].removeprefix("report: "))
    assert report.is_file()

    server.requests.clear()
    again = run("scan", _LAYER, *_RANGE, *where, "--json", "--fail-on", "anomalous")
    assert (again.code, again.err) == (3, "")
    assert len(server.requests) == 0
    items = json.loads(again.out)["items"]
    assert [i["date"] for i in items if i["verdict"] == "anomalous"] == ["2023-08-08"]


def test_an_alert_budget_names_the_days_over_it(
    run: Run, tmp_path: Path, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--output-dir", tmp_path, "--base-url", server.base_url)
    command = ("scan", _LAYER, *_RANGE, *_BOX, *where)
    plain = run(*command, "--json")
    assert {item["alert"] for item in json.loads(plain.out)["items"]} == {None}

    few = run(*command, "--alerts-per-month", 3, "--fail-on", "alert")
    assert few.code == 3  # the hole, by the detector's own threshold
    said = (
        "3 alerts a month: threshold 0.50, the detector's own: 13 days believed clean are too few"
    )
    assert f"{said}, 60 do; 1 alert here" in few.out.splitlines()

    monkeypatch.setattr(budget, "FEWEST_DAYS", 10)
    ended = run(*command, "--alerts-per-month", 6, "--json")
    document = json.loads(ended.out)
    told, threshold = document["items"], document["budget"]["threshold"]
    assert (document["budget"]["days"], 0 <= threshold < 0.5) == (13, True)
    assert [i["alert"] for i in told] == [i["score"] > threshold for i in told]
    (hole,) = (i for i in told if i["verdict"] == "anomalous")
    assert hole["alert"]
    by_score = [i["date"] for i in told if i["alert"] and i["verdict"] == "clean"]
    assert 0 < len(by_score) < 13
    for item in told:  # nothing else is said of a day that is an alert
        item["alert"] = None
    assert told == json.loads(plain.out)["items"]
    folder = tmp_path / "4326" / "scans" / _LAYER
    assert "6 alerts a month: threshold" in (folder / "report.html").read_text("utf-8")
    again = run("report", _LAYER, "--output-dir", tmp_path)
    assert (again.code, "6 alerts a month" in again.out) == (0, True)
    unusual = [line[:10] for line in again.out.splitlines() if line[12:19] == "unusual"]
    assert sorted(unusual) == by_score


def test_a_model_gives_its_score_beside_the_verdict(
    run: Run, labelled_archive: Path, few_labelled_days: Path
) -> None:
    asked = TrainRequest(
        _LAYER, "softmax", root=labelled_archive, out=few_labelled_days, features="hue"
    )
    path = train_model(asked).path
    where = ("--output-dir", few_labelled_days, "--base-url", "http://127.0.0.1:9")
    span = ("--start", "2023-01-01", "--end", "2023-01-06")
    command = ("scan", _LAYER, *span, *where, "--method", "black-share", "--model", path)
    ended = run(*command, "--json")
    assert ended.code == 0
    assert "model softmax: calls 1 of 5 days, 1 of them clean by the detectors" in ended.err
    told = json.loads(ended.out)["items"]
    predicted = run("predict", path, _LAYER, *span, "--output-dir", few_labelled_days, "--json")
    assert [(i["model"]["score"], i["model"]["called"]) for i in told] == [
        (i["score"], i["called"]) for i in json.loads(predicted.out)["items"]
    ]
    line = run("report", _LAYER, "--output-dir", few_labelled_days).out.splitlines()[0]
    assert line.startswith("2023-01-04  called      ")
    assert "By the model alone. " in line
    report = few_labelled_days / "4326" / "scans" / _LAYER / "report.html"
    assert report.read_text("utf-8").count("<b>model</b>") == 1
    other = run("scan", _LAYER, *span, "--bbox", "-36", "-36", "36", "36", "--output-dir",
                few_labelled_days / "new", "--model", path)  # fmt: skip
    assert (other.code, len(other.err.splitlines())) == (2, 1)
    assert "train one for this part of the map" in other.err
    picture = few_labelled_days / "4326" / "2023-01-04" / f"{_LAYER}.jpg"
    inspected = run("inspect", picture, "--layer", _LAYER, "--bounds", "-36", "18", "36", "90",
                    "--method", "black-share", "--model", path, "--json")  # fmt: skip
    (item,) = json.loads(inspected.out)["items"]
    assert item["model"] == told[3]["model"]


def test_the_report_shows_where_the_model_sees_a_fault(
    run: Run, labelled_archive: Path, few_labelled_days: Path, tmp_path: Path
) -> None:
    path, other = (
        train_model(TrainRequest(_LAYER, name, root=labelled_archive, out=tmp_path)).path
        for name in ("padim", "isolation-forest")
    )
    where = ("--output-dir", few_labelled_days)
    span = ("--start", "2023-01-01", "--end", "2023-01-09", "--base-url", "http://127.0.0.1:9")
    ended = run("scan", _LAYER, *span, *where, "--no-confirm", "--workers", 1, "--model", path)
    page = few_labelled_days / "4326" / "scans" / _LAYER / "report.html"
    told = "Model padim: where it sees a fault (scores of places)</b>"
    assert (ended.code, page.read_text("utf-8").count(told)) == (0, 4), ended.out
    # Three anomalous days, and one that the model alone calls.
    assert run("report", _LAYER, *where).code == 0
    assert told not in page.read_text("utf-8")
    assert run("report", _LAYER, *where, "--model", path).code == 0
    assert page.read_text("utf-8").count(told) == 4
    refused = run("report", _LAYER, *where, "--model", other)
    assert (refused.code, "cannot say where a fault lies" in refused.err) == (2, True)
    gone = _explaining(tmp_path / "gone.skops")
    assert gone is None
    assert _explaining(other) is None
    assert _explaining(None) is None


def test_scan_with_days_missing_ends_with_4(
    run: Run, tmp_path: Path, server: EmbeddedServer
) -> None:
    where = ("--output-dir", tmp_path, "--base-url", server.base_url)
    ended = run("scan", _LAYER, "--start", "2023-08-13", "--end", "2023-08-17", *_BOX, *where)
    assert ended.code == 4
    assert ended.out.count("incomplete") == 3  # two days and the totals
    all_flags = ("--fail-on", "anomalous", *_BOX, *where)
    assert run("scan", _LAYER, "--start", "2023-08-08", "--end", "2023-08-17", *all_flags).code in (
        3,
        4,
    )


def test_the_predecessors_spelling_of_options_works(
    run: Run, tmp_path: Path, server: EmbeddedServer
) -> None:
    ended = run(
        "download", "--layer_name", _LAYER, "--start_date", "2023-08-01", "--end_date",
        "2023-08-03", "--tile_resolution", "16km", "--num_threads", "2", "--output_dir", tmp_path,
        "--base-url", server.base_url, "--bbox", "-36", "-18", "0", "18",
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    assert (tmp_path / "4326" / "2023-08-02" / f"{_LAYER}.jpg").is_file()
    assert "2 days; 2 downloaded, 0 there already, 0 incomplete" in ended.out


def test_download_lists_what_did_not_come(run: Run, tmp_path: Path, server: EmbeddedServer) -> None:
    ended = run(
        "download", "--layer-name", _LAYER, "--start-date", "2023-08-14", "--end-date",
        "2023-08-16", "--output-dir", tmp_path, "--base-url", server.base_url, *_BOX, "--json",
    )  # fmt: skip
    assert ended.code == 4
    summary = json.loads(ended.out)
    assert (summary["days_complete"], summary["days_incomplete"]) == (1, 1)
    assert all(problem["state"] == "absent" for problem in summary["problems"])


def test_inspect_writes_masks_and_prints_json(
    run: Run, tmp_path: Path, server: EmbeddedServer
) -> None:
    where = ("--output-dir", tmp_path / "data", "--base-url", server.base_url)
    run("scan", _LAYER, *_RANGE, *_BOX, *where)
    files = sorted((tmp_path / "data" / "4326").glob(f"*/{_LAYER}.jpg"))
    renamed = []
    for file in files:
        renamed.append(tmp_path / f"{file.parent.name}.jpg")
        file.rename(renamed[-1])
    ended = run(
        "inspect", *renamed, "--layer", _LAYER, "--bounds", "-36", "-36", "36", "36",
        "--mask-dir", tmp_path / "masks", "--json",
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    (bad,) = (i for i in json.loads(ended.out)["items"] if i["verdict"] == "anomalous")
    assert bad["date"] == "2023-08-08"
    assert Path(bad["mask"]) == tmp_path / "masks" / "2023-08-08_mask.png"
    assert [p.name for p in (tmp_path / "masks").iterdir()] == ["2023-08-08_mask.png"]


@pytest.fixture
def terra_tile(real_data: Path) -> Path:
    return real_data / "real" / "terra_tile_2023"


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("start", "days"),
    [("2023-08-01", 15), pytest.param("2023-01-01", 227, marks=pytest.mark.slow)],
)
def test_real_days_over_http(
    run: Run, tmp_path: Path, terra_tile: Path, start: str, days: int
) -> None:
    folder = terra_tile / "TrueColor"
    source = TileFolderSource(folder, "250m", 3, 2, 4)
    app = create_app({_LAYER: (ServedLayer(_LAYER, "jpg", {4326: "250m"}), source)})
    with EmbeddedServer(app) as server:
        command = (
            "scan", _LAYER, "--start", start, "--end", "2023-08-16", "--grid", "native",
            "--tile-resolution", "8km", "--tiled-world", "--bbox", "-36", "-18", "0", "18",
            "--base-url", server.base_url, "--output-dir", tmp_path, "--workers", "1", "--json",
        )  # fmt: skip
        first = run(*command)
        # The one tile of an anomalous day is fetched once more.
        again = sum(i["verdict"] == "anomalous" for i in json.loads(first.out)["items"])
        assert len(server.requests) == days + again
        server.requests.clear()
        second = run(*command)
        assert len(server.requests) == 0
    assert (first.code, first.err) == (0, "")
    assert second.out == first.out
    kept = sorted(tmp_path.glob("4326/*/tiles/250m-3/*_Tile_4-2.jpg"))
    assert len(kept) == days
    for path in kept:
        assert path.read_bytes() == (folder / f"{path.parts[-4]}.jpg").read_bytes()
    _only_the_7th_of_august_and_at_most_two_more(first.out, days)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("product", "months", "days"),
    [
        ("TrueColor", "*", 227),
        ("Bands721", "0[78]", 46),
        pytest.param("Bands721", "*", 227, marks=pytest.mark.slow),
    ],
)
def test_real_days_as_files(
    run: Run, terra_tile: Path, product: str, months: str, days: int
) -> None:
    files = sorted((terra_tile / product).glob(f"2023-{months}-*.jpg"))
    layer = f"MODIS_Terra_CorrectedReflectance_{product}"
    ended = run(
        "inspect", *files, "--layer", layer, "--bounds", "-36", "-18", "0", "18",
        "--workers", "1", "--json",
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    _only_the_7th_of_august_and_at_most_two_more(ended.out, days)


@pytest.mark.realdata
@pytest.mark.parametrize("method", ["gibs-ml", "black-share"])
def test_the_baselines_find_the_7th_of_august(run: Run, terra_tile: Path, method: str) -> None:
    files = sorted((terra_tile / "TrueColor").glob("2023-08-*.jpg"))
    ended = run(
        "inspect", *files, "--layer", _LAYER, "--bounds", "-36", "-18", "0", "18",
        "--method", method, "--workers", "1", "--json",
    )  # fmt: skip
    items = json.loads(ended.out)["items"]
    missing = [i["date"] for i in items if any(found["kind"] == 2 for found in i["findings"])]
    assert missing == ["2023-08-07"]


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("folder", "bounds"),
    [
        ("terra_z0_2017", ("-180", "-198", "108", "90")),  # a tile that hangs over the globe
        ("global_days", ("-180", "-90", "180", "90")),
    ],
)
def test_real_globes_without_a_fault_are_clean(
    run: Run, real_data: Path, folder: str, bounds: tuple[str, ...]
) -> None:
    files = sorted((real_data / "real" / folder).iterdir())
    ended = run("inspect", *files, "--layer", _LAYER, "--bounds", *bounds, "--workers", "1")
    assert ended.code == 0
    assert f"{len(files)} pictures ({len(files)} clean)" in ended.out


def _only_the_7th_of_august_and_at_most_two_more(output: str, days: int) -> None:
    items = json.loads(output)["items"]
    assert len(items) == days
    flagged = {item["date"] for item in items if item["verdict"] == "anomalous"}
    assert "2023-08-07" in flagged
    assert len(flagged) <= 3
    assert {item["verdict"] for item in items} == {"clean", "anomalous"}
