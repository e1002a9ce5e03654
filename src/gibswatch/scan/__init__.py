"""The main job: observe, judge, and write down what was found.

The room has the name of its main function: ``gibswatch.scan(...)`` must work whether this package
was imported before or not, so the module itself can be called.
"""

import sys
from types import ModuleType
from typing import Any

from gibswatch.scan.inspecting.inspection import inspect
from gibswatch.scan.judging.judge import Workers, fit_sightings, judge_pictures
from gibswatch.scan.labelling.documents import label_to_json
from gibswatch.scan.labelling.run import LabelResult, label_archive
from gibswatch.scan.outputs.expected import expectation_of, georeference_of, reasons_of, scene_of
from gibswatch.scan.outputs.findings import (
    item_to_json,
    items_to_json,
    write_days,
    write_days_csv,
    write_findings,
)
from gibswatch.scan.outputs.labelled import LabelOutcome, label_days
from gibswatch.scan.outputs.rasters import OUTPUTS, REASON_COLOURS, Output
from gibswatch.scan.outputs.stored import read_scan, scan_folder, scanned_layers, write_scan
from gibswatch.scan.pictures import ArchivedDay, Picture, PictureFile, PictureRef, date_in_name
from gibswatch.scan.pipeline import scan
from gibswatch.scan.result import DaySky, ProgressCallback, ScanResult

__all__ = [
    "OUTPUTS",
    "REASON_COLOURS",
    "ArchivedDay",
    "DaySky",
    "LabelOutcome",
    "LabelResult",
    "Output",
    "Picture",
    "PictureFile",
    "PictureRef",
    "ProgressCallback",
    "ScanResult",
    "Workers",
    "date_in_name",
    "expectation_of",
    "fit_sightings",
    "georeference_of",
    "inspect",
    "item_to_json",
    "items_to_json",
    "judge_pictures",
    "label_archive",
    "label_days",
    "label_to_json",
    "read_scan",
    "reasons_of",
    "scan",
    "scan_folder",
    "scanned_layers",
    "scene_of",
    "write_days",
    "write_days_csv",
    "write_findings",
    "write_scan",
]


class _CallableRoom(ModuleType):
    """Passes a call of the module on to its function `scan`."""

    def __call__(self, *args: Any, **kwargs: Any) -> ScanResult:
        return scan(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableRoom
