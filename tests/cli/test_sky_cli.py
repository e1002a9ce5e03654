"""`gibswatch sky`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image

from gibswatch.report.sky_export import SKY_BANDS

TERRA = "MODIS_Terra_CorrectedReflectance_TrueColor"
SNPP = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
SMALL = ("--size", 256)
# Public elements (NORAD), as found in public repositories.
SNPP_ELEMENTS = """SUOMI NPP
1 37849U 11061A   17341.18384787 -.00000170  00000-0 -59794-4 0  9990
2 37849  98.7173 277.4064 0001444  51.2876 308.8431 14.19554784316634
"""

Run = Callable[..., Any]


def test_summary_of_an_eclipse_day(run: Run) -> None:
    ended = run("sky", TERRA, "2017-08-21", *SMALL)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == f"{TERRA}, local day 2017-08-21"
    assert lines[1].startswith("Terra / MODIS, orbit from anchor: edges good to ")
    assert "swath gap" in ended.out
    assert "of the Sun is covered" in ended.out
    assert "event (eclipse): solar eclipse, North America (NASA Earth Observatory 90796)" in lines


def test_document(run: Run) -> None:
    ended = run("sky", SNPP, "2015-12-21", *SMALL, "--json")
    assert (ended.code, ended.err) == (0, "")
    document = json.loads(ended.out)
    assert (document["layer"], document["date"]) == (SNPP, "2015-12-21")
    assert (document["satellite"], document["instrument"]) == ("SNPP", "VIIRS")
    assert document["grid"] == {
        "epsg": 4326,
        "bbox": [-180.0, -90.0, 180.0, 90.0],
        "rows": 128,
        "cols": 256,
    }
    assert sum(document["shares"].values()) == pytest.approx(1.0, abs=1e-4)
    assert document["shares"]["night"] > 0.02
    assert document["orbit"]["source"] == "anchor"
    assert document["scheduled"][0]["kind"] == "lunar-roll"
    assert document["largest_obscuration"] == 0
    passes = document["passes"]
    assert 14 <= len(passes) <= 32
    assert [p["first"] for p in passes] == sorted(p["first"] for p in passes)
    assert sum(p["share"] for p in passes) <= 1.0 + 1e-4
    for record in passes:
        assert -180 <= record["node_longitude"] <= 180
        node, first = (dt.datetime.fromisoformat(record[k]) for k in ("node_time", "first"))
        assert abs(first - node) < dt.timedelta(seconds=6100)
        assert record["granules"][0]["start"][:16] <= record["first"][:16]
        assert all(int(granule["start"][14:16]) % 6 == 0 for granule in record["granules"])


def test_raster_has_named_bands_with_units(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "sky.tif"
    assert run("sky", TERRA, "2017-08-21", *SMALL, "--output", path).code == 0
    with rasterio.open(path) as raster:
        assert raster.shape == (128, 256)
        assert raster.descriptions == tuple(name for name, _ in SKY_BANDS)
        assert raster.units == tuple(unit for _, unit in SKY_BANDS)
        assert raster.bounds == (-180, -90, 180, 90)
        assert raster.crs.to_epsg() == 4326
        assert raster.tags()["satellite"] == "Terra"
        assert "0 visible" in raster.tags()["reasons"]
        bands = dict(zip(raster.descriptions, raster.read(), strict=True))
    assert set(np.unique(bands["reason"])) <= {0, 1, 2, 3, 4, 5}
    assert np.nanmax(bands["obscuration"]) > 0.9
    seen = np.isfinite(bands["pass_index"])
    assert np.isfinite(bands["time_utc"][seen]).all()
    assert np.nanmin(bands["time_utc"]) > -13 * 60
    assert np.nanmax(bands["time_utc"]) < 37 * 60
    assert np.isnan(bands["time_utc"][bands["reason"] == 2]).all()


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--epsg", 3413),
        ("--epsg", 3031),
        ("--epsg", 3857),
        ("--bbox", -36, -18, 0, 18),
        ("--bbox", 10, 10, 10.5, 40),
    ],
)
def test_map_in_every_projection(run: Run, tmp_path: Path, options: tuple[object, ...]) -> None:
    path = tmp_path / "sky.png"
    ended = run("sky", TERRA, "2018-06-21", *options, "--size", 64, "--output", path)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[-1] == f"written: {path}"
    with Image.open(path) as image:
        assert 900 < max(image.size) < 1900
        assert len(image.convert("RGB").getcolors(10**6) or ()) > 10


def test_document_file_is_what_json_prints(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "sky.json"
    ended = run("sky", TERRA, "2018-06-21", *SMALL, "--json", "--output", path)
    assert json.loads(path.read_text("utf-8")) == json.loads(ended.out)
    first = path.read_bytes()
    run("sky", TERRA, "2018-06-21", *SMALL, "--output", path)
    assert path.read_bytes() == first


def test_ones_own_events(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    row = {
        "first": "2018-06-21",
        "last": "2018-06-21",
        "satellites": ["Terra"],
        "layers": ["MODIS_Terra_*"],
        "effect": "partial",
        "what": "a hole of mine",
        "source": "me",
    }
    path.write_text(json.dumps({"events": [row]}), "utf-8")
    out = run("sky", TERRA, "2018-06-21", *SMALL, "--events", path).out
    assert "event (partial): a hole of mine (me)" in out
    assert "hole of mine" not in run("sky", SNPP, "2018-06-21", *SMALL, "--events", path).out


def test_an_old_name_and_a_satellite_off_its_grid(run: Run) -> None:
    ended = run("sky", "VIIRS_SNPP_CorrectedReflectance_BandsM11_I2_I1", "2018-06-21", *SMALL)
    assert ended.code == 0
    assert "BandsM11-I2-I1" in ended.out
    assert "note: Terra left its 16-day grid" in run("sky", TERRA, "2024-06-21", *SMALL).out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nosuch", "2018-06-21"), "no layer 'nosuch'"),
        (("MODIS_Combined_Thermal_Anomalies_All", "2018-06-21"), "not a layer of one satellite"),
        (("GOES-East_ABI_GeoColor", "2018-06-21"), "not a layer of one satellite"),
        ((TERRA, "1999-12-17"), "Terra was launched on 1999-12-18"),
        ((TERRA, "2000-01-05"), "begins on 2000-02-24"),
        ((SNPP, "2011-10-27"), "launched on 2011-10-28"),
        ((TERRA, "2050-01-01"), "too far ahead"),
        ((TERRA, "2018-02-30"), "not a date: give YYYY-MM-DD or Today"),
        ((TERRA, "2018-06-21", "--epsg", "4327"), "not a projection"),
        ((TERRA, "2018-06-21", "--bbox", "10", "0", "-10", "5"), "empty or reversed"),
        ((TERRA, "2018-06-21", "--bbox", "nan", "0", "1", "5"), "finite"),
        ((TERRA, "2018-06-21", "--size", "0"), "give 16 to 8192 columns"),
        ((TERRA, "2018-06-21", "--size", "99999"), "give 16 to 8192 columns"),
        ((TERRA, "2018-06-21", "--bbox", "0", "-90", "0.001", "90", "--size", "64"), "more than"),
        ((TERRA, "2018-06-21", "--output", "sky.jpg"), "end its name in .png, .tif or .json"),
        ((TERRA, "2018-06-21", "--tle", "none.txt"), "--tle none.txt cannot be read"),
        ((TERRA, "2018-06-21", "--tle", "."), "cannot be read"),
        ((TERRA, "2018-06-21", "--events", "none.json"), "--events none.json cannot be read"),
    ],
)
def test_wrong_input(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run("sky", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert len(ended.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_element_set_decides_the_orbit(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "snpp.tle"
    path.write_text(SNPP_ELEMENTS, "ascii")
    document = json.loads(run("sky", SNPP, "2017-12-08", *SMALL, "--tle", path, "--json").out)
    assert document["orbit"]["source"] == "tle"
    by_anchor = json.loads(run("sky", SNPP, "2017-12-08", *SMALL, "--json").out)
    one, other = (next(p for p in d["passes"] if p["share"] > 0.05) for d in (document, by_anchor))
    assert one["node_longitude"] == pytest.approx(other["node_longitude"], abs=0.3)
    wrong = run("sky", TERRA, "2017-12-08", *SMALL, "--tle", path)
    assert (wrong.code, wrong.out) == (2, "")
    assert "is of SNPP, the layer of Terra" in wrong.err
    path.write_text(SNPP_ELEMENTS.replace("9990", "9991"), "ascii")
    assert "checksum" in run("sky", SNPP, "2017-12-08", *SMALL, "--tle", path).err


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe\x00", b"hello\n", b"1 25994U\n2 25994\n", b"x" * (2**20 + 1)],
    ids=["empty", "binary", "words", "short", "large"],
)
def test_a_bad_element_file(run: Run, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "terra.tle"
    path.write_bytes(data)
    ended = run("sky", TERRA, "2018-06-21", *SMALL, "--tle", path)
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)


def test_a_folder_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    blocked = tmp_path / "sky.png"
    blocked.mkdir()
    ended = run("sky", TERRA, "2018-06-21", *SMALL, "--output", blocked)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert list(blocked.iterdir()) == []
