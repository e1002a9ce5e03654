"""A run's second round, its early end, and days that are not published yet."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gibswatch.archive import Archive, DayOutcome, Journal, Layout, download_days
from gibswatch.archive.journal.lock import ArchiveLock
from gibswatch.catalogue import Grid, find_layer
from gibswatch.errors import ArchiveInUseError, UsageError
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer, FaultRule
from gibswatch.types import BBox

LAYER = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
NAME = LAYER.identifier
DAYS = tuple(dt.date(2023, 8, day) for day in (5, 6, 7))
DAY = DAYS[0]
STITCHED = Grid("native", 4326, "16km", BBox(-36, -36, 36, 36))
"""Two tiles a day, one below the other."""
KEPT = replace(STITCHED, tiled=True)
OUTPUT = Grid("predecessor", 4326, "16km", BBox(2, 2, 70, 52), tiled=True)
Serve = Callable[..., EmbeddedServer]
EACH_GRID = pytest.mark.parametrize("grid", [STITCHED, KEPT, OUTPUT], ids=["one", "kept", "output"])


def settings(server: EmbeddedServer, **options: float) -> Settings:
    plain = Settings(
        base_url=server.base_url, attempts=1, requests_per_s=0, bandwidth_mbit_s=0, ramp_up_s=0
    )
    return replace(plain, **options)  # type: ignore[arg-type]


def one_tile(effect: str = "status", **more: object) -> tuple[FaultRule, FaultRule]:
    """Break one tile of the first day, on whichever grid it is."""
    options = {"date": (DAY, DAY), "status": 404, **more}
    return (
        FaultRule(effect, level=(2, 2), row=(1, 1), col=(2, 2), **options),  # type: ignore[arg-type]
        FaultRule(effect, level=(3, 3), row=(2, 2), col=(6, 6), **options),  # type: ignore[arg-type]
    )


@EACH_GRID
@pytest.mark.parametrize("effect", ["status", "wrong_day"])
def test_what_the_service_did_not_have_is_asked_for_again_at_the_end(
    serve_drawn: Serve, tmp_path: Path, grid: Grid, effect: str
) -> None:
    told: list[DayOutcome] = []
    server = serve_drawn(*one_tile(effect, first=1))
    summary = download_days(tmp_path, LAYER, grid, DAYS, settings(server), on_day=told.append)
    assert (summary.days_complete, summary.days_incomplete) == (3, 0)
    assert sorted(outcome.date for outcome in told) == list(DAYS)
    assert (summary.problems, summary.problem_list) == ([], None)
    assert summary.fetched == len(server.requests)
    whole = tmp_path / "whole"
    download_days(whole, LAYER, grid, DAYS, settings(serve_drawn()))
    for path in whole.glob("4326/2*/**/*.*"):
        assert (tmp_path / path.relative_to(whole)).read_bytes() == path.read_bytes()


@EACH_GRID
def test_what_stays_away_is_asked_for_twice_and_no_more(
    serve_drawn: Serve, tmp_path: Path, grid: Grid
) -> None:
    server = serve_drawn(*one_tile())
    summary = download_days(tmp_path, LAYER, grid, DAYS, settings(server))
    lost = summary.tiles["absent"]
    assert lost > 0
    assert len(server.requests) == summary.fetched == sum(summary.tiles.values()) + lost
    assert len(summary.problems) == lost
    assert summary.verdicts == {"complete": 2, "incomplete-server": 1}
    assert summary.problem_list is not None
    lines = summary.problem_list.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + lost


def test_tiles_that_failed_had_their_retries(serve_drawn: Serve, tmp_path: Path) -> None:
    server = serve_drawn(*one_tile(status=503), *one_tile(date=(DAYS[1], DAYS[1])))
    summary = download_days(tmp_path, LAYER, KEPT, DAYS, settings(server))
    by_day = {day: sum(str(day) in r.path for r in server.requests) for day in DAYS}
    assert by_day == {DAYS[0]: 2, DAYS[1]: 3, DAYS[2]: 2}
    assert summary.verdicts == {
        "complete": 1, "incomplete-network": 1, "incomplete-server": 1,
    }  # fmt: skip


@pytest.mark.parametrize("grid", [STITCHED, OUTPUT], ids=["one", "output"])
def test_a_day_that_comes_out_worse_does_not_replace_what_is_there(
    serve_drawn: Serve, tmp_path: Path, grid: Grid
) -> None:
    some = settings(serve_drawn(*one_tile()))
    download_days(tmp_path, LAYER, grid, DAYS[:1], some)
    before = {path: path.read_bytes() for path in tmp_path.glob("4326/2*/**/*.*")}
    record = Archive(tmp_path).records(NAME)[DAY]
    nothing = settings(serve_drawn(FaultRule("status", status=503)))
    told: list[DayOutcome] = []
    summary = download_days(tmp_path, LAYER, grid, DAYS[:1], nothing, on_day=told.append)
    assert Archive(tmp_path).records(NAME)[DAY] == record
    assert {path: path.read_bytes() for path in tmp_path.glob("4326/2*/**/*.*")} == before
    assert (dict(told[0].tiles), summary.days_incomplete) == (dict(record.tiles), 1)
    assert summary.problems[0][1] == "failed"
    assert Archive(tmp_path).scene(NAME, DAY).usable.any()


def test_a_better_day_replaces_what_is_there(serve_drawn: Serve, tmp_path: Path) -> None:
    download_days(tmp_path, LAYER, STITCHED, DAYS[:1], settings(serve_drawn(FaultRule("status"))))
    assert Archive(tmp_path).records(NAME)[DAY].tiles == {"failed": 2}
    download_days(tmp_path, LAYER, STITCHED, DAYS[:1], settings(serve_drawn(*one_tile(status=503))))
    assert Archive(tmp_path).records(NAME)[DAY].tiles == {"ok": 1, "failed": 1}


@EACH_GRID
def test_a_day_that_is_blank_throughout_is_incomplete_and_asked_for_again(
    serve_drawn: Serve, tmp_path: Path, grid: Grid
) -> None:
    blank = serve_drawn(FaultRule("blank", date=(DAY, DAY)))
    summary = download_days(tmp_path, LAYER, grid, DAYS, settings(blank))
    assert summary.verdicts == {"complete": 2, "incomplete-server": 1}
    healed = download_days(tmp_path, LAYER, grid, DAYS, settings(serve_drawn()))
    assert (healed.days_kept, healed.days_complete) == (2, 1)
    assert "server-empty" not in healed.tiles


def test_blank_tiles_beside_others_are_kept(serve_drawn: Serve, tmp_path: Path) -> None:
    server = serve_drawn(*one_tile("blank"))
    summary = download_days(tmp_path, LAYER, KEPT, DAYS, settings(server))
    assert (summary.days_complete, dict(summary.tiles)) == (3, {"ok": 5, "server-empty": 1})
    server.requests.clear()
    download_days(tmp_path, LAYER, KEPT, DAYS, settings(server))
    assert len(server.requests) == 0


class Ticking:
    """A clock that goes on by a second each time that it is looked at."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@EACH_GRID
