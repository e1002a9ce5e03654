"""The codes of judged days, put into the label file; what a person wrote there stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gibswatch.archive.labels import LabelLine, label_path, read_labels, write_labels
from gibswatch.archive.layout import Layout
from gibswatch.archive.own_labels import own_labels_path, read_own, write_own
from gibswatch.types import DayItem, Kind

__all__ = ["LabelOutcome", "check_labels", "label_days"]


@dataclass(frozen=True, slots=True)
class LabelOutcome:
    """What became of the label file."""

    path: Path
    labelled: int
    """Days whose line now says what the scan found."""
    kept: int
    """Days whose line had codes, and stayed as it was."""
    left_out: int
    """Days that were not judged."""

    def __str__(self) -> str:
        kept = f", {self.kept} kept with the codes that they have" if self.kept else ""
        left_out = f", {self.left_out} without a verdict left out" if self.left_out else ""
        return f"labels: {self.labelled} days written{kept}{left_out}; in {self.path}"


def check_labels(layout: Layout) -> None:
    """Read what `label_days` will read, before a long job is begun.

    Raises
    ------
    UsageError
        If the label file cannot be read.
    ArchiveError
        If the record of what was written before cannot be read.
    """
    read_labels(label_path(layout))
    read_own(own_labels_path(layout))


def label_days(layout: Layout, items: Sequence[DayItem]) -> LabelOutcome:
    """Write the codes of days that were judged into the layer's label file.

    Parameters
    ----------
    layout : Layout
    items : sequence of DayItem
        Clean and anomalous days get the kinds of their findings as codes, days without a finding
        none; all others are left out.

    Raises
    ------
    UsageError
        If the file that is there cannot be read.
    OutputError
        If it cannot be written.
    ArchiveError
        If the record of what was written before cannot be read.
    """
    path = label_path(layout)
    before = read_labels(path)
    known = before.labels
    lines: list[LabelLine] = []
    kept = left_out = 0
    for item in items:
        if item.date is None or item.verdict not in ("clean", "anomalous"):
            left_out += 1
            continue
        there = known.get(item.date)
        if there is not None and there.codes:
            kept += 1
            continue
        codes = tuple(sorted({Kind(finding.kind) for finding in item.findings}))
        lines.append(LabelLine(there.split if there else None, item.date, codes))
    if lines:
        _record(layout, lines)
        write_labels(path, before.with_lines(lines), before=before)
    return LabelOutcome(path, len(lines), kept, left_out)


def _record(layout: Layout, lines: Sequence[LabelLine]) -> None:
    """Write down which codes are ours, before they stand in the file.

    Where a run ends between the two, a line without a code stays what it is.
    """
    path = own_labels_path(layout)
    before = read_own(path)
    own = before | {line.date: frozenset(line.codes) for line in lines if line.codes}
    if own != before:
        write_own(path, own)
