"""R14: no name and no link leads out of the output folder, and no shell is ever used."""

from __future__ import annotations

import ast
import contextlib
import datetime as dt
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gibswatch as gw
from gibswatch.archive import Archive, Journal, Layout, download_days
from gibswatch.archive.journal.journal import DayRecord
from gibswatch.archive.journal.lock import ArchiveLock
from gibswatch.catalogue import find_layer
from gibswatch.catalogue.windows import Grid, TileIndex, plan_grid
from gibswatch.errors import GibswatchError, OutputError, UsageError
from gibswatch.files import write_bytes
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer
from gibswatch.types import BBox

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
DAY = dt.date(2023, 8, 5)
BOX = BBox(2, 2, 70, 52)
SOURCES = sorted(Path(gw.__file__).parent.rglob("*.py"))
HOSTILE = {
    "upwards": "../../x",
    "upwards, Windows": "..\\..\\x",
    "absolute": "/etc/passwd",
    "a drive": "C:\\x",
    "a shell's": ";rm -rf $HOME",
    "a shell's too": "$(touch x)`touch y`|touch z",
    "a device": "CON",
    "a device with an ending": "nul.txt",
    "300 characters": "x" * 300,
    "5000 characters": "x" * 5000,
    "a Cyrillic letter": "MODIS_T\u0435rra_CorrectedReflectance_TrueColor",
    "a slash of another script": "a\u2215b",
    "right to left": "a\u202egpj.b",
    "a new line": "a\nb",
    "an escape": "\x1b[2Jx",
    "nothing": "",
    "a dot": ".",
    "two dots": "..",
    "an option": "-rf",
    "spaces": "  ",
    "a formula": "=HYPERLINK(1)",
    "a lone surrogate": "a\udcffb",
}
NUL = "a\0b"

