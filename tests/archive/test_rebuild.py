"""A journal that is damaged or lost is made anew from the files."""

from __future__ import annotations

import datetime as dt
import json
import threading
from pathlib import Path

import numpy as np
import pytest

from gibswatch.archive import Archive, Journal, Layout, download_days
from gibswatch.archive.journal.lock import ArchiveLock
from gibswatch.archive.upkeep.rebuild import RebuildReport, rebuild_journal
from gibswatch.catalogue import find_layer
from gibswatch.catalogue.windows import Grid, TileIndex, plan_grid
from gibswatch.errors import ArchiveError, ArchiveInUseError, UsageError
from gibswatch.files import write_bytes
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer
from gibswatch.types import BBox

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
DAYS = [dt.date(2023, 8, day) for day in (5, 6, 8)]
DAY = DAYS[0]
BOX = BBox(2, 2, 70, 52)
GRIDS = {
    "native tiles": Grid("native", 4326, "16km", BOX, tiled=True),
    "native picture": Grid("native", 4326, "16km", BOX),
    "output tiles": Grid("predecessor", 4326, "16km", BOX, tiled=True),
    "picture": Grid("predecessor", 4326, "16km", BOX),
}
JUNK = b"no database, a letter to my grandmother\n" * 200


@pytest.fixture(params=list(GRIDS.values()), ids=list(GRIDS))
def grid(request: pytest.FixtureRequest) -> Grid:
    """Give each form that a folder can have."""
    assert isinstance(request.param, Grid)
    return request.param


def download(server: EmbeddedServer, root: Path, grid: Grid) -> int:
    """Download the days; return how many tiles the server was asked for."""
    server.requests.clear()
    settings = Settings(
        base_url=server.base_url, bandwidth_mbit_s=0, requests_per_s=0, ramp_up_s=0, attempts=1
    )
    download_days(root, find_layer(LAYER), grid, DAYS, settings)
    return len(server.requests)


def layout_of(root: Path) -> Layout:
    return Layout(root, LAYER, 4326)


def lose_journal(root: Path) -> None:
    write_bytes(layout_of(root).journal, JUNK)
    with pytest.raises(ArchiveError, match=r"gibswatch verify .* --rebuild"):
        Journal(layout_of(root).journal)


def left_out(report: RebuildReport) -> dict[str, str]:
    return {Path(name).name: reason for name, reason in report.left_out}


def test_all_days_are_there_again(server: EmbeddedServer, tmp_path: Path, grid: Grid) -> None:
    asked = download(server, tmp_path, grid)
    archive = Archive(tmp_path)
    before = archive.records(LAYER)
    scenes = [archive.scene(LAYER, day) for day in DAYS]
    lose_journal(tmp_path)

    report = rebuild_journal(tmp_path, LAYER)

    assert (report.days, report.tiles, report.left_out) == (3, asked, ())
    assert report.set_aside == layout_of(tmp_path).set_aside / f"{LAYER}.sqlite"
    assert report.set_aside.read_bytes() == JUNK
    after = archive.records(LAYER)
    assert archive.grid(LAYER) == grid
    assert [(r.complete, r.picture, r.files, r.tiles) for r in after.values()] == [
        (r.complete, r.picture, r.files, r.tiles) for r in before.values()
    ]
    for day, scene in zip(DAYS, scenes, strict=True):
        again = archive.scene(LAYER, day)
        assert np.array_equal(again.pixels, scene.pixels)
        assert np.array_equal(again.state, scene.state)
    assert download(server, tmp_path, grid) == 0


def test_what_the_journal_says_of_a_tile(server: EmbeddedServer, tmp_path: Path) -> None:
    download(server, tmp_path, GRIDS["native tiles"])
    with Journal(layout_of(tmp_path).journal) as journal:
        served = journal.tiles(DAY)
    lose_journal(tmp_path)
    rebuild_journal(tmp_path, LAYER)
    with Journal(layout_of(tmp_path).journal) as journal:
        tiles = journal.tiles(DAY)
    assert [(t.tile, t.sha256, t.length) for t in tiles] == [
        (t.tile, t.sha256, t.length) for t in served
    ]
    assert {t.message for t in tiles} == {"rebuilt from the file"}
    path = f"/wmts/epsg4326/best/{LAYER}/default/{DAY}/250m/2/{tiles[0].tile.row}/"
    assert path in tiles[0].url
    assert (tiles[0].status, tiles[0].headers) == (None, {})


def test_hashes_of_joined_tiles_are_unknown(server: EmbeddedServer, tmp_path: Path) -> None:
    download(server, tmp_path, GRIDS["picture"])
    lose_journal(tmp_path)
    rebuild_journal(tmp_path, LAYER)
    with Journal(layout_of(tmp_path).journal) as journal:
        assert {(t.state, t.sha256, t.length) for t in journal.tiles(DAY)} == {("ok", None, None)}


