"""Tests of `gibswatch download` as a command."""

from __future__ import annotations

import datetime as dt
import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gibswatch.catalogue import find_layer
from gibswatch.simulate import EmbeddedServer, FaultRule

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
BOX = ("--bbox", "-36", "-36", "36", "36")
NATIVE = ("--grid", "native", *BOX)
Run = Callable[..., Any]
Serve = Callable[..., EmbeddedServer]


def command(root: Path, server: EmbeddedServer, *more: object) -> tuple[object, ...]:
    where = ("--output-dir", root, "--base-url", server.base_url)
    return ("download", "--layer", LAYER, *where, *more)


def days_asked(server: EmbeddedServer) -> list[str]:
    """Return the days asked for since the last time, each once."""
    days = {record.path.partition("/default/")[2][:10] for record in server.requests}
    server.requests.clear()
    return sorted(days)


def test_without_a_start_a_run_goes_on_where_the_last_ended(
    run: Run, tmp_path: Path, serve_drawn: Serve
) -> None:
    bad_day = dt.date(2023, 8, 2)
    broken = serve_drawn(FaultRule("status", date=(bad_day, bad_day)))
    first = ("--start", "2023-08-01", "--end", "2023-08-04", *NATIVE)
    assert run(*command(tmp_path, broken, *first, "--connections", 2)).code == 4
    server = serve_drawn()
    ended = run(*command(tmp_path, server, "--end", "2023-08-06"))
    assert ended.code == 0
    assert days_asked(server) == ["2023-08-02", "2023-08-04", "2023-08-05"]
    assert "goes on after 2023-08-03, the last day checked, and asks again for 1 days" in ended.err
    again = run(*command(tmp_path, server, "--end", "2023-08-06"))
    assert (again.code, days_asked(server)) == (0, [])
    assert "up to date" in again.out
    exact = run(*command(tmp_path, server, "--start", "2023-08-07", "--end", "2023-08-08"))
    assert (exact.code, days_asked(server)) == (0, ["2023-08-07"])


def test_the_summary_is_short_and_says_where_to_look(
    run: Run, tmp_path: Path, serve_drawn: Serve
) -> None:
    server = serve_drawn(FaultRule("status", status=404))
    days = ("--start", "2023-08-01", "--end", "2023-08-09")
    ended = run(*command(tmp_path, server, *days, *NATIVE))
    assert ended.code == 5
    lines = ended.err.splitlines()
    table = tmp_path / f"4326/.gibswatch/{LAYER}.not-ok.csv"
    assert sum(line.startswith("  absent: http://") for line in lines) == 10
    assert f"  every tile that did not come: {table}" in lines
    assert lines[-1].startswith("gibswatch: no tile could be had; the first was absent: http://")
    first = ", ".join(f"2023-08-0{day}" for day in range(1, 6))
    assert f"  not complete: 8 incomplete-server ({first}, ...)\n" in ended.out
    assert len(table.read_text(encoding="utf-8").splitlines()) == 17


def test_json_has_every_problem(run: Run, tmp_path: Path, serve_drawn: Serve) -> None:
    bad = (dt.date(2023, 8, 1), dt.date(2023, 8, 7))
    server = serve_drawn(FaultRule("status", date=bad, status=404))
    days = ("--start", "2023-08-01", "--end", "2023-08-09")
    document = json.loads(run(*command(tmp_path, server, *days, *NATIVE, "--json")).out)
    assert (document["days"], document["days_complete"], document["days_incomplete"]) == (8, 1, 7)
    assert document["verdicts"] == {"complete": 1, "incomplete-server": 7}
    assert document["not_complete"] == {
        f"2023-08-0{day}": "incomplete-server" for day in range(1, 8)
    }
    assert document["tiles"] == {"absent": 14, "ok": 2}
    assert len(document["problems"]) == 14
    assert document["problems"][0].items() >= {
        "date": "2023-08-01", "state": "absent", "message": "HTTP 404",
    }.items()  # fmt: skip
    assert Path(document["problem_list"]).is_file()
    assert (document["stopped"], document["published_until"]) == (None, None)
    whole = json.loads(run(*command(tmp_path, serve_drawn(), *days, "--json")).out)
    assert (whole["problems"], whole["problem_list"], whole["days_kept"]) == ([], None, 1)


@pytest.mark.parametrize("grid", [(), ("--grid", "native", "--tiled-world")])
def test_a_dry_run_counts_what_would_be_asked_and_does_nothing(
    run: Run, tmp_path: Path, serve_drawn: Serve, grid: tuple[str, ...]
) -> None:
    root = tmp_path / "data"
    bad_day = dt.date(2023, 8, 2)
    server = serve_drawn(
        FaultRule("status", date=(bad_day, bad_day), level=(2, 2), row=(1, 1), status=404),
        FaultRule("status", date=(bad_day, bad_day), level=(3, 3), row=(2, 2), status=404),
    )
    span = ("--start", "2023-08-01", "--end", "2023-08-05", *BOX, *grid)
    dry = run(*command(root, server, *span, "--dry-run", "--json"))
    assert (dry.code, len(server.requests), root.exists()) == (0, 0, False)
    told = json.loads(dry.out)
    assert told["bytes"] == told["tiles"] * 64_000
    first = json.loads(
        run(*command(root, server, *span[:3], "2023-08-04", *span[4:], "--json")).out
    )
    assert first["days_incomplete"] == 1
    healthy = serve_drawn()
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    told = json.loads(run(*command(root, healthy, *span, "--dry-run", "--json")).out)
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    assert len(healthy.requests) == 0
    done = json.loads(run(*command(root, healthy, *span, "--json")).out)
    assert (told["days"], told["days_kept"], told["tiles"]) == (4, 2, done["fetched"])
    assert len(healthy.requests) == done["fetched"]
    assert told["bytes"] == pytest.approx(done["received_bytes"], rel=0.3)
    words = run(*command(root, healthy, *span, "--dry-run")).out
    assert "4 days, 4 there already; would ask for 0 tiles, about 0.0 MB" in words


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), (350 * 0.5 / 32 / 60, "connections")),
        (("--bandwidth", "5"), (350 * 64_000 * 8 / 5e6 / 60, "bandwidth")),
        (("--connections", "100", "--bandwidth", "0"), (350 / 100 / 60, "requests")),
    ],
)
def test_a_dry_run_says_how_long_and_why(
    run: Run,
    tmp_path: Path,
    server: EmbeddedServer,
    options: tuple[str, ...],
    told: tuple[float, str],
) -> None:
    span = ("--start", "2023-08-01", "--end", "2023-08-08", "--dry-run", "--json")
    document = json.loads(run(*command(tmp_path, server, *span, *options)).out)
    assert document["tiles"] == 350
    assert (document["minutes"], document["limited_by"]) == (pytest.approx(told[0]), told[1])


def test_a_dry_run_of_another_grid_is_refused(run: Run, tmp_path: Path, serve_drawn: Serve) -> None:
    server = serve_drawn()
    span = ("--start", "2023-08-01", "--end", "2023-08-02")
    assert run(*command(tmp_path, server, *span, *NATIVE)).code == 0
    ended = run(*command(tmp_path, server, *span, "--grid", "predecessor", "--dry-run"))
    assert (ended.code, ended.out) == (2, "")
    assert "on another grid" in ended.err


def test_pictures_are_stored_as_asked(run: Run, tmp_path: Path, server: EmbeddedServer) -> None:
    span = ("--start", "2023-08-01", "--end", "2023-08-02", *BOX)
    day = tmp_path / "4326/2023-08-01"
    assert run(*command(tmp_path, server, *span, "--format", "tif")).code == 0
    assert (day / f"{LAYER}.tif").is_file()
    refused = run(*command(tmp_path, server, *span, "--format", "png"))
    assert refused.code == 2
    assert " as tif" in refused.err
    own = tmp_path / "own"
    assert run(*command(own, server, *span, "--format", "jpg")).code == 0
    server.requests.clear()
    assert run(*command(own, server, *span)).code == 0  # the same grid
    assert len(server.requests) == 0
    level = run(*command(tmp_path / "level", server, *span, "--tile-level", "2", "--json"))
    assert json.loads(level.out)["tiles"] == {"ok": 6}  # of level 3 they are 12


def test_a_deadline_ends_with_4_and_5(run: Run, tmp_path: Path, serve_drawn: Serve) -> None:
    last = dt.date(2023, 8, 3)
    server = serve_drawn(FaultRule("hang", date=(last, last)))
    span = ("--start", "2023-08-01", "--end", "2023-08-04", *NATIVE, "--deadline", "0.05")
    ended = run(*command(tmp_path, server, *span))
    assert ended.code == 4
    assert "stopped: 1 days were not reached" in ended.out
    assert ended.err.splitlines()[-1].startswith("gibswatch: the 0.05 minutes of --deadline")
    nothing = run(*command(tmp_path / "x", server, "--start", last, *span[2:-1], "0.01", "--json"))
    assert nothing.code == 5
    assert "--deadline" in json.loads(nothing.out)["stopped"]


def test_days_not_published_yet_are_no_failure(
    run: Run, tmp_path: Path, serve_drawn: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = replace(find_layer(LAYER), domain="2000-02-24/2023-08-10/P1D", ongoing=True)
    for room in ("gibswatch.download", "gibswatch.scan.pipeline"):
        module = importlib.import_module(room)
        monkeypatch.setattr(module, "find_picture_layer", lambda _name: known)
    server = serve_drawn()
    span = ("--start", "2023-08-01", "--end", "2023-08-17")
    ended = run(*command(tmp_path, server, *span, *NATIVE))
    assert ended.code == 0
    assert "not published yet: the service's list ends on 2023-08-14" in ended.out
    scanned = run(
        "scan", LAYER, *span, "--output-dir", tmp_path, "--base-url", server.base_url, "--json"
    )
    assert scanned.code == 0
    items = {item["date"]: item for item in json.loads(scanned.out)["items"]}
    assert len(items) == 16
    for day in ("2023-08-15", "2023-08-16"):
        assert (items[day]["verdict"], items[day]["tiles"]) == ("no-data", {"not-yet": 2})
        assert items[day]["reason"] == (
            "Not published yet: the service's list of days ends on 2023-08-14."
        )


def test_the_predecessors_spellings(run: Run, tmp_path: Path, server: EmbeddedServer) -> None:
    ended = run(
        "download", "--layer_name", LAYER, "--start_date", "2023-08-01", "--end_date",
        "2023-08-02", "--epsg", "4326", "--tiled_world", "--tile_resolution", "16km",
        "--num_threads", "2", "--output_dir", tmp_path, "--base_url", server.base_url, *BOX,
        "--tile_level", "2", "--dry_run",
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    assert "1 days, 0 there already; would ask for" in ended.out


@pytest.mark.parametrize("word", ["Today", "today", "TODAY"])
def test_today_in_any_case(run: Run, tmp_path: Path, server: EmbeddedServer, word: str) -> None:
    ended = run(*command(tmp_path, server, "--start", "2023-08-01", "--end", word, "--dry-run"))
    assert ended.code == 0


def test_a_dry_run_says_that_gibs_is_to_be_told_first(run: Run, tmp_path: Path) -> None:
    where = ("download", "--layer", LAYER, "--output-dir", tmp_path, "--dry-run")
    year = ("--grid", "native", "--tile-resolution", "1km", "--tiled-world")
    many = run(*where, *year, "--start", "2022-08-01", "--end", "2023-08-01")
    assert "1,129,600 tiles" in many.out
    assert "give --bulk-approved" in many.out
    few = run(*where, *year, "--start", "2023-07-01", "--end", "2023-08-01")
    assert "--bulk-approved" not in few.out
    document = run(*where, *year, "--start", "2022-08-01", "--end", "2023-08-01", "--json").out
    assert json.loads(document)["needs_approval"] is True
    assert not list(tmp_path.iterdir())