Run = Callable[..., Any]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder three deep, with an output folder of its own; return it."""
    folder = tmp_path / "one" / "two" / "three"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder / "out"


def everything(tmp_path: Path, but: Path) -> set[Path]:
    """All that lies outside the output folder."""
    return {p for p in tmp_path.rglob("*") if p != but and but not in p.parents}


@pytest.mark.parametrize("hostile", [*HOSTILE.values(), NUL], ids=[*HOSTILE, "NUL"])
@pytest.mark.parametrize(
    "command",
    [
        "download --layer-name {} --start-date 2023-08-05 --end-date 2023-08-06",
        "download --layer-name LAYER --start-date {} --end-date 2023-08-06",
        "download --layer-name LAYER --start-date 2023-08-05 --end-date {}",
        "download --layer-name LAYER --start-date 2023-08-05 --format {}",
        "download --layer-name LAYER --start-date 2023-08-05 --tile-resolution {}",
        "download --layer-name LAYER --start-date 2023-08-05 --epsg {}",
        "download --layer-name LAYER --start-date 2023-08-05 --grid {}",
        "scan {} --start-date 2023-08-05 --end-date 2023-08-06",
        "scan LAYER --start-date {} --end-date 2023-08-06",
        "verify {}",
        "verify {} --rebuild",
        "verify {} --adopt",
        "split {}",
    ],
)
def test_r14_hostile_names_on_the_command_line(
    run: Run, tmp_path: Path, place: Path, command: str, hostile: str
) -> None:
    before = everything(tmp_path, place)
    words = [hostile if w == "{}" else LAYER if w == "LAYER" else w for w in command.split()]
    # A port that nobody listens at: were the name taken, the run would end with 5.
    server = [] if words[0] in ("split", "verify") else ["--base-url", "http://127.0.0.1:9"]
    ended = run(*words, "--output-dir", place, *server)
    assert ended.code == 2
    assert not place.exists()
    assert everything(tmp_path, place) == before
    assert "Traceback" not in ended.err
    assert all(c.isprintable() or c == "\n" for c in ended.err)


@pytest.mark.parametrize("hostile", [*HOSTILE.values(), NUL], ids=[*HOSTILE, "NUL"])
def test_r14_hostile_names_in_python(tmp_path: Path, place: Path, hostile: str) -> None:
    before = everything(tmp_path, place)
    asks: list[Callable[[], object]] = [
        lambda: Layout(place, hostile, 4326),
        lambda: gw.scan(hostile, "2023-08-05", "2023-08-06", root=place),
        lambda: gw.scan(LAYER, hostile, "2023-08-06", root=place),
        lambda: Archive(place).days(hostile),
    ]
    for ask in asks:
        with pytest.raises(UsageError) as caught:
            ask()
        message = str(caught.value)
        assert message.isprintable()
        assert len(message) < 600
    with pytest.raises(UsageError):
        Layout(place, LAYER, hostile)  # type: ignore[arg-type]
    assert not place.exists()
    assert everything(tmp_path, place) == before


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "x/" * 3000], ids=["NUL", "300", "deep"])
def test_r14_an_output_folder_that_cannot_be(tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    layout = Layout(root, LAYER, 4326)
    layer, grid = find_layer(LAYER), Grid("native", 4326, "16km", BOX)
    asks: list[Callable[[], object]] = [
        lambda: download_days(root, layer, grid, [DAY], Settings()),
        lambda: Journal(layout.journal),
        lambda: ArchiveLock(layout.lock, "test").__enter__(),
        lambda: write_bytes(root / "file", b""),
    ]
    for ask in asks:
        with pytest.raises(OutputError):
            ask()
    with contextlib.suppress(OutputError):
        assert Archive(root).days(LAYER) == []
    assert list(tmp_path.iterdir()) == []


FORMS = {
    "picture": Grid("predecessor", 4326, "16km", BOX),
    "output tiles": Grid("predecessor", 4326, "16km", BOX, tiled=True),
    "native tiles": Grid("native", 4326, "16km", BOX, tiled=True),
}
LINKS = {
    "projection": "4326",
    "journal's folder": "4326/.gibswatch",
    "journal": f"4326/.gibswatch/{LAYER}.sqlite",
    "lock": f"4326/.gibswatch/{LAYER}.lock",
    "grid": f"4326/.gibswatch/{LAYER}.grid.json",
    "list": f"4326/.gibswatch/{LAYER}.not-ok.csv",
    "day": f"4326/{DAY}",
    "picture": f"4326/{DAY}/{LAYER}.jpg",
    "tiles": f"4326/{DAY}/tiles",
    "level": f"4326/{DAY}/tiles/250m-2",
}

UNCONCERNED = {
    ("picture", "tiles"),
    ("picture", "level"),
    ("output tiles", "picture"),
    ("output tiles", "level"),
    ("native tiles", "picture"),
}


def download(server: EmbeddedServer, root: Path, grid: Grid) -> int:
    settings = Settings(
        base_url=server.base_url, bandwidth_mbit_s=0, requests_per_s=0, ramp_up_s=0, attempts=1
    )
    return download_days(root, find_layer(LAYER), grid, [DAY], settings).fetched


def files_of(root: Path) -> dict[str, Path]:
    return {p.relative_to(root).as_posix(): p for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("dangling", [False, True], ids=["there", "dangling"])
def test_r14_links_out_of_the_root_are_not_followed(
    server: EmbeddedServer, tmp_path: Path, form: str, link: str, dangling: bool
) -> None:
    """Where a link does not concern the form of the folder, the download goes on without it."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    target = outside / "target"
    is_file = "." in Path(LINKS[link]).name[1:]
    if not dangling:
        if is_file:
            target.write_bytes(b"a person's own file")
        else:
            target.mkdir()
    where = root / LINKS[link]
    where.parent.mkdir(parents=True)
    where.symlink_to(target, target_is_directory=not is_file)
    before = {path: path.read_bytes() for path in files_of(outside).values()}
    if (form, link) in UNCONCERNED:
        download(server, root, FORMS[form])
    else:
        with pytest.raises(OutputError) as caught:
            download(server, root, FORMS[form])
        message = f"{where} is a link that leads out of {root}, to {target}"
        assert message in str(caught.value)
    assert {path: path.read_bytes() for path in files_of(outside).values()} == before
    assert [*target.iterdir()] == [] if target.is_dir() else True
    assert target.exists() is not dangling


def test_r14_the_root_itself_may_be_a_link(server: EmbeddedServer, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "disk", target_is_directory=True)
    assert download(server, tmp_path / "data", FORMS["picture"]) > 0
    assert (tmp_path / "disk" / f"4326/{DAY}/{LAYER}.jpg").is_file()
    assert download(server, tmp_path / "data", FORMS["picture"]) == 0
    assert Archive(tmp_path / "data").scene(LAYER, DAY).pixels.any()


