"""Gibswatch finds what is wrong in NASA GIBS daily satellite imagery.

The Python API is the same functions that the commands call::

    import datetime as dt
    import gibswatch as gw

    result = gw.scan("MODIS_Terra_CorrectedReflectance_TrueColor",
                     dt.date(2023, 8, 1), dt.date(2023, 8, 16))
    for item in result.items:
        print(item.date, item.verdict, item.reason)

    archive = gw.open_archive("data")
    scene = archive.scene("MODIS_Terra_CorrectedReflectance_TrueColor", dt.date(2023, 8, 7))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gibswatch.archive import open_archive
    from gibswatch.catalogue import load_catalogue as layers
    from gibswatch.models import load_model
    from gibswatch.scan import inspect, scan

__all__ = ["inspect", "layers", "load_model", "open_archive", "scan"]

_HOMES = {
    "inspect": ("gibswatch.scan.inspecting.inspection", "inspect"),
    "layers": ("gibswatch.catalogue.layers", "load_catalogue"),
    "load_model": ("gibswatch.models.predict", "load_model"),
    "open_archive": ("gibswatch.archive.reader", "open_archive"),
    "scan": ("gibswatch.scan.pipeline", "scan"),
}


def __getattr__(name: str) -> Any:
    """Import a public function when it is first used, so that the command line starts quickly."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gibswatch' has no attribute {name!r}")
    import importlib  # noqa: PLC0415

    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return __all__
