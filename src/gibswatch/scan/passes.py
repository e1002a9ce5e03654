"""The passes over the pictures of an archive, from records of the journal to judged days.

`scan` goes through them after its download, `label_archive` without one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from gibswatch.detect.registry import DEFAULT_METHOD
from gibswatch.scan.archived import ArchivedDays, confirm_anomalies
from gibswatch.scan.judging.colours import keep_clean, read_kept
from gibswatch.scan.judging.hues import hue_tally
from gibswatch.scan.judging.judge import (
    Sighting,
    Workers,
    fit_sightings,
    judge_pictures,
    judge_sightings,
    observe_pictures,
    sighted_colours,
)
from gibswatch.scan.judging.orbits import LayerOrbits
from gibswatch.scan.result import DaySky, ProgressCallback, silent
from gibswatch.settings import Settings
from gibswatch.types import DayItem

__all__ = ["JudgedDays", "judge_days"]


@dataclass(frozen=True, slots=True)
class JudgedDays:
    """What the passes made of the pictures of some days."""

    items: tuple[DayItem, ...]
    """One a picture."""
    seen: tuple[Sighting, ...] = field(repr=False)
    """Of these pictures first, in their order; then of those around them."""
    orbits: LayerOrbits | None
    """None where the layer's pictures follow no known orbit."""
    notes: tuple[str, ...]
    """What a person should know."""

    def lines(self, days: Sequence[dt.date]) -> tuple[str, ...]:
        """Say which orbits were used for days; nothing without a known satellite."""
        if self.orbits is None or not days:
            return ()
        return (self.orbits.summary(days), *self.orbits.notes)

    def skies(self, days: Sequence[dt.date]) -> dict[dt.date, DaySky]:
        """What days were judged by, where their orbit is known."""
        if self.orbits is None:
            return {}
        skies = ((day, self.orbits.sky_for(day)) for day in days)
        return {day: sky for day, sky in skies if sky is not None}


def judge_days(
    archived: ArchivedDays,
    days: Sequence[dt.date],
    *,
    method: str,
    workers: Workers,
    confirm: Settings | None,
    tle: str | None = None,
    on_progress: ProgressCallback = silent,
) -> JudgedDays:
    """Observe the pictures of days, fit their orbits, judge them, and confirm suspicions.

    Parameters
    ----------
    archived : ArchivedDays
    days : sequence of datetime.date
        Those that the archive has no picture of are left out.
    method : str
        A name of `gibswatch.detect.METHODS`.
    workers : Workers
    confirm : Settings or None
        For a second fetch of anomalous days; None: nothing is fetched.
    tle : str, optional
        Two-line elements of the layer's satellite.
    on_progress : callable
        Told (pass, done, total).
    """
    pictures, around = archived.pictures(days)
    hues = hue_tally(method, archived.layout)
    seen = observe_pictures(
        [*pictures, *around], workers=workers, on_progress=on_progress, hues=hues
    )
    orbits = fit_sightings(seen, archived.layer.identifier, layout=archived.layout, tle=tle)
    kept, notes = read_kept(archived.layout)
    colours = sighted_colours(seen, archived.layer.identifier, kept)
    judged = list(
        judge_sightings(
            seen, len(pictures),
            method=method, workers=workers, on_progress=on_progress, orbits=orbits,
            colours=colours, hues=hues,
        )
    )  # fmt: skip
    if hues is not None:
        notes.append(hues.summary())
    if confirm is not None:
        again = partial(
            judge_pictures, method=method, workers=Workers(), on_progress=silent, orbits=orbits
        )
        judged = confirm_anomalies(
            archived, judged,
            judge=again, settings=confirm, tell_doubt=notes.append, on_progress=on_progress,
        )  # fmt: skip
    if method == DEFAULT_METHOD:
        notes.append(keep_clean(archived.layout, colours, judged))
    return JudgedDays(tuple(judged), tuple(seen), orbits, tuple(n for n in notes if n))
