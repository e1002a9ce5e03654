"""The committed table is what the tool makes of the public data."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("GIBSWATCH_REAL_DATA") or ROOT.parent / "shared/data")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "build_catalogue", ROOT / "tools/build_catalogue.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.realdata
def test_rebuild_equals_the_committed_file(tool: ModuleType) -> None:
    if not (DATA / "service").is_dir():
        pytest.skip(f"no {DATA / 'service'}: set GIBSWATCH_REAL_DATA to the folder of real data")
    text, left_out = tool.build(DATA)
    assert text.encode() == tool.TARGET.read_bytes()
    assert "VIIRS_SNPP_NDVI_8Day" in left_out


def test_table_is_small_and_without_prose(tool: ModuleType) -> None:
    text = tool.TARGET.read_text("utf-8")
    assert len(text.encode()) < 500_000
    assert not any(word in text for word in ("conceptId", "description", "-LANCEMODIS"))
    assert max(text.count(f'"{key}":') for key in ("id", "title")) == 1021


@pytest.mark.parametrize(
    ("subtitle", "expected"),
    [
        ("Terra / MODIS", ("Terra", "MODIS")),
        ("GOES-East/ABI", ("GOES-East", "ABI")),
        ("NOAA 20 / VIIRS+CrIS", ("NOAA-20", "VIIRS+CrIS")),
        ("Suomi NPP / VIIRS via NASA Earth Observatory", ("Suomi NPP", "VIIRS")),
        ("GHRSST / AVHRR / Metop-A / NOAA", ("Metop-A", "AVHRR")),
        ("Terra / Space-Track.org", ("Terra", None)),
        ("OCO-2", ("OCO-2", None)),
        ("MERRA-2", (None, None)),
        ("Multi-mission / GHRSST", (None, None)),
        ("", (None, None)),
    ],
)
def test_platform_and_instrument(
    tool: ModuleType, subtitle: str, expected: tuple[str | None, str | None]
) -> None:
    assert tool.platform_of(subtitle) == expected


def test_retired_names_only_where_unambiguous(tool: ModuleType) -> None:
    names = ["AIRS_L2_X", "AIRS_L3_X", "AIRS_L3_Y", "OrbitTracks_A-1_Ascending"]
    found = tool.retired_names(["AIRS_X", "AIRS_Y", "A_1_Orbit_Asc", "Gone"], names)
    assert {old: new for old, new in found.items() if "Chlorophyll" not in old} == {
        "AIRS_Y": "AIRS_L3_Y",
        "A_1_Orbit_Asc": "OrbitTracks_A-1_Ascending",
    }


def test_cadence_is_the_commonest_step(tool: ModuleType) -> None:
    periods = tool.parse_domain("2000-01-01/2000-12-26/P8D,2001-01-01/2001-01-01/P5D")
    assert tool.cadence_of(periods) == "P8D"
