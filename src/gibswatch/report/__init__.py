"""What people read: the report page of a scan."""

from gibswatch.report.page import write_report

__all__ = ["write_report"]
