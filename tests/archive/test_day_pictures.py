"""A day's files: the same scene from every format, whole or absent, in no more memory than told."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from gibswatch.archive.journal.records import DayRecord, TileRecord, WrittenFile
from gibswatch.archive.layout import Layout
from gibswatch.archive.pictures.limits import day_bytes
from gibswatch.archive.pictures.store import PictureStore, decode_stored
from gibswatch.catalogue.windows import Grid, GridKind, TileIndex, plan_grid
from gibswatch.download.plan import TileRequest
from gibswatch.download.result import TileResult
from gibswatch.errors import ArchiveError, DecodeError, OutputError, UnknownGridError
from gibswatch.raster.codec import encode_picture
from gibswatch.raster.scene import STATE_CODES, Scene
from gibswatch.types import BBox, ByteArray, ImageFormat, PictureFormat, TileState

LAYER = "Some_Layer"
DAY = dt.date(2023, 8, 5)
BOX = BBox(-45, -45, 45, 45)
FORMATS: tuple[PictureFormat, ...] = ("jpg", "png", "tif", "cog")


def make_store(
    root: Path,
    kind: GridKind = "predecessor",
    *,
    tiled: bool = False,
    stored: PictureFormat | None = None,
    image_format: ImageFormat = "jpg",
    bbox: BBox | None = BOX,
) -> PictureStore:
    grid = Grid(kind, 4326, "16km", bbox, tiled, picture_format=stored)
    return PictureStore(Layout(root, LAYER, 4326), plan_grid(grid, "250m"), image_format)


def draw(size: int, tile: TileIndex, image_format: ImageFormat) -> ByteArray:
    """Draw a tile: smooth and bright for a JPEG layer, three colours for a PNG layer."""
    rows, cols = np.mgrid[0:size, 0:size] + size * np.array([tile.row, tile.col])[:, None, None]
    if image_format == "png":
        colour = ((rows // 7 + cols // 5) % 3).astype(np.uint8)
        return np.dstack([colour * 40, colour * 80, 255 - colour, np.full_like(colour, 255)])
    waves = np.stack([np.sin(rows / 40), np.cos(cols / 60), np.sin((rows - cols) / 50)], axis=2)
    return np.asarray(np.rint(130 + 60 * waves), dtype=np.uint8)


@functools.cache
def served(
    store: tuple[int, ImageFormat], tile: TileIndex, seed: int
) -> tuple[ByteArray, bytes, str]:
    """Return a tile's pixels, its bytes and their hash."""
    size, form = store
    pixels = draw(size, tile, form) - np.uint8(seed)
    body = encode_picture(pixels, form)
    return pixels, body, hashlib.sha256(body).hexdigest()


def result_of(
    store: PictureStore, tile: TileIndex, state: TileState = "ok", *, seed: int = 0
) -> TileResult:
    size, form = store.plan.source.tile_size, store.image_format
    request = TileRequest(LAYER, DAY, tile, form, size, f"http://127.0.0.1/{tile.row}/{tile.col}")
    now = dt.datetime(2023, 8, 6, tzinfo=dt.UTC)
    if state not in ("ok", "server-empty"):
        return TileResult(request, state, "", now, 1, 200, {})
    return TileResult(request, state, "", now, 1, 200, {}, *_in_order(size, form, tile, seed))


def _in_order(
    size: int, form: ImageFormat, tile: TileIndex, seed: int
) -> tuple[bytes, ByteArray, str]:
    pixels, body, digest = served((size, form), tile, seed)
    return body, pixels, digest


def record_of(result: TileResult) -> TileRecord:
    length = None if result.body is None else len(result.body)
    return TileRecord(
        DAY, result.request.tile, result.state, "", 200, {}, length, result.sha256, "", ""
    )


def fill(
    store: PictureStore,
    states: dict[TileIndex, TileState] | None = None,
    *,
    order: int | None = None,
    seed: int = 0,
) -> tuple[DayRecord, list[TileRecord]]:
    """Put a day: in row order, or shuffled by the seed `order`."""
    tiles = list(store.plan.source_tiles())
    if order is not None:
        random.Random(order).shuffle(tiles)
    results = [result_of(store, tile, (states or {}).get(tile, "ok"), seed=seed) for tile in tiles]
    complete = all(result.state in ("ok", "server-empty") for result in results)
    with store.begin(DAY) as picture:
        for result in results:
            picture.put(result)
        path, files = picture.finish(complete=complete)
    return DayRecord(DAY, complete, path, "", {}, files), [record_of(one) for one in results]


