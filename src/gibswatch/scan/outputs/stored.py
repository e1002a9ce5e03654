"""`scan.json`: a scan as it was, so that its report can be made again without network.

The file holds a day once, with the newest judgement of it.  A scan of other days leaves what
earlier scans by the same method on the same grid found; `read_scan` gives the range of the last
scan alone.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast, get_args

from gibswatch.archive.layout import Layout
from gibswatch.catalogue.grids import check_epsg
from gibswatch.catalogue.windows import Grid, GridKind
from gibswatch.errors import ArchiveError, UsageError
from gibswatch.files import write_bytes
from gibswatch.scan.budget import Budget
from gibswatch.scan.outputs.findings import budget_to_json, item_to_json
from gibswatch.scan.result import DaySky, ScanResult
from gibswatch.sky.orbit import Orbit, OrbitSource
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import (
    PICTURE_FORMATS,
    BBox,
    DateSource,
    DayItem,
    Finding,
    IncompleteCause,
    Kind,
    ModelScore,
    Shares,
    VerdictName,
)

__all__ = ["SCAN_FILE", "read_scan", "scan_folder", "scanned_layers", "write_scan"]

SCAN_FILE = "scan.json"
_VERSION = 1
_MAX_BYTES = 2**28
"""A clean day takes 700 bytes; the outline of a bad one may take 100 kB."""
_LONGEST_TEXT = 20_000
_ORBIT_NUMBERS = (
    "node_time_s",
    "node_lon_deg",
    "spacing_deg",
    "period_s",
    "inclination_deg",
    "semi_major_km",
    "half_angle_deg",
    "longitude_sigma_deg",
    "time_sigma_s",
    "eccentricity_km",
)


def write_scan(result: ScanResult) -> Path:
    """Write a scan beside its tables, whole or not at all.

    Parameters
    ----------
    result : ScanResult
        Items may reach beyond its range: days of earlier scans.

    Raises
    ------
    OutputError
        If the folder cannot take the file.
    """
    if result.folder is None or result.grid is None or result.start is None or result.stop is None:
        raise ValueError("a scan of loose files has no place of its own")
    head = {
        "version": _VERSION,
        "gibswatch": result.version,
        "written": None if result.written is None else result.written.isoformat(),
        "layer": result.layer,
        "method": result.method,
        "start": result.start.isoformat(),
        "stop": result.stop.isoformat(),
        "grid": _grid_document(result.grid),
        "notes": list(result.notes),
        "orbits": list(result.orbits),
        "budget": None if result.budget is None else budget_to_json(result.budget),
    }
    # A line a day: two scans can be compared by eye, and no document of all days is built.
    rows = (json.dumps(_item_document(result, item), allow_nan=False) for item in result.items)
    text = json.dumps(head, allow_nan=False, indent=1)
    path = result.folder / SCAN_FILE
    write_bytes(path, (text[:-2] + ',\n "items": [\n' + ",\n".join(rows) + "\n ]\n}\n").encode())
    return path


def read_scan(folder: Path | str, *, whole: bool = False) -> ScanResult:
    """Read a scan back from the folder of its tables.

    Parameters
    ----------
    folder : path
        ``{root}/{epsg}/scans/{Layer}``.
    whole : bool
        Whether days of earlier scans are wanted too, not the range of the last one alone.

    Returns
    -------
    ScanResult
        Without `download`.

    Raises
    ------
    UsageError
        If there is no scan.
    ArchiveError
        If the file cannot be read, is damaged, or of another version.
    """
    path = Path(folder) / SCAN_FILE
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{folder} holds no scan: run gibswatch scan first") from error
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read ({error.strerror}): check its rights") from error
    try:
        document = _loaded(data)
        version = document["version"]
        if version == _VERSION:
            return _result(document, Path(folder), whole=whole)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"{type(error).__name__}: {str(error)[:100]}"
        raise ArchiveError(f"{path} is damaged ({why}): scan again") from error
    raise ArchiveError(
        f"{path} has version {str(version)[:20]!r}, this Gibswatch reads {_VERSION}: update "
        "Gibswatch, or scan again"
    )


def scan_folder(root: Path, layer: str, epsg: int) -> Path:
    """Where the scan of a layer lies.

    Raises
    ------
    UsageError
        If there is none; the message names the layers that have one.
    """
    folder = Layout(root, layer, check_epsg(epsg)).scan_folder
    if not (folder / SCAN_FILE).is_file():
        there = scanned_layers(root, epsg)
        others = f" (there is one of {', '.join(there)})" if there else ""
        raise UsageError(
            f"{root} holds no scan of {layer} in EPSG:{epsg}{others}: run gibswatch scan {layer}"
        )
    return folder


def scanned_layers(root: Path, epsg: int) -> list[str]:
    """Identifiers of the layers that have a scan in a projection, sorted."""
    files = (root / str(check_epsg(epsg)) / "scans").glob(f"*/{SCAN_FILE}")
    return sorted(path.parent.name for path in files)


def _item_document(result: ScanResult, item: DayItem) -> dict[str, Any]:
    document = item_to_json(item)
    for name in ("file", "mask"):
        document[name] = _under(document[name], result.root)
    sky = result.skies.get(item.date) if item.date else None
    return document if sky is None else {**document, "sky": _sky_document(sky)}


def _under(path: str | None, root: Path | None) -> str | None:
    """Name a file from the archive's root, so that the archive may be moved."""
    if path is None or root is None or not Path(path).is_relative_to(root):
        return path
    return Path(path).relative_to(root).as_posix()


