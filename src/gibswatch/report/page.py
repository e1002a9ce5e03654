"""The report of a scan: one HTML file that opens from disk and asks nobody for anything."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from gibswatch.archive.reader import Archive
from gibswatch.catalogue.acknowledgement import ACKNOWLEDGEMENT
from gibswatch.errors import ArchiveError, DecodeError
from gibswatch.files import write_bytes
from gibswatch.report.charts import picture_with_outline, timeline
from gibswatch.scan.pipeline import ScanResult
from gibswatch.types import KIND_NAMES, DayItem

__all__ = ["write_report"]

_MOST_PICTURES = 60
"""Flagged days shown with their picture, the highest scores first: keeps the file small."""


@dataclass(frozen=True, slots=True)
class _Card:
    """One flagged day."""

    item: DayItem
    picture: str | None
    """A ``data:`` address."""
    kinds: tuple[str, ...]


def write_report(result: ScanResult) -> Path:
    """Write ``report.html`` beside the tables of a scan, whole or not at all.

    Parameters
    ----------
    result : ScanResult
        Of `gibswatch.scan.scan`.

    Returns
    -------
    Path
        Of the report.

    Raises
    ------
    OutputError
        If the folder cannot take the file.
    """
    if result.folder is None or result.root is None or result.grid is None:
        raise ValueError("a report needs a scan of an archive, not of loose files")
    environment = Environment(
        loader=PackageLoader("gibswatch.report"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    flagged = [item for item in result.items if item.verdict == "anomalous"]
    flagged.sort(key=lambda item: -item.score)
    html = environment.get_template("report.html.j2").render(
        layer=result.layer,
        method=result.method,
        grid=str(result.grid),
        days=result.items,
        verdicts=sorted(result.verdicts.items()),
        flagged=[_card(result, item) for item in flagged[:_MOST_PICTURES]],
        more=max(0, len(flagged) - _MOST_PICTURES),
        others=[i for i in result.items if i.verdict not in ("anomalous", "clean")],
        notes=(*result.notes, *result.orbits),
        chart=timeline(result.items),
        written=dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        acknowledgement=ACKNOWLEDGEMENT,
    )
    path = result.folder / "report.html"
    write_bytes(path, html.encode())
    return path


def _card(result: ScanResult, item: DayItem) -> _Card:
    picture = None
    if result.root is not None and result.grid is not None and item.date is not None:
        try:
            scene = Archive(result.root).scene(item.layer, item.date, result.grid.epsg)
        except (ArchiveError, DecodeError):
            scene = None
        picture = None if scene is None else picture_with_outline(scene, item.mask)
    kinds = tuple(f"{int(f.kind)} {KIND_NAMES[f.kind]}" for f in item.findings)
    return _Card(item, picture, kinds)
