"""From tile states and a detection to one verdict and one sentence; a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gibswatch.detect.context import Detection
from gibswatch.types import IncompleteCause, VerdictName

__all__ = ["Judgement", "decide"]

_NETWORK_STATES = frozenset({"failed", "corrupt", "suspect"})
_SERVER_STATES = frozenset({"absent", "wrong-date"})
_USABLE_STATES = frozenset({"ok", "server-empty"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of one day."""

    verdict: VerdictName
    score: float
    reason: str
    incomplete_cause: IncompleteCause | None = None


def decide(tiles: Mapping[str, int], detection: Detection | None) -> Judgement:
    """Give the verdict of a day that the domain has.

    Parameters
    ----------
    tiles : mapping
        Number of tiles by state; empty for a picture that no tiles stand behind.
    detection : Detection or None
        None if nothing could be looked at.

    Returns
    -------
    Judgement
        `incomplete` while any tile is missing: a failed download is never an anomaly.
    """
    missing = {state: n for state, n in tiles.items() if n and state not in _USABLE_STATES}
    total = sum(tiles.values())
    if total and missing.get("wrong-date") == total:
        return Judgement("wrong-date", 0.0, "Every tile shows another day than the one asked for.")
    if missing:
        return Judgement("incomplete", 0.0, _incomplete_reason(missing, total), _cause(missing))
    if detection is None:
        return Judgement("incomplete", 0.0, "The picture could not be read.")
    if any(region.kind.is_fault for region in detection.regions):
        return Judgement("anomalous", detection.score, f"Missing data: {detection.note}.")
    return Judgement("clean", detection.score, f"Nothing unusual: {detection.note}.")


def _cause(missing: Mapping[str, int]) -> IncompleteCause:
    network = bool(_NETWORK_STATES & missing.keys())
    server = bool(_SERVER_STATES & missing.keys())
    if network and server:
        return "mixed"
    return "network" if network else "server"


def _incomplete_reason(missing: Mapping[str, int], total: int) -> str:
    if missing.get("absent") == total:
        return "Not published: the service has no tile of a day that its domain should hold."
    listed = ", ".join(f"{n} {state}" for state, n in sorted(missing.items()))
    return f"{sum(missing.values())} of {total} tiles did not arrive ({listed}): run it again."
