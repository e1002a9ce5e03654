"""A simulated archive: what `open_archive` reads, what a second run does, what a crash leaves."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from gibswatch.archive import Journal, Layout, download_days, open_archive, verify_archive
from gibswatch.archive.journal.lock import ArchiveLock
from gibswatch.catalogue import Grid, find_layer
from gibswatch.errors import (
    ArchiveInUseError,
    GridMismatchError,
    OutputError,
    UnknownGridError,
    UsageError,
)
from gibswatch.raster.codec import decode_picture
from gibswatch.settings import read_settings
from gibswatch.simulate.archiving import (
    ArchiveOrder,
    Source,
    describe_origin,
    read_truth_document,
    specify_days,
    truth_folder,
    write_archives,
)
from gibswatch.simulate.days.spec import FaultSpec
from gibswatch.types import BBox

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
START = dt.date(2017, 4, 10)
GRID = Grid("native", 4326, "16km", BBox(-36, -9, -18, 9))
NOBODY = read_settings(base_url="http://127.0.0.1:9")
HOLE = FaultSpec("missing-granules", START + dt.timedelta(days=1), place=(-27.0, 0.0))


def order(root: Path, days: int = 2, layer: str = LAYER, seed: int = 5) -> ArchiveOrder:
    source = Source(seed, faults=(HOLE,), invented=True)
    dates = [START + dt.timedelta(days=n) for n in range(days)]
    return ArchiveOrder(
        root, GRID, specify_days(layer, dates, source), describe_origin(source), "train"
    )


def files_of(root: Path) -> dict[str, str]:
    """Hashes of all files but the journals, which hold times."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix != ".sqlite"
    }


def leftovers(root: Path) -> list[str]:
    return [path.name for path in root.rglob(".*") if path.is_file()]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("written")
    summary = write_archives([order(root)])
    assert (summary.days, summary.days_made, summary.days_kept) == (2, 2, 0)
    return root


@pytest.fixture
def copied(written: Path, tmp_path: Path) -> Path:
    """Give a copy of it, which may be broken."""
    return Path(shutil.copytree(written, tmp_path / "copied"))


def test_it_is_an_archive_of_whole_days(written: Path) -> None:
    archive = open_archive(written)
    assert archive.layers() == [LAYER]
    assert archive.days(LAYER) == [START, START + dt.timedelta(days=1)]
    assert archive.grid(LAYER) == GRID
    scene = archive.scene(LAYER, START)
    assert scene.usable.all()
    assert scene.pixels.shape == (128, 128, 3)
    assert scene.pixels.any()
    records = archive.records(LAYER)
    assert all(record.complete and set(record.tiles) == {"ok"} for record in records.values())


def test_other_programs_find_the_picture_where_it_belongs(written: Path) -> None:
    picture = written / "4326" / str(START) / f"{LAYER}.jpg"
    with rasterio.open(picture) as raster:
        assert raster.bounds == (-36.0, -9.0, -18.0, 9.0)


def test_the_labels_have_the_predecessors_form(written: Path) -> None:
    text = (written / "4326" / f"{LAYER}.txt").read_text("utf-8")
    assert text == "train 2017-04-10 \ntrain 2017-04-11 2\n"


def test_the_truth_lies_beside_the_picture(written: Path) -> None:
    layout = Layout(written, LAYER, 4326)
    document = read_truth_document(layout, HOLE.day or START)
    assert document is not None
    assert document["codes"] == [2]
    folder = truth_folder(layout, HOLE.day or START)
    with rasterio.open(folder / f"{LAYER}.tif") as raster:
        label, visible = raster.read(1), raster.read(11)
    picture = open_archive(written).scene(LAYER, HOLE.day or START).pixels
    patch = decode_picture((folder / document["clean"]).read_bytes(), image_format="png")
    gone = (label == 2) & (visible > 0)
    assert gone.any()
    assert picture[gone].max() < 30
    assert patch[gone][:, :3].max() > 30


def test_a_second_run_makes_nothing(written: Path) -> None:
    before = files_of(written)
    summary = write_archives([order(written)])
    assert (summary.days_made, summary.days_kept) == (0, 2)
    assert files_of(written) == before


def test_processes_and_order_change_no_byte(written: Path, tmp_path: Path) -> None:
    whole = order(tmp_path)
    write_archives([replace(whole, specs=whole.specs[1:])])
    write_archives([whole], workers=2)
    assert files_of(tmp_path) == files_of(written)


@pytest.mark.parametrize("name", [f"{LAYER}.jpg", f"truth/{LAYER}.tif", f"truth/{LAYER}.json"])
def test_a_day_that_lost_a_file_is_made_again(copied: Path, name: str) -> None:
    before = files_of(copied)
    (copied / "4326" / "2017-04-11" / name).unlink()
    summary = write_archives([order(copied)])
    assert (summary.days_made, summary.days_kept) == (1, 1)
    assert files_of(copied) == before


