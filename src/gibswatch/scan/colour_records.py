"""Records of a day's colours, packed: some 20 kB each, that travel to workers and back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.colour.statistics import ColourNormals, ColourObservation, learn_normals

__all__ = ["FEWEST_DAYS", "learn_packed", "pack_record", "unpack_record"]

FEWEST_DAYS = 4
"""Other days from which usual colours are believed: five pictures vouch for each other."""
_STEP = 1 / 250
"""Of what places show, in log ratios: a hundredth of what the steps are that are looked for."""
_NOTHING = -128


def pack_record(record: ColourObservation) -> bytes:
    """Pack what the first pass saw of a day's colours.

    What places show is kept in steps of 0.004, up to half a log ratio.
    """
    file = io.BytesIO()
    arrays = {
        "cells": record.cells,
        "counts": record.counts,
        "green": record.green,
        "colours": record.colours,
        "shares": record.shares,
        "whole": np.array([record.pixels, record.spread], dtype=np.float64),
    }
    if record.places is not None:
        arrays["places"] = _coarse(record.places)
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def unpack_record(data: bytes) -> ColourObservation:
    """Unpack what `pack_record` packed.

    Raises
    ------
    ValueError
        If it is nothing of the kind.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            pixels, spread = stored["whole"]
            return ColourObservation(
                pixels=int(pixels),
                cells=stored["cells"],
                counts=stored["counts"],
                green=stored["green"],
                colours=stored["colours"],
                shares=stored["shares"],
                places=_fine(stored["places"]) if "places" in stored else None,
                spread=float(spread),
            )
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError) as error:
        raise ValueError(f"no record of colours: {error}") from error


def learn_packed(records: Sequence[bytes]) -> ColourNormals | None:
    """Learn what is usual from packed records; None of fewer than 4 days."""
    if len(records) < FEWEST_DAYS:
        return None
    normals = learn_normals(unpack_record(data) for data in records)
    return normals if normals.units >= FEWEST_DAYS else None


def _coarse(places: NDArray[np.float16]) -> NDArray[np.int8]:
    steps = np.clip(np.round(places.astype(np.float32) / _STEP), -127, 127)
    return np.where(np.isfinite(steps), steps, _NOTHING).astype(np.int8)


def _fine(steps: NDArray[np.int8]) -> NDArray[np.float16]:
    return np.where(steps == _NOTHING, np.nan, steps * _STEP).astype(np.float16)
