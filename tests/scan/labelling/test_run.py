"""`label_archive` as a function: what it leaves alone, and what it gives back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gibswatch.archive.own_labels import read_own
from gibswatch.errors import ArchiveError, UsageError
from gibswatch.scan import label_archive, scan
from gibswatch.settings import read_settings
from gibswatch.simulate import EmbeddedServer
from gibswatch.types import Kind

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
HOLE = dt.date(2023, 8, 8)


@pytest.fixture
def archive(server: EmbeddedServer, tmp_path: Path) -> Path:
    """Six days that were downloaded and scanned; the hole is on the third."""
    settings = read_settings(base_url=server.base_url)
    scan(
        LAYER, "2023-08-06", "2023-08-12", root=tmp_path, bbox=(-36, -36, 36, 36),
        settings=settings, outputs=["labels"],
    )  # fmt: skip
    return tmp_path


def test_after_a_scan_nothing_changes_and_nothing_is_asked(
    archive: Path, server: EmbeddedServer
) -> None:
    labels = archive / f"4326/{LAYER}.txt"
    record = archive / f"4326/.gibswatch/{LAYER}.labelled.json"
    assert read_own(record) == {HOLE: frozenset({Kind.MISSING_UNEXPECTED})}
    kept = {path: path.read_bytes() for path in (labels, record, *archive.rglob("scans/**/*.*"))}
    server.requests.clear()
    done = label_archive(LAYER, root=archive, suggest=3)
    assert len(server.requests) == 0
    assert {path: path.read_bytes() for path in kept} == kept
    assert done.outcome is not None
    assert (done.outcome.labelled, done.outcome.kept) == (5, 1)
    assert done.result.verdicts == {"clean": 5, "anomalous": 1}
    assert done.suggestions is not None
    assert HOLE in {day.date for day in done.suggestions}  # ours, so nobody has seen it


def test_a_range_of_days_as_text(archive: Path) -> None:
    done = label_archive(LAYER, "2023-08-07", "2023-08-09", root=str(archive))
    assert [str(item.date) for item in done.result.items] == ["2023-08-07", "2023-08-08"]
    assert (done.result.start, done.result.stop) == (dt.date(2023, 8, 7), dt.date(2023, 8, 9))
    with pytest.raises(UsageError, match="in this range, only 2023-08-06 to 2023-08-11"):
        label_archive(LAYER, "2024-01-01", root=archive)


def test_what_cannot_be_done_is_told_before_a_picture_is_read(archive: Path) -> None:
    told: list[str] = []

    def tell(stage: str, _done: int, _total: int) -> None:
        told.append(stage)

    record = archive / f"4326/.gibswatch/{LAYER}.labelled.json"
    record.write_text("[]")
    with pytest.raises(ArchiveError, match="is damaged: remove it"):
        label_archive(LAYER, root=archive, on_progress=tell)
    with pytest.raises(UsageError, match="output 'maps' is not one of"):
        label_archive(LAYER, root=archive, outputs=["maps"], on_progress=tell)
    assert told == []