def test_pictures_that_are_not_whole_are_left_out(server: EmbeddedServer, tmp_path: Path) -> None:
    grid = GRIDS["picture"]
    download(server, tmp_path, grid)
    layout = layout_of(tmp_path)
    good = [layout.picture(day, "jpg") for day in DAYS]
    good[0].rename(layout.picture(DAYS[0], "jpg", complete=False))
    good[1].write_bytes(good[1].read_bytes()[:-500])
    good[2].write_bytes(b"")
    other = DAYS[2] + dt.timedelta(days=1)
    write_bytes(
        layout.tile(other, plan_grid(GRIDS["output tiles"], "250m"), TileIndex(1, 3), "jpg"),
        b"a tile",
    )
    write_bytes(layout.day_folder(other) / "Other_Layer.jpg", b"not ours")
    lose_journal(tmp_path)

    report = rebuild_journal(tmp_path, LAYER)

    assert (report.days, report.tiles) == (0, 0)
    reasons = dict(report.left_out)
    shown = [f"4326/{DAYS[n]}/{LAYER}{'.partial' if n == 0 else ''}.jpg" for n in range(3)]
    assert reasons.keys() == {*shown, f"4326/{other}/tiles/{LAYER}_Tile_3-1.jpg"}
    assert reasons[shown[0]] == "a picture with missing tiles"
    assert "short JPEG" in reasons[shown[1]]
    assert "empty" in reasons[shown[2]]
    assert good[2].read_bytes() == b""
    assert download(server, tmp_path, grid) > 0
    assert [r.complete for r in Archive(tmp_path).records(LAYER).values()] == [True] * 3


def test_a_picture_of_another_size_is_left_out(server: EmbeddedServer, tmp_path: Path) -> None:
    download(server, tmp_path / "coarse", GRIDS["picture"])
    download(server, tmp_path / "native", GRIDS["native picture"])
    source = layout_of(tmp_path / "native").picture(DAY, "jpg")
    target = layout_of(tmp_path / "coarse").picture(DAY, "jpg")
    target.write_bytes(source.read_bytes())
    report = rebuild_journal(tmp_path / "coarse", LAYER)
    assert report.days == 2
    assert "pixels where" in left_out(report)[target.name]


def test_a_day_that_lacks_a_tile_is_in_progress(server: EmbeddedServer, tmp_path: Path) -> None:
    grid = GRIDS["native tiles"]
    download(server, tmp_path, grid)
    one = min((tmp_path / "4326" / str(DAY)).rglob("*.jpg"))
    one.unlink()
    lose_journal(tmp_path)
    report = rebuild_journal(tmp_path, LAYER)
    with Journal(layout_of(tmp_path).journal) as journal:
        assert sorted(journal.days()) == DAYS[1:]
        assert len(journal.tiles(DAY)) == len(journal.tiles(DAYS[1])) - 1
    assert report.left_out == ()
    assert download(server, tmp_path, grid) == 1


