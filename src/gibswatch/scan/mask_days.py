"""The satellite's layer of no data, brought into the archive beside the layer that is scanned."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gibswatch.archive.ingest.run import download_days
from gibswatch.archive.reader import Archive
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import Grid, plan_grid
from gibswatch.download.plan import plan_days
from gibswatch.errors import DateRangeError, GridMismatchError, NothingFetchedError, RunStoppedError
from gibswatch.scan.judging.siblings import mask_layer_of
from gibswatch.settings import Settings

__all__ = ["MaskPlan", "fetch_masks", "plan_masks"]


@dataclass(frozen=True, slots=True)
class MaskPlan:
    """What ``--with-mask`` will download."""

    layer: Layer
    grid: Grid
    days: tuple[dt.date, ...]


def plan_masks(
    root: Path, layer: Layer, grid: Grid, days: Sequence[dt.date], span: tuple[dt.date, dt.date]
) -> MaskPlan:
    """Plan the mask layer on the grid of the layer, before anything is downloaded.

    Parameters
    ----------
    root : Path
        The archive's.
    layer : Layer
        That is scanned.
    grid : Grid
        Of its pictures.
    days : sequence of datetime.date
        To be scanned.
    span : tuple of datetime.date
        The half-open range that was asked for.

    Raises
    ------
    UsageError
        If the satellite has no such layer, or none in this projection.
    GridMismatchError
        If the archive holds the mask layer on pixels that are not those of the layer.
    """
    masks = mask_layer_of(layer.identifier, grid.epsg)
    stored = None if grid.picture_format in ("jpg", "png") else grid.picture_format
    wanted = replace(grid, picture_format=stored)
    held = Archive(root).grid(masks.identifier, grid.epsg)
    if held is not None and _pixels(held, masks) != _pixels(wanted, masks):
        raise GridMismatchError(
            f"--with-mask: {root} holds {masks.identifier} on another grid ({held}) than "
            f"{layer.identifier} ({grid}): scan into another --output-dir, or leave --with-mask out"
        )
    try:
        known = frozenset(plan_days(masks, *span).days)
    except DateRangeError:  # the mask layer begins later
        known = frozenset()
    both = tuple(day for day in days if day in known)
    return MaskPlan(masks, held or wanted, both)


def fetch_masks(
    root: Path, plan: MaskPlan, settings: Settings, on_progress: Callable[[str, int, int], None]
) -> str | None:
    """Download the mask layer; return what a person should know of it, or None.

    Days without a whole mask are judged without it: it is a second witness, never the only one.
    """
    if not plan.days:
        return f"{plan.layer.identifier} has none of these days: judged without it"
    done = itertools.count(1)
    try:
        summary = download_days(
            root, plan.layer, plan.grid, plan.days, settings,
            on_day=lambda _day: on_progress("mask layer", next(done), len(plan.days)),
        )  # fmt: skip
    except (NothingFetchedError, RunStoppedError) as error:
        return f"{plan.layer.identifier} could not be fetched ({error}): judged without it"
    lacking = summary.days - summary.days_kept - summary.days_complete
    if not lacking:
        return None
    return f"{plan.layer.identifier} is not whole on {lacking} days: judged without it there"


def _pixels(grid: Grid, layer: Layer) -> object:
    return plan_grid(grid, layer.matrix_set(grid.epsg)).georeference
