"""What a simulated archive was made from: a mark beside its journal.

Days drawn from two seeds, or drawn and downloaded ones, do not fit each other (neighbouring days
are evidence): a folder holds those of one origin.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gibswatch.archive import Journal, Layout
from gibswatch.errors import UsageError
from gibswatch.files import write_bytes

__all__ = ["claim_origin", "read_origin"]


def read_origin(layout: Layout) -> dict[str, Any] | None:
    """Return what the archive's days were made from; None for one that is not simulated.

    Raises
    ------
    UsageError
        If the mark is damaged.
    """
    path = layout.simulated_mark
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is damaged ({error}): name another --output-dir") from error
    if not isinstance(found, dict):
        raise UsageError(f"{path} is no mark of a simulated archive: name another --output-dir")
    return found


def claim_origin(layout: Layout, origin: Mapping[str, Any]) -> None:
    """Mark an empty folder, or check that what is there was made from the same.

    Parameters
    ----------
    layout : Layout
    origin : Mapping
        Ready for JSON.

    Raises
    ------
    UsageError
        If the folder holds downloaded days, or days of another origin.
    """
    asked = json.loads(json.dumps(origin))
    held = read_origin(layout)
    if held is None:
        _refuse_downloaded(layout)
        text = json.dumps(asked, indent=1, sort_keys=True)
        write_bytes(layout.simulated_mark, f"{text}\n".encode())
    elif held != asked:
        differing = sorted(
            key for key in held.keys() | asked.keys() if held.get(key) != asked.get(key)
        )
        told = ", ".join(
            f"{key} {_short(held.get(key))}, not {_short(asked.get(key))}" for key in differing
        )
        raise UsageError(
            f"{layout.root} holds {layout.layer} simulated from {told}: ask for the same, or name "
            "another --output-dir"
        )


def _refuse_downloaded(layout: Layout) -> None:
    if not layout.journal.is_file():
        return
    with Journal(layout.journal) as journal:
        days = journal.days()
    if days:
        raise UsageError(
            f"{layout.root} holds {len(days)} downloaded days of {layout.layer}: simulated ones "
            "must not stand among them, name another --output-dir"
        )


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
