"""What a command line asks to serve."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gibswatch.errors import UsageError
from gibswatch.simulate.server.options import (
    archive_layers,
    open_sources,
    parse_pictures_option,
    parse_tile_option,
)
from gibswatch.simulate.server.sources import FolderSource, ServedLayer, TileFolderSource


def describe(name: str) -> ServedLayer:
    return ServedLayer(name, "jpg", {4326: "250m", 3857: "GoogleMapsCompatible_Level9"})


def save(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((64, 128, 3), 90, np.uint8)).save(path)


def test_forms_are_read() -> None:
    option = parse_pictures_option("A=some/fol@der=x")
    assert (option.layer, option.folder) == ("A", Path("some/fol@der=x"))
    tile = parse_tile_option("A=fol@der@250m/3/2/4")
    assert (tile.layer, tile.folder, str(tile.address)) == ("A", Path("fol@der"), "250m/3/2/4")


@pytest.mark.parametrize("text", ["", "A", "A=", "=folder", "folder"])
def test_bad_pictures_option(text: str) -> None:
    with pytest.raises(UsageError, match="is not LAYER=FOLDER: give"):
        parse_pictures_option(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A=f",
        "A=f@250m/3/2",
        "A=f@250m/3/2/x",
        "A=f@250m/3/-2/4",
        "f@250m/3/2/4",
        "A=@250m/3/2/4",
    ],
)
def test_bad_tile_option(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not LAYER=FOLDER@SET/LEVEL/ROW/COL"):
        parse_tile_option(text)


@pytest.mark.parametrize("root", ["", "data"])
def test_archive(tmp_path: Path, root: str) -> None:
    folder = tmp_path / root / "4326"
    for name in ("A.jpg", "B.png", "A_Mask.png"):
        save(folder / "2023-08-07" / name)
    save(folder / "2023-08-07" / "C.partial.jpg")
    assert archive_layers(tmp_path / root) == {"A": folder, "B": folder}
    layers = open_sources(tmp_path, [], [], describe)
    assert list(layers) == ["A", "B"]
    assert all(isinstance(source, FolderSource) for _, source in layers.values())


def test_globes_are_served_in_all_projections_and_stored_tiles_in_one(tmp_path: Path) -> None:
    save(tmp_path / "2023-08-07.jpg")
    layers = open_sources(None, [f"A={tmp_path}"], [f"B={tmp_path}@250m/3/2/4"], describe)
    assert layers["A"][0] == describe("A")
    assert dict(layers["B"][0].matrix_sets) == {4326: "250m"}
    assert isinstance(layers["B"][1], TileFolderSource)


def test_refusals(tmp_path: Path) -> None:
    save(tmp_path / "2023-08-07.jpg")
    with pytest.raises(UsageError, match="nothing to serve"):
        open_sources(None, [], [], describe)
    with pytest.raises(UsageError, match="A is given twice"):
        open_sources(None, [f"A={tmp_path}"], [f"A={tmp_path}@250m/3/2/4"], describe)
    with pytest.raises(UsageError, match=r"set 250m, not 2km: give @250m/3/2/4"):
        open_sources(None, [], [f"A={tmp_path}@2km/3/2/4"], describe)
    with pytest.raises(UsageError, match="is no archive"):
        open_sources(tmp_path, [], [], describe)
    polar = ServedLayer("A", "jpg", {3413: "250m"})
    with pytest.raises(UsageError, match="A is not served in EPSG:4326"):
        open_sources(None, [], [f"A={tmp_path}@250m/3/2/4"], lambda _: polar)
