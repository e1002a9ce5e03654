"""`gibswatch bench`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_sets_are_listed(run: Run) -> None:
    ended = run("bench", "list")
    assert ended.code == 0
    assert [line.split()[0] for line in ended.out.splitlines()] == [
        "budget-1", "quality-1", "smoke-1",
    ]  # fmt: skip
    document = json.loads(run("bench", "list", "--json").out)
    quality = next(one for one in document["sets"] if one["set"] == "quality-1")
    assert quality["days"]["test"] >= 600


def test_a_set_is_built_and_built_again(run: Run, tmp_path: Path) -> None:
    first = run("bench", "build", "--set", "smoke-1", "--seed", "3", "--output", tmp_path)
    assert (first.code, first.err) == (0, "")
    assert "8 pictures; 8 made" in first.out
    again = run("bench", "build", "--set", "smoke-1", "--seed", "3", "--output", tmp_path, "--json")
    card = json.loads(again.out)
    assert card["sha256"] in first.out
    assert card == json.loads((tmp_path / "card.json").read_text("utf-8"))
    judged = run(
        "scan", "VIIRS_SNPP_CorrectedReflectance_TrueColor", "--start", "2016-04-10",
        "--end", "2016-04-12", "--output-dir", tmp_path / "tune" / "holes-tune",
        "--base-url", "http://127.0.0.1:9",
    )  # fmt: skip
    assert judged.code == 0
    assert "2 days were there already" in judged.out


def test_one_archive_alone(run: Run, tmp_path: Path) -> None:
    ended = run(
        "bench", "build", "--set", "smoke-1", "--archive", "colours-test", "--output", tmp_path
    )
    assert "2 pictures; 2 made" in ended.out
    assert [path.name for path in (tmp_path / "test").iterdir()] == ["colours-test"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "nothing"), "no benchmark set 'nothing'"),
        (("--set", "gone.toml"), "gone.toml cannot be read"),
        (("--set", "smoke-1", "--archive", "gone"), "no archive gone"),
        (("--set", "smoke-1", "--part", "train"), "train"),
        (("--set", "smoke-1", "--workers", "0"), "too few"),
    ],
)
def test_errors_are_one_line(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    ended = run("bench", "build", "--output", tmp_path / "set", *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_folder_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    ended = run("bench", "build", "--set", "smoke-1", "--output", tmp_path / "file")
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1
