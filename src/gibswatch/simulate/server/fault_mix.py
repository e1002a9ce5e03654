"""Every way to break a tile, for plans that are drawn at random."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice

from gibswatch.simulate.server.fault_rules import Asked, FaultRule

__all__ = ["EVERY_FAULT", "deal_faults"]

_RETRY_SOON = (("Retry-After", "1"),)

EVERY_FAULT: tuple[FaultRule, ...] = (
    # What stays: the tile never comes, or comes as what it is not.
    FaultRule("status", status=400),
    FaultRule("status", status=404),
    FaultRule("status", status=204),
    FaultRule("status", status=410),
    FaultRule("status", status=500),
    FaultRule("truncate", how="length"),
    FaultRule("truncate", how="chunked"),
    FaultRule("truncate", how="file"),
    FaultRule("scramble", how="broken"),
    FaultRule("wrong_day", how="actual"),
    FaultRule("default_day", how="actual"),
    FaultRule("reset"),
    FaultRule("reset", keep=0.5),
    FaultRule("wrong_length", length_by=100),
    FaultRule("wrong_length", length_by=-100),
    FaultRule("xml_200"),
    FaultRule("html_200"),
    FaultRule("wrong_type"),
    FaultRule("empty_200"),
    FaultRule("gzip", how="broken"),
    FaultRule("gzip", how="lie"),
    FaultRule("gzip", how="unsaid"),
    FaultRule("gzip", how="bomb"),
    FaultRule("hang"),
    FaultRule("hang", keep=0.5),
    FaultRule("drip"),
    # What passes: a retry has the tile.
    FaultRule("status", status=408, first=1),
    FaultRule("status", status=425, first=1),
    FaultRule("status", status=429, headers=_RETRY_SOON, first=1),
    FaultRule("status", status=502, first=2),
    FaultRule("status", status=503, headers=_RETRY_SOON, first=1),
    FaultRule("status", status=504, first=1),
    FaultRule("reset", first=1),
    FaultRule("truncate", how="length", first=1),
    FaultRule("hang", first=1),
    FaultRule("delay", delay_s=0.2),
    FaultRule("gzip", how="whole"),
    FaultRule("blank"),
    # What no check of one answer can find: only a second fetch tells these from the truth.  If a
    # server sent them for good, they would be faults of the imagery, not of the download.
    FaultRule("scramble", how="decodes", first=1),
    FaultRule("blank", first=1),
    FaultRule("wrong_day", how="asked", first=1),
    FaultRule("default_day", how="asked", first=1),
)
"""Every effect in every form, each as often as the other."""


def deal_faults(
    tiles: Sequence[Asked], count: int, seed: int, *, first_form: int = 0
) -> tuple[FaultRule, ...]:
    """Give each of some tiles one fault, the ways of `EVERY_FAULT` dealt one after the other.

    Parameters
    ----------
    tiles : sequence of Asked
        All that will be asked for; the unlucky ones are drawn from these.
    count : int
        How many get a fault, at most.
    seed : int
    first_form : int
        Where in `EVERY_FAULT` the deal begins, so that one deal can go on where another ended.

    Returns
    -------
    tuple of FaultRule
        One a tile.
    """
    chosen = random.Random(seed).sample(list(tiles), min(count, len(tiles)))  # noqa: S311
    forms = islice(cycle(EVERY_FAULT), first_form, None)
    return tuple(
        replace(
            form,
            layer=(tile.layer,),
            date=None if tile.date is None else (tile.date, tile.date),
            level=_only(tile.level),
            row=_only(tile.row),
            col=_only(tile.col),
        )
        for tile, form in zip(chosen, forms, strict=False)
    )


def _only(number: int | None) -> tuple[int, int] | None:
    return None if number is None else (number, number)
