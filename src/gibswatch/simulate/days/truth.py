"""The truth about a picture, gathered block by block and turned into records and JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from scipy import ndimage

from gibswatch.simulate.days.faults.missing import GEOMETRY_KINDS, MISSING_KINDS, Placed
from gibswatch.simulate.days.faults.plan import spec_document
from gibswatch.simulate.days.granules import granule_name, granule_number, granule_start_s
from gibswatch.simulate.days.spec import DaySpec, Region, Truth
from gibswatch.sky.timescale import day_start_s
from gibswatch.types import BoolArray, ByteArray, Georeference, Kind

__all__ = ["ECLIPSE_SHARE", "Planes", "seen_difference", "truth_document"]

ECLIPSE_SHARE = 0.35
"""Obscuration from which an eclipse is labelled: a choice.  Nobody measured from where people see
it in a stretched picture."""
ECLIPSE_BLACK = 12
"""Brightest channel up to which a darkened pixel is labelled as missing: that of observed black."""
_SEEN_LEVEL = 10.0
"""Mean difference over 3 x 3 pixels, of the channel that differs most, from which a fault counts as
visible: a choice, well over what JPEG of quality 75 changes; not measured on people."""

_ROWS = 128
"""Compared at a time: little memory for what lies between."""
_ECLIPSES = (
    ("eclipse-missing", Kind.ECLIPSE_MISSING),
    ("eclipse-miscoloration", Kind.ECLIPSE_MISCOLORATION),
)


class Planes:
    """Arrays of a `Truth` while its blocks are filled in."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.label: ByteArray = np.zeros(shape, dtype=np.uint8)
        self.region: ByteArray = np.zeros(shape, dtype=np.uint8)
        self.granule = np.full(shape, -1, dtype=np.int32)
        self.pass_index = np.full(shape, -1, dtype=np.int32)
        self.coverage: ByteArray = np.zeros(shape, dtype=np.uint8)
        self.time_s = np.full(shape, np.nan)
        self.sza = np.full(shape, np.nan, dtype=np.float32)
        self.vza = np.full(shape, np.nan, dtype=np.float32)
        self.glint = np.full(shape, np.nan, dtype=np.float32)
        self.obscuration = np.zeros(shape, dtype=np.float32)
        self.substituted = np.zeros(shape, dtype=bool)
        self.eclipse = np.zeros(shape, dtype=np.uint8)
        self.footprints: dict[int, BoolArray] = {}

    def footprint(self, number: int) -> BoolArray:
        """Plane of a fault's footprint, which a block adds to."""
        if number not in self.footprints:
            self.footprints[number] = np.zeros(self.label.shape, dtype=bool)
        return self.footprints[number]

    def truth(
        self,
        spec: DaySpec,
        georeference: Georeference,
        placed: Sequence[Placed],
        pictures: tuple[ByteArray, BoolArray],
    ) -> Truth:
        """Make the record.

        Parameters
        ----------
        spec : DaySpec
        georeference : Georeference
        placed : sequence of Placed
            The faults that have a place on this day.
        pictures : tuple
            Clean picture as decoded, and where the picture differs from it to the eye.
        """
        clean, differs = pictures
        concerned = np.zeros(self.label.shape, dtype=bool)
        for footprint in self.footprints.values():
            concerned |= footprint
        visible = np.asarray(differs & concerned)
        regions = [self._region(fault, visible, spec) for fault in placed]
        regions += self._eclipses(len(spec.faults))
        regions = [region for region in regions if region.footprint_pixels]
        self._paint_labels(placed)
        codes = {Kind(int(code)) for code in np.unique(self.label[visible]) if code}
        codes |= {r.code for r in regions if r.kind.startswith("eclipse") and r.code}
        return Truth(
            codes=tuple(sorted(codes)),
            label=self.label,
            region=self.region,
            granule=self.granule,
            pass_index=self.pass_index,
            coverage=self.coverage,
            time_s=self.time_s,
            sza_deg=self.sza,
            vza_deg=self.vza,
            glint_deg=self.glint,
            obscuration=self.obscuration,
            visible=visible,
            substituted=self.substituted,
            clean=clean,
            regions=tuple(regions),
            parameters=_parameters(spec, georeference),
        )

    def _region(self, fault: Placed, visible: BoolArray, spec: DaySpec) -> Region:
        footprint = self.footprints.get(fault.number)
        if footprint is None:
            footprint = np.zeros(self.label.shape, dtype=bool)
        moving = fault.spec.kind in GEOMETRY_KINDS
        filled = self.substituted & footprint if moving else np.zeros_like(footprint)
        return Region(
            number=fault.number,
            kind=fault.spec.kind,
            code=fault.spec.code,
            footprint_pixels=int(footprint.sum()),
            visible_pixels=int((visible & footprint).sum()),
            substituted_pixels=int(filled.sum()),
            granules=_granules(fault, spec),
            parameters=spec_document(fault.spec),
        )

    def _eclipses(self, faults: int) -> list[Region]:
        """What an eclipse darkens; not a fault, so free pixels alone get the region's number."""
        regions = []
        for offset, (name, code) in enumerate(_ECLIPSES, start=1):
            where = self.eclipse == code
            count = int(where.sum())
            most = float(self.obscuration[where].max()) if count else 0.0
            values = {"obscuration": round(most, 4)}
            regions.append(Region(faults + offset, name, code, count, count, 0, (), values))
            free = where & (self.region == 0)
            self.region[free] = faults + offset
        return regions

    def _paint_labels(self, placed: Sequence[Placed]) -> None:
        """Give each pixel its label: what explains, under colour, under what is missing."""
        self.label[:] = self.eclipse
        missing = [fault for fault in placed if fault.spec.kind in MISSING_KINDS]
        for fault in [*(f for f in placed if f not in missing), *missing]:
            where = self.footprints.get(fault.number)
            if where is None:
                continue
            self.region[where] = fault.number
            if fault.spec.code is not None:
                shown = where & ~self.substituted if fault in missing else where
                self.label[shown] = fault.spec.code


