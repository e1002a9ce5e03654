"""Build ``docs/cli.md`` from the commands themselves.

    python tools/build_cli_docs.py [--output FILE]

A command's text is its docstring; what follows ``Example:`` there becomes its example.  The same
commands give the same bytes; ``tests/test_docs.py`` fails where the page is not what this makes.
"""

from __future__ import annotations

import argparse
import inspect
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from gibswatch.cli.main import app

TARGET = Path(__file__).resolve().parents[1] / "docs/cli.md"

_EXAMPLE = re.compile(r"\bExample:\s*")
_WORDS: dict[object, str] = {int: "N", float: "NUMBER", str: "TEXT", Path: "PATH"}
_NOT_OURS = ("--install-completion", "--show-completion")

_HEAD = """\
# Command line

<!-- Made by tools/build_cli_docs.py from the commands. Do not edit: change the command, run it. -->

- Options may be written with `_` in place of `-`, as the predecessor did: `--start_date` is
  `--start-date`.
- Dates are days in UTC, `YYYY-MM-DD` or `Today`. The start is inclusive, the end exclusive.
- Results go to stdout; progress, notes, warnings and errors to stderr. An error is one line.
- `--json` prints one JSON document on stdout ([its fields](verdicts.md#json)).
- Environment variables stand in for options that are not given: `GIBSWATCH_BASE_URL`,
  `GIBSWATCH_CONNECTIONS`, `GIBSWATCH_DATES_IN_FLIGHT`, `GIBSWATCH_BANDWIDTH_MBIT_S`,
  `GIBSWATCH_RUN_DEADLINE_S` (seconds) and `GIBSWATCH_CA_BUNDLE`. Some have no option: the
  [limits](politeness.md) of requests and waits, and `GIBSWATCH_CATALOGUE_FILE`
  ([what a refresh keeps](catalogue.md#refresh)). `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are
  honoured.
- [Exit codes](verdicts.md#exit-codes) are the same for all commands.
"""


@dataclass(frozen=True, slots=True)
class CommandPage:
    """One command as the page shows it."""

    name: str
    """With its group, e.g. ``gibswatch layers list``."""
    text: str
    example: str
    """Empty if the docstring has none."""
    parameters: tuple[tuple[str, str, str], ...]
    """(how to write it, help, default) of each argument and option."""


def commands() -> list[CommandPage]:
    """All commands that do something, in the order of ``gibswatch --help``."""
    return [_page(name, command) for name, command in _leaves("gibswatch", _root())]


def render() -> str:
    """Make the page."""
    root = _root()
    sections = [_HEAD, "## gibswatch\n", f"{root.help}\n", _table(_parameters(root))]
    for page in commands():
        sections += [f"## {page.name}\n", f"{page.text}\n"]
        if page.example:
            sections.append(f"```bash\n{page.example}\n```\n")
        sections.append(_table(page.parameters))
    return "\n".join(section for section in sections if section).rstrip() + "\n"


def _root() -> Any:
    return typer.main.get_command(app)


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Yield (full name, command) of what is no group."""
    for part, child in command.commands.items():
        if hasattr(child, "commands"):
            yield from _leaves(f"{name} {part}", child)
        else:
            yield f"{name} {part}", child


def _page(name: str, command: Any) -> CommandPage:
    text, _, example = (_EXAMPLE.sub("\0", command.help or "", count=1)).partition("\0")
    return CommandPage(name, _one_line(text), _one_line(example), tuple(_parameters(command)))


def _parameters(command: Any) -> list[tuple[str, str, str]]:
    hints = typing.get_type_hints(inspect.unwrap(command.callback)) if command.callback else {}
    return [
        (_written(p, _word(hints.get(p.name))), _one_line(p.help or ""), _default(p))
        for p in command.params
        if p.opts[0] not in _NOT_OURS
    ]


def _written(parameter: Any, word: str) -> str:
    """How a person types it, all its spellings."""
    if parameter.param_type_name == "argument":
        name = (parameter.metavar or parameter.name.upper()) + (
            "..." if parameter.nargs < 0 else ""
        )
        return name if parameter.required else f"[{name}]"
    spellings = " / ".join(filter(None, map(", ".join, (parameter.opts, parameter.secondary_opts))))
    if parameter.is_flag:
        return spellings
    return f"{spellings} {parameter.metavar or word}"


def _word(hint: Any) -> str:
    """What stands for a value of this type."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union, list):
        inner = [a for a in typing.get_args(hint) if a is not type(None)]
        return _word(inner[0])
    if typing.get_origin(hint) is typing.Literal:
        return "|".join(str(choice) for choice in typing.get_args(hint))
    return _WORDS.get(hint, "VALUE")


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = parameter.default
    return "" if value in (None, "") or isinstance(value, bool) else f"`{value}`"


def _table(parameters: typing.Iterable[tuple[str, str, str]]) -> str:
    rows = [
        f"| `{_cell(written)}` | {_cell(text)} | {_cell(default)} |"
        for written, text, default in parameters
    ]
    if not rows:
        return ""
    return "\n".join(["| write | meaning | default |", "|---|---|---|", *rows]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=TARGET)
    output: Path = parser.parse_args().output
    output.write_text(render(), encoding="utf-8")
    print(output)


if __name__ == "__main__":
    main()
