"""Verifying an archive: what is found, what is asked again, and what is left alone."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from gibswatch.archive import (
    Archive,
    Journal,
    Layout,
    VerifyReport,
    download_days,
    open_archive,
    verify_archive,
)
from gibswatch.archive.journal.lock import ArchiveLock
from gibswatch.catalogue import Grid, find_layer
from gibswatch.catalogue.grids import TileMatrix
from gibswatch.catalogue.windows import TileIndex
from gibswatch.errors import ArchiveInUseError, UsageError
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.types import BBox, ByteArray

LAYER = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
NAME = LAYER.identifier
DAYS = tuple(dt.date(2023, 8, day) for day in (5, 6, 7))
BOX = BBox(2, 2, 70, 52)
STITCHED = Grid("predecessor", 4326, "16km", BOX)
OUTPUT_TILES = Grid("predecessor", 4326, "16km", BOX, tiled=True)
NATIVE_TILES = Grid("native", 4326, "16km", BOX, tiled=True)


def draw(day: dt.date) -> ByteArray:
    """Draw a smooth globe without black, another one every day."""
    rows, cols = np.mgrid[0:128, 0:256] / 20.0
    waves = [np.sin(rows + day.day), np.cos(cols * day.day), np.sin(rows - cols)]
    return np.asarray(np.rint(130 + 60 * np.stack(waves, axis=2)), dtype=np.uint8)


class LosingSource(GlobeSource):
    """A globe of which some tiles come as something else."""

    lost: frozenset[TileIndex] = frozenset()

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        if TileIndex(row, col) in self.lost:
            return b"<html>Sorry</html>"
        return super().tile(day, epsg, matrix, row, col)


@dataclass
class Service:
    """The server, what it serves, and one archive of it."""

    server: EmbeddedServer
    source: LosingSource
    root: Path

    @property
    def settings(self) -> Settings:
        return Settings(base_url=self.server.base_url, attempts=1)

    def download(self, grid: Grid, *days: dt.date) -> None:
        download_days(self.root, LAYER, grid, days or DAYS, self.settings)
        self.server.requests.clear()

    def verify(self, *, fetch: bool = True) -> VerifyReport:
        return verify_archive(self.root, NAME, settings=self.settings, fetch=fetch)

    def asked(self) -> list[tuple[str, str]]:
        """Return (day, row/col) of what was asked for since the last time."""
        paths = [record.path for record in self.server.requests]
        self.server.requests.clear()
        found = [re.search(r"/(\d{4}-\d\d-\d\d)/.*/(\d+/\d+)\.jpg", path) for path in paths]
        return sorted((match[1], match[2]) for match in found if match)

    def files(self) -> dict[str, bytes]:
        """Return every picture and tile, by path."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob(f"{NAME}*.jpg"))
            if ".gibswatch" not in path.parts
        }


@pytest.fixture(scope="module")
def _serving() -> Iterator[tuple[EmbeddedServer, LosingSource]]:
    source = LosingSource(draw, DAYS, "jpg")
    layer = ServedLayer(NAME, "jpg", {4326: "250m"})
    with EmbeddedServer(create_app({NAME: (layer, source)})) as server:
        yield server, source


@pytest.fixture
def service(tmp_path: Path, _serving: tuple[EmbeddedServer, LosingSource]) -> Service:
    server, source = _serving
    source.lost = frozenset()
    server.requests.clear()
    return Service(server, source, tmp_path / "data")


def test_a_good_archive_is_good_and_asks_nothing(service: Service) -> None:
    service.download(STITCHED)
    before = service.files()
    report = service.verify()
    assert (report.good, report.faults, report.days, report.download) == (True, (), 3, None)
    assert (service.files(), service.asked()) == (before, [])


def test_what_is_unknown_is_moved_and_never_deleted_even_twice(service: Service) -> None:
    service.download(STITCHED)
    stranger = service.root / f"4326/{DAYS[0]}/{NAME}.png"
    for text in (b"first", b"second"):
        stranger.write_bytes(text)
        report = service.verify()
        assert report.good
        assert [fault.kind for fault in report.faults] == ["unreadable"]
    aside = service.root / "4326/.gibswatch/set-aside"
    kept = {p.name: p.read_bytes() for p in aside.rglob("*") if p.is_file()}
    assert kept == {f"{NAME}.png": b"first", f"{NAME}.png.1": b"second"}
    assert service.asked() == []


