"""What goes to the terminal: results to stdout, everything else to stderr."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

__all__ = ["error_line", "note", "print_json", "progress", "show_warning"]

_STAGES = {
    "download": "Downloading days",
    "mask layer": "Downloading masks",
    "observe": "Observing",
    "judge": "Judging",
    "confirm": "Fetching again",
    "features": "Features",
    "train": "Training",
    "score": "Scoring",
}


class _RateColumn(ProgressColumn):
    """Days a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} days/s")


def _console(**options: Any) -> Console:
    """Write to stderr as it is: a command that runs in a notebook leaves no boxes of HTML there."""
    return Console(stderr=True, force_jupyter=False, **options)


def note(message: str) -> None:
    """Print one line to stderr."""
    _console(highlight=False, soft_wrap=True).print(message, markup=False)


def error_line(message: str) -> None:
    """Print an error as one line on stderr."""
    print(f"gibswatch: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201


def show_warning(
    message: Warning | str,
    category: type[Warning],  # noqa: ARG001
    filename: str,  # noqa: ARG001
    lineno: int,  # noqa: ARG001
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    """Print a warning as one line on stderr, without the place in the code."""
    error_line(f"warning: {message}")


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document on stdout."""
    text = json.dumps(document, indent=2, allow_nan=False)  # all of it, or nothing
    sys.stdout.write(text + "\n")


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show bars with rate and time left on a terminal; elsewhere nothing.

    Yields
    ------
    callable
        To be told (pass, done, total).
    """
    console = _console()
    bars = Progress(
        TextColumn("{task.description:<17}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.file.isatty(),  # FORCE_COLOR, which notebooks set, makes no terminal
    )
    tasks: dict[str, Any] = {}

    def tell(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(_STAGES.get(stage, stage), total=total)
        bars.update(tasks[stage], completed=done, total=total)

    with bars:
        yield tell