def test_a_longer_range_adds_to_what_is_there(tmp_path: Path) -> None:
    write_archives([order(tmp_path, days=1)])
    summary = write_archives([order(tmp_path, days=2)])
    assert (summary.days_made, summary.days_kept) == (1, 1)
    assert (tmp_path / "4326" / f"{LAYER}.txt").read_text("utf-8").count("\n") == 2


def test_a_persons_lines_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "4326" / f"{LAYER}.txt"
    path.parent.mkdir()
    path.write_text("# by hand\nval 2016-01-01 3\ntest 2017-04-11 9\n", "utf-8")
    write_archives([order(tmp_path)])
    lines = path.read_text("utf-8").splitlines()
    assert set(lines) == {
        "# by hand",
        "val 2016-01-01 3",
        "train 2017-04-10 ",
        "train 2017-04-11 2",
    }


def test_another_seed_is_refused(written: Path) -> None:
    before = files_of(written)
    with pytest.raises(UsageError, match=r"seed 5, not 6.*another --output-dir"):
        write_archives([order(written, seed=6)])
    assert files_of(written) == before


def test_another_grid_is_refused(written: Path) -> None:
    other = replace(order(written), grid=replace(GRID, bbox=BBox(0, 0, 9, 9)))
    with pytest.raises(GridMismatchError):
        write_archives([other])


def test_downloaded_days_are_not_mixed_with_simulated_ones(written: Path, tmp_path: Path) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    with Journal(Layout(written, LAYER, 4326).journal) as journal:
        record = journal.days()[START]
    with Journal(layout.journal) as journal:
        journal.claim_grid(GRID)
        journal.record_day(record)
    with pytest.raises(UsageError, match=r"1 downloaded days"):
        write_archives([order(tmp_path)])


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_damaged_mark_is_named(copied: Path, text: str) -> None:
    (copied / "4326" / ".gibswatch" / f"{LAYER}.simulated.json").write_text(text)
    with pytest.raises(UsageError, match=r"simulated\.json is"):
        write_archives([order(copied, days=1)])


def test_what_cannot_be_one_picture_leaves_no_folder(tmp_path: Path) -> None:
    root = tmp_path / "new"
    with pytest.raises(UnknownGridError, match="simulate serve"):
        write_archives([replace(order(root), grid=Grid("native", 4326, "16km", tiled=True))])
    with pytest.raises(UnknownGridError, match="over the limit"):
        write_archives([replace(order(root), grid=Grid("native", 4326, "1km"))])
    with pytest.raises(UsageError, match="no days"):
        write_archives([replace(order(root), specs=())])
    assert not root.exists()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="something else stands there"):
        write_archives([order(tmp_path / "file")])


def test_layers_of_one_seed_show_the_same_hole(tmp_path: Path) -> None:
    mask = "MODIS_Terra_Data_No_Data"
    write_archives([order(tmp_path), order(tmp_path, layer=mask)])
    archive, day = open_archive(tmp_path), START + dt.timedelta(days=1)
    black = archive.scene(LAYER, day).pixels.max(axis=2) < 12
    brown = archive.scene(mask, day).pixels[..., 3] > 0
    assert brown.mean() > 0.05
    assert (black & brown).sum() / (black | brown).sum() > 0.9


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("untouched")
    write_archives([order(root, days=3)])
    return root


_STOPPING = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_writer import order, write_archives
signal.signal(signal.SIGINT, signal.default_int_handler)
def on_day(done, total):
    if done == 2: os.kill(os.getpid(), {sign})
try:
    write_archives([order(Path({root!r}), days=3)], workers={workers}, on_day=on_day)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals to oneself are a POSIX matter")
