"""`gibswatch split` as a command."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gibswatch.archive import read_labels

LAYER = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
Run = Callable[..., Any]


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Give a list of a hundred days, four of them with a code."""
    path = tmp_path / "4326" / f"{LAYER}.txt"
    path.parent.mkdir()
    days = [dt.date(2016, 1, 1) + dt.timedelta(days=n) for n in range(100)]
    path.write_text("".join(f"{day} {'2' if 40 <= n < 44 else ''}\n" for n, day in enumerate(days)))
    return path


def test_the_real_shares_are_said_and_codes_kept(run: Run, tmp_path: Path, labels: Path) -> None:
    ended = run("split", LAYER, "--output-dir", tmp_path)
    assert (ended.code, ended.err) == (0, "")
    lines = read_labels(labels).labels
    counts = [
        sum(line.split == name for line in lines.values()) for name in ("train", "val", "test")
    ]
    assert sum(counts) == 100
    assert f"100 days by event: {counts[0]} train ({counts[0]}.0%)" in ended.out
    assert "4 days with codes kept, 100 days without a whole picture" in ended.out
    coded = {line.split for line in lines.values() if line.codes}
    assert len(coded) == 1


def test_json_tells_the_same(run: Run, tmp_path: Path, labels: Path) -> None:
    ended = run(
        "split", LAYER, "--output-dir", tmp_path, "--by", "month", "--shares", "50/25/25",
        "--seed", "4", "--json",
    )  # fmt: skip
    document = json.loads(ended.out)
    assert (document["by"], document["days"], document["labelled"]) == ("month", 100, 4)
    assert sum(document["counts"].values()) == 100
    assert sum(document["shares"].values()) == pytest.approx(1)
    assert document["file"] == str(labels)


def test_without_codes_the_fall_back_is_said(run: Run, tmp_path: Path, labels: Path) -> None:
    labels.write_text(labels.read_text().replace(" 2\n", " \n"))
    ended = run("split", LAYER, "--output-dir", tmp_path)
    assert ended.code == 0
    assert "whole months are kept together, not events" in ended.err
    assert "by month" in ended.out


def test_the_predecessors_flags_and_default_layer_work(
    run: Run, tmp_path: Path, labels: Path
) -> None:
    one = run("split", "--layer_name", LAYER, "--output_dir", tmp_path, "--by", "random")
    first = labels.read_bytes()
    two = run("split", "--output_dir", tmp_path, "--by", "random")
    assert (one.code, two.code, labels.read_bytes()) == (0, 0, first)
    assert "60 train" in one.out
    assert run("split", LAYER, "--layer_name", LAYER, "--output_dir", tmp_path).code == 2


@pytest.mark.parametrize(
    "shares", ["60/20", "60/20/30", "a/b/c", "nan/50/50", "1e999/0/0", "-1/51/50"]
)
def test_shares_that_are_none_are_one_line(
    run: Run, tmp_path: Path, labels: Path, shares: str
) -> None:
    before = labels.read_bytes()
    ended = run("split", LAYER, "--output-dir", tmp_path, f"--shares={shares}")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert labels.read_bytes() == before


def test_a_bad_line_is_named_and_nothing_is_written(run: Run, tmp_path: Path, labels: Path) -> None:
    labels.write_bytes(labels.read_bytes() + b"train 2016-13-01 2\n")
    before = labels.read_bytes()
    ended = run("split", LAYER, "--output-dir", tmp_path)
    assert ended.code == 2
    assert "line 101 cannot be read: 'train 2016-13-01 2'" in ended.err
    assert labels.read_bytes() == before
