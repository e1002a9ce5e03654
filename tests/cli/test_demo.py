"""The demonstration finds what it planted, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_the_demo_finds_the_days_that_it_planted(run: Callable[..., Any], tmp_path: Path) -> None:
    ended = run("demo", "--output-dir", tmp_path)
    assert ended.code == 0
    lines = ended.out.splitlines()
    table = lines[lines.index(next(line for line in lines if line.startswith("day "))) + 1 :]
    assert len(table) == 2
    assert all(line.count("missing data") == 2 for line in table)
    (report,) = tmp_path.rglob("report.html")
    assert f"report: {report}" in lines
