"""Links into NASA Worldview, where a person can look at the same picture."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

from gibswatch.types import BBox, Epsg

__all__ = ["worldview_url"]

_BASE = "https://worldview.earthdata.nasa.gov/"
_POLAR = {3413: "arctic", 3031: "antarctic"}


def worldview_url(layer: str, day: dt.date, epsg: Epsg, bbox: BBox | None = None) -> str:
    """Address that opens Worldview on one layer and day.

    Parameters
    ----------
    layer : str
    day : date
    epsg : {4326, 3413, 3031, 3857}
        3857 opens the geographic view: Worldview has no Mercator.
    bbox : BBox, optional
        What to show, lon/lat degrees; used in the geographic view only.

    Examples
    --------
    >>> worldview_url("MODIS_Terra_Data_No_Data", dt.date(2023, 8, 7), 4326)
    'https://worldview.earthdata.nasa.gov/?l=MODIS_Terra_Data_No_Data&t=2023-08-07'
    """
    query = {"l": layer, "t": day.isoformat()}
    if epsg in _POLAR:
        query["p"] = _POLAR[epsg]
    elif bbox is not None:
        query["v"] = ",".join(f"{value:.4f}" for value in bbox.as_tuple())
    return f"{_BASE}?{urlencode(query, safe=',')}"
