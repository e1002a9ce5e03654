"""What is wrong with a day: one file a kind of fault, and the verdict."""

from gibswatch.detect.context import REASON_CODES, Context, Detection, OtherPicture, Region, Witness
from gibswatch.detect.registry import METHODS, Method, get_method
from gibswatch.detect.verdict import Judgement, decide

__all__ = [
    "METHODS",
    "REASON_CODES",
    "Context",
    "Detection",
    "Judgement",
    "Method",
    "OtherPicture",
    "Region",
    "Witness",
    "decide",
    "get_method",
]
