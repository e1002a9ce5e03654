"""Simulated days on disk: an archive as a download leaves it, with the truth and labels beside."""

from __future__ import annotations

from gibswatch.simulate.archiving.day_files import read_truth_document, truth_folder
from gibswatch.simulate.archiving.specs import (
    FaultChoice,
    Source,
    check_split,
    clean_day,
    describe_origin,
    fault_area,
    planted_fault,
    read_elements,
    read_fault_choice,
    specify_days,
)
from gibswatch.simulate.archiving.truth_files import NO_VALUE, TRUTH_BANDS, Band
from gibswatch.simulate.archiving.writer import ArchiveOrder, WriteSummary, write_archives

__all__ = [
    "NO_VALUE",
    "TRUTH_BANDS",
    "ArchiveOrder",
    "Band",
    "FaultChoice",
    "Source",
    "WriteSummary",
    "check_split",
    "clean_day",
    "describe_origin",
    "fault_area",
    "planted_fault",
    "read_elements",
    "read_fault_choice",
    "read_truth_document",
    "specify_days",
    "truth_folder",
    "write_archives",
]
