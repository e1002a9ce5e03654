"""The demonstration plants, serves, scans and compares; here with few and small days."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gibswatch.cli import demo_days
from gibswatch.cli.demo import run_demo
from gibswatch.cli.demo_days import MadeDays, claim_folder, make_days
from gibswatch.cli.demo_plan import DAYS, LAYERS, DemoPlan
from gibswatch.errors import UsageError
from gibswatch.simulate.days.day import simulate_day
from gibswatch.simulate.days.spec import DaySpec, FaultKind, SimulatedDay
from gibswatch.sky import scheduled_windows
from gibswatch.types import BBox, Georeference

_KINDS: dict[str, tuple[FaultKind, ...]] = {
    "SNPP": ("missing-granules",),
    "Terra": ("missing-tile",),
}
SMALL = DemoPlan(7, True, DAYS[:2], BBox(-36.0, -54.0, 36.0, 18.0), _KINDS)
"""One tile of two days without eclipse and roll, of which one a layer has a fault."""


def made_days(root: Path, plan: DemoPlan = SMALL) -> list[MadeDays]:
    return [MadeDays(root, plan.specify(layer), plan.grid) for layer in LAYERS]


def test_the_demo_finds_what_it_planted_and_goes_on_after_ctrl_c(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "seed-7"

    def interrupted(spec: DaySpec, georeference: Georeference) -> SimulatedDay:
        if spec.layer == LAYERS[1]:
            raise KeyboardInterrupt
        return simulate_day(spec, georeference)

    with monkeypatch.context() as patched:
        patched.setattr(demo_days, "simulate_day", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_demo(SMALL, root, 1)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*.zip")}
    assert len(before) == len(SMALL.days)

    capsys.readouterr()
    run_demo(SMALL, root, 1)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    out = capsys.readouterr().out
    rows = [line for line in out.splitlines() if line.startswith("2016-")]
    assert len(rows) == 2
    assert all(line.endswith("  right") for line in rows)
    assert [line.count("2 missing data, unexpected") for line in rows] == [1, 1]
    assert "planted: 2 of 2 found" in out
    assert "without anything planted: 2 of 2 days clean" in out
    assert "differs" not in out
    reports = re.findall("^report: (.*)$", out, re.MULTILINE)
    assert [Path(path).parent.name for path in reports] == list(LAYERS)
    assert all(Path(path).is_file() for path in reports)


def test_another_seed_plants_other_faults_but_the_same_kinds() -> None:
    for layer in LAYERS:
        plans = [DemoPlan(seed).specify(layer) for seed in (7, 8)]
        faults = [[fault for spec in plan for fault in spec.faults] for plan in plans]
        assert sorted(f.kind for f in faults[0]) == sorted(f.kind for f in faults[1])
        assert [(f.day, f.place) for f in faults[0]] != [(f.day, f.place) for f in faults[1]]
        assert plans[0] == DemoPlan(7).specify(layer)


@pytest.mark.parametrize("seed", range(8))
def test_every_seed_has_one_roll_on_a_day_of_its_own(seed: int) -> None:
    snpp = DemoPlan(seed).specify(LAYERS[0])
    (roll,) = [spec for spec in snpp if any(fault.kind == "roll" for fault in spec.faults)]
    assert len(roll.faults) == 1
    around = [roll.day + dt.timedelta(days=number) for number in (-1, 0, 1)]
    windows = [window.kind for day in around for window in scheduled_windows("SNPP", day)]
    assert "lunar-roll" in windows
    assert all(len(spec.faults) <= 1 for spec in snpp)
    assert not next(spec for spec in snpp if spec.day == dt.date(2016, 3, 9)).faults


def test_the_folder_of_other_days_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    claim_folder(root, made_days(root))
    claim_folder(root, made_days(root))
    other = made_days(root, DemoPlan(8, True, SMALL.days, SMALL.bbox, _KINDS))
    with pytest.raises(UsageError, match="other days"):
        claim_folder(root, other)
    (root / "demo.json").unlink()
    (root / "2023-08-01.jpg").touch()
    with pytest.raises(UsageError, match="--output-dir"):
        claim_folder(root, made_days(root))


def test_a_damaged_day_is_made_again(tmp_path: Path) -> None:
    plan = DemoPlan(7, True, SMALL.days[:1], SMALL.bbox, _KINDS)
    terra = made_days(tmp_path, plan)[1:]
    told: list[tuple[int, int]] = []
    make_days(terra, workers=1, on_day=lambda *done: told.append(done))
    assert told == [(0, 1), (1, 1)]
    assert terra[0].missing() == []
    terra[0].path(DAYS[0]).write_bytes(b"half of a")
    assert [spec.day for spec in terra[0].missing()] == [DAYS[0]]


@pytest.mark.slow
def test_the_whole_demo(run: Callable[..., Any], tmp_path: Path) -> None:
    ended = run("demo", "--output-dir", tmp_path)
    assert ended.code == 0
    rows = [line for line in ended.out.splitlines() if line.startswith("2016-")]
    planted = [line for line in rows if re.search("missing|roll|colour", line[19:])]
    planted = [line for line in planted if "eclipse" not in line]
    assert len(planted) == 12
    assert all(line.endswith("  right") for line in planted)
    assert sum("eclipse, " in line for line in rows) == 4
    assert "28 of 28 days clean" in ended.out
    assert len(list(tmp_path.rglob("report.html"))) == 2
