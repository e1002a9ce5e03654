"""From tile states and a detection to one verdict and one sentence; a pure function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gibswatch.archive.standing import missing_tiles, verdict_of_tiles
from gibswatch.detect.context import Detection, Region
from gibswatch.types import KIND_NAMES, IncompleteCause, VerdictName

__all__ = ["Judgement", "decide"]


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
    verdict, cause = verdict_of_tiles(tiles)
    if verdict is not None:
        return Judgement(verdict, 0.0, _reason(verdict, tiles), cause)
    if detection is None:
        return Judgement("incomplete", 0.0, "The picture could not be read.")
    faults = [region for region in detection.regions if region.kind.is_fault]
    if faults:
        return Judgement("anomalous", detection.score, _told(faults))
    return Judgement("clean", detection.score, _sentence("Nothing missing", detection.note))


def _told(faults: Sequence[Region]) -> str:
    """Tell the largest fault, and name the other kinds."""
    worst = max(faults, key=lambda region: (int(region.mask.sum()), region.score))
    others = sorted({region.kind for region in faults} - {worst.kind})
    also = f" Also found: {', '.join(KIND_NAMES[kind] for kind in others)}." if others else ""
    return _sentence("Missing data", worst.reason) + also


def _sentence(subject: str, text: str) -> str:
    """Make a sentence of half of one."""
    return text if text.endswith(".") else f"{subject}: {text}."


def _reason(verdict: VerdictName, tiles: Mapping[str, int]) -> str:
    if verdict == "wrong-date":
        return "Every tile shows another day than the one asked for."
    if verdict == "no-data":
        return "Not published yet: the service's list of days ends before it."
    missing, total = missing_tiles(tiles), sum(tiles.values())
    if not missing:
        return "The service sent its blank tile for all of it."
    if missing.get("absent") == total:
        return "Not published: the service has no tile of a day that its domain should hold."
    listed = ", ".join(f"{n} {state}" for state, n in sorted(missing.items()))
    return f"{sum(missing.values())} of {total} tiles did not arrive ({listed}): run it again."