def test_r14_a_link_from_one_place_in_the_root_to_another_is_followed(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    (tmp_path / "disk2").mkdir()
    (tmp_path / "4326").symlink_to("disk2", target_is_directory=True)
    assert download(server, tmp_path, FORMS["picture"]) > 0
    assert (tmp_path / "disk2" / str(DAY) / f"{LAYER}.jpg").is_file()


def test_r14_a_link_to_itself_is_an_error(server: EmbeddedServer, tmp_path: Path) -> None:
    (tmp_path / "4326").mkdir()
    (tmp_path / "4326" / str(DAY)).symlink_to(tmp_path / "4326" / str(DAY))
    with pytest.raises(OutputError, match=str(DAY)):
        download(server, tmp_path, FORMS["picture"])


@pytest.mark.parametrize("form", FORMS)
def test_r14_a_planted_folder_for_temporary_files(
    server: EmbeddedServer, tmp_path: Path, form: str
) -> None:
    """Whoever can plant a link under the name of a temporary folder gets nothing written there."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine")
    for folder in (f"4326/{DAY}", f"4326/{DAY}/tiles", f"4326/{DAY}/tiles/250m-2"):
        (root / folder).mkdir(parents=True, exist_ok=True)
        planted = root / folder / f".part-{LAYER}"
        planted.symlink_to(outside, target_is_directory=True)
    with contextlib.suppress(OutputError):
        download(server, root, FORMS[form])
    assert [path.name for path in outside.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["days.parquet", "findings.parquet", "report.html"])
def test_r14_tables_of_a_scan_stay_in_the_root(tmp_path: Path, name: str) -> None:
    layout = Layout(tmp_path / "root", LAYER, 4326)
    layout.scan_folder.mkdir(parents=True)
    (layout.scan_folder / name).symlink_to(tmp_path / "outside")
    with pytest.raises(OutputError, match=f"{name} is a link"):
        _ = layout.scan_folder


def test_r14_masks_and_tiles_stay_in_the_root(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "root", LAYER, 4326)
    plan = plan_grid(FORMS["native tiles"], "250m")
    day = layout.day_folder(DAY)
    (day / "tiles/250m-2").mkdir(parents=True)
    asks: list[Callable[[], Path]] = [
        lambda: layout.mask(DAY),
        lambda: layout.world_file(DAY),
        lambda: layout.picture(DAY, "png", complete=False),
        lambda: layout.tile(DAY, plan, TileIndex(0, 1), "jpg"),
    ]
    for ask in asks:
        ask().symlink_to(tmp_path / "outside")
        with pytest.raises(OutputError, match="is a link that leads out"):
            ask()


@pytest.mark.parametrize(
    "path", ["../../outside", "/etc/passwd", "a/../../x", "C:\\x", "\\\\host\\x", "a\\..\\..\\x"]
)
@pytest.mark.parametrize("column", ["picture", "files"])
def test_r14_a_journal_cannot_name_a_file_elsewhere(
    server: EmbeddedServer, tmp_path: Path, path: str, column: str
) -> None:
    """An archive may come from anybody."""
    root = tmp_path / "root"
    download(server, root, FORMS["picture"])
    journal = Layout(root, LAYER, 4326).journal
    database = sqlite3.connect(journal)
    value = path if column == "picture" else '[["' + path.replace("\\", "\\\\") + '", 1, "0"]]'
    database.execute(f"update days set {column} = ?", (value,))
    database.commit()
    database.close()
    with pytest.raises(GibswatchError, match="damaged"):
        Archive(root).scene(LAYER, DAY)
    with pytest.raises(GibswatchError, match="damaged"):
        download(server, root, FORMS["picture"])


def test_r14_records_with_such_names_are_not_read_back(tmp_path: Path) -> None:
    with Journal(tmp_path / "4326/.gibswatch/L.sqlite") as journal:
        journal.record_day(DayRecord(DAY, complete=True, picture="a/./b.jpg", finished_at="1"))
        record = journal.day(DAY)
    assert record is not None
    assert record.picture == "a/./b.jpg"


SHELLS = {"subprocess", "pty", "commands", "popen2"}
SHELL_CALLS = {"system", "popen", "spawnl", "spawnv", "spawnvp", "execv", "execvp", "execl"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_r14_no_shell_is_ever_used(path: Path) -> None:
    """No program is started at all, so no name is ever a word of a command."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {(node.module or "").partition(".")[0]}
            if node.module == "os":
                assert not {alias.name for alias in node.names} & SHELL_CALLS
        elif isinstance(node, ast.Call):
            names = set()
            function = node.func
            if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
                assert not (function.value.id == "os" and function.attr in SHELL_CALLS)
            assert not any(keyword.arg == "shell" for keyword in node.keywords)
        else:
            continue
        assert not names & SHELLS


def test_r14_all_sources_are_looked_at() -> None:
    assert len(SOURCES) > 60
    assert {"lock.py", "gdal_engine.py", "main.py"} <= {path.name for path in SOURCES}
