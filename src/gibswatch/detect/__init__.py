"""What is wrong with a day: one file a kind of fault, and the verdict."""

from gibswatch.detect.context import Context, Detection, Region
from gibswatch.detect.registry import METHODS, Method, get_method
from gibswatch.detect.verdict import Judgement, decide

__all__ = [
    "METHODS",
    "Context",
    "Detection",
    "Judgement",
    "Method",
    "Region",
    "decide",
    "get_method",
]
