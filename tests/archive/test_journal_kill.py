"""A journal whose process is killed is as it was before the transaction, or as after it.

A child forks once a point: at the n-th SQL statement it kills itself (SIGKILL), or the system kills
it in the middle of a write, when a file grows over a limit (SIGXFSZ), which is inside the commit.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from gibswatch.archive.journal.journal import DayRecord, Journal, TileRecord, WrittenFile
from gibswatch.catalogue.windows import Grid, TileIndex

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork and no SIGKILL there")

DAY = dt.date(2023, 8, 7)
DAYS = [DAY + dt.timedelta(days=n) for n in range(4)]
CHILD = """
import json, os, resource, signal, sqlite3, sys
from pathlib import Path
from gibswatch.archive.journal.journal import Journal
from test_journal_kill import JOBS

def work(path, job, how, point):
    real = sqlite3.connect
    seen = iter(range(10**6))
    def die(_statement):
        if next(seen) == point:
            os.kill(os.getpid(), signal.SIGKILL)
    def connect(*args, **options):
        db = real(*args, **options)
        if how == "statement":
            db.set_trace_callback(die)
        return db
    sqlite3.connect = connect
    if how == "write":
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (point, point))
    JOBS[job](path)

job, how, *folders = sys.argv[1:]
ended = []
for folder in folders:
    child = os.fork()
    if child == 0:
        try:
            work(Path(folder) / "L.sqlite", job, how, int(Path(folder).name))
        finally:
            os._exit(0)
    ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(ended))
"""


def tile(day: dt.date, n: int) -> TileRecord:
    noise = random.Random(f"{day} {n}")
    return TileRecord(
        day,
        TileIndex(n // 10, n % 10),
        "ok" if n else "absent",
        f"http://h/{day}/{n}",
        200,
        {"ETag": noise.randbytes(8).hex()},
        n,
        noise.randbytes(32).hex(),
        "2024-01-01T00:00:00+00:00",
        "",
    )


def whole(day: dt.date) -> DayRecord:
    name = f"4326/{day}/L.jpg"
    return DayRecord(
        day,
        complete=True,
        picture=name,
        finished_at="1",
        tiles={"absent": 1, "ok": 49},
        files=(WrittenFile(name, 7, "00"),),
    )


def record(path: Path) -> None:
    """Half of a day's tiles are in progress already; the day is written with the others."""
    with Journal(path) as journal:
        journal.record_day(whole(DAYS[-1]), [tile(DAYS[-1], n) for n in range(25, 50)])


def forget(path: Path) -> None:
    with Journal(path) as journal:
        journal.forget_day(DAYS[0])


def migrate(path: Path) -> None:
    Journal(path).close()


JOBS = {"record": record, "forget": forget, "migrate": migrate, "make": migrate}


def version_2(path: Path) -> None:
    with Journal(path) as journal:
        journal.claim_grid(Grid("native", 4326, "16km"))
        for day in DAYS[:-1]:
            journal.record_day(whole(day), [tile(day, n) for n in range(50)])
        journal.record_tiles([tile(DAYS[-1], n) for n in range(25)])


def version_1(path: Path) -> None:
    """Write a journal as Gibswatch 0.1 of step 1 did."""
    with sqlite3.connect(path) as db:
        db.executescript(
            """
            create table meta (key text primary key, value text not null);
            create table tiles (
                date text, row integer, col integer,
                state text not null, url text not null, status integer, headers text not null,
                length integer, sha256 text, retrieved_at text not null, message text not null,
                primary key (date, row, col)
            ) without rowid;
            create table days (
                date text primary key, complete integer not null, picture text,
                files text not null, finished_at text not null
            ) without rowid;
            insert into meta values ('schema', '1');
            insert into meta values ('grid', '{"kind": "native", "epsg": 4326,
                "tile_resolution": "16km", "bbox": null, "tiled": false}');
            """
        )
        for day in DAYS:
            for n in range(50 if day != DAYS[-1] else 25):
                t = tile(day, n)
                db.execute(
                    "insert into tiles values (?,?,?,?,?,?,?,?,?,?,?)",
                    (
                        str(day), t.tile.row, t.tile.col, t.state, t.url, t.status,
                        json.dumps(dict(t.headers)), t.length, t.sha256, t.retrieved_at, t.message,
                    ),
                )  # fmt: skip
            if day != DAYS[-1]:
                files = json.dumps([[f"4326/{day}/L.jpg", 7, "00"]])
                row = (str(day), 1, f"4326/{day}/L.jpg", files, "1")
                db.execute("insert into days values (?,?,?,?,?)", row)
    db.close()


def nothing(_path: Path) -> None:
    """No journal is there."""


MADE_BY = {"record": version_2, "forget": version_2, "migrate": version_1, "make": nothing}


def content(path: Path) -> tuple[object, ...]:
    with Journal(path) as journal:
        days = journal.days()
        tiles = [t for day in DAYS for t in journal.tiles(day)]
        return (journal.grid, days, tiles, journal.last_checked(), list(journal.problems()))


def rows_of(path: Path) -> tuple[str, int, int]:
    """Version, days and rows of tiles as they stand in the file (a hot journal is rolled back)."""
    db = sqlite3.connect(path)
    (version,) = db.execute("select value from meta where key = 'schema'").fetchone()
    (days,) = db.execute("select count(*) from days").fetchone()
    (tiles,) = db.execute("select count(*) from tiles").fetchone()
    db.close()
    return (version, days, tiles)


def test_a_version_1_journal_is_brought_over(tmp_path: Path) -> None:
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    version_1(old)
    version_2(new)
    size = old.stat().st_size
    assert content(old) == content(new)
    assert rows_of(old) == ("2", 3, 25)
    assert old.stat().st_size < size


@pytest.mark.parametrize(
    ("job", "how", "points"),
    [
        ("record", "statement", range(12)),
        ("forget", "statement", range(8)),
        ("make", "statement", range(9)),
        ("migrate", "statement", [*range(12), *random.Random(4).sample(range(12, 60), 12)]),
        ("record", "write", range(600, 24_000, 1300)),
        ("migrate", "write", range(600, 40_000, 2300)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_killed_at(tmp_path: Path, job: str, how: str, points: list[int]) -> None:
    MADE_BY[job](tmp_path / "L.sqlite")
    folders = [tmp_path / str(point) for point in points]
    for folder in folders:
        folder.mkdir()
        if job != "make":
            shutil.copy(tmp_path / "L.sqlite", folder)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, job, how, *map(str, folders)],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    ended = json.loads(done.stdout)
    killed = Counter(code < 0 for code in ended)
    assert killed[True] >= min(5, len(folders)), done.stderr

    before = content(tmp_path / "L.sqlite")
    JOBS[job](tmp_path / "L.sqlite")
    after = content(tmp_path / "L.sqlite")
    for folder, code in zip(folders, ended, strict=True):
        path = folder / "L.sqlite"
        if job == "migrate":
            assert rows_of(path) in {("1", 3, 175), ("2", 3, 25)}, folder
        found = content(path)
        assert found in ((after,) if code == 0 else (before, after)), folder
        JOBS[job](path)
        assert content(path) == after
