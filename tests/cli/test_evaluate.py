"""`gibswatch evaluate` as a command."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gibswatch.evaluation import ScoreTable, write_scores
from gibswatch.scan import write_days
from gibswatch.types import DayItem, Finding, Kind

Run = Callable[..., Any]
FIRST = dt.date(2016, 1, 1)
HOLES, COLOURS = {10, 11, 40, 70, 71, 100}, set(range(84, 96))


def day(n: int) -> dt.date:
    return FIRST + dt.timedelta(days=n)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """120 days: 40 of validation, 80 of test, the first and the last without a score."""
    path = tmp_path / "labels.txt"
    lines = [
        f"{'val' if n < 40 else 'test'} {day(n)} {2 if n in HOLES else 3 if n in COLOURS else ''}\n"
        for n in range(-1, 121)
    ]
    path.write_text("".join(lines))
    return path


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    random = np.random.default_rng(5)
    faults = np.isin(np.arange(120), sorted(HOLES | COLOURS))
    dates = np.array([day(n) for n in range(120)], dtype="datetime64[D]")
    path = tmp_path / "softmax.parquet"
    made = ScoreTable("softmax", "image", dates, random.random(120) + 0.7 * faults)
    write_scores(path, made)
    return path


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    items = [
        DayItem(
            "L",
            day(n),
            "anomalous" if n in HOLES else "clean",
            0.9 if n in HOLES else 0.2 + n / 1000,
            "",
            None,
            (Finding(Kind.MISSING_UNEXPECTED, 0.9, ""),) * (n in HOLES),
        )
        for n in range(120)
    ]
    path = tmp_path / "days.parquet"
    write_days(path, items)
    return path


def test_one_table_is_told_at_length(run: Run, scores: Path, labels: Path) -> None:
    ended = run("evaluate", scores, "--labels", labels, "--by", "event")
    assert ended.code == 0
    assert "softmax: 80 days of test, 16 positive" in ended.out
    assert "from 38 clean days of validation: 2.6% expected (1 in 30 asked for)" in ended.out
    assert "miscoloration: " in ended.out
    assert "of 12 days in 1 event\n" in ended.out
    assert (
        "miscoloration is one event of 12 days: its recall is not known better than from one case"
    ) in ended.err
    assert "softmax: 2 labelled days have no score (2015-12-31, 2016-04-30): left out" in ended.err


def test_models_and_detectors_stand_in_one_table(
    run: Run, tmp_path: Path, scores: Path, scan: Path, labels: Path
) -> None:
    page = tmp_path / "page.html"
    ended = run(
        "evaluate", scores, f"detectors={scan}", "--labels", labels, "--target", "missing",
        "--compare", "--out", page,
    )  # fmt: skip
    assert ended.code == 0
    head, first, second, *rest = ended.out.splitlines()
    assert head.split()[:4] == ["Model", "Split", "Days", "Positive"]
    assert first.split()[:8] == ["detectors", "-", "80", "4", "1.000", "1.000", "20.0", "1.000"]
    assert second.split()[0] == "softmax"
    alone = run("evaluate", scan, "--labels", labels, "--target", "missing")
    assert "its own threshold  4 hits, 0 misses, 0 false alarms, 76 quiet over 0.5" in alone.out
    assert rest == [f"page: {page}"]
    assert "<h1>2 models</h1>" in page.read_text("utf-8")


def test_json_has_all_and_lists_the_days(run: Run, scores: Path, labels: Path) -> None:
    ended = run("evaluate", scores, "--labels", labels, "--json", "--false-alarms", "10")
    document = json.loads(ended.out)
    assert document["false_alarm_in_days"] == 10
    assert document["tables"][0]["without_score"] == ["2015-12-31", "2016-04-30"]
    image = document["models"][0]["image"]
    assert (image["on"], image["days"], image["positives"]) == ("test", 80, 16)
    assert [kind["events"] for kind in image["kinds"]] == [3, 1]


def test_multi_tells_each_kind(run: Run, scan: Path, labels: Path, scores: Path) -> None:
    ended = run("evaluate", scan, "--labels", labels, "--target", "multi")
    assert ended.code == 0
    assert "16 positive (means over the classes)" in ended.out
    assert ", missing data, unexpected: 80 days of test, 4 positive" in ended.out
    assert ", miscoloration: 80 days of test, 12 positive" in ended.out
    refused = run("evaluate", scores, "--labels", labels, "--target", "multi")
    assert (refused.code, "tells no kinds apart" in refused.err) == (2, True)


def test_pictures_need_a_layer_and_a_missing_one_is_named(
    run: Run, tmp_path: Path, scores: Path, labels: Path
) -> None:
    common = ("evaluate", scores, "--labels", labels, "--pictures", tmp_path / "none", "--out")
    refused = run(*common, tmp_path / "p.html")
    assert (refused.code, "give --layer" in refused.err) == (2, True)
    layer = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
    ended = run(*common, tmp_path / "p.html", "--layer", layer)
    assert ended.code == 0
    assert "Pictures that are missing" in (tmp_path / "p.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["absent.parquet"], "absent.parquet is not there"),
        (["{scores}"], "has no truth: give --labels FILE"),
        (["{scores}", "--labels", "absent.txt"], "--labels absent.txt is not there"),
        (["{scores}", "--labels", "{labels}", "--false-alarms", "1"], "--false-alarms 1"),
        (["{scores}", "--labels", "{labels}", "--on", "train"], "no scored day of the train split"),
        (["{scores}", "{scores}", "--labels", "{labels}"], "two tables of images are called"),
        (["{scores}", "--target", "everything"], "Invalid value"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(
    run: Run, scores: Path, labels: Path, arguments: list[str], says: str
) -> None:
    filled = [text.format(scores=scores, labels=labels) for text in arguments]
    ended = run("evaluate", *filled)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert ended.err.count("\n") == 1
