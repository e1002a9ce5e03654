"""Hues of the normal days, from the first pass of a scan to the second, and to the masks."""

from __future__ import annotations

import datetime as dt
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gibswatch as gw
from gibswatch.archive.labels import label_path
from gibswatch.archive.layout import Layout
from gibswatch.detect.hues.histogram import DayHues
from gibswatch.errors import UsageError
from gibswatch.scan import ScanResult
from gibswatch.scan.judging.hues import hue_tally, take_hues
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.types import BBox, ByteArray, Kind

LAYER = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
DAYS = [dt.date(2016, 4, 1) + dt.timedelta(days=n) for n in range(8)]
FAULTY = DAYS[4]
BOX = BBox(-36, -36, 36, 36)
"""512x512 pixels of the globe's 2560x1280; the fault lies in it."""
_ROWS, _COLS = 320, 640
_FAULT = (slice(140, 170), slice(300, 340))


def globe(day: dt.date) -> ByteArray:
    """Blue sea, brown land and a little grain; on the faulty day a square of magenta."""
    grain = np.random.default_rng(day.toordinal()).integers(0, 12, (_ROWS, _COLS, 1))
    pixels = np.empty((_ROWS, _COLS, 3), dtype=np.uint8)
    pixels[:] = (20, 60, 120)
    pixels[:, _COLS // 2 :] = (130, 100, 60)
    pixels += grain.astype(np.uint8)
    if day == FAULTY:
        pixels[_FAULT] = (220, 30, 215)
    return pixels


@pytest.fixture(scope="module")
def base_url(remember: Callable[..., GlobeSource]) -> Iterator[str]:
    served = ServedLayer(LAYER, "jpg", {4326: "250m"})
    with EmbeddedServer(create_app({LAYER: (served, remember(globe, DAYS))})) as server:
        yield server.base_url


def scan(root: Path, base_url: str, **options: object) -> ScanResult:
    given = {"method": "gibs-ml", "bbox": BOX, "settings": Settings(base_url=base_url), **options}
    stop = DAYS[-1] + dt.timedelta(days=1)
    return gw.scan(LAYER, DAYS[0], stop, root=root, **given)  # type: ignore[arg-type]


def anomalous(result: ScanResult) -> list[dt.date | None]:
    return [item.date for item in result.items if item.verdict == "anomalous"]


def pictures(folder: Path, days: list[dt.date]) -> list[Path]:
    paths = [folder / f"{day}.png" for day in days]
    for path, day in zip(paths, days, strict=True):
        Image.fromarray(globe(day)[80:240, 240:400]).save(path)
    return paths


def test_the_odd_square_is_found_and_lies_in_the_predecessors_mask(
    tmp_path: Path, base_url: str
) -> None:
    result = scan(tmp_path, base_url, outputs=["compat-masks"])
    assert anomalous(result) == [FAULTY]
    (item,) = (item for item in result.items if item.date == FAULTY)
    (finding,) = item.findings
    assert finding.kind is Kind.MISCOLORATION
    assert "by the hues of 7 normal days" in item.reason
    assert "hues of 8 normal days counted" in result.notes
    folder = tmp_path / "4326" / str(FAULTY)
    with Image.open(folder / "VIIRS_SNPP_CorrectedReflectance_Miscoloration.png") as image:
        mask = np.asarray(image)
    truth = np.zeros((_ROWS, _COLS), dtype=bool)
    truth[_FAULT] = True
    rows, cols = np.meshgrid(*[(np.arange(512) + 0.5) / 4] * 2, indexing="ij")
    expected = truth[(rows + 96).astype(int), (cols + 256).astype(int)]
    assert set(np.unique(mask)) == {0, 255}
    assert (mask[expected] == 255).mean() > 0.99
    assert (mask[~expected] == 255).mean() < 0.01
    assert not (folder / "VIIRS_SNPP_CorrectedReflectance_Missing_Data.png").exists()


def test_more_processes_say_the_same(tmp_path: Path) -> None:
    paths = pictures(tmp_path, DAYS)
    one, two = (
        gw.inspect(paths, LAYER, bounds=BOX, method="gibs-ml", workers=workers)
        for workers in (1, 2)
    )
    assert two.items == one.items
    assert two.notes == one.notes


def test_hues_far_from_the_mean_of_their_place(tmp_path: Path, base_url: str) -> None:
    result = scan(tmp_path, base_url, method="gibs-ml-deviation", workers=2)
    assert FAULTY in anomalous(result)
    scores = {item.date: item.findings for item in result.items}
    areas = {day: sum(f.area_km2 or 0 for f in found) for day, found in scores.items()}
    assert max(areas.values()) == areas[FAULTY]


def test_days_that_the_label_file_calls_miscoloured_are_not_normal(
    tmp_path: Path, base_url: str
) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    path = label_path(layout)
    path.parent.mkdir(parents=True)
    path.write_text(f"train {DAYS[0]} 6\ntrain {DAYS[1]} 2\ntrain {FAULTY} 3\n")
    result = scan(tmp_path, base_url)
    assert anomalous(result) == [FAULTY]
    said = "hues of 6 normal days counted; the label file calls the colours of 2 days wrong"
    assert said in result.notes
    reason = next(item.reason for item in result.items if item.date == FAULTY)
    assert "by the hues of 6 normal days" in reason
    path.write_text("no label\n")
    with pytest.raises(UsageError, match="no label"):
        scan(tmp_path, base_url)


def test_many_pictures_are_judged_by_each_other(tmp_path: Path) -> None:
    found = gw.inspect(pictures(tmp_path, DAYS), LAYER, bounds=BOX, method="gibs-ml")
    assert anomalous(found) == [FAULTY]
    assert "hues of 8 normal days counted" in found.notes


def test_one_picture_alone_is_not_judged_by_its_colours(tmp_path: Path) -> None:
    (path,) = pictures(tmp_path, [FAULTY])
    found = gw.inspect(path, LAYER, bounds=BOX, method="gibs-ml")
    (item,) = found.items
    assert item.verdict == "clean"
    assert "colours not judged: no normal day to count hues of" in item.reason


def test_a_picture_that_cannot_be_read_is_no_normal_day(tmp_path: Path) -> None:
    paths = pictures(tmp_path, DAYS)
    paths[0].write_bytes(paths[0].read_bytes()[:500])
    found = gw.inspect(paths, LAYER, bounds=BOX, method="gibs-ml")
    assert "hues of 7 normal days counted" in found.notes


def test_other_methods_count_nothing() -> None:
    for method in ("gibswatch", "climatology", "black-share", "gibs-ml-mask"):
        assert hue_tally(method) is None
    with pytest.raises(UsageError, match="'best'"):
        hue_tally("best")
    tally = hue_tally("gibs-ml")
    assert tally is not None
    assert (tally.wanted, tally.places) == ("global", False)
    assert tally.summary() == "no normal day to count hues of: colours are not judged"


def test_ten_years_of_normal_days_take_no_more_memory_than_one() -> None:
    tally = hue_tally("gibs-ml")
    assert tally is not None
    hues = DayHues(np.ones(360, dtype=np.int64), 360)
    tally.add(DAYS[0], hues)
    tracemalloc.start()
    try:
        for n in range(3650):
            tally.add(DAYS[0] + dt.timedelta(days=n), replace(hues))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert tally.normals(counted=True).histogram.days == 3651
    assert taken < 20_000


def test_a_picture_without_colours_has_no_hues(tmp_path: Path, base_url: str) -> None:
    scan(tmp_path, base_url)
    scene = gw.open_archive(tmp_path).scene(LAYER, DAYS[0])
    black = np.zeros(scene.state.shape, dtype=bool)
    assert take_hues(replace(scene, pixels=scene.pixels[..., :1]), black, places=True) is None
    taken = take_hues(scene, black, places=True)
    assert taken is not None
    assert taken.plane is not None
