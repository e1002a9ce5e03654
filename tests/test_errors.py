"""The exception tree is as drawn, and what is public is said, sorted and importable."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import gibswatch
from gibswatch import errors

DRAWN = re.compile(r"^ {4}(?P<bars>[│ ├└─]*)(?P<name>[A-Z]\w+)(?: \((?P<builtin>\w+)\))?")


def drawn_tree() -> list[tuple[str, str | None, str | None, int | None]]:
    """Name, parent, builtin parent and exit code of each line of the docstring's drawing."""
    rows = []
    stack: list[str] = []
    for line in (errors.__doc__ or "").split("::")[1].split("Warnings are")[0].splitlines():
        match = DRAWN.match(line)
        if not match:
            continue
        depth = len(match["bars"]) // 4
        del stack[depth:]
        code = re.search(r" {2}([0-9])  ", line)
        rows.append(
            (
                match["name"],
                stack[-1] if stack else None,
                match["builtin"],
                int(code[1]) if code else None,
            )
        )
        stack.append(match["name"])
    return rows


def test_the_drawing_holds_every_error() -> None:
    drawn = {name for name, *_ in drawn_tree()}
    public = {name for name in errors.__all__ if not name.endswith("Warning")}
    assert drawn == public


@pytest.mark.parametrize(("name", "parent", "builtin", "code"), drawn_tree())
def test_each_line_of_the_drawing_is_true(
    name: str, parent: str | None, builtin: str | None, code: int | None
) -> None:
    error = getattr(errors, name)
    assert issubclass(error, errors.GibswatchError)
    if parent is not None:
        assert error.__bases__[0] is getattr(errors, parent)
    if builtin is not None:
        assert issubclass(error, getattr(__import__("builtins"), builtin))
    if code is not None:
        assert error.exit_code == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("GibswatchError", 1),
        ("UsageError", 2),
        ("BoundsError", 2),
        ("MissingExtraError", 2),
        ("DecodeError", 1),
        ("ArchiveError", 1),
        ("ArchiveInUseError", 2),
        ("RunStoppedError", 4),
        ("ServerUnreachableError", 5),
    ],
)
def test_exit_codes(name: str, code: int) -> None:
    assert getattr(errors, name).exit_code == code


def test_warnings_have_a_root() -> None:
    assert issubclass(errors.RenamedLayerWarning, errors.GibswatchWarning)
    assert issubclass(errors.GibswatchWarning, UserWarning)


def modules() -> list[str]:
    """Every module of the package that can be imported without an extra or a side effect."""
    found = pkgutil.walk_packages(gibswatch.__path__, "gibswatch.")
    return ["gibswatch", *(info.name for info in found if not info.name.endswith("__main__"))]


def is_sorted(names: list[str]) -> bool:
    """As ruff's RUF022 sorts: constants, then classes, then the rest."""

    def key(name: str) -> tuple[int, str]:
        return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)

    return names == sorted(names, key=key)


@pytest.mark.parametrize("name", modules())
def test_public_names_are_sorted_and_there(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        if (error.name or "").startswith("gibswatch"):
            raise
        pytest.skip(f"{name} needs {error.name}, which an extra brings")
    public = getattr(module, "__all__", [])
    assert is_sorted(list(public))
    assert len(set(public)) == len(public)
    for attribute in public:
        assert getattr(module, attribute) is not None
