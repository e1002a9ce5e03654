"""Up to which day the service has published a layer, by its own list of days."""

from __future__ import annotations

import datetime as dt

from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import GridPlan
from gibswatch.download.history import HistoryRequest, fetch_history
from gibswatch.errors import ServiceDocumentError
from gibswatch.settings import Settings

__all__ = ["published_until"]


def published_until(layer: Layer, plan: GridPlan, settings: Settings) -> dt.date | None:
    """Ask the service for the last day that it lists of a layer now.

    Parameters
    ----------
    layer : Layer
        One that WMS draws of several (Day and Night) is published where all of them are.
    plan : GridPlan
        For projection and tile matrix set.
    settings : Settings

    Returns
    -------
    date or None
        Last day of the domain (DescribeDomains); None where the service does not say.

    Raises
    ------
    ServerUnreachableError
        If no connection can be made.
    RunStoppedError
        If the server asks for a longer pause than is waited for.
    """
    epsg = plan.grid.epsg
    lasts = []
    for name in layer.name_in(epsg).split(","):
        request = HistoryRequest(settings.base_url, epsg, name, plan.matrix_set.identifier)
        try:
            periods = fetch_history(request, settings)
        except ServiceDocumentError:
            return None
        lasts.append(max(period.last_day for period in periods))
    return min(lasts)
