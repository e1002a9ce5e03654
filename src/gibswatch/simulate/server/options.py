"""From the words of a command line to the layers that a server serves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gibswatch.errors import UsageError
from gibswatch.simulate.server.sources import (
    FolderSource,
    ServedLayer,
    TileAddress,
    TileFolderSource,
    TileSource,
)

__all__ = [
    "PICTURES_FORM",
    "TILE_FORM",
    "PicturesOption",
    "TileOption",
    "archive_layers",
    "open_sources",
    "parse_pictures_option",
    "parse_tile_option",
]

PICTURES_FORM = "LAYER=FOLDER"
TILE_FORM = "LAYER=FOLDER@SET/LEVEL/ROW/COL"

_ADDRESS = re.compile(r"([^/@]+)/(\d{1,2})/(\d{1,7})/(\d{1,7})", re.ASCII)
_DATE_FOLDER = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"


@dataclass(frozen=True, slots=True)
class PicturesOption:
    """A layer and the folder with its globes."""

    layer: str
    folder: Path


@dataclass(frozen=True, slots=True)
class TileOption:
    """A layer and the folder with one of its tiles, day by day."""

    layer: str
    folder: Path
    address: TileAddress


def parse_pictures_option(text: str) -> PicturesOption:
    """Read ``LAYER=FOLDER``.

    Raises
    ------
    UsageError
        If it has another form.
    """
    layer, equals, folder = text.partition("=")
    if not (layer.strip() and equals and folder.strip()):
        raise UsageError(
            f"--pictures {text!r} is not {PICTURES_FORM}: give for instance "
            "MODIS_Terra_CorrectedReflectance_TrueColor=globes"
        )
    return PicturesOption(layer.strip(), Path(folder.strip()).expanduser())


def parse_tile_option(text: str) -> TileOption:
    """Read ``LAYER=FOLDER@SET/LEVEL/ROW/COL``.

    Raises
    ------
    UsageError
        If it has another form.

    Examples
    --------
    >>> str(parse_tile_option("A_Layer=some/folder@250m/3/2/4").address)
    '250m/3/2/4'
    """
    rest, _, address = text.rpartition("@")
    layer, _, folder = rest.partition("=")
    match = _ADDRESS.fullmatch(address.strip())
    if not (layer.strip() and folder.strip() and match):
        raise UsageError(
            f"--tile {text!r} is not {TILE_FORM} (row before column): give for instance "
            "MODIS_Terra_CorrectedReflectance_TrueColor=tiles@250m/3/2/4"
        )
    level, row, col = (int(match[group]) for group in (2, 3, 4))
    return TileOption(
        layer.strip(),
        Path(folder.strip()).expanduser(),
        TileAddress(match[1], level, row, col),
    )


def archive_layers(archive: Path) -> dict[str, Path]:
    """Find the layers of an archive in EPSG:4326: ``{epsg}/{date}/{Layer}.jpg|png``.

    Parameters
    ----------
    archive : Path
        The folder that holds ``4326``, or the one that holds ``data/4326``.

    Raises
    ------
    UsageError
        If it holds no picture in that layout.
    """
    for folder in (archive / "4326", archive / "data" / "4326"):
        names = sorted(
            path.stem
            for suffix in ("jpg", "png")
            for path in folder.glob(f"{_DATE_FOLDER}/*.{suffix}")
            if not path.stem.endswith(("_Mask", ".partial"))
        )
        if names:
            return dict.fromkeys(names, folder)
    raise UsageError(
        f"{archive} is no archive: it should hold 4326/YYYY-MM-DD/LAYER.jpg or .png; "
        f"for a folder of pictures of one layer use --pictures {PICTURES_FORM}"
    )


def open_sources(
    archive: Path | None,
    pictures: Sequence[str],
    tiles: Sequence[str],
    describe: Callable[[str], ServedLayer],
) -> dict[str, tuple[ServedLayer, TileSource]]:
    """Open all that a command line asks to serve, ready for `create_app`.

    Parameters
    ----------
    archive : Path, optional
        Serve every layer of this archive.
    pictures, tiles : sequence of str
        ``LAYER=FOLDER`` and ``LAYER=FOLDER@SET/LEVEL/ROW/COL``.
    describe : Callable[[str], ServedLayer]
        Looks a layer up in the catalogue.

    Raises
    ------
    UsageError
        If there is nothing to serve, a form is wrong, a layer is given twice, or is not served by
        GIBS in EPSG:4326, or a folder holds no dated picture.
    """
    served: dict[str, tuple[ServedLayer, TileSource]] = {}

    def add(layer: ServedLayer, source: TileSource) -> None:
        if layer.identifier in served:
            raise UsageError(f"{layer.identifier} is given twice: name one folder a layer")
        served[layer.identifier] = (layer, source)

    folders = archive_layers(archive) if archive else {}
    asked = [parse_pictures_option(text) for text in pictures]
    for option in (*(PicturesOption(*item) for item in folders.items()), *asked):
        layer = _geographic(describe(option.layer))
        add(layer, FolderSource(option.folder, layer.image_format, layer=option.layer))
    for text in tiles:
        tile = parse_tile_option(text)
        layer = _geographic(describe(tile.layer))
        add(layer, _tile_source(tile, layer))
    if not served:
        raise UsageError(
            f"nothing to serve: give an archive folder, --pictures {PICTURES_FORM} "
            f"or --tile {TILE_FORM}"
        )
    return served


def _geographic(layer: ServedLayer) -> ServedLayer:
    """Keep EPSG:4326 only: folders hold pictures of no other projection."""
    matrix_sets: Mapping[int, str] = layer.matrix_sets
    if 4326 not in matrix_sets:
        raise UsageError(f"{layer.identifier} is not served in EPSG:4326: name another layer")
    return replace(layer, matrix_sets={4326: matrix_sets[4326]})


def _tile_source(option: TileOption, layer: ServedLayer) -> TileFolderSource:
    address = option.address
    own = layer.matrix_sets[4326]
    if address.matrix_set != own:
        raise UsageError(
            f"{layer.identifier} is served in the tile matrix set {own}, not "
            f"{address.matrix_set}: give @{own}/{address.level}/{address.row}/{address.col}"
        )
    return TileFolderSource(
        option.folder,
        address.matrix_set,
        address.level,
        address.row,
        address.col,
        image_format=layer.image_format,
        layer=option.layer,
    )
