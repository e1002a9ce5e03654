"""The known cause of a day, put beside what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gibswatch.catalogue.events import Event, events_on
from gibswatch.types import DayItem

__all__ = ["with_events"]


def with_events(item: DayItem, extra: Sequence[Event] = ()) -> DayItem:
    """Name the known events of a day in its reason; the verdict stays what it is.

    Parameters
    ----------
    item : DayItem
        A clean day needs no cause and is returned as it is.
    extra : sequence of Event
        The user's own, besides the packaged ones.
    """
    if item.date is None or item.verdict == "clean":
        return item
    causes = "; ".join(str(event) for event in events_on(item.layer, item.date, extra))
    return replace(item, reason=f"{item.reason} Known: {causes}.") if causes else item
