"""The main job: observe, judge, and write down what was found.

The room has the name of its main function: ``gibswatch.scan(...)`` must work whether this package
was imported before or not, so the module itself can be called.
"""

import sys
from types import ModuleType
from typing import Any

from gibswatch.scan.findings import item_to_json, items_to_json, write_days, write_findings
from gibswatch.scan.judge import Picture, Workers, judge_pictures
from gibswatch.scan.pictures import ArchivedDay, PictureFile, PictureRef, date_in_name
from gibswatch.scan.pipeline import ProgressCallback, ScanResult, inspect, scan

__all__ = [
    "ArchivedDay",
    "Picture",
    "PictureFile",
    "PictureRef",
    "ProgressCallback",
    "ScanResult",
    "Workers",
    "date_in_name",
    "inspect",
    "item_to_json",
    "items_to_json",
    "judge_pictures",
    "scan",
    "write_days",
    "write_findings",
]


class _CallableRoom(ModuleType):
    """Passes a call of the module on to its function `scan`."""

    def __call__(self, *args: Any, **kwargs: Any) -> ScanResult:
        return scan(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableRoom
