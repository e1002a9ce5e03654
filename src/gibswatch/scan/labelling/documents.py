"""Labels of an archive as plain JSON values, for others to build on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gibswatch.scan.labelling.agreement import AgreementRow
from gibswatch.scan.labelling.comparison import Comparison, Disagreement
from gibswatch.scan.labelling.run import LabelResult
from gibswatch.scan.labelling.suggest import Suggestion
from gibswatch.scan.outputs.findings import items_to_json
from gibswatch.types import Kind

__all__ = ["label_to_json"]


def label_to_json(done: LabelResult) -> dict[str, Any]:
    """The document that ``label --json`` prints: that of ``scan --json``, and what is said more."""
    outcome, suggested = done.outcome, done.suggestions
    return {
        **items_to_json(done.result.layer, done.result.items),
        "labels": None
        if outcome is None
        else {
            "file": str(outcome.path),
            "written": outcome.labelled,
            "kept": outcome.kept,
            "left_out": [
                {"date": str(item.date), "verdict": item.verdict, "reason": item.reason}
                for item in done.left_out
            ],
        },
        "against": None if done.against is None else str(done.against),
        "agreement": None if done.comparison is None else _comparison(done.comparison),
        "suggestions": None if suggested is None else [_suggestion(day) for day in suggested],
    }


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        "labelled": found.labelled,
        "judged": found.judged,
        "not_judged": found.not_judged,
        "without_picture": found.without_picture,
        "not_labelled": found.not_labelled,
        "told_by_sky": found.told_by_sky,
        "pictures": [_row(row) for row in found.pictures],
        "sky": [_row(row) for row in found.sky],
        "disagreements": [_disagreement(day) for day in found.disagreements],
    }


def _row(row: AgreementRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "their_codes": _codes(row.theirs),
        "our_kinds": _codes(row.ours),
        "both": row.both,
        "by_chance": round(row.by_chance, 2),
        "only_theirs": row.only_theirs,
        "only_ours": row.only_ours,
        "neither": row.neither,
        "agreement": None if row.agreement is None else round(row.agreement, 4),
        "kappa": None if row.kappa is None else round(row.kappa, 4),
    }


def _disagreement(day: Disagreement) -> dict[str, Any]:
    return {
        "date": day.date.isoformat(),
        "theirs": _codes(day.theirs),
        "ours": _codes(day.ours),
        "nature": day.nature,
        "reason": day.reason,
        "by": "picture" if day.has_picture else "sky",
    }


def _suggestion(day: Suggestion) -> dict[str, Any]:
    return {
        "date": day.date.isoformat(),
        "verdict": day.verdict,
        "score": round(day.score, 4),
        "kinds": _codes(day.kinds),
        "worth": round(day.worth, 4),
        "why": day.why,
    }


def _codes(codes: Iterable[Kind]) -> list[int]:
    return sorted(int(code) for code in codes)