def test_a_day_that_lacks_an_output_tile_is_asked_for_again(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    download(server, tmp_path, GRIDS["output tiles"])
    lost, *others = sorted((tmp_path / "4326" / str(DAY)).rglob("*.jpg"))
    lost.unlink()
    lose_journal(tmp_path)
    report = rebuild_journal(tmp_path, LAYER)
    assert report.days == 2
    assert sorted(left_out(report)) == [path.name for path in others]
    assert set(left_out(report).values()) == {"other tiles of this day are missing"}


def test_a_lost_journal(server: EmbeddedServer, tmp_path: Path, grid: Grid) -> None:
    download(server, tmp_path, grid)
    layout_of(tmp_path).journal.unlink()
    report = rebuild_journal(tmp_path, LAYER)
    assert (report.days, report.set_aside) == (3, None)
    assert download(server, tmp_path, grid) == 0


def test_every_old_journal_is_kept(server: EmbeddedServer, tmp_path: Path) -> None:
    download(server, tmp_path, GRIDS["picture"])
    names = []
    for n in range(3):
        write_bytes(layout_of(tmp_path).journal, JUNK + bytes([n]))
        aside = rebuild_journal(tmp_path, LAYER).set_aside
        assert aside is not None
        assert aside.read_bytes() == JUNK + bytes([n])
        names.append(aside.name)
    assert names == [f"{LAYER}.sqlite{end}" for end in ("", ".1", ".2")]


def test_what_sqlite_left_is_not_played_into_the_new_journal(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    download(server, tmp_path, GRIDS["picture"])
    lose_journal(tmp_path)
    journal = layout_of(tmp_path).journal
    hot = journal.with_name(journal.name + "-journal")
    hot.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\xff" * 2000)
    report = rebuild_journal(tmp_path, LAYER)
    assert report.set_aside is not None
    assert not hot.exists()
    assert report.set_aside.with_name(hot.name).exists()
    assert sorted(Archive(tmp_path).days(LAYER)) == DAYS


@pytest.mark.parametrize("step", ["_set_aside", "Path.replace", "Journal.record_day"])
def test_a_crash_leaves_the_old_journal_and_can_be_repeated(
    server: EmbeddedServer, tmp_path: Path, step: str
) -> None:
    class CrashError(Exception):
        pass

    def crash(*_args: object, **_options: object) -> None:
        raise CrashError

    download(server, tmp_path, GRIDS["picture"])
    lose_journal(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"gibswatch.archive.upkeep.rebuild.{step}", crash)
        with pytest.raises(CrashError):
            rebuild_journal(tmp_path, LAYER)
    assert layout_of(tmp_path).journal.read_bytes() == JUNK
    assert list(tmp_path.rglob(".part-*")) == []
    assert rebuild_journal(tmp_path, LAYER).days == 3


def test_what_a_killed_rebuild_left_is_removed(server: EmbeddedServer, tmp_path: Path) -> None:
    download(server, tmp_path, GRIDS["picture"])
    left = layout_of(tmp_path).journal.parent / f".part-{LAYER}" / f"{LAYER}.sqlite"
    write_bytes(left, JUNK)
    assert rebuild_journal(tmp_path, LAYER).days == 3
    assert not left.parent.exists()


def test_the_grid_of_a_journal_that_can_still_be_asked(
    server: EmbeddedServer, tmp_path: Path, grid: Grid
) -> None:
    download(server, tmp_path, grid)
    layout_of(tmp_path).grid_file.unlink()
    rebuild_journal(tmp_path, LAYER)
    assert Archive(tmp_path).grid(LAYER) == grid
    assert layout_of(tmp_path).grid_file.exists()


def test_the_grid_is_told_by_native_tiles_of_the_globe(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    globe = Grid("native", 4326, "16km", tiled=True)
    download(server, tmp_path, globe)
    layout_of(tmp_path).grid_file.unlink()
    lose_journal(tmp_path)
    assert rebuild_journal(tmp_path, LAYER).days == 3
    assert Archive(tmp_path).grid(LAYER) == globe


@pytest.mark.parametrize("text", [None, "{", "[]", '{"kind": "native"}', "\xff", "[" * 10**5])
def test_a_grid_that_nobody_tells(
    server: EmbeddedServer, tmp_path: Path, grid: Grid, text: str | None
) -> None:
    """Tiles of a part of the globe do not tell which part was asked for."""
    download(server, tmp_path, grid)
    grid_file = layout_of(tmp_path).grid_file
    if text is None:
        grid_file.unlink()
    else:
        grid_file.write_text(text, "latin-1")
    lose_journal(tmp_path)
    with pytest.raises(ArchiveError, match=r"grid\.json .*--adopt.*--output-dir"):
        rebuild_journal(tmp_path, LAYER)
    assert layout_of(tmp_path).journal.read_bytes() == JUNK


def test_a_grid_of_another_projection_is_not_believed(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    download(server, tmp_path, GRIDS["picture"])
    grid_file = layout_of(tmp_path).grid_file
    grid_file.write_text(json.dumps({**json.loads(grid_file.read_text()), "epsg": 3413}))
    rebuild_journal(tmp_path, LAYER)
    assert Archive(tmp_path).grid(LAYER) == GRIDS["picture"]


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no MODIS_Terra"):
        rebuild_journal(tmp_path, LAYER)
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_may_write_meanwhile(server: EmbeddedServer, tmp_path: Path) -> None:
    download(server, tmp_path, GRIDS["picture"])
    caught: list[BaseException] = []

    def rebuild() -> None:
        try:
            rebuild_journal(tmp_path, LAYER)
        except ArchiveInUseError as error:
            caught.append(error)

    with ArchiveLock(layout_of(tmp_path).lock, "download"):
        other = threading.Thread(target=rebuild)
        other.start()
        other.join()
    assert "(download)" in str(caught[0])


def test_a_day_behind_a_link_out_of_the_root_is_left_out(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    download(server, root, GRIDS["picture"])
    (root / "4326" / str(DAY)).rename(tmp_path / "elsewhere")
    (root / "4326" / str(DAY)).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    report = rebuild_journal(root, LAYER)
    assert report.days == 2
    assert "is a link that leads out" in left_out(report)[str(DAY)]
