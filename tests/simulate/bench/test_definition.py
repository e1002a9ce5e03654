"""What the sets are made of, and what is refused."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from gibswatch.catalogue import find_layer, plan_grid
from gibswatch.catalogue.domains import days_in
from gibswatch.errors import UsageError
from gibswatch.simulate.bench import (
    PARTS,
    ArchivePlan,
    fault_days,
    plan_orders,
    read_set,
    set_names,
)
from gibswatch.simulate.days.spec import parse_layer
from gibswatch.sky.eclipse_days import largest_obscuration
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES

QUALITY = read_set("quality-1")
ARCHIVE = """
[[archive]]
name = "one"
part = "{part}"
serves = "a test"
layers = ["VIIRS_SNPP_CorrectedReflectance_TrueColor"]
start = {start}
days = {days}
{more}
"""
HEAD = 'name = "own"\nversion = 1\npurpose = "A test."\n'


def own_set(folder: Path, text: str) -> str:
    path = folder / "own.toml"
    path.write_text(text, "utf-8")
    return str(path)


def one(part: str = "tune", start: str = "2016-03-01", days: int = 2, more: str = "") -> str:
    return ARCHIVE.format(part=part, start=start, days=days, more=more)


def total(archives: list[ArchivePlan]) -> tuple[int, int]:
    return sum(a.days for a in archives), sum(a.faulty_days for a in archives)


@pytest.mark.parametrize("name", set_names())
def test_every_day_of_a_set_is_in_its_layers_domain(name: str) -> None:
    for archive in read_set(name).archives:
        for layer in archive.layers:
            known = find_layer(layer)
            stop = archive.dates[-1] + dt.timedelta(days=1)
            assert set(days_in(known.periods, archive.start, stop)) == set(archive.dates), archive
            plan_grid(archive.grid, known.matrix_set(archive.grid.epsg))


@pytest.mark.parametrize("name", set_names())
def test_tune_and_test_share_no_year(name: str) -> None:
    found = read_set(name)
    years = [{day.year for a in found.part(part) for day in a.dates} for part in PARTS]
    assert all(years)
    assert not years[0] & years[1]


def test_quality_1_has_what_the_detectors_are_judged_on() -> None:
    test = list(QUALITY.part("test"))
    days, faulty = total(test)
    assert days >= 600
    assert 0.45 <= faulty / days <= 0.5
    by_sky = [
        a for a in test if a.name.startswith("missing-") and not a.tle and a.grid.epsg == 4326
    ]
    by_elements = [a for a in test if a.name.startswith("missing-") and a.tle]
    for archives in (by_sky, by_elements):
        days, faulty = total(archives)
        assert days >= 300
        assert days - faulty >= 150
    for epsg in (3413, 3031):
        assert total([a for a in test if a.grid.epsg == epsg])[0] == 40
    colour = [a for a in test if a.name.startswith("colour-")]
    assert total(colour)[0] >= 400
    assert total([a for a in test if "M3-I3-M11" in a.layers[0] and not a.faulty_days])[0] >= 50


def test_every_gain_and_kind_comes_often_enough_to_be_measured() -> None:
    counts: Counter[str] = Counter()
    for archive in QUALITY.part("test"):
        for recipe in fault_days(archive, 1).values():
            given = dict(recipe.given)
            if recipe.kind == "colour" and given.get("effect") == "gain":
                counts[f"gain {given['amount']}"] += 1
            counts[recipe.kind] += 1
    assert all(counts[f"gain {gain}"] >= 20 for gain in (0.0, 0.5, 0.8, 0.9, 0.95))
    kinds = ("edge-warp", "granule-offset", "stripes", "duplicate-granule", "stale-tile")
    assert all(counts[kind] >= 8 for kind in (*kinds, "wrong-day"))
    assert counts["missing-granules"] >= 100


def test_there_are_eclipses_to_tune_on_and_others_to_test_on() -> None:
    for part in PARTS:
        archives = [a for a in QUALITY.part(part) if a.name.startswith("eclipse-")]
        assert len(archives) >= 4
        for archive in archives:
            satellite = SATELLITES[parse_layer(archive.layers[0])[0]]
            views = [
                largest_obscuration(anchor_orbit(satellite, day), day) for day in archive.dates
            ]
            assert max(view.share for view in views if view is not None) > 0.5, archive.name


def test_budget_1_has_3000_clean_days() -> None:
    days, faulty = total(list(read_set("budget-1").part("test")))
    assert days >= 3000
    assert faulty == 0


def test_how_many_days_are_faulty_is_exact_and_recipes_take_turns() -> None:
    archive = next(a for a in QUALITY.archives if a.name == "missing-snpp-2017")
    for seed in range(5):
        drawn = fault_days(archive, seed)
        assert len(drawn) == 15
        assert set(drawn) <= set(archive.dates)
        counts = Counter(drawn.values())
        assert max(counts.values()) <= -(-15 // len(archive.recipes)) * 2  # two recipes are twins
    assert fault_days(archive, 1) != fault_days(archive, 2)


def test_real_holes_stand_beside_scheduled_ones() -> None:
    """Some of the windows have a fault of their own, most have none."""
    windows = beside = 0
    for archive in QUALITY.part("test"):
        if not (archive.name.startswith(("missing-", "rolls-")) and "VIIRS" in archive.layers[0]):
            continue
        (order, *_) = plan_orders(QUALITY, archive, 1, Path("unused"))
        for spec in order.specs:
            kinds = [fault.kind for fault in spec.faults]
            windows += "roll" in kinds
            beside += "roll" in kinds and len(set(kinds) - {"roll", "new-moon"}) > 0
    assert windows >= 20
    assert 10 <= beside <= 2 * windows / 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = [", "is no TOML"),
        ("", "lacks 'archive'"),
        (HEAD, "lacks 'archive'"),
        (HEAD + one() + one(part="test", start="2017-01-01"), "two archives have one name"),
        (HEAD + one() + one(part="test").replace('"one"', '"two"'), "years 2016"),
        (HEAD + one(part="train"), "neither tune nor test"),
        (HEAD + one(days=0), "days = 0"),
        (HEAD + one(days=100000), "days = 100000"),
        (HEAD + one(start='"2016-03-01"'), "is no date"),
        (HEAD + one(more="faulty = 0.5"), "recipes where over 0"),
        (HEAD + one(more='recipes = ["none"]'), "lacks 'none'"),
        (HEAD + one(more="colour = 3"), "unknown keys: colour"),
        (HEAD + one(more='grid = "hexagons"'), "neither predecessor nor native"),
        (HEAD + one(more="epsg = 1"), "not a projection"),
        (HEAD + one(more="bbox = [1, 2]"), "not as docs/bench-sets.md says"),
        (HEAD + one().replace("SNPP_", "SNPP_X"), "cannot be simulated"),
        (HEAD + '[[recipes.r]]\nkind = "rain"\n' + one(), "no fault 'rain'"),
        (HEAD + '[[recipes.r]]\nkind = "colour"\ngain = 2\n' + one(), "cannot be given gain"),
        (HEAD.replace("own", "../own") + one(), "cannot be used as a file name"),
        (HEAD + one().replace('"one"', '"../one"'), "cannot be used as a file name"),
        (HEAD + "archive = 3\n", "not as docs/bench-sets.md says"),
    ],
)
def test_a_wrong_definition_is_refused_with_its_place(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        read_set(own_set(tmp_path, text))
    assert "own.toml" in str(refused.value)


def test_a_set_of_ones_own_is_read(tmp_path: Path) -> None:
    found = read_set(own_set(tmp_path, HEAD + one()))
    assert (found.name, found.version, len(found.archives)) == ("own", 1, 1)


@pytest.mark.parametrize("name", ["quality-9", "../quality-1", ""])
def test_an_unknown_set_names_the_known_ones(name: str) -> None:
    with pytest.raises(UsageError, match="quality-1"):
        read_set(name)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.toml cannot be read"):
        read_set(str(tmp_path / "gone.toml"))
