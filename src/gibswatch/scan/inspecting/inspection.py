"""`inspect` judges pictures that lie anywhere: many of one layer together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from gibswatch.catalogue.grids import check_epsg, tile_matrix_set
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import check_bbox
from gibswatch.detect.registry import DEFAULT_METHOD, get_method
from gibswatch.download.wms import find_picture_layer
from gibswatch.errors import DateRangeError, UsageError
from gibswatch.raster.codec import picture_shape
from gibswatch.scan.arguments import BoxLike, DayLike, as_box, as_day, as_paths, as_workers
from gibswatch.scan.inspecting.loose import judge_loose
from gibswatch.scan.judging.hues import HueTally, hue_tally
from gibswatch.scan.judging.judge import Workers, fit_sightings, judge_sightings, observe_pictures
from gibswatch.scan.judging.orbits import imaging_satellite
from gibswatch.scan.model_scores import check_model, model_note
from gibswatch.scan.pictures import Picture, PictureFile, date_in_name
from gibswatch.scan.result import ProgressCallback, ScanResult, silent
from gibswatch.types import BBox, DateSource, DayItem, Epsg, Georeference

__all__ = ["inspect"]


def inspect(
    files: Sequence[Path | str] | Path | str,
    layer: str,
    *,
    date: DayLike | None = None,
    bounds: BoxLike | None = None,
    epsg: int = 4326,
    mask_dir: Path | str | None = None,
    method: str = DEFAULT_METHOD,
    model: Path | str | None = None,
    workers: Workers | int | None = None,
    on_progress: ProgressCallback | None = None,
) -> ScanResult:
    """Judge pictures that lie anywhere, many of one layer together.

    The orbit is fitted to the gaps of all of them.  A picture that is none of its layer, or not
    where its bounds put it, is `incomplete`, and the reason says why.  One whose night or gaps are
    another day's is `anomalous`, with a finding of kind 8.  One without a date is judged by the
    dates that its night fits, and is anomalous only if it is so under all of them; `date` is then
    the likeliest, `date_candidates` are all, in a year that is a guess unless dated pictures stand
    beside it.

    Parameters
    ----------
    files : sequence of path, or one path
        JPEG or PNG.
    layer : str
    date : date or str, optional
        Of a single picture; else the date comes from each file's name.
    bounds : BBox or four numbers W S E N, optional
        Of every picture, in units of the projection; None is the projection's whole extent.  In
        EPSG:4326 they may hang over the globe in the south and east, as GIBS's edge tiles do.
    epsg : {4326, 3413, 3031, 3857}
    mask_dir : path, optional
        Where masks of what is found are written.
    method, model, workers, on_progress
        As in `scan`.

    Raises
    ------
    UsageError
        If a file is missing, a date is given for several files, or the model is none of these
        pictures.
    MissingExtraError
        If a model is named and the extra ``models`` is not installed.
    """
    get_method(method)
    known, code = find_picture_layer(layer), check_epsg(epsg)
    extent = tile_matrix_set(code, known.matrix_set(code)).extent
    asked = as_box(bounds)
    box = extent if asked is None else check_bbox(code, _with_overhang(extent, code), asked)
    paths = as_paths(files)
    given = None if date is None else as_day(date)
    if given is not None and len(paths) > 1:
        raise DateRangeError(f"--date {given} is one day, but {len(paths)} files are given")
    masks = _mask_paths(paths, None if mask_dir is None else Path(mask_dir))
    refs = [_file(path, known, given, code, box) for path in paths]
    scored_by = None if model is None else check_model(model, known.identifier, _places(refs))
    pictures = [
        Picture(
            ref, known.identifier, str(ref.path), _source(ref, given), {}, mask, model=scored_by
        )
        for ref, mask in zip(refs, masks, strict=True)
    ]
    notes = _shape_notes(paths, box)
    spread, tell = as_workers(workers), on_progress or silent
    satellite = imaging_satellite(known.identifier)
    if satellite is not None and method == DEFAULT_METHOD:
        judged = judge_loose(
            pictures, satellite, doubted=bool(notes), workers=spread, on_progress=tell
        )
        items, orbits = judged.items, judged.orbits
    else:
        hues, orbits = hue_tally(method), ()
        items = _judge_by(method, pictures, spread, tell, hues)
        notes = notes if hues is None else (*notes, hues.summary())
    told = (*notes, model_note(items)) if model_note(items) else notes
    return ScanResult(known.identifier, method, items, notes=told, orbits=orbits)


def _file(path: Path, layer: Layer, given: dt.date | None, epsg: Epsg, box: BBox) -> PictureFile:
    if not path.is_file():
        raise UsageError(f"{path} is no file: name JPEG or PNG pictures")
    return PictureFile(path, layer, given or date_in_name(path), epsg, box)


def _source(ref: PictureFile, given: dt.date | None) -> DateSource:
    return "option" if given else "name" if ref.date else "none"


def _places(refs: Sequence[PictureFile]) -> list[Georeference]:
    """Where pixels of the pictures lie; damaged ones are told of when they are judged."""
    shapes = ((ref, picture_shape(ref.path)) for ref in refs)
    return [ref.georeference(*shape) for ref, shape in shapes if shape is not None]


def _with_overhang(extent: BBox, epsg: int) -> BBox:
    """Extent within which bounds may lie: GIBS's edge tiles of EPSG:4326 hang over the globe."""
    return BBox(-180.0, -198.0, 396.0, 90.0) if epsg == 4326 else extent


def _judge_by(
    method: str,
    pictures: Sequence[Picture],
    workers: Workers,
    tell: ProgressCallback,
    hues: HueTally | None,
) -> tuple[DayItem, ...]:
    """Judge as asked, and ask no more: baselines, and layers that are not a satellite's imagery."""
    seen = observe_pictures(pictures, workers=workers, on_progress=tell, hues=hues)
    orbits = fit_sightings(seen, pictures[0].layer)
    return tuple(
        judge_sightings(
            seen, len(seen),
            method=method, workers=workers, on_progress=tell, orbits=orbits, hues=hues,
        )
    )  # fmt: skip


def _shape_notes(paths: Sequence[Path], box: BBox) -> tuple[str, ...]:
    """Say so where a picture's pixels would be oblong: its bounds are probably others."""
    wanted = (box.east - box.west) / (box.north - box.south)
    for path in paths:
        shape = picture_shape(path)
        if shape is not None and not 0.9 < shape[1] / shape[0] / wanted < 1.1:
            note = (
                f"{path.name} has {shape[1]}x{shape[0]} pixels, which does not fit bounds {box}: "
                "are these its --bounds?"
            )
            return (note,)
    return ()


def _mask_paths(paths: Sequence[Path], folder: Path | None) -> list[Path | None]:
    """Name a mask after its picture; after the folders above too where pictures share a name."""
    if folder is None:
        return [None] * len(paths)
    names = [path.stem for path in paths]
    depth = 1
    while len(set(names)) < len(names) and depth < max(len(path.parts) for path in paths):
        depth += 1
        names = ["_".join((*path.parts[-depth:-1], path.stem)) for path in paths]
    if len(set(names)) < len(names):
        raise UsageError("a picture is named twice: name each once")
    return [folder / f"{name}_mask.png" for name in names]
