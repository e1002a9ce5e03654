"""What the states of a day's tiles alone say of the day; a pure function."""

from __future__ import annotations

from collections.abc import Mapping

from gibswatch.archive.journal.records import USABLE_STATES
from gibswatch.types import IncompleteCause, VerdictName

__all__ = ["is_whole", "missing_tiles", "standing_name", "verdict_of_tiles"]

_NETWORK_STATES = frozenset({"failed", "corrupt", "suspect"})


def verdict_of_tiles(
    tiles: Mapping[str, int],
) -> tuple[VerdictName | None, IncompleteCause | None]:
    """Give the verdict of a day as far as its tiles decide it.

    Parameters
    ----------
    tiles : mapping
        Number of tiles by state; empty for a picture that no tiles stand behind.

    Returns
    -------
    verdict : str or None
        None where the day is whole: then only its pixels can tell.
    cause : str or None
        Of an incomplete day: ``network`` (failed, corrupt, suspect), ``server`` (what the service
        did not have, or had of another day, or its blank tile for all of it), or ``mixed``.

    Examples
    --------
    >>> verdict_of_tiles({"ok": 49, "absent": 1})
    ('incomplete', 'server')
    >>> verdict_of_tiles({"ok": 49, "server-empty": 1})
    (None, None)
    """
    present = {state for state, count in tiles.items() if count}
    if present == {"not-yet"}:
        return "no-data", None
    if present == {"wrong-date"}:
        return "wrong-date", None
    if present == {"server-empty"}:
        return "incomplete", "server"
    missing = present - USABLE_STATES
    if not missing:
        return None, None
    network, server = missing & _NETWORK_STATES, missing - _NETWORK_STATES
    if network and server:
        return "incomplete", "mixed"
    return "incomplete", "network" if network else "server"


def is_whole(tiles: Mapping[str, int]) -> bool:
    """Whether nothing has to be asked again: every tile usable, and not all of them blank."""
    return verdict_of_tiles(tiles)[0] is None


def missing_tiles(tiles: Mapping[str, int]) -> dict[str, int]:
    """Return the number of tiles by state, of the states whose pixels cannot be used."""
    return {state: n for state, n in tiles.items() if n and state not in USABLE_STATES}


def standing_name(tiles: Mapping[str, int]) -> str:
    """Name a day by its tiles: ``complete``, ``incomplete-network`` and so on, ``no-data``...

    Examples
    --------
    >>> standing_name({"ok": 49, "failed": 1})
    'incomplete-network'
    """
    verdict, cause = verdict_of_tiles(tiles)
    if verdict is None:
        return "complete"
    return f"{verdict}-{cause}" if cause else verdict
