"""Which requests a fault plan breaks."""

import datetime as dt
import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gibswatch.errors import UsageError
from gibswatch.simulate.server.fault_mix import EVERY_FAULT
from gibswatch.simulate.server.fault_rules import FORMS
from gibswatch.simulate.server.faults import EFFECTS, Asked, FaultPlan, FaultRule

DAY = dt.date(2023, 8, 7)
TILE = Asked("wmts", "A_Layer", 4326, DAY, 3, 2, 4)
DOCUMENT = Asked("wmts", epsg=4326, rest="/wmts/epsg4326/best/1.0.0/WMTSCapabilities.xml?")
PLAN = """
seed = 7

[[fault]]
effect = "status"
status = 429
headers = { Retry-After = "2" }
layer = "A_Layer"
date = ["2023-08-01", 2023-08-09]
level = 3
row = [0, 2]
protocol = ["wmts", "twms"]
epsg = 4326
first = 2

[[fault]]
effect = "truncate"
how = "chunked"
rate = 0.1
keep = 0.25
"""


@pytest.mark.parametrize(
    ("selector", "hit"),
    [
        ({}, True),
        ({"layer": ("A_Layer", "B")}, True),
        ({"layer": ("B",)}, False),
        ({"date": (DAY, DAY)}, True),
        ({"date": (DAY + dt.timedelta(1), DAY + dt.timedelta(9))}, False),
        ({"level": (3, 3), "row": (0, 2), "col": (4, 9)}, True),
        ({"row": (3, 9)}, False),
        ({"col": (0, 3)}, False),
        ({"epsg": (3857,)}, False),
        ({"protocol": ("twms", "wms")}, False),
        ({"documents": True}, False),
        ({"rate": 0.0}, False),
    ],
)
def test_selection(selector: dict[str, Any], hit: bool) -> None:
    plan = FaultPlan((FaultRule("status", **selector),))
    assert (plan.rule(TILE) is not None) == hit


def test_documents_and_pictures_off_the_grid() -> None:
    documents = FaultPlan((FaultRule("status", documents=True),))
    assert documents.rule(DOCUMENT)
    assert not FaultPlan((FaultRule("status"),)).rule(DOCUMENT)
    chart = Asked("wms", "A_Layer", 4326, DAY, rest="bbox=0,0,1,1")
    assert FaultPlan((FaultRule("status"),)).rule(chart)
    assert not FaultPlan((FaultRule("status", row=(0, 9)),)).rule(chart)


def test_first_requests_fail_and_then_the_next_rule_counts() -> None:
    plan = FaultPlan((FaultRule("status", first=2), FaultRule("reset", first=3)))
    rules = [plan.rule(TILE, earlier=n) for n in range(4)]
    assert [rule.effect if rule else None for rule in rules] == ["status", "status", "reset", None]


def tiles() -> list[Asked]:
    return [
        replace(TILE, row=row, col=col, date=DAY + dt.timedelta(day))
        for row, col, day in itertools.product(range(20), range(40), range(5))
    ]


def test_rate_is_the_same_in_any_order_and_by_any_protocol() -> None:
    plan = FaultPlan((FaultRule("status", rate=0.1),), seed=3)
    hit = {tile for tile in tiles() if plan.rule(tile)}
    assert 0.08 < len(hit) / 4000 < 0.12
    assert hit == {tile for tile in reversed(tiles()) if plan.rule(tile)}
    twms = {replace(t, protocol="twms") for t in hit}
    assert all(plan.rule(tile) for tile in twms)
    other = FaultPlan(plan.rules, seed=4)
    assert hit != {tile for tile in tiles() if other.rule(tile)}


def test_rules_draw_independently_and_rates_nest() -> None:
    both = FaultPlan((FaultRule("reset", rate=0.5), FaultRule("status", rate=0.5)))
    effects = [rule.effect if (rule := both.rule(tile)) else "" for tile in tiles()]
    assert 0.22 < effects.count("status") / 4000 < 0.28
    rare, often = (FaultPlan((FaultRule("reset", rate=rate),)) for rate in (0.1, 0.4))
    assert all(often.rule(tile) for tile in tiles() if rare.rule(tile))


