"""The tables of a scan and its `scan.json`, with the days of earlier scans that still hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from gibswatch.errors import ArchiveError, UsageError
from gibswatch.scan.outputs.findings import write_days, write_days_csv, write_findings
from gibswatch.scan.outputs.stored import read_scan, write_scan
from gibswatch.scan.result import DaySky, ScanResult
from gibswatch.types import DayItem

__all__ = ["earlier_days", "write_tables"]


def write_tables(result: ScanResult) -> ScanResult:
    """Write what a scan found, beside what earlier scans found on other days.

    Days outside of the scan's range stay in the tables if they were judged by the same method on
    the same grid; of a day that both judged the newest judgement is kept.

    Parameters
    ----------
    result : ScanResult
        With a folder.

    Returns
    -------
    ScanResult
        The same, with a note on what stayed.

    Raises
    ------
    OutputError
        If the folder cannot take a file.
    """
    folder = result.folder
    if folder is None:
        raise ValueError("a scan of loose files has no place of its own")
    earlier, skies, note = _earlier(result)
    result = replace(result, notes=(*result.notes, note)) if note else result
    items = sorted((*earlier, *result.items), key=lambda item: item.date or dt.date.min)
    both = replace(result, items=tuple(items), skies={**skies, **result.skies})
    write_days(folder / "days.parquet", both.items)
    write_days_csv(folder / "days.csv", both.items)
    write_findings(folder / "findings.parquet", both.items)
    write_scan(both)
    return result


def earlier_days(result: ScanResult) -> list[DayItem]:
    """Return the days of earlier scans that stay in the tables: same method, same grid."""
    return _earlier(result)[0]


def _earlier(result: ScanResult) -> tuple[list[DayItem], Mapping[dt.date, DaySky], str | None]:
    """Days of earlier scans that stay, what they were judged by, and what to say of them."""
    if result.folder is None or result.start is None or result.stop is None:
        return [], {}, None
    try:
        before = read_scan(result.folder, whole=True)
    except UsageError:  # there was none
        return [], {}, None
    except ArchiveError as error:
        return [], {}, f"{error}; days of earlier scans are left out of the tables"
    start, stop = result.start, result.stop
    dated = [(item.date, item) for item in before.items if item.date is not None]
    others = [(day, item) for day, item in dated if not start <= day < stop]
    if not others:
        return [], {}, None
    count = f"{len(others)} day{'' if len(others) == 1 else 's'} of earlier scans"
    if (before.layer, before.method, before.grid) != (result.layer, result.method, result.grid):
        return [], {}, f"{count} leave the tables: method {before.method}, {before.grid}"
    skies = {day: before.skies[day] for day, _ in others if day in before.skies}
    note = f"{count} stay in the tables; the report shows the range of this one"
    return [item for _, item in others], skies, note
