"""Loose pictures: which are none of their layer, misdated, or without a date.

Only what remains is judged as the days of an archive are.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median_low

from gibswatch.catalogue.worldview import worldview_url
from gibswatch.detect.registry import DEFAULT_METHOD
from gibswatch.files import storage_errors
from gibswatch.parallel import map_ordered
from gibswatch.scan.inspecting.dating import (
    Misdated,
    date_candidates,
    misdated,
    plain_day,
    unplaced,
)
from gibswatch.scan.inspecting.first_look import FirstLook, look_first, no_imagery, shows_no_deserts
from gibswatch.scan.judging.judge import (
    Sighting,
    Workers,
    fit_sightings,
    judge_sightings,
    observe_pictures,
)
from gibswatch.scan.judging.orbits import LayerOrbits
from gibswatch.scan.pictures import Picture, PictureFile
from gibswatch.scan.result import silent
from gibswatch.sky.date_fit import DateCandidate
from gibswatch.sky.satellites import Satellite
from gibswatch.types import DayItem, Finding, Kind, Shares

__all__ = ["LooseItems", "judge_loose"]

_MANY = 5
"""From so many pictures on they vouch for each other: what most of them show is right."""
_SEASON_DAYS = 45
"""Where more days than these fit, no single one is named."""
_SPRING = (3, 21)
"""Day of the year that stands in where a picture shows no night to tell its own by."""

_TIMES = re.compile(r"\b(?:\d+ )?granules? [^;]*?UTC of [-0-9 and]+ (?:is|are) ")
"""Granules by their times, in a sentence."""
_SOME_PART = "a part of the picture is "


@dataclass(frozen=True, slots=True)
class LooseItems:
    """What was found, and by which orbits."""

    items: tuple[DayItem, ...]
    """One a picture, in their order."""
    orbits: tuple[str, ...]
    """Which orbit the days have, and why not a better one."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One picture on its way."""

    number: int
    picture: Picture
    look: FirstLook | None
    sighting: Sighting


def judge_loose(
    pictures: Sequence[Picture],
    satellite: Satellite,
    *,
    doubted: bool = False,
    workers: Workers,
    on_progress: Callable[[str, int, int], None],
) -> LooseItems:
    """Judge pictures of one satellite's imagery that lie anywhere.

    Parameters
    ----------
    pictures : sequence of Picture
        Of one layer; their references are `PictureFile`.
    satellite : Satellite
        The layer's.
    doubted : bool
        Whether the bounds are known to be wrong, so that pictures do not vouch for each other.
    workers : Workers
    on_progress : callable
        Told (pass, done, total).

    Returns
    -------
    LooseItems
    """
    cases = _cases(pictures, workers, on_progress)
    layer = pictures[0].layer
    items = _without_imagery(cases, satellite)
    if _most(items, cases) and not doubted:
        items = {}
    dated = [case for case in cases if case.number not in items and _date(case) is not None]
    orbits = fit_sightings([case.sighting for case in dated], layer)
    wrong = _misdated(dated, satellite, orbits)
    if wrong:
        items |= wrong
        dated = [case for case in dated if case.number not in wrong]
        orbits = fit_sightings([case.sighting for case in dated], layer)
    todo = [case for case in cases if case.number not in items and _date(case) is None]
    year = _year(dated, satellite, pictures[0])
    judged = itertools.chain(
        zip(dated, _judge_dated(dated, orbits, workers), strict=True),
        ((case, _judge_undated(case, satellite, year)) for case in todo),
    )
    if items:
        on_progress("judge", len(items), len(pictures))
    for case, item in judged:
        items[case.number] = item
        on_progress("judge", len(items), len(pictures))
    days = [day for case in dated if (day := _date(case)) is not None]
    said = () if orbits is None or not days else (orbits.summary(days), *orbits.notes)
    return LooseItems(tuple(items[case.number] for case in cases), said)


