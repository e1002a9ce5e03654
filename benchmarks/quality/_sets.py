"""Days of a benchmark set, made on the way: pictures as files, truth as small arrays beside them.

The days are those of `gibswatch bench build` (same set, seed, specifications); a coarser pixel may
be asked for, since a set at full size takes hours.  What is there already is not made again.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import fnmatch
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gibswatch.catalogue import find_layer, plan_grid
from gibswatch.files import atomic_path
from gibswatch.scan.pictures import Picture, PictureFile, date_in_name
from gibswatch.simulate.bench import read_set
from gibswatch.simulate.bench.build import plan_orders
from gibswatch.simulate.bench.definition import ArchivePlan
from gibswatch.simulate.days.day import simulate_day
from gibswatch.simulate.days.spec import DaySpec
from gibswatch.types import BBox, BoolArray, ByteArray, Epsg, Georeference

__all__ = [
    "Archive", "DayTruth", "add_set_options", "archive_pictures", "chosen_archives", "make_archive",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class DayTruth:
    """What is true of one picture."""

    day: dt.date
    label: ByteArray
    """(rows, cols): code of each pixel, 0 where all is well."""
    visible: BoolArray
    """Where a fault can be seen."""
    region: ByteArray
    black: BoolArray
    """The picture as drawn, before its encoding, has no imagery."""
    document: dict[str, Any]
    """Regions and parameters."""


@dataclass(frozen=True)
class Archive:
    """Pictures of one layer, and the truth about them."""

    plan: ArchivePlan
    layer: str
    georeference: Georeference
    files: tuple[Path, ...]

    @property
    def epsg(self) -> Epsg:
        """Code of the projection."""
        return self.georeference.epsg

    @property
    def bounds(self) -> BBox:
        """Of every picture."""
        return self.georeference.bbox

    def truths(self) -> Iterator[DayTruth]:
        """Read the truth of each picture, in their order."""
        for path in self.files:
            yield _read_truth(path.with_suffix(".npz"))


def add_set_options(parser: argparse.ArgumentParser, archives: Sequence[str]) -> None:
    """Add the options that say which days of a set are made, and where they are kept."""
    parser.add_argument("--set", default="quality-1")
    parser.add_argument("--part", default="test", choices=["tune", "test"])
    parser.add_argument("--archives", nargs="*", default=list(archives))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--coarser", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("bench-days"))


def chosen_archives(name: str, part: str, patterns: Sequence[str]) -> list[ArchivePlan]:
    """Archives of a part of a set whose names match one of the patterns."""
    return [
        archive
        for archive in read_set(name).archives
        if archive.part == part and any(fnmatch.fnmatch(archive.name, p) for p in patterns)
    ]


def make_archive(
    set_name: str, plan: ArchivePlan, seed: int, folder: Path, *, coarser: int = 1, layer: int = 0
) -> Archive:
    """Make what is not there of the pictures of one layer of an archive.

    Parameters
    ----------
    set_name : str
    plan : ArchivePlan
    seed : int
    folder : Path
        Keeps pictures and truth.
    coarser : int
        Times the pixel of the set's grid, for EPSG:4326.
    layer : int
        Number of the layer in the plan.
    """
    order = plan_orders(read_set(set_name), plan, seed, folder)[layer]
    whole = plan_grid(order.grid, find_layer(order.layer).matrix_set(order.grid.epsg)).georeference
    georeference = _coarser(whole, coarser if whole.epsg == 4326 else 1)
    home = folder / f"{set_name}-{seed}" / plan.name / f"{order.layer}-{georeference.cols}"
    home.mkdir(parents=True, exist_ok=True)
    files = [_make_day(spec, georeference, home) for spec in order.specs]
    return Archive(plan, order.layer, georeference, tuple(files))


def archive_pictures(archive: Archive) -> list[Picture]:
    """Pictures of an archive, as the passes of a scan take them."""
    known = find_layer(archive.layer)
    return [
        Picture(
            PictureFile(path, known, date_in_name(path), archive.epsg, archive.bounds),
            archive.layer, str(path), "name",
        )
        for path in archive.files
    ]  # fmt: skip


def _coarser(whole: Georeference, factor: int) -> Georeference:
    return dataclasses.replace(
        whole,
        pixel_width=whole.pixel_width * factor,
        pixel_height=whole.pixel_height * factor,
        rows=whole.rows // factor,
        cols=whole.cols // factor,
    )


def _make_day(spec: DaySpec, georeference: Georeference, home: Path) -> Path:
    path = home / f"{spec.day}.{spec.image_format}"
    if path.is_file() and path.with_suffix(".npz").is_file():
        return path
    made = simulate_day(spec, georeference)
    document = {
        "regions": [dataclasses.asdict(region) for region in made.truth.regions],
        **made.truth.parameters,
    }
    with atomic_path(path.with_suffix(".npz")) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            label=made.truth.label,
            visible=np.packbits(made.truth.visible),
            region=made.truth.region,
            black=np.packbits((made.drawn[..., :3] == 0).all(axis=-1)),
            document=np.frombuffer(json.dumps(document, default=str).encode(), dtype=np.uint8),
        )
    with atomic_path(path) as temporary:
        temporary.write_bytes(made.data)
    return path


def _read_truth(path: Path) -> DayTruth:
    with np.load(path) as stored:
        label = stored["label"]
        planes = {
            name: np.unpackbits(stored[name], count=label.size).reshape(label.shape).astype(bool)
            for name in ("visible", "black")
        }
        document = json.loads(stored["document"].tobytes())
        return DayTruth(
            dt.date.fromisoformat(path.stem), label, planes["visible"], stored["region"],
            planes["black"], document,
        )  # fmt: skip
