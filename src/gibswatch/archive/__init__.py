"""The data set on disk: where things lie, what the journal knows, how days get in and out."""

from gibswatch.archive.ingest import DayOutcome, DownloadSummary, download_days
from gibswatch.archive.journal import DayRecord, Journal, TileRecord, WrittenFile
from gibswatch.archive.layout import Layout
from gibswatch.archive.reader import Archive, choose_grid, open_archive

__all__ = [
    "Archive",
    "DayOutcome",
    "DayRecord",
    "DownloadSummary",
    "Journal",
    "Layout",
    "TileRecord",
    "WrittenFile",
    "choose_grid",
    "download_days",
    "open_archive",
]
