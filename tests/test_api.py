"""The Python API as a user would write it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gibswatch.simulate import EmbeddedServer


def test_layers_scan_archive_inspect(
    tmp_path: Path, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gibswatch as gw

    monkeypatch.setenv("GIBSWATCH_BASE_URL", server.base_url)
    layer = "MODIS_Terra_CorrectedReflectance_TrueColor"
    assert gw.layers()[layer].format == "jpg"

    result = gw.scan(layer, "2023-08-06", "2023-08-10", root=tmp_path, bbox=(-36, -36, 36, 36))
    assert [item.date.isoformat() for item in result.items if item.date] == [
        "2023-08-06", "2023-08-07", "2023-08-08", "2023-08-09",
    ]  # fmt: skip
    assert all(item.reason for item in result.items)

    archive = gw.open_archive(tmp_path)
    assert archive.layers() == [layer]
    days = archive.days(layer)
    assert days[0] == dt.date(2023, 8, 6)
    scene = archive.scene(layer, days[2])
    assert scene.pixels.shape == (512, 512, 3)
    assert scene.usable.all()
    assert (archive.scene(layer, "2023-08-08").pixels == scene.pixels).all()

    picture = result.items[0].file
    assert picture is not None
    (item,) = gw.inspect(picture, layer, bounds=(-36, -36, 36, 36)).items
    assert item.date == dt.date(2023, 8, 6)
    assert item.verdict in {"clean", "incomplete"}


def test_a_day_that_is_none_is_said(tmp_path: Path) -> None:
    import gibswatch as gw
    from gibswatch.errors import DateRangeError

    archive = gw.open_archive(tmp_path)
    with pytest.raises(DateRangeError, match="'yesterday' is not a date"):
        archive.scene("MODIS_Terra_CorrectedReflectance_TrueColor", "yesterday")