def test_files_of_other_layers_and_of_a_person_are_left_alone(service: Service) -> None:
    service.download(STITCHED)
    folder = service.root / f"4326/{DAYS[0]}"
    others = [
        folder / name
        for name in (
            "notes.txt", f"{NAME}2.jpg", f"{NAME}_Mask.png", f"{NAME}_Reason.tif", "Other.jpg",
            ".part-Other.jpg-abc.jpg", f".part-{NAME}_Other.jpg-abc.jpg", f"{NAME}.jpg.aux.xml",
        )
    ]  # fmt: skip
    for path in others:
        path.write_bytes(b"mine")
    assert service.verify().faults == ()
    assert all(path.read_bytes() == b"mine" for path in others)


def test_what_a_killed_run_left_is_removed(service: Service) -> None:
    service.download(NATIVE_TILES)
    folder = service.root / f"4326/{DAYS[0]}"
    staged = folder / f".part-{NAME}"
    staged.mkdir()
    left = [
        staged / f"{NAME}_Tile_0-0.jpg",
        folder / f".part-{NAME}.jpg-abc.jpg",
        folder / f"tiles/250m-2/.part-{NAME}_Tile_4-1.jpg-x.jpg",
        service.root / f"4326/.gibswatch/.part-{NAME}.grid.json-x.json",
    ]
    for path in left:
        path.write_bytes(b"half")
    listed = service.verify(fetch=False)
    assert [fault.kind for fault in listed.faults] == ["temporary"] * 4
    assert all(path.exists() for path in left)
    assert service.verify().good
    assert not any(path.exists() for path in [staged, *left])
    assert (service.asked(), service.verify().faults) == ([], ())


def test_one_bad_output_tile_asks_a_whole_day_but_keeps_the_others_if_that_fails(
    service: Service,
) -> None:
    service.download(OUTPUT_TILES)
    whole = service.files()
    names = [name for name in whole if str(DAYS[1]) in name]
    bad = names[0]
    (service.root / bad).write_bytes(b"")
    service.source.lost = frozenset({TileIndex(1, 5), TileIndex(2, 6)})
    report = service.verify()
    assert [fault.path for fault in report.left] == [bad]
    assert not report.good
    after = service.files()
    assert {name: after[name] for name in names[1:]} == {name: whole[name] for name in names[1:]}
    record = Archive(service.root).records(NAME)[DAYS[1]]
    assert (record.complete, {file.path for file in record.files}) == (False, set(names[1:]))

    service.source.lost = frozenset()
    service.asked()
    download_days(service.root, LAYER, OUTPUT_TILES, DAYS, service.settings)
    assert {day for day, _ in service.asked()} == {str(DAYS[1])}
    assert service.files() == whole
    assert service.verify().faults == ()


@pytest.mark.parametrize("grid", [STITCHED, OUTPUT_TILES, NATIVE_TILES], ids=str)
def test_a_marked_day_can_still_be_read(service: Service, grid: Grid) -> None:
    service.download(grid)
    for name in [name for name in service.files() if str(DAYS[0]) in name]:
        (service.root / name).unlink()
    nobody = replace(service.settings, base_url="http://127.0.0.1:9")
    report = verify_archive(service.root, NAME, settings=nobody)
    assert not report.good
    scene = open_archive(service.root).scene(NAME, DAYS[0])
    assert not scene.usable.any()


def test_tiles_of_an_interrupted_day_are_checked_too(service: Service) -> None:
    service.download(NATIVE_TILES)
    with Journal(Layout(service.root, NAME, 4326).journal) as journal:
        tiles = journal.tiles(DAYS[0])
        journal.forget_day(DAYS[0])
        journal.record_tiles(tiles[:2])
    names = [name for name in service.files() if str(DAYS[0]) in name]
    assert len(names) == 4
    (service.root / names[0]).write_bytes(b"\xff")
    report = service.verify()
    kinds = {fault.kind for fault in report.faults}
    assert (report.good, kinds) == (True, {"short", "unknown"})
    assert [day for day, _ in service.asked()] == [str(DAYS[0])] * 3
    assert service.verify().faults == ()


