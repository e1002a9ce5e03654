"""From the words of a command line to the layers that a server serves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gibswatch.archive import Archive
from gibswatch.errors import UsageError
from gibswatch.simulate.server.archive_source import ArchiveSource
from gibswatch.simulate.server.sources import (
    FolderSource,
    ServedLayer,
    TileAddress,
    TileFolderSource,
    TileSource,
)
from gibswatch.types import EPSG_CODES

__all__ = [
    "PICTURES_FORM",
    "TILE_FORM",
    "PicturesOption",
    "TileOption",
    "archive_layers",
    "open_archive_layers",
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


def archive_layers(root: Path) -> dict[str, Path]:
    """Find the pictures of a folder without journals: ``4326/{date}/{Layer}.jpg|png``.

    Parameters
    ----------
    root : Path
        The folder that holds ``4326``.

    Returns
    -------
    dict
        By layer, the folder that holds its dates; masks and partial pictures are left out.
    """
    folder = root / "4326"
    names = sorted(
        path.stem
        for suffix in ("jpg", "png")
        for path in folder.glob(f"{_DATE_FOLDER}/*.{suffix}")
        if not path.stem.endswith(("_Mask", ".partial"))
    )
    return dict.fromkeys(names, folder)


def open_archive_layers(
    path: Path, describe: Callable[[str], ServedLayer]
) -> list[tuple[ServedLayer, TileSource]]:
    """Open every layer of an archive, whatever its projections.

    Parameters
    ----------
    path : Path
        The folder that holds ``4326`` (or ``3413`` ...), or one whose folder ``data`` does.
    describe : Callable[[str], ServedLayer]

    Returns
    -------
    list
        Layers with a journal in every projection that can be served; those without one (pictures
        laid there by hand) from their globes.

    Raises
    ------
    UsageError
        If there is no whole day of any layer.
    """
    for root in (path, path / "data"):
        archive = Archive(root)
        journalled = sorted({name for epsg in EPSG_CODES for name in archive.layers(epsg)})
        loose = [name for name in archive_layers(root) if name not in journalled]
        served = [_open_globes(PicturesOption(name, root / "4326"), describe) for name in loose]
        unfinished = None
        for name in journalled:
            try:
                served.append(_open_journalled(archive, name, describe))
            except UsageError as error:
                unfinished = error
        if served:
            return served
        if unfinished is not None:
            raise unfinished
    raise UsageError(
        f"{path} is no archive: it should hold 4326/YYYY-MM-DD/LAYER.jpg or .png; "
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
        If there is nothing to serve, a form is wrong, a layer is given twice, or (for ``tiles``)
        is not served by GIBS in EPSG:4326, or a folder holds no dated picture or no whole day.
    """
    served: dict[str, tuple[ServedLayer, TileSource]] = {}

    def add(layer: ServedLayer, source: TileSource) -> None:
        if layer.identifier in served:
            raise UsageError(f"{layer.identifier} is given twice: name one folder a layer")
        served[layer.identifier] = (layer, source)

    for layer, source in open_archive_layers(archive, describe) if archive else ():
        add(layer, source)
    for text in pictures:
        add(*_open_globes(parse_pictures_option(text), describe))
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


def _open_journalled(
    archive: Archive, name: str, describe: Callable[[str], ServedLayer]
) -> tuple[ServedLayer, TileSource]:
    layer = describe(name)
    source = ArchiveSource(archive, name, layer.image_format)
    matrix_sets = {
        epsg: layer.matrix_sets[epsg] for epsg in source.projections if epsg in layer.matrix_sets
    }
    return replace(layer, matrix_sets=matrix_sets), source


def _open_globes(
    option: PicturesOption, describe: Callable[[str], ServedLayer]
) -> tuple[ServedLayer, TileSource]:
    layer = describe(option.layer)
    return layer, FolderSource(option.folder, layer.image_format, layer=option.layer)


def _geographic(layer: ServedLayer) -> ServedLayer:
    """Keep EPSG:4326 only: stored tiles are of no other projection."""
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