def _sky_document(sky: DaySky) -> dict[str, Any]:
    orbit = sky.orbit
    return {
        "satellite": orbit.satellite,
        **{name: getattr(orbit, name) for name in _ORBIT_NUMBERS},
        "valid": [day.isoformat() for day in orbit.valid],
        "source": orbit.source,
        "note": orbit.note,
        "sza_cut_deg": sky.sza_cut_deg,
    }


def _grid_document(grid: Grid) -> dict[str, Any]:
    return {**dataclasses.asdict(grid), "bbox": None if grid.bbox is None else grid.bbox.as_tuple()}


def _loaded(data: bytes) -> dict[str, Any]:
    if len(data) > _MAX_BYTES:
        raise ValueError(f"it is larger than {_MAX_BYTES} bytes")
    document = json.loads(data)
    if not isinstance(document, dict):
        raise TypeError("it holds no record")
    return document


def _result(document: dict[str, Any], folder: Path, *, whole: bool) -> ScanResult:
    layer, start, stop = _text(document["layer"]), _day(document["start"]), _day(document["stop"])
    root = folder.parent.parent.parent
    items, skies = [], {}
    for row in _list(document["items"]):
        item = _item(row, layer, root)
        if item.date is None or not (whole or start <= item.date < stop):
            continue
        items.append(item)
        if (sky := row.get("sky")) is not None:
            skies[item.date] = _sky(sky)
    written = document["written"]
    return ScanResult(
        layer,
        _text(document["method"]),
        tuple(items),
        _grid(document["grid"]),
        root=root,
        folder=folder,
        notes=tuple(_text(line) for line in _list(document["notes"])),
        orbits=tuple(_text(line) for line in _list(document["orbits"])),
        start=start,
        stop=stop,
        skies=skies,
        version=_text(document["gibswatch"]),
        written=None if written is None else dt.datetime.fromisoformat(_text(written)),
        budget=_budget(document.get("budget")),
    )


def _budget(row: dict[str, Any] | None) -> Budget | None:
    """The budget of a scan; scans of earlier versions have none."""
    if row is None:
        return None
    return Budget(
        _number(row["per_month"]),
        _number(row["threshold"]),
        int(_number(row["days"])),
        None if row["expected"] is None else _number(row["expected"]),
        _text(row["problem"]),
    )


