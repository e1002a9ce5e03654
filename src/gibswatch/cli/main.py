"""The `gibswatch` command: its groups, and how errors end it.

Exit codes: 0 done, 1 internal error, 2 usage, 3 found what ``--fail-on`` names,
4 incomplete data, 5 nothing could be had, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import errno
import functools
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from gibswatch.cli import (
    bench,
    demo,
    doctor,
    download,
    evaluate,
    features,
    label,
    layers,
    predict,
    refresh,
    report,
    scan,
    simulate,
    sky,
    split,
    times,
    train,
    verify,
)
from gibswatch.cli.console import error_line, show_warning
from gibswatch.cli.entry import INTERRUPTED, STOPPED
from gibswatch.errors import GibswatchError, GibswatchWarning

__all__ = ["app", "main"]

# Typer carries a Click of its own or uses an installed one, by version; this is the root of its
# errors in both: BadParameter > UsageError > ClickException.
_PARSER_ERROR: Any = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="gibswatch",
    help="Find what is wrong in NASA GIBS daily satellite imagery.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={
        "help_option_names": ["-h", "--help"],
        # The predecessor wrote --start_date; --start-date is the same option.
        "token_normalize_func": lambda token: token.replace("_", "-"),
    },
)
layers.app.command("refresh")(refresh.refresh)
app.add_typer(layers.app)
app.add_typer(simulate.app)
app.add_typer(bench.app)
app.command("download")(download.download)
app.command("scan")(scan.scan)
app.command("inspect")(scan.inspect)
app.command("label")(label.label)
app.command("features")(features.features)
app.command("train")(train.train)
app.command("predict")(predict.predict)
app.command("evaluate")(evaluate.evaluate)
app.command("report")(report.report)
app.command("times")(times.times)
app.command("sky")(sky.sky)
app.command("split")(split.split)
app.command("verify")(verify.verify)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"gibswatch {version('gibswatch')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and end."
        ),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
) -> None:
    """Find what is wrong in NASA GIBS daily satellite imagery."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    argv : list of str, optional
        Arguments after the program's name; None takes those of the process.
    """
    arguments = sys.argv[1:] if argv is None else argv
    debug = "--debug" in arguments
    if sys.stdout is None:  # closed by whoever started us
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    with warnings.catch_warnings():
        warnings.showwarning = show_warning
        warnings.simplefilter("always", GibswatchWarning)
        try:
            code = _command()(arguments, prog_name="gibswatch", standalone_mode=False)
        except GibswatchError as error:
            if debug:
                traceback.print_exc()
            error_line(str(error))
            return error.exit_code
        except _PARSER_ERROR as error:
            if message := error.format_message():  # none where the help was printed instead
                error_line(f"{message} (gibswatch --help)")
            return 2
        except (KeyboardInterrupt, typer.Abort):
            code = INTERRUPTED
        except Exception as error:
            if debug:
                raise
            return _unforeseen(error)
    if code == INTERRUPTED:  # Typer may have caught the interrupt and made it this code
        error_line(STOPPED)
    return code if isinstance(code, int) else 0


@functools.cache
def _command() -> Any:
    """Typer's parser, built but once a process: to look at all options takes it 50 ms."""
    return typer.main.get_command(app)


def _unforeseen(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        error_line("no space left for the output: free some")
        return 2
    error_line(f"internal error: {type(error).__name__}: {error} (--debug shows where)")
    return 1


if __name__ == "__main__":
    sys.exit(main())