def test_a_run_ends_at_its_deadline_and_the_next_goes_on(
    serve_drawn: Serve, tmp_path: Path, grid: Grid
) -> None:
    server = serve_drawn()
    short = settings(server, run_deadline_s=6, dates_in_flight=1, connections=1)
    first = download_days(tmp_path, LAYER, grid, DAYS, short, clock=Ticking())
    assert first.stopped is not None
    assert "--deadline are over" in first.stopped
    assert 0 < first.days_left < 3 or grid == OUTPUT
    assert list(tmp_path.rglob(".part-*")) == []
    seen = len(server.requests)
    assert seen == first.fetched
    rest = download_days(tmp_path, LAYER, grid, DAYS, settings(server))
    assert rest.stopped is None
    assert rest.days_kept + rest.days_complete == 3
    if grid == KEPT:  # not one tile twice
        assert len(server.requests) == 6


def test_a_deadline_ends_a_request_that_hangs(serve_drawn: Serve, tmp_path: Path) -> None:
    server = serve_drawn(FaultRule("hang", date=(DAYS[2], DAYS[2])))
    limited = settings(server, run_deadline_s=1.0)
    summary = download_days(tmp_path, LAYER, STITCHED, DAYS, limited)
    assert summary.stopped is not None
    assert (summary.days_complete, summary.days_left) == (2, 1)
    assert not summary.nothing_came