def scene_of(store: PictureStore, **options: object) -> Scene:
    record, tiles = fill(store, **options)  # type: ignore[arg-type]
    return store.read(record, tiles)


def names(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("stored", FORMATS)
def test_every_format_gives_the_same_scene(
    tmp_path: Path, stored: PictureFormat, tiled: bool
) -> None:
    truth = scene_of(make_store(tmp_path / "png", stored="png"))
    scene = scene_of(make_store(tmp_path / "other", stored=stored, tiled=tiled))
    difference = np.abs(scene.pixels.astype(int) - truth.pixels)
    assert difference.max() <= (8 if stored == "jpg" else 0)
    assert (scene.image_format, scene.pixels.shape[2]) == ("jpg", 3)
    assert scene.georeference == truth.georeference
    assert scene.usable.all()


@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("stored", ["tif", "cog"])
def test_a_layer_of_colour_values_is_stored_without_loss(
    tmp_path: Path, stored: PictureFormat, tiled: bool
) -> None:
    truth = scene_of(make_store(tmp_path / "png", image_format="png"))
    store = make_store(tmp_path / "other", stored=stored, tiled=tiled, image_format="png")
    scene = scene_of(store)
    np.testing.assert_array_equal(scene.pixels, truth.pixels)
    assert len(np.unique(scene.pixels.reshape(-1, 4), axis=0)) == 3


@pytest.mark.parametrize(
    ("stored", "extension", "world"),
    [(None, "jpg", True), ("png", "png", True), ("tif", "tif", False), ("cog", "tif", False)],
)
def test_the_files_of_a_stitched_day(
    tmp_path: Path, stored: PictureFormat | None, extension: str, world: bool
) -> None:
    store = make_store(tmp_path, stored=stored)
    record, _ = fill(store)
    picture = f"4326/{DAY}/{LAYER}.{extension}"
    assert names(tmp_path) == [picture, *([f"4326/{DAY}/{LAYER}.wld"] if world else [])]
    assert record.picture == picture
    [file] = record.files
    data = (tmp_path / picture).read_bytes()
    assert (file.length, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    with rasterio.open(tmp_path / picture) as dataset:
        assert dataset.shape == store.plan.window.shape
        assert tuple(dataset.bounds) == pytest.approx(store.plan.georeference.bbox.as_tuple())
        if extension == "tif":
            layout = dataset.tags(ns="IMAGE_STRUCTURE").get("LAYOUT")
            assert layout == ("COG" if stored == "cog" else None)
    if extension == "png":
        with Image.open(tmp_path / picture) as image:
            assert image.mode == "RGB"


@pytest.mark.parametrize("stored", ["tif", "cog"])
def test_an_output_tile_knows_where_it_lies(tmp_path: Path, stored: PictureFormat) -> None:
    store = make_store(tmp_path, stored=stored, tiled=True)
    record, _ = fill(store)
    assert len(record.files) == len(store.stored_tiles()) == 4
    for tile in store.stored_tiles():
        with rasterio.open(store.tile_path(DAY, tile)) as dataset:
            west, north = -180 + 45 * tile.col, 90 - 45 * tile.row
            assert tuple(dataset.bounds) == pytest.approx((west, north - 45, west + 45, north))


@pytest.mark.parametrize("stored", FORMATS)
@pytest.mark.parametrize("tiled", [False, True])
def test_the_order_of_tiles_changes_nothing(
    tmp_path: Path, stored: PictureFormat, tiled: bool
) -> None:
    seen = []
    for order in (None, 1, 2):
        root = tmp_path / str(order)
        store = make_store(root, stored=stored, tiled=tiled)
        record, _ = fill(store, {TileIndex(2, 5): "failed"}, order=order)
        seen.append((record, {name: (root / name).read_bytes() for name in names(root)}))
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.parametrize("stored", FORMATS)
def test_a_day_that_is_not_whole_has_another_name(tmp_path: Path, stored: PictureFormat) -> None:
    store = make_store(tmp_path, stored=stored)
    lost = TileIndex(1, 4)
    record, tiles = fill(store, {lost: "corrupt"})
    assert record.picture == f"4326/{DAY}/{LAYER}.partial.{store.extension}"
    scene = store.read(record, tiles)
    corrupt = scene.state == STATE_CODES["corrupt"]
    assert 0.02 < corrupt.mean() < 0.4
    assert (scene.usable == ~corrupt).all()
    whole, _ = fill(store)
    assert whole.picture == f"4326/{DAY}/{LAYER}.{store.extension}"
    assert not list(tmp_path.rglob("*.partial.*"))


@pytest.mark.parametrize("stored", FORMATS)
def test_tiles_that_were_never_put_are_failed(tmp_path: Path, stored: PictureFormat) -> None:
    store = make_store(tmp_path, stored=stored)
    tiles = list(store.plan.source_tiles())[:5]
    with store.begin(DAY) as picture:
        for tile in tiles:
            picture.put(result_of(store, tile))
        path, files = picture.finish(complete=False)
    record = DayRecord(DAY, False, path, "", {}, files)
    scene = store.read(record, [record_of(result_of(store, tile)) for tile in tiles])
    assert set(np.unique(scene.state)) == {STATE_CODES["ok"], STATE_CODES["failed"]}
    assert scene.pixels.shape[:2] == store.plan.window.shape


@pytest.mark.parametrize("stored", FORMATS)
def test_an_output_tile_that_is_not_whole_is_not_there(
    tmp_path: Path, stored: PictureFormat
) -> None:
    store = make_store(tmp_path, stored=stored, tiled=True)
    fill(store)
    assert len(names(tmp_path)) == 4
    record, tiles = fill(store, {TileIndex(1, 4): "absent"})
    assert 0 < len(names(tmp_path)) < 4
    assert names(tmp_path) == sorted(file.path for file in record.files)
    scene = store.read(record, tiles)
    assert (scene.usable == (scene.pixels.max(axis=2) > 0)).all()


def test_blank_tiles_of_the_server_are_usable_and_kept(tmp_path: Path) -> None:
    blank = {TileIndex(1, 4): "server-empty"}
    for kind, tiled in (("predecessor", False), ("predecessor", True), ("native", True)):
        store = make_store(tmp_path / f"{kind}{tiled}", kind, tiled=tiled)  # type: ignore[arg-type]
        known = {t: s for t, s in blank.items() if t in store.plan.source_tiles()}
        record, tiles = fill(store, known)  # type: ignore[arg-type]
        scene = store.read(record, tiles)
        assert record.complete
        assert scene.usable.all()
        assert (scene.state == STATE_CODES["server-empty"]).any() == bool(known)


def test_what_is_worse_wins_where_tiles_meet(tmp_path: Path) -> None:
    """A pixel made of a blank and a failed tile is not usable, whichever is the right one."""
    store = make_store(tmp_path)
    row = store.plan.source_tiles().rows[1]
    for left, right in (("server-empty", "failed"), ("failed", "server-empty")):
        cols = store.plan.source_tiles().cols
        states = {TileIndex(row, col): left if col < 5 else right for col in cols}
        scene = scene_of(store, states=states)
        inner = scene.state[(scene.state != STATE_CODES["ok"]).all(axis=1)]
        turns = np.flatnonzero(np.diff((inner[0] == STATE_CODES["failed"]).astype(int)))
        assert len(turns) == 1
        seam = 5 * 512 / 1.25 - store.plan.window.col_start
        first_failed = turns[0] + 1
        expected = np.floor(seam) if left == "server-empty" else np.ceil(seam)
        assert first_failed == expected


def test_nothing_is_replaced_before_the_day_is_finished(tmp_path: Path) -> None:
    for number, stored in enumerate(FORMATS):
        for tiled in (False, True):
            root = tmp_path / f"{number}{tiled}"
            store = make_store(root, stored=stored, tiled=tiled)
            fill(store)
            before = {name: (root / name).read_bytes() for name in names(root)}
            with store.begin(DAY) as picture:
                for tile in store.plan.source_tiles():
                    picture.put(result_of(store, tile, seed=9))
                assert {name: (root / name).read_bytes() for name in before} == before
            assert {name: (root / name).read_bytes() for name in names(root)} == before


def test_after_it_was_given_up_a_day_takes_nothing_more(tmp_path: Path) -> None:
    store = make_store(tmp_path, tiled=True)
    picture = store.begin(DAY)
    tiles = list(store.plan.source_tiles())
    for tile in tiles[:-1]:
        picture.put(result_of(store, tile))
    assert names(tmp_path)
    picture.discard()
    picture.put(result_of(store, tiles[-1]))
    picture.discard()
    assert names(tmp_path) == []


@pytest.mark.parametrize("stored", FORMATS)
@pytest.mark.parametrize("tiled", [False, True])
def test_what_a_killed_process_left_is_removed(
    tmp_path: Path, stored: PictureFormat, tiled: bool
) -> None:
    store = make_store(tmp_path, stored=stored, tiled=tiled)
    day = tmp_path / "4326" / str(DAY)
    left = [
        day / f".part-{LAYER}" / "x.jpg",
        day / f".part-{LAYER}.jpg-a1b2.jpg",
    ]
    others = [day / ".part-Some_Layer_Two.jpg-a1b2.jpg", day / ".part-Some_Layer_Two" / "x.tif"]
    for path in (*left, *others):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    fill(store)
    assert not any(path.exists() for path in left)
    assert all(path.read_bytes() == b"half" for path in others)


def test_leftovers_among_kept_tiles_are_removed(tmp_path: Path) -> None:
    store = make_store(tmp_path, "native", tiled=True)
    tile = next(iter(store.stored_tiles()))
    left = store.tile_path(DAY, tile).parent / f".part-{LAYER}_Tile_1-1.jpg-zz.jpg"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    record, tiles = fill(store)
    assert not left.exists()
    assert store.holds(record, lambda: tiles)


def test_kept_tiles_are_flushed_once_and_when_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr("gibswatch.files._flush_to_disk", flushed.append)
    store = make_store(tmp_path, "native", tiled=True)
    picture = store.begin(DAY)
    tiles = list(store.stored_tiles())
    for tile in tiles[:4]:
        picture.put(result_of(store, tile))
    assert flushed == []
    picture.flush()
    assert sorted(flushed) == sorted(store.tile_path(DAY, tile) for tile in tiles[:4])
    picture.flush()
    assert len(flushed) == 4
    picture.put(result_of(store, tiles[4]))
    assert picture.finish(complete=False) == (None, ())
    assert len(flushed) == 5


@pytest.mark.parametrize("stored", FORMATS)
@pytest.mark.parametrize("tiled", [False, True])
def test_a_disk_that_is_full_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: PictureFormat, tiled: bool
) -> None:
    store = make_store(tmp_path, stored=stored, tiled=tiled)

    def refuse(path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("gibswatch.files._flush_to_disk", refuse)
    with pytest.raises(OutputError, match="no space left"):
        fill(store)
    assert names(tmp_path) == []


def test_a_tiff_under_the_name_of_a_jpeg_is_read(tmp_path: Path) -> None:
    """gibs-ml's gdal_translate wrote GeoTIFF whatever the name said."""
    tiff, jpeg = make_store(tmp_path / "tif", stored="tif"), make_store(tmp_path / "jpg")
    record, tiles = fill(tiff)
    assert record.picture is not None
    data = (tiff.layout.root / record.picture).read_bytes()
    path = jpeg.layout.picture(DAY, "jpg")
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    name = path.relative_to(jpeg.layout.root).as_posix()
    file = WrittenFile(name, len(data), hashlib.sha256(data).hexdigest())
    scene = jpeg.read(DayRecord(DAY, True, name, "", {}, (file,)), tiles)
    np.testing.assert_array_equal(scene.pixels, tiff.read(record, tiles).pixels)


@pytest.mark.parametrize("stored", FORMATS)
@pytest.mark.parametrize("tiled", [False, True])
def test_another_file_is_no_picture_of_the_archive(
    tmp_path: Path, stored: PictureFormat, tiled: bool
) -> None:
    store = make_store(tmp_path, stored=stored, tiled=tiled)
    record, tiles = fill(store)
    path = tmp_path / record.files[0].path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match=r"is not what was downloaded"):
        store.read(record, tiles)


def test_a_known_file_of_another_size_is_refused(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    record, tiles = fill(store)
    data = encode_picture(np.full((64, 64, 3), 99, np.uint8), "jpg")
    (tmp_path / record.files[0].path).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    file = WrittenFile(record.files[0].path, len(data), digest)
    other = DayRecord(DAY, True, record.picture, "", {}, (file,))
    with pytest.raises(DecodeError, match=r"Some_Layer\.jpg: picture of 64x64 pixels"):
        store.read(other, tiles)


def test_bytes_decide_what_a_stored_picture_is() -> None:
    pixels = np.full((8, 9, 3), 120, np.uint8)
    for form in ("jpg", "png"):
        data = encode_picture(pixels, form)
        np.testing.assert_array_equal(decode_stored(data, "jpg", shape=(8, 9)), pixels)
    with pytest.raises(DecodeError, match="not a PNG but a JPEG"):
        decode_stored(encode_picture(pixels, "jpg"), "png")
    with pytest.raises(DecodeError, match="not a JPEG but empty"):
        decode_stored(b"", "jpg")


@pytest.mark.parametrize("stored", ["png", "tif", "cog"])
def test_native_tiles_are_kept_as_served_or_not_at_all(
    tmp_path: Path, stored: PictureFormat
) -> None:
    with pytest.raises(UnknownGridError, match=f"--format {stored}: native tiles are kept byte"):
        make_store(tmp_path, "native", tiled=True, stored=stored)
    assert make_store(tmp_path, "native", tiled=True, stored="jpg").extension == "jpg"
    assert make_store(tmp_path, "native", stored=stored).extension in ("png", "tif")


def test_colours_that_are_values_are_never_a_jpeg(tmp_path: Path) -> None:
    for tiled in (False, True):
        with pytest.raises(UnknownGridError, match=r"--format jpg: .*use --format png, tif or cog"):
            make_store(tmp_path, stored="jpg", image_format="png", tiled=tiled)


def test_a_picture_of_too_many_pixels_names_the_ways_out(tmp_path: Path) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    for stored in (None, "jpg", "png"):
        plan = plan_grid(Grid("predecessor", 4326, "1km", picture_format=stored), "250m")
        with pytest.raises(UnknownGridError, match=r"65500 a side.*--tiled-world, --format cog"):
            PictureStore(layout, plan, "jpg")
    for stored, tiled in (("tif", False), ("cog", False), (None, True)):
        grid = Grid("predecessor", 4326, "1km", None, tiled, picture_format=stored)  # type: ignore[arg-type]
        store = PictureStore(layout, plan_grid(grid, "250m"), "jpg")
        assert store.day_bytes < 2**30


_MEMORY = """
import datetime as dt, resource, sys
from pathlib import Path
import numpy as np
sys.path.insert(0, {tests!r})
from test_day_pictures import DAY, LAYER, result_of
from gibswatch.archive.layout import Layout
from gibswatch.archive.pictures.store import PictureStore
from gibswatch.catalogue.windows import Grid, plan_grid
from gibswatch.types import BBox
import rasterio
grid = Grid("predecessor", 4326, "4km", BBox(*{box}), {tiled}, picture_format={stored!r})
store = PictureStore(Layout(Path({root!r}), LAYER, 4326), plan_grid(grid, "250m"), "jpg")
one = result_of(store, next(iter(store.plan.source_tiles())))
from dataclasses import replace
def put_all():
    with store.begin(DAY) as picture:
        for tile in store.plan.source_tiles():
            picture.put(replace(one, request=replace(one.request, tile=tile)))
        return picture.finish(complete=True)
with rasterio.Env(GDAL_CACHEMAX=8):
    _, files = put_all()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, len(files))
"""


def peak_kib(root: Path, box: BBox, stored: PictureFormat, *, tiled: bool) -> int:
    """Most memory of a process that writes one day of a box."""
    code = _MEMORY.format(
        tests=str(Path(__file__).parent),
        box=box.as_tuple(),
        tiled=tiled,
        stored=stored,
        root=str(root),
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(ended.stdout.split()[0])


@pytest.mark.parametrize(
    ("stored", "tiled"), [("jpg", True), pytest.param("cog", False, marks=pytest.mark.slow)]
)
def test_a_taller_day_takes_no_more_memory(
    tmp_path: Path, stored: PictureFormat, tiled: bool
) -> None:
    """Six times the rows, 75 MB more of output: held by strips, it is not seen."""
    low = peak_kib(tmp_path / "low", BBox(-45, 67.5, 45, 90), stored, tiled=tiled)
    high = peak_kib(tmp_path / "high", BBox(-45, -45, 45, 90), stored, tiled=tiled)
    assert high - low < 40_000


def test_the_memory_that_is_told_has_all_that_is_held(tmp_path: Path) -> None:
    grid = Grid("predecessor", 4326, "16km")
    plan = plan_grid(grid, "250m")
    assert day_bytes(plan, "cog") < day_bytes(plan, "jpg")
    assert day_bytes(plan, "jpg") > 3 * plan.window.shape[0] * plan.window.shape[1]
    native = plan_grid(Grid("native", 4326, "250m", tiled=True), "250m")
    assert day_bytes(native, "jpg") == 0
