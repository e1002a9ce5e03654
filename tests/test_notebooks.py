"""The notebooks are as they should be committed, and their commands exist.

`make test` runs them too (``pytest --nbmake``).
"""

from __future__ import annotations

import doctest
import importlib
import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import typer

from gibswatch.cli.main import app
from gibswatch.models.deep.weight_source import OFFICIAL_URL

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
NAMES = (
    "cnn",
    "cnn_pixels",
    "cnn_pretrained",
    "image_labeling_missing_data_modis_aqua",
    "image_labeling_missing_data_modis_terra",
    "image_labeling_missing_data_viirs",
    "linear_classifier",
    "neural_net",
    "pixel_labeling_miscoloration_viirs",
    "pixel_labeling_missing_data_viirs",
    "random_forest",
    "random_forest_pixels",
)
_RUN = re.compile(r"\brun\(([^()]*)\)", re.DOTALL)
_LITERAL = re.compile(r'f?"([^"\n]*)"')
_FIELD = re.compile(r"\{[^{}]*\}")
_STANDS_FOR = {"{SPAN}": "--start 2017-05-10", "{epochs}": "5", "{more}": " --resume"}


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / f"{name}.ipynb").read_text("utf-8"))
    return document


def commands_of(name: str) -> list[str]:
    """Commands of a notebook, with a word for each of its names."""
    code = "\n".join("".join(c["source"]) for c in read(name)["cells"] if c["cell_type"] == "code")
    found = ["".join(_LITERAL.findall(call)) for call in _RUN.findall(code)]
    for text, value in _STANDS_FOR.items():
        found = [command.replace(text, value) for command in found]
    return [_FIELD.sub(lambda field: "hog" if field[0] == "{features}" else "x", c) for c in found]


def shown_commands_of(name: str) -> list[str]:
    """Commands in a notebook's text, which are not run."""
    text = "\n".join("".join(c["source"]) for c in read(name)["cells"] if c["cell_type"] != "code")
    blocks: list[str] = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    return [" ".join(block.replace("\\\n", " ").split()) for block in blocks]


def named_commands(text: str) -> set[str]:
    return set(re.findall(r"gibswatch ([a-z]+)", text))


def test_there_are_twelve() -> None:
    assert tuple(sorted(path.stem for path in FOLDER.glob("*.ipynb"))) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_run_is_committed(name: str) -> None:
    document = read(name)
    nbformat.validate(document)
    assert set(document["metadata"]) == {"kernelspec", "language_info"}
    assert document["metadata"]["kernelspec"]["name"] == "python3"
    assert document["metadata"]["language_info"] == {"name": "python"}
    for cell in document["cells"]:
        assert cell["metadata"] == {}
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_begins_with_what_it_does(name: str) -> None:
    first, second, *_ = read(name)["cells"]
    text = "".join(first["source"])
    assert text.startswith("# ")
    assert "predecessor" in text
    assert "Gibswatch" in text or "gibswatch" in text
    assert f'prepare("{name}"' in "".join(second["source"])


@pytest.mark.parametrize("name", NAMES)
def test_every_command_can_be_parsed(name: str) -> None:
    commands = commands_of(name)
    assert commands
    for line in (*commands, *shown_commands_of(name)):
        program, *arguments = shlex.split(line)
        assert program == "gibswatch"
        command = typer.main.get_command(app)
        while hasattr(command, "commands"):
            command = command.commands[arguments.pop(0)]
        command.make_context(line, arguments)


def test_the_official_weights_are_shown_and_not_fetched() -> None:
    (shown,) = shown_commands_of("cnn_pretrained")
    assert f"--weights {OFFICIAL_URL}" in shown
    ran = [line for line in commands_of("cnn_pretrained") if " --weights " in line]
    assert ran
    assert all(" --weights self " in line for line in ran)


def test_what_does_not_hold_stops_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    shown = importlib.import_module("shown")
    monkeypatch.delitem(sys.modules, "shown")
    with pytest.raises(RuntimeError, match="not so: one is two"):
        shown.check("one is two", False)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_names_the_commands(name: str) -> None:
    page = (ROOT / "docs/notebooks.md").read_text("utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}`")]
    ran = set().union(*(named_commands(line) for line in commands_of(name)))
    assert named_commands(row) - {"scan"} == ran


@pytest.mark.parametrize("module", ["shown"])
def test_examples_of_the_helpers(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    loaded = importlib.import_module(module)
    monkeypatch.delitem(sys.modules, module)
    result = doctest.testmod(loaded)
    assert result.attempted > 0
    assert result.failed == 0
