"""Where the process begins: nothing heavy is imported before Ctrl-C is looked after."""

from __future__ import annotations

import sys

__all__ = ["INTERRUPTED", "STOPPED", "run"]

INTERRUPTED = 130
"""Exit code of a process that Ctrl-C stopped."""
STOPPED = "stopped; what was finished is kept"


def run() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        from gibswatch.cli.main import main

        code = main()
    except KeyboardInterrupt:  # while the packages were loaded, or after the command's end
        print(f"gibswatch: {STOPPED}", file=sys.stderr)  # noqa: T201
        code = INTERRUPTED
    sys.exit(code)
