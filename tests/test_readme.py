"""What README says works as written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from gibswatch.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
_ENDS_WITH = re.compile(r"# ends with (\d+)$")


def ten_lines() -> list[str]:
    """Lines of the block that is marked as shell."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1
    return str(blocks[0]).splitlines()


def expected_code(line: str) -> int:
    found = _ENDS_WITH.search(line)
    return int(found[1]) if found else 0


def run_lines(lines: list[str], folder: Path) -> list[int]:
    """Run lines in one bash and return the exit code of each."""
    script = "".join(f'{line}\nprintf "%s\\n" $? >> codes\n' for line in lines)
    environment = os.environ | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "GIBSWATCH_BASE_URL": "http://127.0.0.1:9",  # whatever asks the network fails at once
    }
    subprocess.run(["bash", "-c", script], check=True, cwd=folder, env=environment)
    return [int(code) for code in (folder / "codes").read_text().split()]


def test_one_sentence_comes_first() -> None:
    title, first, *_ = README.split("\n\n")
    assert title == "# Gibswatch"
    assert first.endswith(".")
    assert first.count(".") == 1


def test_the_block_has_ten_lines() -> None:
    assert len(ten_lines()) == 10
    assert all(line.strip() for line in ten_lines())


@pytest.mark.parametrize("line", [x for x in ten_lines() if x.startswith("gibswatch ")])
def test_options_of_every_line_exist(line: str) -> None:
    arguments = shlex.split(line.partition(" > ")[0], comments=True)[1:]
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[arguments.pop(0)]
    command.make_context("gibswatch", arguments)


def test_lines_without_the_demo_run(tmp_path: Path) -> None:
    lines = [x for x in ten_lines() if x.startswith(("LAYER=", "gibswatch layers"))]
    assert len(lines) == 3
    assert run_lines(lines, tmp_path) == [0, 0, 0]
    assert '<Service name="TMS">' in (tmp_path / "tms.xml").read_text("utf-8")


@pytest.mark.slow
def test_every_line_runs(tmp_path: Path) -> None:
    lines = ten_lines()
    assert run_lines(lines, tmp_path) == [expected_code(line) for line in lines]
    assert (tmp_path / "days.json").stat().st_size > 0
    assert (tmp_path / "pictures.json").stat().st_size > 0


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", README))
    assert {"demo", "test", "scan", "docs"} <= named
    assert named <= targets


def test_relative_links_resolve() -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", README)
    assert links
    assert [link for link in links if "://" not in link and not (ROOT / link).is_file()] == []