def test_a_day_that_gibs_does_not_list_is_not_asked(service: Service) -> None:
    service.download(STITCHED)
    before_terra = service.root / f"4326/1999-01-01/{NAME}.jpg"
    before_terra.parent.mkdir()
    shutil.copy(service.root / f"4326/{DAYS[0]}/{NAME}.jpg", before_terra)
    report = service.verify()
    assert report.good
    assert "1999-01-01: GIBS has no picture" in report.notes[0]
    assert (before_terra.exists(), service.asked()) == (False, [])


def test_days_with_missing_tiles_are_the_downloads_concern(service: Service) -> None:
    service.source.lost = frozenset({TileIndex(1, 5)})
    service.download(NATIVE_TILES)
    service.source.lost = frozenset()
    assert service.verify().faults == ()
    assert service.asked() == []


def test_a_partial_picture_that_was_changed_is_found(service: Service) -> None:
    service.source.lost = frozenset({TileIndex(1, 5)})
    service.download(STITCHED, DAYS[0])
    service.source.lost = frozenset()
    partial = service.root / f"4326/{DAYS[0]}/{NAME}.partial.jpg"
    partial.write_bytes(partial.read_bytes() + b"\0")
    report = service.verify()
    assert [fault.kind for fault in report.faults] == ["changed"]
    assert report.good
    assert not partial.exists()
    assert (service.root / f"4326/{DAYS[0]}/{NAME}.jpg").is_file()


def test_nobody_else_writes_meanwhile(service: Service) -> None:
    service.download(STITCHED)
    (service.root / f"4326/{DAYS[0]}/{NAME}.jpg").write_bytes(b"")
    lock = Layout(service.root, NAME, 4326).lock
    with (
        ArchiveLock(lock, "gibswatch download"),
        ThreadPoolExecutor(1) as other,
        pytest.raises(ArchiveInUseError, match="gibswatch download"),
    ):
        other.submit(service.verify).result()
    assert (service.root / f"4326/{DAYS[0]}/{NAME}.jpg").read_bytes() == b""


def test_a_picture_that_became_a_folder_is_moved_and_fetched(service: Service) -> None:
    service.download(STITCHED)
    picture = service.root / f"4326/{DAYS[0]}/{NAME}.jpg"
    whole = picture.read_bytes()
    picture.unlink()
    picture.mkdir()
    (picture / "mine.txt").write_bytes(b"mine")
    report = service.verify()
    assert [fault.kind for fault in report.faults] == ["unreadable"]
    assert report.good
    assert picture.read_bytes() == whole
    aside = service.root / f"4326/.gibswatch/set-aside/4326/{DAYS[0]}/{NAME}.jpg"
    assert (aside / "mine.txt").read_bytes() == b"mine"


def test_an_empty_folder_is_an_error_with_a_way_out(service: Service) -> None:
    service.root.mkdir()
    with pytest.raises(UsageError, match="name the --output-dir of a download"):
        service.verify()
    assert list(service.root.iterdir()) == []


def test_a_vector_layer_is_verified_as_pictures(service: Service) -> None:
    with pytest.raises(UsageError, match="VIIRS_SNPP_Thermal_Anomalies_375m_Day"):
        verify_archive(service.root, "VIIRS_SNPP_Thermal_Anomalies_375m_Day")


@pytest.mark.parametrize("journal", [None, b""])
def test_a_lost_journal_condemns_no_file(service: Service, journal: bytes | None) -> None:
    service.download(STITCHED)
    path = Layout(service.root, NAME, 4326).journal
    path.unlink()
    if journal is not None:
        path.write_bytes(journal)
    before = service.files()
    report = service.verify()
    assert {fault.kind for fault in report.left} == {"unknown"}
    assert "--rebuild" in report.notes[0]
    assert (service.files(), service.asked()) == (before, [])