def _granules(fault: Placed, spec: DaySpec) -> tuple[str, ...]:
    length, start = spec.perturbation.granule_s, day_start_s(spec.day)
    if fault.span[1] <= fault.span[0]:
        return ()
    # A span begins and ends at granules but for rounding: half a millisecond inside of it.
    first, last = fault.span[0] + 5e-4, fault.span[1] - 5e-4
    numbers = range(
        int(granule_number(start + first, length)), int(granule_number(start + last, length)) + 1
    )
    return tuple(granule_name(granule_start_s(number, length)) for number in numbers)


def seen_difference(clean: ByteArray, faulty: ByteArray) -> BoolArray:
    """Mark where a person sees that two pictures differ."""
    seen = np.zeros(clean.shape[:2], dtype=bool)
    for first in range(0, len(seen), _ROWS):
        # A row more on either side, which the means over 3 x 3 pixels take in.
        above = min(first, 1)
        part = slice(first - above, first + _ROWS + 1)
        apart = np.abs(clean[part].astype(np.int16) - faulty[part]).max(axis=-1)
        if apart.any():
            mean = ndimage.uniform_filter(apart.astype(np.float32), 3, mode="nearest")
            marked = (mean >= _SEEN_LEVEL) & (apart >= _SEEN_LEVEL / 2)
            seen[first : first + _ROWS] = marked[above : above + _ROWS]
    return seen


def _parameters(spec: DaySpec, georeference: Georeference) -> Mapping[str, Any]:
    return {
        "layer": spec.layer,
        "satellite": spec.satellite,
        "product": spec.product,
        "day": spec.day.isoformat(),
        "seed": spec.seed,
        "quality": spec.quality,
        "tracks": spec.tracks,
        "tle": spec.tle.splitlines(),
        "invented": spec.invented,
        "perturbation": asdict(spec.perturbation),
        "faults": [spec_document(fault) for fault in spec.faults],
        "georeference": asdict(georeference),
    }


def truth_document(truth: Truth) -> str:
    """Return all of a truth but its planes as JSON text."""
    document = {
        "codes": [int(code) for code in truth.codes],
        "regions": [_region_document(region) for region in truth.regions],
        **truth.parameters,
    }
    return json.dumps(document, indent=1, sort_keys=True, default=_plain) + "\n"


def _region_document(region: Region) -> dict[str, Any]:
    code = None if region.code is None else int(region.code)
    return asdict(region) | {"code": code, "granules": list(region.granules)}


def _plain(value: object) -> object:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no JSON form")
