"""Plans of faults as people write them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from gibswatch.errors import UsageError
from gibswatch.simulate.days.faults.plan import parse_plan, read_plan, spec_document
from gibswatch.simulate.days.spec import FAULT_KINDS, FaultSpec
from gibswatch.sky.timescale import epoch_s

PLANS = Path(__file__).resolve().parents[3] / "benchmarks" / "plans"


def test_all_that_a_fault_can_say_is_read() -> None:
    text = """
[[fault]]
kind = "colour"
day = 2016-04-12
time = 2016-04-12T13:30:00Z
count = 2
seconds = 3
channels = "RB"
effect = "ramp"
amount = 0.7
above = 0.1
"""
    (fault,) = parse_plan(text)
    moment = epoch_s(dt.datetime(2016, 4, 12, 13, 30, tzinfo=dt.UTC))
    assert fault == FaultSpec(
        "colour", dt.date(2016, 4, 12), time_s=moment, count=2, seconds=3.0,
        channels="RB", effect="ramp", amount=0.7, above=0.1,
    )  # fmt: skip


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_every_kind_can_be_planned_and_written_as_json(kind: str) -> None:
    (fault,) = parse_plan(f'[[fault]]\nkind = "{kind}"\nplace = [10, 20]\nday = 2016-04-12')
    document = json.loads(json.dumps(spec_document(fault)))
    assert document["kind"] == kind
    assert document["day"] == "2016-04-12"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[fault]", "no TOML"),
        ("x = 1", "unknown key 'x'"),
        ("fault = 3", "must be tables"),
        ("fault = [1]", "must be tables"),
        ("[[fault]]", "kind = None must be one of missing-granules"),
        ("[[fault]]\nkind = ['colour']", "must be one of"),
        ('[[fault]]\nkind = "colour"', "say where it is"),
        ('[[fault]]\nkind = "colour"\nplace = [0, 91]', r"place = \[0, 91\]"),
        ('[[fault]]\nkind = "colour"\nplace = [nan, 1]', "place"),
        ('[[fault]]\nkind = "colour"\nplace = [true, 1]', "place"),
        ('[[fault]]\nkind = "colour"\nplace = 3', "place"),
        ('[[fault]]\nkind = "colour"\nplace = [0, 1]\ncolor = "G"', "unknown key 'color'"),
        ('[[fault]]\nkind = "colour"\nplace = [0, 1]\nchannels = "X"', "letters R, G, B"),
        ('[[fault]]\nkind = "colour"\nplace = [0, 1]\neffect = "glow"', "effect = 'glow'"),
        ('[[fault]]\nkind = "colour"\nplace = [0, 1]\namount = inf', "from -2 to 3"),
        ('[[fault]]\nkind = "colour"\nplace = [0, 1]\ncount = 1.5', "whole number"),
        ('[[fault]]\nkind = "colour"\nplace = [0, 1]\ncount = true', "must be a number"),
        ('[[fault]]\nkind = "colour"\nday = "2016-04-12"\nplace = [0, 1]', "without quotes"),
        ('[[fault]]\nkind = "colour"\nday = 2016-04-12T01:00:00Z\nplace = [0, 1]', "a date"),
        ('[[fault]]\nkind = "colour"\ntime = 2016-04-12', "a moment"),
        ('[[fault]]\nkind = "missing-tile"\ntime = 2016-04-12T01:00:00Z', "by its place"),
        ('[[fault]]\nkind = "missing-tile"\nplace = [0, 1]\npart = [0, 0, 0, 1]', "shares of"),
    ],
)
def test_what_is_no_plan_says_which_fault_and_why(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_plan(text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml cannot be read"):
        read_plan(tmp_path / "none.toml")
    (tmp_path / "plan.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"plan\.toml cannot be read"):
        read_plan(tmp_path / "plan.toml")
    (tmp_path / "plan.toml").write_text("x = 1")
    with pytest.raises(UsageError, match=r"plan\.toml: unknown key"):
        read_plan(tmp_path / "plan.toml")


def test_an_empty_plan_is_a_plan() -> None:
    assert parse_plan("") == ()


def test_the_plans_of_real_cases_can_be_read() -> None:
    plans = sorted(PLANS.glob("*.toml"))
    assert len(plans) >= 4
    for path in plans:
        read_plan(path)