def _cases(
    pictures: Sequence[Picture], workers: Workers, on_progress: Callable[[str, int, int], None]
) -> list[_Case]:
    """Look at every picture: the figures that tell what it is, and those that it is judged by."""
    looks = map_ordered(look_first, pictures, workers=workers.count, scheduler=workers.scheduler)
    firsts = list(looks)
    seen = observe_pictures(pictures, workers=workers, on_progress=on_progress)
    both = zip(firsts, seen, strict=True)
    return [_Case(n, sight.picture, look, sight) for n, (look, sight) in enumerate(both)]


def _judge_dated(
    dated: Sequence[_Case], orbits: LayerOrbits | None, workers: Workers
) -> Iterator[DayItem]:
    """Judge as the days of an archive are, each among the others."""
    return judge_sightings(
        [case.sighting for case in dated], len(dated),
        method=DEFAULT_METHOD, workers=workers, on_progress=silent, orbits=orbits,
    )  # fmt: skip


def _date(case: _Case) -> dt.date | None:
    return case.picture.ref.date


def _without_imagery(cases: Sequence[_Case], satellite: Satellite) -> dict[int, DayItem]:
    """Pictures of which nothing can be said, by number: empty, or none of the layer.

    Damaged ones are told as such: what else they look like is not theirs.
    """
    items = {}
    for case in cases:
        doubt = case.sighting.doubt
        if case.look is not None and (doubt is None or not doubt.is_damage):
            day = _date(case)
            why = no_imagery(case.look, satellite)
            if not why and day is not None and day >= satellite.launch:
                why = unplaced(case.look, satellite, day)
            if why:
                items[case.number] = _not_judged(case.picture, why)
    return items


def _misdated(
    dated: Sequence[_Case], satellite: Satellite, orbits: LayerOrbits | None
) -> dict[int, DayItem]:
    """Pictures whose night or gaps are another day's, by number."""
    items = {}
    for case in dated:
        day, look = _date(case), case.look
        if day is None or look is None or day < satellite.launch or case.sighting.doubt:
            continue
        wrong = misdated(look, case.sighting.edges, satellite, day, orbits)
        if wrong is not None:
            items[case.number] = _misdated_item(case, day, wrong)
    return {} if _most(items, dated) else items


def _most(items: dict[int, DayItem], cases: Sequence[_Case]) -> bool:
    """Whether most of many are found to be wrong: then it is the expectation that is."""
    return len(cases) >= _MANY and 2 * len(items) > len(cases)


def _judge_undated(case: _Case, satellite: Satellite, year: int) -> DayItem:
    """Judge a picture by every date that its night fits; the mildest verdict counts."""
    look = case.look
    if look is None:
        return _judge_on(case.picture, None)
    if not look.edges.decided:
        item = _judge_on(case.picture, dt.date(year, *_SPRING))
        words = "No date is known, and no night is to be seen that would tell it"
        return _as_undated(item, case.picture, words)
    candidates = date_candidates(look.edges, satellite, year)
    if not candidates or shows_no_deserts(look):
        why = (
            "it has no date, and its black is the night of no day of the year; are --layer, "
            "--bounds and --epsg right?"
        )
        return _not_judged(case.picture, why)
    return _mildest(case.picture, candidates, satellite)


def _mildest(
    picture: Picture, candidates: Sequence[DateCandidate], satellite: Satellite
) -> DayItem:
    """Judge a picture by each date, and say what holds for all of them."""
    unwritten = replace(picture, mask_path=None)
    best, item = plain_day(candidates[0], satellite), None
    for candidate in candidates:
        day = plain_day(candidate, satellite)
        said = _judge_on(unwritten, day)
        if item is None or said.verdict != "anomalous":
            best, item = day, said
        if said.verdict != "anomalous":
            break
    if item is None or picture.mask_path is not None:
        item = _judge_on(picture, best)
    either = tuple(candidate.day for candidate in candidates)
    dates = " and ".join(_in_words(candidate) for candidate in candidates)
    item = _as_undated(item, picture, f"Its night fits {dates} of any year")
    return replace(item, date=either[0], date_source="fitted", date_candidates=either)


