"""What people read: the report page of a scan."""

from gibswatch.report.disagreements import write_disagreements
from gibswatch.report.page import write_report

__all__ = ["write_disagreements", "write_report"]
