"""Splits: the predecessor's to the line, and those that do not leak."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.archive import DayRecord, Journal, Layout
from gibswatch.archive.labels import SPLITS, Split, read_labels
from gibswatch.archive.split import SplitMethod, make_split, split_archive
from gibswatch.catalogue import Grid
from gibswatch.errors import UsageError
from gibswatch.types import Kind

LAYER = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
FIRST = dt.date(2015, 11, 24)
ONE = dt.timedelta(days=1)
Labels = Mapping[dt.date, Collection[Kind]]


def span(count: int, first: dt.date = FIRST) -> list[dt.date]:
    return [first + n * ONE for n in range(count)]


def coded(days: list[dt.date], *runs: tuple[int, int], kind: int = 2) -> dict[dt.date, list[Kind]]:
    """Give codes to half-open runs of the days."""
    return {day: [Kind(kind)] for start, stop in runs for day in days[start:stop]}


def leaks(splits: Mapping[dt.date, Split], labels: Labels, reach: int) -> list[dt.date]:
    """Coded days that have a coded day within `reach` days in another split."""
    return [
        day
        for day in labels
        for n in range(1, reach + 1)
        if (other := day + n * ONE) in labels and splits[day] != splits[other]
    ]


def test_random_is_the_predecessors_procedure_on_a_small_case() -> None:
    # Made by CPython 3.11 with the words of the predecessor's split_data.py.
    result = make_split(span(10), by="random")
    assert [result.splits[day] for day in span(10)] == [
        "train", "train", "train", "test", "train", "val", "train", "train", "val", "test",
    ]  # fmt: skip


def test_another_seed_gives_another_split() -> None:
    one, two = (make_split(span(200), by="random", seed=seed).splits for seed in (1, 2))
    assert one != two


@pytest.mark.realdata
def test_random_gives_the_sample_946_lines_of_946(real_data: Path, tmp_path: Path) -> None:
    sample = (real_data / f"labels/{LAYER}.txt").read_bytes()
    path = tmp_path / "4326" / f"{LAYER}.txt"
    path.parent.mkdir()
    unsplit = b"".join(line.split(b" ", 1)[1] for line in sample.splitlines(keepends=True))
    path.write_bytes(unsplit)
    done = split_archive(tmp_path, LAYER, by="random")
    assert path.read_bytes().splitlines() == sample.splitlines()
    assert len(sample.splitlines()) == 946
    assert path.read_bytes() == sample
    assert done.result.counts == {"train": 567, "val": 189, "test": 190}
    assert (done.labelled, done.without_picture) == (131, 946)


@pytest.mark.realdata
def test_event_parts_no_event_of_the_sample(real_data: Path) -> None:
    lines = read_labels(real_data / f"labels/{LAYER}.txt").labels
    labels = {day: line.codes for day, line in lines.items() if line.codes}
    by: dict[SplitMethod, Mapping[dt.date, Split]] = {
        "random": make_split(lines, by="random").splits,
        "event": make_split(lines, by="event", labels=labels).splits,
    }
    assert leaks(by["event"], labels, 3) == []
    assert len(leaks(by["random"], labels, 3)) > 50
    result = make_split(lines, labels=labels)
    assert (result.by, result.notes) == ("event", ())
    assert all(
        abs(result.counts[n] - s * 9.46) < 4 for n, s in zip(SPLITS, (60, 20, 20), strict=True)
    )
    held = {
        name: {k for d in labels if by["event"][d] == name for k in labels[d]} for name in SPLITS
    }
    assert Kind.MISSING_UNEXPECTED in held["train"] & held["val"] & held["test"]
    apart = {k: sum(a != b for a, b in pairwise(s.values())) for k, s in by.items()}
    assert apart["event"] * 5 < apart["random"]


@given(
    st.sets(st.integers(0, 400), min_size=1, max_size=200),
    st.sets(st.integers(0, 400), max_size=40),
    st.sampled_from(["random", "month", "event"]),
    st.integers(0, 3),
)
def test_every_day_has_a_split_and_the_same_again(
    numbers: set[int], codes: set[int], by: SplitMethod, seed: int
) -> None:
    days = [FIRST + n * ONE for n in numbers]
    labels = {FIRST + n * ONE: [Kind(1 + n % 9)] for n in codes}
    result = make_split(days, by=by, seed=seed, labels=labels)
    assert list(result.splits) == sorted(days)
    assert make_split(set(days), by=by, seed=seed, labels=labels) == result
    assert sum(result.counts.values()) == len(days)


@given(st.sets(st.integers(0, 300), min_size=1, max_size=60))
def test_coded_days_within_the_gap_stay_together(codes: set[int]) -> None:
    days = span(301)
    labels = coded(days, *((n, n + 1) for n in codes))
    splits = make_split(days, labels=labels).splits
    assert leaks(splits, labels, 3) == []
    for day in labels:
        assert {splits[near] for near in (day - ONE, day + ONE) if near in splits} == {splits[day]}


def test_months_stay_whole_and_the_shares_are_near() -> None:
    days = span(730, dt.date(2020, 1, 1))
    result = make_split(days, by="month")
    for day, later in pairwise(days):
        if day.month == later.month:
            assert result.splits[day] == result.splits[later]
    assert all(
        abs(result.counts[n] - s * 7.3) <= 16 for n, s in zip(SPLITS, (60, 20, 20), strict=True)
    )
    assert result.notes == ()


def test_without_codes_event_falls_back_to_months_and_says_so() -> None:
    days = span(365)
    result = make_split(days, labels={days[3]: []})
    assert result.by == "month"
    assert result.splits == make_split(days, by="month").splits
    assert "no day has a code" in result.notes[0]


def test_three_blocks_are_enough_for_three_splits_and_two_are_not() -> None:
    three = make_split(span(90, dt.date(2020, 1, 1)), by="month")
    assert 0 not in three.counts.values()
    two = make_split(span(60, dt.date(2020, 1, 1)), by="month")
    assert two.counts["test"] == 0
    assert "test got no day: 2 blocks are too few" in two.notes[0]


def test_each_code_comes_near_the_shares() -> None:
    days = span(2000)
    labels = coded(days, *((n, n + 2) for n in range(10, 500, 12)), kind=2)
    labels |= coded(days, *((n, n + 3) for n in range(700, 1400, 20)), kind=3)
    splits = make_split(days, labels=labels).splits
    for kind in (Kind(2), Kind(3)):
        held = [splits[day] for day, kinds in labels.items() if kind in kinds]
        for name, share in zip(SPLITS, (0.6, 0.2, 0.2), strict=True):
            assert abs(held.count(name) / len(held) - share) < 0.05


def test_a_layer_of_eight_days_has_eight_days_a_step() -> None:
    days = [FIRST + n * 8 * ONE for n in range(90)]
    labels = coded(days, (10, 12), (14, 15), (40, 41))
    splits = make_split(days, labels=labels).splits
    assert len({splits[day] for day in days[9:16]}) == 1


@pytest.mark.parametrize(
    "shares", [(60, 20, 30), (-20, 60, 60), (float("nan"), 50, 50), (float("inf"), 0, 0), (0, 0, 0)]
)
def test_shares_that_are_none_are_refused(shares: tuple[float, float, float]) -> None:
    with pytest.raises(UsageError, match="add up to 100"):
        make_split(span(10), shares=shares)


def test_thirds_and_nothing_for_one_are_shares() -> None:
    assert make_split(span(100), by="random", shares=(33.3, 33.3, 33.4)).counts["train"] == 33
    result = make_split(span(365), by="month", shares=(80, 0, 20))
    assert (result.counts["val"], result.notes) == (0, ())


def fill(root: Path, whole: list[dt.date], partial: list[dt.date]) -> Path:
    """Make an archive of days without their pictures; return its label file."""
    with Journal(Layout(root, LAYER, 4326).journal) as journal:
        journal.claim_grid(Grid("native", 4326, "16km"))
        for day in [*whole, *partial]:
            journal.record_day(DayRecord(day, day in whole, None, "2024-01-01T00:00:00+00:00"))
    return root / "4326" / f"{LAYER}.txt"


def test_an_archive_is_split_and_codes_survive_every_new_split(tmp_path: Path) -> None:
    days = span(120)
    path = fill(tmp_path, days[:100], days[100:])
    first = split_archive(tmp_path, LAYER)
    assert (first.result.by, len(read_labels(path).labels)) == ("month", 100)
    text = path.read_text().replace(f"{days[5]} \n", f"{days[5]}   2  3\n")
    gone = dt.date(2030, 1, 1)
    path.write_text(f"# seen by Ada\n{text}val {gone} 4\n")
    methods: tuple[SplitMethod, ...] = ("event", "random", "month", "event")
    for by in methods:
        done = split_archive(tmp_path, LAYER, by=by, seed=4)
        lines = read_labels(path).labels
        assert lines[days[5]].codes == (Kind(2), Kind(3))
        assert lines[gone].codes == (Kind(4),)
        assert len(lines) == 101
        assert (done.labelled, done.without_picture) == (2, 1)
        assert path.read_text().startswith("# seen by Ada\n")
        assert f"{days[5]}   2  3\n" in path.read_text()
    before = path.read_bytes()
    split_archive(tmp_path, LAYER, seed=4)
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    path = fill(tmp_path, span(40), [])
    path.write_bytes(b"train 2016-04-10 two\n")
    with pytest.raises(UsageError, match="line 1 cannot be read"):
        split_archive(tmp_path, LAYER)
    assert path.read_bytes() == b"train 2016-04-10 two\n"


def test_nothing_to_split_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="download some first"):
        split_archive(tmp_path, LAYER)
    assert list(tmp_path.iterdir()) == []