def _in_words(candidate: DateCandidate) -> str:
    """Name the day; or the days, where it is one of a season."""
    first, day, last = (
        f"{on.day} {on:%B}" for on in (candidate.first, candidate.day, candidate.last)
    )
    wide = candidate.last - candidate.first > dt.timedelta(days=_SEASON_DAYS)
    return f"{first} to {last}" if wide else day


def _judge_on(picture: Picture, day: dt.date | None) -> DayItem:
    """Judge one picture alone, as if it were of a day, by the orbit that its own gaps show."""
    ref = picture.ref
    if isinstance(ref, PictureFile):
        ref = replace(ref, date=day)
    one = Workers()
    seen = observe_pictures([replace(picture, ref=ref)], workers=one, on_progress=silent)
    orbits = fit_sightings(seen, picture.layer)
    (item,) = judge_sightings(
        seen, 1, method=DEFAULT_METHOD, workers=one, on_progress=silent, orbits=orbits
    )
    return item


def _as_undated(item: DayItem, picture: Picture, words: str) -> DayItem:
    """Take out what a guessed year would make up: the date, granules, and the link."""
    findings = tuple(
        replace(finding, granules=(), reason=_TIMES.sub(_SOME_PART, finding.reason))
        for finding in item.findings
    )
    return replace(
        item,
        date=None,
        date_source="none",
        date_candidates=(),
        findings=findings,
        reason=f"{words}. {_TIMES.sub(_SOME_PART, item.reason)}",
        worldview=None,
        file=picture.file,
    )


def _year(dated: Sequence[_Case], satellite: Satellite, picture: Picture) -> int:
    """Year for fitted dates: that of the dated pictures, or the middle of the satellite's own.

    Its own reach from its launch to the day on which it left its grid, or to the layer's last day.
    """
    years = [day.year for case in dated if (day := _date(case)) is not None]
    if years:
        return median_low(years)
    last = satellite.anchor.left_grid
    if last is None and isinstance(picture.ref, PictureFile):
        last = picture.ref.layer.last_known_date
    return satellite.launch.year + 1 if last is None else (satellite.launch.year + last.year) // 2


def _not_judged(picture: Picture, why: str) -> DayItem:
    _drop_mask(picture)
    return DayItem(
        layer=picture.layer,
        date=picture.ref.date,
        verdict="incomplete",
        score=0.0,
        reason=f"The picture cannot be judged: {why}{'' if why.endswith('?') else '.'}",
        shares=None,
        file=picture.file,
        date_source=picture.date_source,
    )


def _misdated_item(case: _Case, day: dt.date, wrong: Misdated) -> DayItem:
    picture, observed = case.picture, case.sighting.observation
    _drop_mask(picture)
    box = None
    if isinstance(picture.ref, PictureFile) and picture.ref.epsg == 4326:
        box = picture.ref.bounds
    finding = Finding(Kind.STALE, wrong.score, wrong.reason, bbox=box)
    black = None if observed is None else observed.black
    return DayItem(
        layer=picture.layer,
        date=day,
        verdict="anomalous",
        score=wrong.score,
        reason=wrong.reason,
        shares=None if black is None else Shares(black, black, 0.0),
        findings=(finding,),
        file=picture.file,
        date_source=picture.date_source,
        date_candidates=wrong.likely,
        worldview=worldview_url(picture.layer, day, 4326, box) if box is not None else None,
    )


def _drop_mask(picture: Picture) -> None:
    """Remove the mask of an earlier judgement."""
    if picture.mask_path is not None:
        with storage_errors(picture.mask_path):
            picture.mask_path.unlink(missing_ok=True)
