"""A second fetch of every tile: other bytes make a day suspect, equal ones confirm it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from gibswatch.archive import Archive, Journal, Layout, confirm_days, download_days
from gibswatch.archive.ingest.confirm import Confirmation, _sources
from gibswatch.catalogue import Grid, TileIndex, find_layer, plan_grid
from gibswatch.errors import ServerUnreachableError
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer, FaultRule
from gibswatch.types import BBox

LAYER = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
NAME = LAYER.identifier
DAYS = (dt.date(2023, 8, 5), dt.date(2023, 8, 6))
DAY = DAYS[0]
FORMS = {
    "stitched": Grid("native", 4326, "16km", BBox(-36, -36, 36, 36)),
    "kept tiles": Grid("native", 4326, "16km", BBox(-36, -36, 36, 36), tiled=True),
    "output tiles": Grid("predecessor", 4326, "16km", BBox(2, 2, 70, 52), tiled=True),
    "cog": Grid("predecessor", 4326, "16km", BBox(2, 2, 70, 52), picture_format="cog"),
}
Serve = Callable[..., EmbeddedServer]


def settings(server: EmbeddedServer) -> Settings:
    return Settings(
        base_url=server.base_url, attempts=1, requests_per_s=0, bandwidth_mbit_s=0, ramp_up_s=0
    )


def one_tile(
    effect: Literal["scramble", "status"], grid: Grid, *, first: int | None = None
) -> FaultRule:
    """Break one tile of the first day."""
    tile = next(iter(plan_grid(grid, "250m").source_tiles()))
    return FaultRule(
        effect,
        date=(DAY, DAY),
        row=(tile.row, tile.row),
        col=(tile.col, tile.col),
        first=first,
        status=404,
    )


def states(root: Path) -> list[str]:
    with Journal(Layout(root, NAME, 4326).journal) as journal:
        return [tile.state for tile in journal.tiles(DAY)]


@pytest.mark.parametrize("form", list(FORMS))
def test_equal_bytes_confirm_and_change_no_file(
    serve_drawn: Serve, tmp_path: Path, form: str
) -> None:
    server, grid = serve_drawn(), FORMS[form]
    first = download_days(tmp_path, LAYER, grid, DAYS, settings(server))
    before = {path: path.read_bytes() for path in tmp_path.glob("4326/2*/**/*.*")}
    told: list[dt.date] = []
    found = confirm_days(tmp_path, LAYER, grid, DAYS, settings(server), on_day=told.append)
    each = first.fetched // 2
    assert found == dict.fromkeys(DAYS, Confirmation(each, 0, 0))
    assert all(one.confirmed for one in found.values())
    assert told == list(DAYS)
    records = Archive(tmp_path).records(NAME)
    assert all(record.complete and record.confirmed_at for record in records.values())
    assert {path: path.read_bytes() for path in before} == before
    server.requests.clear()
    again = download_days(tmp_path, LAYER, grid, DAYS, settings(server))
    assert (again.days_kept, len(server.requests)) == (2, 0)


@pytest.mark.parametrize("form", list(FORMS))
def test_other_bytes_are_suspect_and_asked_for_again(
    serve_drawn: Serve, tmp_path: Path, form: str
) -> None:
    grid = FORMS[form]
    server = serve_drawn(one_tile("scramble", grid, first=1))
    assert download_days(tmp_path, LAYER, grid, DAYS, settings(server)).days_complete == 2
    found = confirm_days(tmp_path, LAYER, grid, DAYS, settings(server))
    assert (found[DAY].suspect, found[DAY].unanswered) == (1, 0)
    assert found[DAYS[1]].confirmed
    records = Archive(tmp_path).records(NAME)
    assert (records[DAY].complete, records[DAY].confirmed_at) == (False, None)
    assert sorted(states(tmp_path))[-1] == "suspect"
    assert not Archive(tmp_path).scene(NAME, DAY).usable.all()
    assert not (tmp_path / f"4326/{DAY}/{NAME}.jpg").exists()
    table = (tmp_path / f"4326/.gibswatch/{NAME}.not-ok.csv").read_text(encoding="utf-8")
    assert table.count(",suspect,") == 1
    server.requests.clear()
    healed = download_days(tmp_path, LAYER, grid, DAYS, settings(server))
    assert (healed.days_kept, healed.days_complete) == (1, 1)
    assert len(server.requests) == (1 if form == "kept tiles" else found[DAY].compared)
    assert set(states(tmp_path)) == {"ok"}
    assert healed.problem_list is None
    whole = tmp_path / "whole"
    download_days(whole, LAYER, grid, DAYS, settings(serve_drawn()))
    for path in whole.glob("4326/2*/**/*.*"):
        assert (tmp_path / path.relative_to(whole)).read_bytes() == path.read_bytes()


def test_a_tile_that_does_not_come_again_leaves_the_day_open(
    serve_drawn: Serve, tmp_path: Path
) -> None:
    grid = FORMS["stitched"]
    download_days(tmp_path, LAYER, grid, DAYS, settings(serve_drawn()))
    broken = serve_drawn(one_tile("status", grid))
    found = confirm_days(tmp_path, LAYER, grid, DAYS, settings(broken))
    assert found[DAY] == Confirmation(1, 0, 1)
    record = Archive(tmp_path).records(NAME)[DAY]
    assert (record.complete, record.confirmed_at) == (True, None)
    assert states(tmp_path) == ["ok", "ok"]


def test_days_that_are_not_whole_are_left_out(serve_drawn: Serve, tmp_path: Path) -> None:
    grid = FORMS["stitched"]
    server = serve_drawn(one_tile("status", grid))
    download_days(tmp_path, LAYER, grid, DAYS, settings(server))
    assert list(confirm_days(tmp_path, LAYER, grid, DAYS, settings(server))) == [DAYS[1]]
    assert confirm_days(tmp_path, LAYER, grid, [dt.date(2023, 8, 9)], settings(server)) == {}


def test_no_server_is_said_and_changes_nothing(serve_drawn: Serve, tmp_path: Path) -> None:
    grid = dataclasses.replace(FORMS["stitched"], bbox=None)  # ten refusals are needed
    download_days(tmp_path, LAYER, grid, DAYS, settings(serve_drawn()))
    before = Archive(tmp_path).records(NAME)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    gone = Settings(base_url=f"http://127.0.0.1:{port}", attempts=1)
    with pytest.raises(ServerUnreachableError):
        confirm_days(tmp_path, LAYER, grid, DAYS, gone)
    assert Archive(tmp_path).records(NAME) == before


@pytest.mark.parametrize("resolution", ["16km", "4km"])
@pytest.mark.parametrize("level", [None, 2, 5])
def test_every_source_tile_belongs_to_the_output_tiles_over_it(
    resolution: str, level: int | None
) -> None:
    plan = plan_grid(Grid("predecessor", 4326, resolution, tiled=True, tile_level=level), "250m")
    reached = {source for tile in plan.output_tiles() for source in _sources(plan, tile)}
    assert set(plan.source_tiles()) <= reached
    size = plan.source.tile_size
    for tile in (TileIndex(0, 0), TileIndex(1, 2)):
        rows = _sources(plan, tile).rows
        first, last = tile.row * size * plan.scale, (tile.row + 1) * size * plan.scale
        assert rows.start * size <= first < rows[0] * size + size
        assert rows[-1] * size < last <= rows.stop * size + 1e-6
