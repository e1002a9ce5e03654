"""What people read: the report page of a scan, and that of a comparison of models."""

from gibswatch.report.disagreements import write_disagreements
from gibswatch.report.evaluation_page import PictureSource, write_evaluation
from gibswatch.report.page import write_report

__all__ = ["PictureSource", "write_disagreements", "write_evaluation", "write_report"]
