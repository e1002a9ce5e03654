"""The documentation says what the code does."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import typer

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
_DOTTED = re.compile(r"`(gibswatch(?:\.[A-Za-z_]\w*)+)`")
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = ROOT / "tools/build_cli_docs.py"
    spec = importlib.util.spec_from_file_location("build_cli_docs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_cli_docs"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_cli_page_is_what_the_tool_makes(tool: ModuleType) -> None:
    message = "run .venv/bin/python tools/build_cli_docs.py"
    assert (DOCS / "cli.md").read_text("utf-8") == tool.render(), message


def test_every_command_has_help_and_an_example(tool: ModuleType) -> None:
    pages = tool.commands()
    assert len(pages) >= 7
    for page in pages:
        assert page.text, page.name
        assert page.example.startswith(page.name), page.name
        assert [written for written, text, _ in page.parameters if not text] == [], page.name


def test_every_example_can_be_parsed(tool: ModuleType) -> None:
    for page in tool.commands():
        arguments = shlex.split(page.example)[1:]
        command = typer.main.get_command(tool.app)
        while hasattr(command, "commands"):
            command = command.commands[arguments.pop(0)]
        command.make_context(page.name, arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_in_the_code_exist(page: Path) -> None:
    for dotted in _DOTTED.findall(page.read_text("utf-8")):
        assert _resolves(dotted), f"{page.name} names {dotted}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_resolve(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text("utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).is_file()] == []


def test_every_page_is_in_the_menu() -> None:
    menu = (ROOT / "mkdocs.yml").read_text("utf-8")
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    assert [page for page in pages if page not in menu] == []


def test_every_decision_is_in_the_index() -> None:
    index = (DOCS / "decisions/README.md").read_text("utf-8")
    assert [p.name for p in (DOCS / "decisions").glob("0*.md") if p.name not in index] == []


def test_pages_build_and_ask_nobody(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    subprocess.run(command, check=True, cwd=ROOT, env=environment)
    page = (tmp_path / "index.html").read_text("utf-8")
    loaded = re.findall(r"<(?:script|img|link)[^>]+(?:src|href)=\"(https?://[^\"]+)", page)
    assert loaded == []


def _resolves(dotted: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False