def test_toml(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    plan = FaultPlan.from_toml(path)
    assert plan == FaultPlan(
        (
            FaultRule(
                "status",
                status=429,
                headers=(("Retry-After", "2"),),
                layer=("A_Layer",),
                date=(dt.date(2023, 8, 1), dt.date(2023, 8, 9)),
                level=(3, 3),
                row=(0, 2),
                protocol=("wmts", "twms"),
                epsg=(4326,),
                first=2,
            ),
            FaultRule("truncate", how="chunked", rate=0.1, keep=0.25),
        ),
        seed=7,
    )
    path.write_text("")
    assert FaultPlan.from_toml(path) == FaultPlan()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = ", "is not TOML"),
        ("seed = 1.5", "seed 1.5 is not a whole number"),
        ("rules = 1", "unknown key 'rules': use seed"),
        ("fault = 3", "write [[fault]]"),
        ("[[fault]]\nstatus = 503", "fault 1: no effect: give one of status, delay"),
        ('[[fault]]\neffect = "explode"', "effect 'explode' is not known: use status"),
        ('[[fault]]\neffect = "status"\n[[fault]]\neffect = "reset"\nrows = 1', "fault 2: unknown"),
        ('[[fault]]\neffect = "status"\nrow = "2"', "row = '2' is neither a whole number nor"),
        ('[[fault]]\neffect = "status"\nrow = [3, 1]', "row 3 to 1 is reversed"),
        ('[[fault]]\neffect = "status"\ndate = "2023-02-30"', "neither a date (2023-08-07)"),
        ('[[fault]]\neffect = "status"\ndate = ["2023-02-01"]', "neither a date (2023-08-07)"),
        ('[[fault]]\neffect = "status"\nrate = 2', "rate 2 is not a share"),
        ('[[fault]]\neffect = "status"\nrate = "x"', "rate = 'x' is not a number"),
        ('[[fault]]\neffect = "status"\nfirst = 0', "first 0 is not a number over 0"),
        ('[[fault]]\neffect = "status"\nstatus = 99', "status 99"),
        ('[[fault]]\neffect = "status"\nkeep = 1.0', "keep 1.0"),
        ('[[fault]]\neffect = "status"\nhow = "file"', "use nothing, leave it out"),
        ('[[fault]]\neffect = "truncate"\nhow = "x"', "use length, chunked, file"),
        ('[[fault]]\neffect = "delay"', "give delay_s = 1"),
        ('[[fault]]\neffect = "status"\nprotocol = "ftp"', "use wmts, twms, wms"),
        ('[[fault]]\neffect = "status"\nepsg = 4327', "use 4326, 3413"),
        ('[[fault]]\neffect = "status"\nheaders = { X = "a\\nb" }', "one-line texts"),
        ('[[fault]]\neffect = "wrong_length"\nlength_by = 0', "breaks nothing"),
        ('[[fault]]\neffect = "wrong_day"\ndays_off = 0', "is the asked day"),
        ('[[fault]]\neffect = "status"\ndelay_s = -1', "not 0 to 3600 seconds"),
        ('[[fault]]\neffect = "drip"\nbytes_per_s = 0', "bytes_per_s 0 is no drip"),
        ('[[fault]]\neffect = "drip"\nbytes_per_s = "1"', "bytes_per_s = '1' is not a number"),
        ('[[fault]]\neffect = "gzip"\nhow = "file"', "use whole, broken, lie, unsaid, bomb"),
        ('[[fault]]\neffect = "status"\ndocuments = 1', "not true or false"),
    ],
)
def test_bad_toml_names_the_way_out(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        FaultPlan.from_toml(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"plan\.toml cannot be read"):
        FaultPlan.from_toml(tmp_path / "plan.toml")


def test_every_effect_has_a_rule() -> None:
    assert all(FaultRule(effect, delay_s=1.0).effect == effect for effect in EFFECTS)


def test_a_random_plan_breaks_its_share_in_every_way() -> None:
    plan = FaultPlan.random(3, rate=0.2)
    rules = {tile: rule for tile in tiles() if (rule := plan.rule(tile))}
    struck = list(rules.values())
    assert 0.18 < len(struck) / 4000 < 0.22
    counts = Counter(replace(rule, rate=1.0) for rule in struck)
    assert set(counts) == set(EVERY_FAULT)
    assert max(counts.values()) < 5 * min(counts.values())
    assert {rule.effect for rule in counts} == set(EFFECTS)
    assert plan == FaultPlan.random(3, rate=0.2)
    other = FaultPlan.random(4, rate=0.2)
    # Four hundred others are enough to differ in one.
    some = list(tiles())[:400]
    assert [tile in rules for tile in some] != [other.rule(tile) is not None for tile in some]


@pytest.mark.parametrize(("rate", "share"), [(0.0, 0.0), (1.0, 1.0)])
def test_random_plans_of_none_and_of_all(rate: float, share: float) -> None:
    plan = FaultPlan.random(1, rate)
    assert sum(plan.rule(tile) is not None for tile in tiles()) / 4000 == share


def test_every_form_of_every_effect_is_drawn() -> None:
    forms = {(rule.effect, rule.form) for rule in EVERY_FAULT}
    for effect in EFFECTS:
        for how in FORMS.get(effect, (None,)):
            assert (effect, how) in forms


def test_plans_by_name(tmp_path: Path) -> None:
    assert FaultPlan.parse("random") == FaultPlan.random(0)
    assert FaultPlan.parse("random:12") == FaultPlan.random(12)
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    assert FaultPlan.parse(str(path)) == FaultPlan.from_toml(path)
    for text in ("random:", "random:-1", "random:x", "random:1.5", "random:²"):
        with pytest.raises(UsageError, match="write random:7"):
            FaultPlan.parse(text)
    with pytest.raises(UsageError, match="cannot be read"):
        FaultPlan.parse("randomly")
    with pytest.raises(UsageError, match="rate 2 is not a share"):
        FaultPlan.random(1, rate=2)
