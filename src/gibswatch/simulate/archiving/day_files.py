"""The files of one simulated day: written so that its document, the last, says that all are there.

Processes that make days write them too, each file whole or not at all: nothing large goes from one
process to another, and a day that was finished when a run was killed is not made again.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gibswatch.archive import Layout, WrittenFile
from gibswatch.archive.pictures.staging import remove_leftovers
from gibswatch.files import storage_errors, within, write_bytes
from gibswatch.simulate.archiving.truth_files import (
    Words,
    day_document,
    truth_files,
    truth_planes,
    truth_raster,
)
from gibswatch.simulate.days.day import simulate_day
from gibswatch.simulate.days.spec import DaySpec
from gibswatch.types import Georeference

__all__ = ["held_day", "read_truth_document", "truth_folder", "write_day"]

_DOCUMENT, _CLEAN, _LABEL = ".json", "_Clean.png", "_Label.png"


def truth_folder(layout: Layout, day: dt.date) -> Path:
    """Where the truth about a day lies."""
    return within(layout.root, str(layout.epsg), day.isoformat(), "truth")


def read_truth_document(layout: Layout, day: dt.date) -> dict[str, Any] | None:
    """Return what `day_document` said of a day; None where it does not lie there."""
    path = truth_folder(layout, day) / f"{layout.layer}{_DOCUMENT}"
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_day(layout: Layout, spec: DaySpec, georeference: Georeference) -> int:
    """Make a day and write its files, the document last; the number of bytes.

    Only for whoever holds the layer's lock, or was started by who does.

    Raises
    ------
    OutputError
        If the folder cannot take them.
    """
    picture, planes, files = _made(spec, georeference)
    files[".tif"] = truth_raster(planes, georeference)
    folder = truth_folder(layout, spec.day)
    _clear(layout, spec.day)
    write_bytes(layout.picture(spec.day, spec.image_format), picture)
    write_bytes(layout.world_file(spec.day), _world_file(georeference))
    for ending in sorted(files, key=lambda ending: ending == _DOCUMENT):
        write_bytes(folder / f"{layout.layer}{ending}", files[ending])
    return len(picture) + sum(map(len, files.values()))


def _made(spec: DaySpec, georeference: Georeference) -> tuple[bytes, Words, dict[str, bytes]]:
    """Make a day: its picture, its planes and its other files.

    The truth itself, half a gigabyte of a large day, ends here, before the raster takes its own.
    """
    day = simulate_day(spec, georeference)
    planes = truth_planes(day)
    document = {**day_document(day, planes), "specification": _digest(spec, georeference)}
    return day.data, planes, truth_files(day, document)


def _clear(layout: Layout, day: dt.date) -> None:
    """Remove what a killed run left, and what must not outlive the picture that it is about."""
    folder, layer = truth_folder(layout, day), layout.layer
    for place in (layout.day_folder(day), folder):
        remove_leftovers(place, layer)
    with storage_errors(folder):
        for ending in (_LABEL, _CLEAN):
            for path in folder.glob(f".part-{layer}{ending}-*"):
                path.unlink(missing_ok=True)
        for ending in (_DOCUMENT, _CLEAN):
            (folder / f"{layer}{ending}").unlink(missing_ok=True)


def held_day(layout: Layout, spec: DaySpec, georeference: Georeference) -> WrittenFile | None:
    """Return the picture of a day that lies there whole, as it is asked for, with its truth."""
    document = read_truth_document(layout, spec.day)
    if document is None or document.get("specification") != _digest(spec, georeference):
        return None
    folder = truth_folder(layout, spec.day)
    names = [f"{layout.layer}.tif", f"{layout.layer}{_LABEL}"]
    names += [document["clean"]] if document.get("clean") else []
    if not all((folder / name).is_file() for name in names):
        return None
    path = layout.picture(spec.day, spec.image_format)
    try:
        data = path.read_bytes()
    except OSError:
        return None
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != document.get("picture_sha256") or not layout.world_file(spec.day).is_file():
        return None
    return WrittenFile(path.relative_to(layout.root).as_posix(), len(data), sha256)


def _digest(spec: DaySpec, georeference: Georeference) -> str:
    """SHA-256 of everything that a day follows from, this version of the simulator among it."""
    parts = [_version(), asdict(spec), asdict(georeference)]
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def _version() -> str:
    return version("gibswatch")


def _world_file(g: Georeference) -> bytes:
    """Six lines: pixel width, two rotations, minus pixel height, centre of the first pixel."""
    centre = (g.west + g.pixel_width / 2, g.north - g.pixel_height / 2)
    values = (g.pixel_width, 0.0, 0.0, -g.pixel_height, *centre)
    return "".join(f"{value:.12g}\n" for value in values).encode()
