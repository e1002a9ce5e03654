"""Tests of the main job over real HTTP on loopback."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

import gibswatch as gw
from gibswatch.errors import DateRangeError, GridMismatchError, OutputError
from gibswatch.scan import ScanResult, Workers
from gibswatch.settings import Settings
from gibswatch.simulate import DrawnDays, EmbeddedServer
from gibswatch.types import BBox

_LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
_START, _STOP = dt.date(2023, 8, 1), dt.date(2023, 8, 15)
_HOLE_DAY = dt.date(2023, 8, 8)
_BOX = BBox(-36, -36, 36, 36)
"""512x512 pixels of two tiles; the hole lies in it."""


def _scan(root: Path, server: EmbeddedServer, **options: object) -> ScanResult:
    settings = Settings(base_url=server.base_url)
    given = {
        "start": _START, "stop": _STOP, "root": root, "bbox": _BOX, "settings": settings,
        **options,
    }  # fmt: skip
    return gw.scan(_LAYER, **given)  # type: ignore[arg-type]


def test_the_hole_is_the_only_alert_and_lies_where_it_was_planted(
    tmp_path: Path, server: EmbeddedServer, drawn: DrawnDays
) -> None:
    result = _scan(tmp_path, server)
    assert [item.date for item in result.items if item.verdict == "anomalous"] == [_HOLE_DAY]
    assert len(result.items) == 14
    assert result.verdicts["clean"] == 13
    (item,) = (item for item in result.items if item.verdict == "anomalous")
    assert item.shares is not None
    assert item.shares.black == pytest.approx(item.shares.expected + item.shares.unexpected)
    assert item.mask is not None
    with Image.open(item.mask) as image:
        assert image.mode == "P"
        mask = np.asarray(image)
    assert set(np.unique(mask)) == {0, 2}
    degree = drawn.rows / 180
    truth = drawn.truth(_HOLE_DAY)[int(54 * degree) : int(126 * degree), :]
    truth = truth[:, int(144 * degree) : int(216 * degree)]
    enlarged = np.asarray(Image.fromarray(truth).resize((512, 512), Image.Resampling.NEAREST))
    assert (mask[enlarged] == 2).mean() > 0.9
    assert item.worldview is not None
    assert "t=2023-08-08" in item.worldview


def test_tables_lie_beside_each_other(tmp_path: Path, server: EmbeddedServer) -> None:
    result = _scan(tmp_path, server)
    assert result.folder == tmp_path / "4326" / "scans" / _LAYER
    days = pq.read_table(result.folder / "days.parquet").to_pylist()
    assert [row["date"] for row in days] == [item.date for item in result.items]
    findings = geopandas.read_parquet(result.folder / "findings.parquet")
    assert list(findings["date"]) == [_HOLE_DAY]
    assert findings.geometry.is_valid.all()


def test_a_second_run_fetches_nothing_and_says_the_same(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    first = _scan(tmp_path, server)
    server.requests.clear()
    second = _scan(tmp_path, server)
    assert len(server.requests) == 0
    assert second.items == first.items
    assert second.download is not None
    assert (second.download.days_kept, second.download.fetched) == (14, 0)


def test_without_a_grid_the_folders_is_taken_and_another_is_refused(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    tile = BBox(-36, -18, 0, 18)
    first = _scan(tmp_path, server, bbox=tile, tile_resolution="8km", tiled=True)
    assert _scan(tmp_path, server, bbox=None).grid == first.grid
    with pytest.raises(GridMismatchError, match=r"native grid at 8km.*--output-dir"):
        _scan(tmp_path, server, bbox=None, tile_resolution="16km")


def test_one_new_day_is_judged_against_the_archive_around_it(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    _scan(tmp_path, server)
    result = _scan(tmp_path, server, start=_HOLE_DAY, stop=_HOLE_DAY + dt.timedelta(days=1))
    (item,) = result.items
    assert item.verdict == "anomalous"
    assert "13 neighbouring days" in item.reason


def test_a_mask_goes_when_its_finding_goes(tmp_path: Path, server: EmbeddedServer) -> None:
    result = _scan(tmp_path, server)
    (mask,) = (Path(item.mask) for item in result.items if item.mask)
    assert mask.is_file()
    _scan(tmp_path, server, method="black-share")
    assert not mask.exists()


def test_a_mask_that_cannot_go_is_an_error_of_the_folder(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    _scan(tmp_path, server)
    (tmp_path / f"4326/2023-08-01/{_LAYER}_Mask.png").mkdir()
    with pytest.raises(OutputError, match=r"_Mask\.png cannot be written"):
        _scan(tmp_path, server)


def test_processes_say_the_same_as_one(tmp_path: Path, server: EmbeddedServer) -> None:
    alone = _scan(tmp_path, server)
    together = _scan(tmp_path, server, workers=Workers(2))
    assert together.items == alone.items


def test_days_that_gibs_does_not_list_are_no_data(tmp_path: Path, server: EmbeddedServer) -> None:
    result = gw.scan(
        _LAYER,
        dt.date(2022, 10, 12),
        dt.date(2022, 10, 14),
        root=tmp_path,
        settings=Settings(base_url=server.base_url),
    )
    assert [item.verdict for item in result.items] == ["no-data", "no-data"]
    said, known = result.items[0].reason.split(" Known: ")
    assert said == "GIBS lists no picture from 2022-10-11 to 2022-10-22."
    assert known.startswith("manoeuvres that lowered the orbit")
    assert len(server.requests) == 0


def test_days_that_the_server_lacks_are_incomplete_and_never_neighbours(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    result = _scan(tmp_path, server, stop=dt.date(2023, 8, 17))
    late = [item for item in result.items if item.date and item.date >= _STOP]
    assert [(item.verdict, item.incomplete_cause) for item in late] == [
        ("incomplete", "server"),
        ("incomplete", "server"),
    ]
    assert all(item.reason.startswith("Not published") for item in late)
    assert not any(item.findings for item in late)
    (hole,) = (item for item in result.items if item.verdict == "anomalous")
    assert "13 neighbouring days" in hole.reason


def test_a_start_before_the_layer_is_said(tmp_path: Path, server: EmbeddedServer) -> None:
    with pytest.raises(DateRangeError, match="2000-02-24"):
        _scan(tmp_path, server, start=dt.date(1999, 1, 1), stop=dt.date(1999, 2, 1))
    assert not list(tmp_path.iterdir())


def test_progress_is_told_of_every_pass(tmp_path: Path, server: EmbeddedServer) -> None:
    told: list[tuple[str, int, int]] = []
    _scan(
        tmp_path,
        server,
        on_progress=lambda *words: told.append(words),
    )
    for stage in ("download", "observe", "judge"):
        steps = [(done, total) for name, done, total in told if name == stage]
        assert steps == [(n, 14) for n in range(1, 15)]


def test_inspect_says_what_scan_says_of_the_same_pictures(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    scanned = _scan(tmp_path, server)
    files = [item.file for item in scanned.items if item.file]
    inspected = gw.inspect(files, _LAYER, bounds=_BOX)
    assert [item.verdict for item in inspected.items] == [i.verdict for i in scanned.items]
    assert [item.score for item in inspected.items] == [i.score for i in scanned.items]
    assert {item.date_source for item in inspected.items} == {"name"}
    assert [item.findings for item in inspected.items] == [i.findings for i in scanned.items]


def test_the_api_lists_its_names() -> None:
    assert dir(gw) == sorted(gw.__all__)
    assert len(gw.layers()) > 1000
    with pytest.raises(AttributeError, match="no_such_name"):
        gw.no_such_name  # noqa: B018
