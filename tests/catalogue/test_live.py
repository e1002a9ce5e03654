"""The refreshed table: written whole, taken whole or not at all."""

from __future__ import annotations

import datetime as dt
import json
import warnings
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from gibswatch.catalogue.domains import parse_domain
from gibswatch.catalogue.layers import find_layer, load_catalogue
from gibswatch.catalogue.live import cadence_of, goes_on, live_file, read_live, write_live
from gibswatch.errors import GibswatchWarning, OutputError
from gibswatch.settings import Settings

TERRA = "MODIS_Terra_CorrectedReflectance_TrueColor"
RECORD: dict[str, Any] = {
    "id": TERRA,
    "title": "Anything else",
    "service": "wmts",
    "format": "jpg",
    "projections": {"4326": "500m"},
    "served_as": {},
    "domain": "2001-01-01/2026-11-21/P1D",
    "cadence": "P1D",
    "ongoing": True,
    "domain_source": "live 2026-11-22",
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the environment says that the refreshed table lies."""
    path = tmp_path / "folder" / "catalogue.json"
    monkeypatch.setenv("GIBSWATCH_CATALOGUE_FILE", str(path))
    return path


def test_where_the_file_lies(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert live_file() == path
    assert live_file(Settings(catalogue_file="other.json")) == Path("other.json")
    monkeypatch.setattr(platformdirs, "user_data_path", lambda name, appauthor: Path("/data", name))
    assert live_file(Settings()) == Path("/data/gibswatch/catalogue.json")


def test_the_tests_never_see_the_users_file() -> None:
    assert live_file() != live_file(Settings())
    assert not live_file().exists()


def test_what_was_written_is_read(path: Path) -> None:
    new = {**RECORD, "id": "A_New_Layer", "title": "Nöw \ud800"}
    write_live(path, [RECORD, new], "http://127.0.0.1")
    read = read_live(path)
    assert [record["id"] for record in read] == ["A_New_Layer", TERRA]
    assert read[1] == RECORD
    assert [p.name for p in path.parent.iterdir()] == ["catalogue.json"]


def test_the_file_lies_over_the_packaged_table(path: Path) -> None:
    packaged = find_layer(TERRA)
    new = {**RECORD, "id": "A_New_Layer", "projections": {"3413": "1km"}, "format": "png"}
    write_live(path, [RECORD, new], "http://127.0.0.1")
    layer = find_layer(TERRA)
    assert (layer.domain_source, str(layer.start_date)) == ("live 2026-11-22", "2001-01-01")
    assert layer.title == packaged.title
    assert layer.projections == {**packaged.projections, 4326: "500m"}
    added = find_layer("A_New_Layer")
    assert (added.matrix_set(3413), added.extension, added.subtitle) == ("1km", "png", "")
    assert len(load_catalogue()) == 1022
    assert list(load_catalogue()) == sorted(load_catalogue())
    path.unlink()
    assert find_layer(TERRA) == packaged


def test_a_record_without_time_leaves_the_packaged_one(path: Path) -> None:
    packaged = find_layer(TERRA)
    time = ("domain", "cadence", "ongoing", "domain_source")
    write_live(path, [{k: v for k, v in RECORD.items() if k not in time}], "http://127.0.0.1")
    assert find_layer(TERRA).domain == packaged.domain
    assert find_layer(TERRA).domain_source == "2026-06"


def test_a_polar_name_is_kept(path: Path) -> None:
    record = {**RECORD, "id": "Coastlines_15m", "projections": {"3413": "250m"}}
    write_live(path, [record], "http://127.0.0.1")
    assert find_layer("Coastlines_15m").name_in(3413) == "Coastlines"


def damaged() -> dict[str, bytes]:
    whole = {"version": 1, "sha256": "0" * 64, "layers": [RECORD]}
    return {
        "cut": json.dumps(whole).encode()[:-9],
        "other records": json.dumps(whole).encode(),
        "empty": b"",
        "a list": b"[]",
        "no text": b"\xff\xfe\x00",
        "deep": b"[" * 100_000,
    }


@pytest.mark.parametrize("name", damaged())
def test_a_damaged_file_is_a_warning(path: Path, name: str) -> None:
    path.parent.mkdir()
    path.write_bytes(damaged()[name])
    with pytest.warns(GibswatchWarning, match=r"catalogue\.json is damaged: the packaged table"):
        layer = find_layer(TERRA)
    assert layer.domain_source == "2026-06"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # once a state of the file
        find_layer(TERRA)


def test_a_newer_file_is_a_warning(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"version": 2}', "utf-8")
    with pytest.warns(GibswatchWarning, match="newer Gibswatch"):
        find_layer(TERRA)


def test_a_folder_in_its_place_is_a_warning(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.warns(GibswatchWarning, match="cannot be read"):
        find_layer(TERRA)
    with pytest.raises(OutputError, match="set GIBSWATCH_CATALOGUE_FILE to another file"):
        write_live(path, [RECORD], "http://127.0.0.1")


def test_the_commonest_step() -> None:
    assert cadence_of(parse_domain("2020-01-01/2020-01-05/P1D,2021-01-01/2021-12-01/P1M")) == "P1M"


def test_what_goes_on() -> None:
    periods = parse_domain("2000-01-01/2016-01-01/P1Y")
    assert goes_on(periods, dt.date(2017, 2, 9))
    assert not goes_on(periods, dt.date(2017, 2, 10))
    assert not goes_on((), dt.date(2017, 2, 10))
