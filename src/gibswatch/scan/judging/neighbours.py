"""Which other days a day is compared with: those near it, and those that show clear sky."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from gibswatch.raster.observe import Observation
from gibswatch.scan.judging.clear_sky import ClearDays, new_scan
from gibswatch.scan.pictures import Picture

__all__ = ["NEIGHBOUR_DAYS", "WholeDays"]

NEIGHBOUR_DAYS = 30
"""Days before and after that count as neighbours."""
_BLOCK, _SHORTEST_BLOCK = 16, 8
"""Days whose clear sky is taken together; fewer at the end go with those before them."""


class WholeDays:
    """Whole days of a scan, to be asked for those near one.

    Parameters
    ----------
    whole : sequence of (Picture, Observation)
    """

    def __init__(self, whole: Sequence[tuple[Picture, Observation]]) -> None:
        self._all = list(whole)
        dated = [(o.date, n) for n, (_, o) in enumerate(whole) if o.date is not None]
        self._dated = sorted(dated)
        self._scan = new_scan()

    def near(self, picture: Picture, day: dt.date | None) -> list[tuple[Picture, Observation]]:
        """Others within `NEIGHBOUR_DAYS`, nearest first; all where the day is not known."""
        if day is None:
            return [(p, o) for p, o in self._all if p is not picture]
        reach = dt.timedelta(days=NEIGHBOUR_DAYS)
        first = bisect_left(self._dated, day - reach, key=lambda pair: pair[0])
        last = bisect_right(self._dated, day + reach, key=lambda pair: pair[0])
        close = sorted((abs((d - day).days), n) for d, n in self._dated[first:last] if d != day)
        return [self._all[n] for _, n in close]

    def clear_days(self, day: dt.date | None) -> ClearDays | None:
        """Sixteen days in a row among which a day lies, or that come before it."""
        if day is None or not self._dated:
            return None
        place = max(bisect_right(self._dated, day, key=lambda pair: pair[0]) - 1, 0)
        count = len(self._dated)
        blocks = max(1, count // _BLOCK + (count % _BLOCK >= _SHORTEST_BLOCK))
        block = min(place // _BLOCK, blocks - 1)
        last = count if block == blocks - 1 else (block + 1) * _BLOCK
        part = self._dated[block * _BLOCK : last]
        return ClearDays(tuple(self._all[n][0].ref for _, n in part), (self._scan, block))