def _grid(row: dict[str, Any]) -> Grid:
    box, stored, level = row["bbox"], row["picture_format"], row["tile_level"]
    return Grid(
        cast("GridKind", _one_of(row["kind"], get_args(GridKind))),
        check_epsg(int(row["epsg"])),
        _text(row["tile_resolution"]),
        None if box is None else _box(box),
        bool(row["tiled"]),
        None if level is None else int(level),
        None if stored is None else cast("Any", _one_of(stored, PICTURE_FORMATS)),
    )


def _item(row: dict[str, Any], layer: str, root: Path) -> DayItem:
    shares, cause = row["shares"], row["incomplete_cause"]
    return DayItem(
        layer,
        None if row["date"] is None else _day(row["date"]),
        cast("VerdictName", _one_of(row["verdict"], get_args(VerdictName))),
        _number(row["score"]),
        _text(row["reason"]),
        None
        if shares is None
        else Shares(*(_number(shares[name]) for name in ("black", "expected", "unexpected"))),
        tuple(_finding(finding) for finding in _list(row["findings"])),
        None
        if cause is None
        else cast("IncompleteCause", _one_of(cause, get_args(IncompleteCause))),
        {_text(state): int(count) for state, count in row["tiles"].items()},
        _path(row["file"], root),
        cast("DateSource", _one_of(row["date_source"], get_args(DateSource))),
        tuple(_day(day) for day in _list(row["date_candidates"])),
        _path(row["mask"], root),
        None if row["worldview"] is None else _web(row["worldview"]),
        _flag(row.get("alert")),
        _model(row.get("model")),
    )


def _model(row: dict[str, Any] | None) -> ModelScore | None:
    """What a model said; scans of earlier versions have none."""
    if row is None:
        return None
    called = _flag(row["called"])
    if called is None:
        raise TypeError("a model calls a day or does not")
    score, threshold = _number(row["score"]), _number(row["threshold"])
    return ModelScore(_text(row["name"]), score, threshold, called)


def _finding(row: dict[str, Any]) -> Finding:
    geometry, area, box = row["geometry"], row["area_km2"], row["bbox"]
    if geometry is not None and geometry["type"] not in ("Polygon", "MultiPolygon"):
        raise ValueError(f"{str(geometry['type'])[:30]} is no outline")
    return Finding(
        Kind(row["kind"]),
        _number(row["score"]),
        _text(row["reason"]),
        None if area is None else _number(area),
        None if box is None else _box(box),
        geometry,
        tuple(_text(name) for name in _list(row["granules"])),
    )


def _sky(row: dict[str, Any]) -> DaySky:
    first, last = _list(row["valid"])
    orbit = Orbit(
        satellite=_one_of(row["satellite"], tuple(SATELLITES)),
        valid=(_day(first), _day(last)),
        source=cast("OrbitSource", _one_of(row["source"], get_args(OrbitSource))),
        note=_text(row["note"]),
        **{name: _number(row[name]) for name in _ORBIT_NUMBERS},
    )
    return DaySky(orbit, _number(row["sza_cut_deg"]))


def _path(value: Any, root: Path) -> str | None:
    """Files of a scan lie under its root: a report shows no others."""
    if value is None:
        return None
    path = Path(_text(value))
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{value[:60]!r} leads out of the archive")
    return str(root / path)


def _web(value: Any) -> str:
    """Links of a report lead to the web alone: a file may come from anywhere."""
    text = _text(value)
    if not text.startswith("https://"):
        raise ValueError(f"{text[:40]!r} is no link")
    return text


def _box(value: Any) -> BBox:
    west, south, east, north = (_number(edge) for edge in _list(value))
    return BBox(west, south, east, north)


def _one_of(value: Any, names: Sequence[str]) -> str:
    if value not in names:
        raise ValueError(f"{str(value)[:30]!r} is not one of {', '.join(names)}")
    return str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise TypeError(f"{str(value)[:30]} is no text")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{str(value)[:30]} is no number")
    return float(value)


def _flag(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{str(value)[:30]} is neither true nor false")
    return value


def _day(value: Any) -> dt.date:
    return dt.date.fromisoformat(_text(value))


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{str(value)[:30]} is no list")
    return value
