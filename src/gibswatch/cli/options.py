"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gibswatch.errors import DateRangeError, UsageError

if TYPE_CHECKING:
    from gibswatch.types import BBox

__all__ = [
    "AlertsPerMonth",
    "BaseUrl",
    "Bbox",
    "CaBundle",
    "CogMasks",
    "CompatMasks",
    "Connections",
    "Device",
    "EndDate",
    "EpsgCode",
    "EventsFile",
    "FailOn",
    "FailOnAlert",
    "GridOption",
    "JsonFlag",
    "MethodOption",
    "ModelFile",
    "OutputDir",
    "Reasons",
    "Scheduler",
    "StartDate",
    "TileResolution",
    "TiledWorld",
    "TleFile",
    "WorkerCount",
    "parse_bbox",
    "parse_date",
    "parse_range",
    "parse_span",
    "read_elements",
]

StartDate = Annotated[
    str | None,
    typer.Option(
        "--start-date", "--start", metavar="DATE", help="First day, YYYY-MM-DD, or Today."
    ),
]
EndDate = Annotated[
    str,
    typer.Option("--end-date", "--end", metavar="DATE", help="Day to stop before, or Today."),
]
EpsgCode = Annotated[
    int,
    typer.Option("--epsg", help="4326 geographic, 3413 arctic, 3031 antarctic, 3857 web mercator."),
]
Bbox = Annotated[
    tuple[float, float, float, float] | None,
    typer.Option(
        "--bbox", metavar="W S E N", help="Part of the map, in degrees (polar, mercator: metres)."
    ),
]
GridOption = Annotated[
    Literal["predecessor", "native"] | None,
    typer.Option(
        "--grid", help="The predecessor's sizes, or GIBS's own pixels; default: the folder's."
    ),
]
TileResolution = Annotated[
    str | None,
    typer.Option("--tile-resolution", metavar="NAME", help="16km, 8km, 4km, ... 31.25m."),
]
TiledWorld = Annotated[
    bool | None,
    typer.Option("--tiled-world/--stitched", help="Keep tiles, or one picture a day."),
]
OutputDir = Annotated[Path, typer.Option("--output-dir", help="The archive's folder.")]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", help="Another server than NASA's.", metavar="URL")
]
Connections = Annotated[
    int | None,
    typer.Option("--connections", help="Connections open at one time, at most (default 32)."),
]
CaBundle = Annotated[
    Path | None, typer.Option("--ca-bundle", help="PEM file of certificate authorities to trust.")
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
MethodOption = Annotated[
    str,
    typer.Option(
        "--method",
        help="gibswatch, or a baseline: climatology, gibs-ml, gibs-ml-deviation, gibs-ml-mask, "
        "black-share.",
    ),
]
ModelFile = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="PATH",
        help="Give the score of a trained model (.skops, .safetensors) beside it.",
    ),
]
WorkerCount = Annotated[
    int | None, typer.Option("--workers", help="Processes; default one a core for many days.")
]
Device = Annotated[
    Literal["auto", "cpu", "cuda"],
    typer.Option("--device", help="Where networks of PyTorch run."),
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="Judge days on a Dask cluster."),
]
TleFile = Annotated[
    Path | None,
    typer.Option("--tle", metavar="FILE", help="Two-line elements of the satellite to go by."),
]
EventsFile = Annotated[
    Path | None,
    typer.Option("--events", metavar="FILE", help="Events of your own (JSON, docs/events.md)."),
]
FailOn = Annotated[
    Literal["anomalous", "incomplete", "any"] | None,
    typer.Option("--fail-on", help="End with exit code 3 if a day is so; goes before 4, after 5."),
]
FailOnAlert = Annotated[
    Literal["anomalous", "incomplete", "alert", "any"] | None,
    typer.Option("--fail-on", help="End with exit code 3 if a day is so; goes before 4, after 5."),
]
Reasons = Annotated[
    bool, typer.Option("--reasons", help="Write why each pixel is black as {Layer}_Reason.tif.")
]
CogMasks = Annotated[bool, typer.Option("--cog", help="Write masks as GeoTIFF (COG) too.")]
CompatMasks = Annotated[
    bool, typer.Option("--compat-masks", help="Write masks as the predecessor did too.")
]
AlertsPerMonth = Annotated[
    float | None,
    typer.Option(
        "--alerts-per-month", metavar="K", help="How many days of a clean month may be alerts."
    ),
]
_MAX_TLE_BYTES = 2**20


def parse_date(text: str, *, option: str, today: dt.date | None = None) -> dt.date:
    """Read YYYY-MM-DD or `Today` (UTC).

    Raises
    ------
    DateRangeError
        If it is neither.

    Examples
    --------
    >>> parse_date("2023-08-07", option="--start-date")
    datetime.date(2023, 8, 7)
    """
    if text.lower() == "today":
        return today or dt.datetime.now(dt.UTC).date()
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC).date()
    except ValueError as error:
        raise DateRangeError(
            f"{option} {text[:40]!r} is not a date: give YYYY-MM-DD or Today"
        ) from error


def parse_range(
    start: str | None, end: str, first_day: dt.date | None, today: dt.date | None = None
) -> tuple[dt.date, dt.date]:
    """Read a range of days; without a start it begins with the layer.

    Raises
    ------
    DateRangeError
        If a date cannot be read, or the start does not come before the end.
    """
    begin, stop = parse_span(start, end, today)
    if begin is not None:
        return begin, stop
    if first_day is None:
        raise DateRangeError("the layer has no first day: give --start-date")
    return first_day, stop


def parse_span(
    start: str | None, end: str, today: dt.date | None = None
) -> tuple[dt.date | None, dt.date]:
    """Read a range of days that may have no start; it never reaches beyond today.

    Raises
    ------
    DateRangeError
        If a date cannot be read, or the start is in the future.
    """
    stop = parse_date(end, option="--end-date", today=today)
    begin = None if start is None else parse_date(start, option="--start-date", today=today)
    now = today or dt.datetime.now(dt.UTC).date()
    if begin is not None and begin > now:
        raise DateRangeError(f"--start-date {begin} is in the future: today is {now} (UTC)")
    # Tomorrow's picture does not exist; asking for it would make days that are never complete.
    return begin, min(stop, now + dt.timedelta(days=1))


def parse_bbox(values: tuple[float, float, float, float] | None) -> BBox | None:
    """Make a box of four numbers; whether it is a good one is checked against the projection."""
    from gibswatch.types import BBox

    return None if values is None else BBox(*values)


def read_elements(path: Path) -> str:
    """Read the text of ``--tle``; what it says is checked by `gibswatch.sky.tle`.

    Raises
    ------
    UsageError
        If the file cannot be read, is no text, or is too large for element sets.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_TLE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"--tle {path} cannot be read ({reason}): name a text file") from error
    if len(data) > _MAX_TLE_BYTES:
        raise UsageError(f"--tle {path} is larger than {_MAX_TLE_BYTES} bytes: give element sets")
    try:
        return data.decode("ascii")
    except UnicodeDecodeError as error:
        raise UsageError(f"--tle {path} is no text of two-line elements") from error
