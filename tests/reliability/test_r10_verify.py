"""R10: an existing file tampered, zero-byte, or 98 % black partial from an old tool."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gibswatch.simulate import EmbeddedServer

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
BOX = ("--bbox", "-36", "-36", "36", "36")
FORMS = {
    "stitched": (),
    "output tiles": ("--tiled-world",),
    "native": ("--grid", "native"),
    "native tiles": ("--grid", "native", "--tiled-world"),
    "cog": ("--format", "cog"),
}
Run = Callable[..., Any]


def killed_gdal_translate(path: Path) -> None:
    """Write what a gdal_translate leaves that is killed early: it opens, nearly all black."""
    import rasterio
    from rasterio.transform import Affine
    from rasterio.windows import Window

    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"driver": "GTiff", "width": 2048, "height": 1024, "count": 3, "dtype": "uint8"}
    options |= {"crs": "EPSG:4326", "transform": Affine(360 / 2048, 0, -180, 0, -360 / 2048, 90)}
    with rasterio.open(path, "w", **options) as picture:
        picture.write(np.full((3, 16, 2048), 90, np.uint8), window=Window(0, 0, 2048, 16))


def pictures(root: Path) -> dict[str, str]:
    """SHA-256 of every picture and tile, by path."""
    files = [*root.rglob(f"{LAYER}*.jpg"), *root.rglob(f"{LAYER}*.tif")]
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if ".gibswatch" not in path.parts
    }


def asked(server: EmbeddedServer) -> list[tuple[str, str]]:
    """(day, row/col) of the tiles asked for since the last time."""
    found = [re.search(r"/(\d{4}-\d\d-\d\d)/.*/(\d+/\d+)\.jpg$", r.path) for r in server.requests]
    server.requests.clear()
    return sorted((match[1], match[2]) for match in found if match)


@pytest.mark.parametrize("form", list(FORMS))
def test_r10_verify_finds_all_and_fetches_only_those(
    form: str, run: Run, tmp_path: Path, server: EmbeddedServer
) -> None:
    where = ("--output-dir", tmp_path, "--base-url", server.base_url)
    days = ("--start-date", "2023-08-01", "--end-date", "2023-08-07")
    assert run("download", "--layer", LAYER, *days, *BOX, *FORMS[form], *where).code == 0
    whole = pictures(tmp_path)
    one_day = [request for request in asked(server) if request[0] == "2023-08-01"]
    by_day = {
        f"2023-08-0{n}": sorted(p for p in whole if f"/2023-08-0{n}/" in p) for n in range(1, 7)
    }
    tampered, empty, short, gone = (by_day[f"2023-08-0{n}"][0] for n in (1, 2, 3, 4))
    data = bytearray((tmp_path / tampered).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / tampered).write_bytes(data)
    (tmp_path / empty).write_bytes(b"")
    (tmp_path / short).write_bytes((tmp_path / short).read_bytes()[:-100])
    (tmp_path / gone).unlink()
    leftover = f"4326/2023-08-09/{LAYER}.jpg"
    killed_gdal_translate(tmp_path / leftover)
    unknown = f"4326/2023-08-05/{LAYER}.png"
    shutil.copy(tmp_path / by_day["2023-08-05"][0], tmp_path / unknown)
    temporary = f"4326/2023-08-05/.part-{LAYER}.jpg-abc.jpg"
    (tmp_path / temporary).write_bytes(b"half")
    expected = {
        tampered: "changed", empty: "empty", short: "short", gone: "missing",
        leftover: "black", unknown: "unknown", temporary: "temporary",
    }  # fmt: skip

    before = pictures(tmp_path)
    listed = run("verify", LAYER, *where, "--no-fetch", "--json")
    assert listed.code == 4
    found = {f["path"]: f["kind"] for f in json.loads(listed.out)["faults"]}
    assert found == expected
    assert pictures(tmp_path) == before
    assert asked(server) == []

    mended = run("verify", LAYER, *where, "--json")
    assert (mended.code, mended.err) == (0, "")
    report = json.loads(mended.out)
    assert {f["path"]: f["kind"] for f in report["faults"]} == expected
    assert all(fault["mended"] for fault in report["faults"])
    after = pictures(tmp_path)
    assert {path: sha for path, sha in after.items() if "/2023-08-09/" not in path} == whole
    requests = asked(server)
    assert {day for day, _ in requests} == {f"2023-08-0{n}" for n in (1, 2, 3, 4, 9)}
    for n, path in ((1, tampered), (2, empty), (3, short), (4, gone)):
        tiles = [tile for day, tile in requests if day == f"2023-08-0{n}"]
        if form == "native tiles":
            name = re.search(r"_Tile_(\d+)-(\d+)\.", path)
            assert name is not None
            assert tiles == [f"{name[2]}/{name[1]}"]
        else:
            assert tiles == [tile for _, tile in one_day]

    assert not (tmp_path / temporary).exists()
    aside = tmp_path / "4326/.gibswatch/set-aside"
    kept = sorted(p.relative_to(aside).as_posix() for p in aside.rglob("*") if p.is_file())
    assert kept == sorted([tampered, empty, short, leftover, unknown])
    assert (aside / tampered).read_bytes() == data

    again = run("verify", LAYER, *where, "--json")
    assert again.code == 0
    assert json.loads(again.out)["faults"] == []
    assert asked(server) == []


def test_r10_what_the_service_does_not_give_is_left_bad_and_said(
    run: Run, tmp_path: Path, server: EmbeddedServer
) -> None:
    where = ("--output-dir", tmp_path)
    days = ("--start-date", "2023-08-01", "--end-date", "2023-08-03")
    base = ("--base-url", server.base_url)
    assert run("download", "--layer", LAYER, *days, *BOX, *where, *base).code == 0
    picture = tmp_path / f"4326/2023-08-02/{LAYER}.jpg"
    whole = picture.read_bytes()
    picture.write_bytes(b"")
    nobody = ("--base-url", "http://127.0.0.1:9")
    ended = run("verify", LAYER, *where, *nobody)
    assert ended.code == 4
    assert "bad     empty" in ended.out
    assert "nothing was fetched" in ended.err
    assert not picture.exists()

    assert run("scan", LAYER, *days, *BOX, *where, *nobody).code in (4, 5)
    server.requests.clear()
    assert run("download", "--layer", LAYER, *days, *BOX, *where, *base).code == 0
    assert {day for day, _ in asked(server)} == {"2023-08-02"}
    assert picture.read_bytes() == whole


def test_r10_nothing_is_mended_without_a_journal_but_the_way_out_is_said(
    run: Run, tmp_path: Path
) -> None:
    picture = tmp_path / f"4326/{dt.date(2023, 8, 1)}/{LAYER}.jpg"
    killed_gdal_translate(picture)
    before = picture.read_bytes()
    ended = run("verify", LAYER, "--output-dir", tmp_path)
    assert ended.code == 4
    assert "no journal" in ended.err
    assert "--adopt" in ended.err
    assert picture.read_bytes() == before
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [picture]