@pytest.mark.parametrize(
    ("sign", "workers", "code"),
    [
        (signal.SIGINT, 2, 130),
        pytest.param(signal.SIGINT, 1, 130, marks=pytest.mark.slow),
        (signal.SIGKILL, 1, -9),
    ],
)
def test_an_interruption_leaves_whole_files_and_the_next_run_goes_on(
    tmp_path: Path, untouched: Path, sign: signal.Signals, workers: int, code: int
) -> None:
    root = tmp_path / "archive"
    script = _STOPPING.format(
        tests=str(Path(__file__).parent), sign=int(sign), root=str(root), workers=workers
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (code, "")
    assert leftovers(root) == []
    records = open_archive(root).records(LAYER)
    assert len(records) == 2
    for day in records:
        open_archive(root).scene(LAYER, day)
    summary = write_archives([order(root, days=3)])
    assert summary.days_made + summary.days_kept == 3
    assert summary.days_kept >= 2  # more where another process had finished one
    assert files_of(root) == files_of(untouched)


def test_days_that_were_finished_but_not_written_down_are_not_made_again(copied: Path) -> None:
    before = files_of(copied)
    with Journal(Layout(copied, LAYER, 4326).journal) as journal:  # as a kill leaves it
        for day in journal.days():
            journal.forget_day(day)
    summary = write_archives([order(copied)])
    assert (summary.days_made, summary.days_kept) == (0, 2)
    assert files_of(copied) == before
    assert open_archive(copied).scene(LAYER, START).usable.all()


def test_a_picture_that_somebody_changed_is_made_again(copied: Path) -> None:
    before = files_of(copied)
    path = copied / "4326" / str(START) / f"{LAYER}.jpg"
    path.write_bytes(path.read_bytes()[::-1])
    summary = write_archives([order(copied)])
    assert (summary.days_made, summary.days_kept) == (1, 1)
    assert files_of(copied) == before


def test_verify_finds_nothing_wrong_and_asks_nobody(written: Path) -> None:
    before = files_of(written)
    report = verify_archive(written, LAYER)
    assert (report.days, report.faults, report.download) == (2, (), None)
    assert report.good
    assert files_of(written) == before


@pytest.mark.parametrize("how", ["gone", "changed", "unknown"])
def test_verify_never_downloads_into_simulated_days(copied: Path, how: str) -> None:
    before = files_of(copied)
    path = copied / "4326" / str(START) / f"{LAYER}.jpg"
    if how == "gone":
        path.unlink()
    elif how == "changed":
        path.write_bytes(path.read_bytes()[::-1])
    else:
        stranger = copied / "4326" / "2017-05-01" / f"{LAYER}.jpg"
        stranger.parent.mkdir()
        stranger.write_bytes(path.read_bytes())
    report = verify_archive(copied, LAYER, settings=NOBODY)
    assert report.download is None
    assert not report.good
    assert any("simulated" in note for note in report.notes)
    summary = write_archives([order(copied)])
    assert summary.days_made == (0 if how == "unknown" else 1)
    assert verify_archive(copied, LAYER, settings=NOBODY).good
    kept = {name: sha for name, sha in files_of(copied).items() if "set-aside" not in name}
    assert kept == before


def test_download_adds_no_real_day_to_simulated_ones(written: Path) -> None:
    layer = find_layer(LAYER)
    days = [START, START + dt.timedelta(days=1)]
    assert download_days(written, layer, GRID, days, NOBODY).days == 2  # both are there
    with pytest.raises(UsageError, match=r"holds simulated days .*2017-04-12"):
        download_days(written, layer, GRID, [START + dt.timedelta(days=2)], NOBODY)


def test_who_writes_keeps_others_out(tmp_path: Path) -> None:
    write_archives([order(tmp_path, days=1)])
    told: list[BaseException] = []

    def other() -> None:
        try:
            write_archives([order(tmp_path)])
        except ArchiveInUseError as error:
            told.append(error)

    with ArchiveLock(Layout(tmp_path, LAYER, 4326).lock, "a test"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert "a test" in str(told[0])
    assert write_archives([order(tmp_path)]).days_made == 1


def test_a_line_that_cannot_be_read_is_told_before_any_work(tmp_path: Path) -> None:
    path = tmp_path / "4326" / f"{LAYER}.txt"
    path.parent.mkdir()
    path.write_text("training 2017-04-10\n", "utf-8")
    with pytest.raises(UsageError, match="line 1 cannot be read"):
        write_archives([order(tmp_path)])
    assert path.read_text("utf-8") == "training 2017-04-10\n"
    assert not list(tmp_path.rglob("*.jpg"))


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "4326" / str(START)
    (folder / "truth").mkdir(parents=True)
    for ending in (".tif", ".json", "_Label.png", "_Clean.png"):
        (folder / "truth" / f".part-{LAYER}{ending}-x{Path(ending).suffix}").write_bytes(b"x")
    (folder / f".part-{LAYER}.jpg-x.jpg").write_bytes(b"x")
    write_archives([order(tmp_path, days=1)])
    assert leftovers(tmp_path) == []


def test_progress_counts_days_that_were_there(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    note: Callable[[int, int], None] = lambda done, total: told.append((done, total))  # noqa: E731
    write_archives([order(tmp_path, days=1)], on_day=note)
    write_archives([order(tmp_path, days=2)], on_day=note)
    assert told == [(1, 1), (2, 2)]


def test_hashes_of_the_document_are_those_of_the_files(written: Path) -> None:
    layout = Layout(written, LAYER, 4326)
    document = read_truth_document(layout, START)
    assert document is not None
    data = layout.picture(START, "jpg").read_bytes()
    assert document["picture_sha256"] == hashlib.sha256(data).hexdigest()
    with rasterio.open(truth_folder(layout, START) / f"{LAYER}.tif") as raster:
        planes = raster.read().astype("<u2")
    assert document["truth_sha256"] == hashlib.sha256(planes.tobytes()).hexdigest()
    assert json.dumps(document)
    assert np.isin(planes[0], (0, 2)).all()
