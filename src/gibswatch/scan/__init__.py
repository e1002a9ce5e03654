"""The main job: observe, judge, and write down what was found."""

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