def test_a_retry_after_over_the_cap_ends_the_run(serve_drawn: Serve, tmp_path: Path) -> None:
    headers = (("Retry-After", "86400"),)
    server = serve_drawn(FaultRule("status", date=(DAYS[2], DAYS[2]), status=503, headers=headers))
    one_by_one = settings(server, dates_in_flight=1)
    summary = download_days(tmp_path, LAYER, KEPT, DAYS, one_by_one)
    assert summary.stopped is not None
    assert "Retry-After" in summary.stopped
    assert (summary.days_complete, summary.days_left, summary.nothing_came) == (2, 1, False)
    nothing = download_days(tmp_path / "other", LAYER, KEPT, DAYS[2:], one_by_one)
    assert nothing.nothing_came
    assert "Retry-After" in nothing.first_problem


@EACH_GRID
def test_days_that_the_service_does_not_list_are_not_asked_for(
    serve_drawn: Serve, tmp_path: Path, grid: Grid
) -> None:
    server = serve_drawn()
    layer = replace(LAYER, domain="2000-02-24/2023-08-10/P1D", ongoing=True)
    days = [dt.date(2023, 8, n) for n in range(13, 18)]  # the server ends on the 14th
    summary = download_days(tmp_path, layer, grid, days, settings(server))
    assert summary.published_until == dt.date(2023, 8, 14)
    assert summary.verdicts == {"complete": 2, "no-data": 3}
    assert not any(f"2023-08-{n}" in r.path for n in (15, 16, 17) for r in server.requests)
    assert sum("all.xml" in r.path for r in server.requests) == 1
    with Journal(Layout(tmp_path, NAME, 4326).journal) as journal:
        record, tiles = journal.day(days[2]), journal.tiles(days[2])
    assert record is not None
    assert (record.complete, record.picture, set(record.tiles)) == (False, None, {"not-yet"})
    assert tiles[0].message == "not published yet: the service's list of days ends on 2023-08-14"
    assert not (tmp_path / "4326/2023-08-15").exists()
    later = download_days(tmp_path, LAYER, grid, days, settings(server))
    assert (later.days_kept, later.verdicts["incomplete-server"]) == (2, 3)


def test_days_that_the_catalogue_knows_are_not_asked_about(
    serve_drawn: Serve, tmp_path: Path
) -> None:
    server = serve_drawn()
    summary = download_days(tmp_path, LAYER, KEPT, DAYS, settings(server))
    assert summary.published_until is None
    assert not any("all.xml" in r.path for r in server.requests)


def test_a_million_tiles_need_an_agreement(
    serve_drawn: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve_drawn()
    monkeypatch.setattr("gibswatch.archive.ingest.run.BULK_TILES", 5)
    with pytest.raises(UsageError, match="asks for 6 tiles: GIBS's policy") as caught:
        download_days(tmp_path, LAYER, KEPT, DAYS, settings(server))
    for way_out in ("earthdata-support@nasa.gov", "48 hours", "--bulk-approved", "coarser"):
        assert way_out in str(caught.value)
    assert len(server.requests) == 0
    assert download_days(tmp_path, LAYER, KEPT, DAYS[:2], settings(server)).days_complete == 2
    with pytest.raises(UsageError, match="asks for 2 tiles, and 4 were in the last 24 hours"):
        download_days(tmp_path, LAYER, KEPT, DAYS, settings(server))
    approved = download_days(tmp_path, LAYER, KEPT, DAYS, settings(server), bulk_approved=True)
    assert approved.days_complete == 1
    assert download_days(tmp_path, LAYER, KEPT, DAYS, settings(server)).days_kept == 3


def test_who_writes_here_is_named(serve_drawn: Serve, tmp_path: Path) -> None:
    server = serve_drawn()
    refused: list[Exception] = []

    def second() -> None:
        try:
            download_days(tmp_path, LAYER, KEPT, DAYS, settings(server))
        except ArchiveInUseError as error:
            refused.append(error)

    with ArchiveLock(Layout(tmp_path, NAME, 4326).lock, "gibswatch verify"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert "gibswatch verify" in str(refused[0])
    assert len(server.requests) == 0


def test_a_deadline_does_not_stop_a_run_that_has_nothing_to_do(
    serve_drawn: Serve, tmp_path: Path
) -> None:
    server = serve_drawn()
    download_days(tmp_path, LAYER, STITCHED, DAYS, settings(server))
    limited = settings(server, run_deadline_s=1e-9)
    summary = download_days(tmp_path, LAYER, STITCHED, DAYS, limited)
    assert (summary.days_kept, summary.stopped) == (3, None)
