"""The data set on disk: where things lie, what the journal knows, how days get in and out."""

from gibswatch.archive.ingest.agenda import Agenda, plan_run
from gibswatch.archive.ingest.confirm import Confirmation, confirm_days
from gibswatch.archive.ingest.estimate import Estimate, estimate_run
from gibswatch.archive.ingest.run import download_days
from gibswatch.archive.ingest.summary import DayOutcome, DownloadSummary, problems_of
from gibswatch.archive.journal.journal import DayRecord, Journal, TileRecord, WrittenFile
from gibswatch.archive.labels import LabelFile, LabelLine, read_labels, write_labels
from gibswatch.archive.layout import Layout
from gibswatch.archive.reader import Archive, choose_grid, open_archive
from gibswatch.archive.split import ArchiveSplit, SplitResult, make_split, split_archive
from gibswatch.archive.standing import verdict_of_tiles
from gibswatch.archive.upkeep.adopt import AdoptReport, adopt_archive
from gibswatch.archive.upkeep.check import Fault
from gibswatch.archive.upkeep.verify import VerifyReport, verify_archive

__all__ = [
    "AdoptReport",
    "Agenda",
    "Archive",
    "ArchiveSplit",
    "Confirmation",
    "DayOutcome",
    "DayRecord",
    "DownloadSummary",
    "Estimate",
    "Fault",
    "Journal",
    "LabelFile",
    "LabelLine",
    "Layout",
    "SplitResult",
    "TileRecord",
    "VerifyReport",
    "WrittenFile",
    "adopt_archive",
    "choose_grid",
    "confirm_days",
    "download_days",
    "estimate_run",
    "make_split",
    "open_archive",
    "plan_run",
    "problems_of",
    "read_labels",
    "split_archive",
    "verdict_of_tiles",
    "verify_archive",
    "write_labels",
]
