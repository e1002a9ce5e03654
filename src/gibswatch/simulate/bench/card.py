"""The data card of a set: what is in it, by which seed and years; JSON and Markdown."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gibswatch.archive import Journal, Layout
from gibswatch.errors import UsageError
from gibswatch.files import write_bytes
from gibswatch.simulate.archiving.day_files import read_truth_document
from gibswatch.simulate.bench.definition import PARTS, ArchivePlan, BenchSet
from gibswatch.types import KIND_NAMES, Kind

__all__ = ["read_card", "write_card"]

_CARD = "card.json"
_WHAT = (
    "Each archive is a folder that `gibswatch scan` judges without a download. Its label files "
    "say the codes of each day, the folder `truth` of a day the rest: planes (`.tif`), label "
    "(`_Label.png`), the picture without its fault (`_Clean.png`) and a document (`.json`)."
)
_SPLIT = (
    "Years, and so events and seeds, are of one part only: thresholds and normals come from "
    "`tune`, figures from `test`."
)
_MOST_BYTES = 64 * 2**20


def read_card(output: Path) -> dict[str, Any] | None:
    """Return the card of a folder; None where there is none.

    Raises
    ------
    UsageError
        If there is one that cannot be read.
    """
    path = output / _CARD
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{path} is too large for a card: name another --output")
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is damaged ({error}): name another --output") from error
    if not isinstance(found, dict):
        raise UsageError(f"{path} is no card: name another --output")
    return found


def write_card(
    chosen: BenchSet, seed: int, output: Path, layouts: Mapping[str, Sequence[Layout]]
) -> dict[str, Any]:
    """Say what of the set is there, in ``card.json`` and ``README.md``.

    Parameters
    ----------
    chosen : BenchSet
    seed : int
    output : Path
    layouts : Mapping
        Where the layers of each archive lie, by its name.

    Returns
    -------
    dict
        The card.  Its hashes are of pictures and truth alone, so that two builds of one seed have
        the same card.
    """
    archives = [_archive(archive, layouts[archive.name]) for archive in chosen.archives]
    card = {
        "set": chosen.name,
        "version": chosen.version,
        "seed": seed,
        "purpose": chosen.purpose,
        "gibswatch": version("gibswatch"),
        "codes": {str(int(kind)): name for kind, name in KIND_NAMES.items()},
        "parts": {part: _total(chosen, part, archives) for part in PARTS},
        "archives": archives,
        "sha256": _joined(archive["sha256"] for archive in archives),
    }
    text = json.dumps(card, indent=1, allow_nan=False, sort_keys=True)
    write_bytes(output / _CARD, f"{text}\n".encode())
    write_bytes(output / "README.md", _readme(card).encode())
    return card


def _archive(archive: ArchivePlan, layouts: Sequence[Layout]) -> dict[str, Any]:
    layers = [_layer(archive, layout) for layout in layouts]
    return {
        "name": archive.name,
        "part": archive.part,
        "serves": archive.serves,
        "satellite_tracks": "two-line elements" if archive.tle else "gibswatch.sky.orbit",
        "earth": "invented" if archive.invented else "Blue Marble",
        "grid": str(archive.grid),
        "epsg": archive.grid.epsg,
        "first_day": str(archive.dates[0]),
        "last_day": str(archive.dates[-1]),
        "days": archive.days,
        "faulty_days": archive.faulty_days,
        "recipes": [str(recipe) for recipe in archive.recipes],
        "layers": layers,
        "complete": all(layer["days_there"] == archive.days for layer in layers),
        "sha256": _joined(layer["sha256"] for layer in layers),
    }


def _layer(archive: ArchivePlan, layout: Layout) -> dict[str, Any]:
    """What there is of one layer, by the documents of its days."""
    if layout.journal.is_file():
        with Journal(layout.journal) as journal:
            held = journal.days()
        found = [read_truth_document(layout, day) for day in archive.dates if day in held]
    else:
        found = []
    documents = [document for document in found if document is not None]
    codes: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    anomalous = 0
    for document in documents:
        codes.update(str(code) for code in document["codes"])
        faults.update(region["kind"] for region in document["regions"])
        anomalous += any(Kind(code).is_fault for code in document["codes"])
    hashes = (f"{d['date']} {d['picture_sha256']} {d['truth_sha256']}" for d in documents)
    return {
        "layer": layout.layer,
        "labels": f"{archive.part}/{archive.name}/{layout.epsg}/{layout.layer}.txt",
        "days_there": len(documents),
        "anomalous_days": anomalous,
        "days_by_code": dict(sorted(codes.items())),
        "faults": dict(sorted(faults.items())),
        "sha256": _joined(hashes),
    }


def _total(chosen: BenchSet, part: str, archives: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    own = [archive for archive in archives if archive["part"] == part]
    plans = [archive for archive in chosen.archives if archive.part == part]
    layers = [layer for archive in own for layer in archive["layers"]]
    codes: Counter[str] = Counter()
    for layer in layers:
        codes.update(layer["days_by_code"])
    return {
        "archives": len(own),
        "days": sum(archive["days"] for archive in own),
        "pictures_there": sum(layer["days_there"] for layer in layers),
        "pictures_anomalous": sum(layer["anomalous_days"] for layer in layers),
        "pictures_by_code": dict(sorted(codes.items())),
        "years": sorted({day.year for plan in plans for day in plan.dates}),
        "layers": sorted({layer["layer"] for layer in layers}),
    }


def _joined(lines: Any) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _readme(card: Mapping[str, Any]) -> str:
    """The card for people."""
    lines = [
        f"# {card['set']}, version {card['version']}, seed {card['seed']}",
        "",
        f"{card['purpose']} Simulated by Gibswatch {card['gibswatch']}; no satellite has seen it.",
        "",
        _WHAT,
        "",
        _SPLIT,
        "",
        "| part | archives | days | pictures there | anomalous | by code | years |",
        "|---|---|---|---|---|---|---|",
    ]
    for part, total in card["parts"].items():
        codes = ", ".join(f"{code}: {n}" for code, n in total["pictures_by_code"].items())
        years = ", ".join(map(str, total["years"]))
        lines.append(
            f"| {part} | {total['archives']} | {total['days']} | {total['pictures_there']} | "
            f"{total['pictures_anomalous']} | {codes} | {years} |"
        )
    lines += ["", "| archive | serves | layers | grid | days | tracks | there | SHA-256 |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for archive in card["archives"]:
        layers = ", ".join(layer["layer"] for layer in archive["layers"])
        there = ", ".join(f"{layer['days_there']}" for layer in archive["layers"])
        lines.append(
            f"| {archive['part']}/{archive['name']} | {archive['serves']} | {layers} | "
            f"{archive['grid']} | {archive['first_day']} to {archive['last_day']} | "
            f"{archive['satellite_tracks']} | {there} of {archive['days']} | "
            f"{archive['sha256'][:12]} |"
        )
    codes = "; ".join(f"{code} {name}" for code, name in card["codes"].items())
    lines += ["", f"Codes: {codes}.", "", f"SHA-256 of pictures and truth: {card['sha256']}", ""]
    return "\n".join(lines)
