"""Days of a scan that never took place: small pictures, and what was expected of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from gibswatch.catalogue.windows import Grid
from gibswatch.detect.context import REASON_CODES
from gibswatch.errors import ArchiveError
from gibswatch.raster.codec import encode_mask
from gibswatch.raster.regions import outline, region_area_km2
from gibswatch.raster.scene import Scene, scene_from_picture
from gibswatch.report import planes
from gibswatch.scan.result import ScanResult
from gibswatch.sky import expect
from gibswatch.sky.satellites import satellite_of
from gibswatch.types import (
    BoolArray,
    ByteArray,
    DayItem,
    Epsg,
    Finding,
    Georeference,
    Kind,
    Shares,
)

TERRA = "MODIS_Terra_CorrectedReflectance_TrueColor"
FIRST = dt.date(2017, 8, 20)
GLOBE = Georeference(4326, -180.0, 90.0, 1.5, 1.5, 120, 240)


@dataclass
class Standin:
    """A scan of made-up days: `days` are clean; `plant` makes one of them otherwise."""

    folder: Path
    georeference: Georeference = GLOBE
    epsg: Epsg = 4326
    explains: bool = True
    """Whether the method gives reasons and an expectation."""
    unreadable: set[dt.date] = field(default_factory=set)
    items: dict[dt.date, DayItem] = field(default_factory=dict)
    faults: dict[dt.date, ByteArray] = field(default_factory=dict)
    pixels: ByteArray | None = None

    def days(self, count: int, first: dt.date = FIRST) -> Standin:
        for n in range(count):
            day = first + dt.timedelta(days=n)
            shares = Shares(0.1, 0.1, 0.0)
            reason = "Nothing unusual."
            link = f"https://worldview.earthdata.nasa.gov/?l={TERRA}&t={day}"
            self.items[day] = DayItem(
                TERRA, day, "clean", 0.01 * (n % 40), reason, shares, worldview=link
            )
        return self

    def plant(self, day: dt.date, kind: Kind, where: BoolArray, score: float = 0.9) -> DayItem:
        kinds = np.where(where, int(kind), 0).astype(np.uint8)
        mask = self.folder / f"{day}.png"
        mask.write_bytes(encode_mask(kinds))
        geometry, box = outline(where, self.georeference)
        area = region_area_km2(where, self.georeference)
        names = (f"{day}T12:05Z", f"{day}T12:10Z")
        finding = Finding(kind, score, "Two granules are black.", area, box, geometry, names)
        self.faults[day] = kinds
        self.items[day] = replace(
            self.items[day],
            verdict="anomalous" if kind.is_fault else "clean",
            score=score if kind.is_fault else 0.1,
            reason="Missing data: two granules are black. Known: the recorder was full (a test).",
            findings=(finding,),
            mask=str(mask),
        )
        return self.items[day]

    def result(self) -> ScanResult:
        items = tuple(self.items[day] for day in sorted(self.items))
        return ScanResult(
            TERRA,
            "gibswatch",
            items,
            Grid("native", self.epsg, "16km"),
            root=self.folder,
            folder=self.folder,
            notes=("a note",),
            orbits=("orbit fitted to the other days",),
        )

    def noise(self) -> ByteArray:
        """Pixels of every day."""
        if self.pixels is None:
            shape = (*self.georeference.shape, 3)
            self.pixels = np.random.default_rng(1).integers(40, 255, shape, dtype=np.uint8)
        return self.pixels

    def scene(self, _layer: str, day: dt.date, _epsg: int) -> Scene:
        if day in self.unreadable:
            raise ArchiveError(f"{day} is damaged")
        pixels = self.noise()
        if day in self.faults:
            pixels = pixels.copy()
            pixels[self.faults[day] > 0] = 0
        return scene_from_picture(
            pixels,
            layer=TERRA,
            date=day,
            image_format="jpg",
            georeference=self.georeference,
            provenance="made up",
        )

    def reasons(self, _result: ScanResult, item: DayItem) -> ByteArray | None:
        if not self.explains or item.date is None:
            return None
        faults = self.faults.get(item.date, np.zeros(self.georeference.shape, np.uint8))
        return np.where(faults > 0, np.uint8(REASON_CODES["unexpected"]), np.uint8(0))

    def expectation(self, _result: ScanResult, item: DayItem) -> object:
        satellite = satellite_of(TERRA)
        if not self.explains or item.date is None or satellite is None:
            return None
        return expect(satellite, self.georeference, item.date)


@pytest.fixture
def standin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Standin:
    """A scan whose pictures are noise."""
    made = Standin(tmp_path)

    class Archive:
        def __init__(self, _root: Path) -> None:
            self.scene: Callable[..., Scene] = made.scene

    monkeypatch.setattr(planes, "Archive", Archive)
    monkeypatch.setattr(planes, "reasons_of", made.reasons)
    monkeypatch.setattr(planes, "expectation_of", made.expectation)
    return made


@pytest.fixture
def block() -> BoolArray:
    """A hole in the globe of `standin`: 6 by 9 pixels of 240 by 120."""
    where = np.zeros(GLOBE.shape, dtype=bool)
    where[50:56, 100:109] = True
    return where
