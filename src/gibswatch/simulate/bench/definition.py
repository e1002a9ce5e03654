"""What a benchmark set is made of: a TOML file a set and version, read strictly."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

from gibswatch.catalogue import Grid, check_epsg
from gibswatch.errors import GibswatchError, UsageError
from gibswatch.files import safe_name
from gibswatch.simulate.days.spec import FAULT_KINDS, FaultKind, FaultSpec, parse_layer
from gibswatch.types import BBox

__all__ = ["PARTS", "ArchivePlan", "BenchSet", "Part", "Recipe", "read_set", "set_names"]

Part = Literal["tune", "test"]
PARTS: tuple[Part, ...] = get_args(Part)

_MOST_DAYS = 4000
_RECIPE_FIELDS = {field.name for field in fields(FaultSpec)} - {"kind", "day", "time_s", "place"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """A kind of fault, and what of it is given; the rest is drawn."""

    kind: FaultKind
    given: tuple[tuple[str, Any], ...] = ()
    """Fields of `FaultSpec` and their values."""

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in self.given)
        return f"{self.kind} ({told})" if told else self.kind


@dataclass(frozen=True, slots=True)
class ArchivePlan:
    """One archive of a set: a run of days that follow each other."""

    name: str
    part: Part
    serves: str
    """What it is there to measure, in words."""
    layers: tuple[str, ...]
    """All of one satellite: they show the same passes, clouds and faults."""
    start: dt.date
    days: int
    grid: Grid
    faulty: float
    """Share of the days that get one fault; how many is exact, which is drawn."""
    recipes: tuple[Recipe, ...]
    """Each as often as the others, as far as the number of faulty days allows."""
    windows_first: bool = False
    """Whether days with a manoeuvre of the Moon's phase get their fault before all others do."""
    tle: str = ""
    """Two-line elements; empty where tracks come from `gibswatch.sky.orbit`."""
    invented: bool = False
    """Whether the Earth is made up by noise."""

    @property
    def dates(self) -> tuple[dt.date, ...]:
        """All days, in order."""
        return tuple(self.start + dt.timedelta(days=n) for n in range(self.days))

    @property
    def faulty_days(self) -> int:
        """How many days get a fault."""
        return round(self.faulty * self.days)


@dataclass(frozen=True, slots=True)
class BenchSet:
    """A set as it is defined, before a seed is chosen."""

    name: str
    version: int
    purpose: str
    archives: tuple[ArchivePlan, ...]

    def part(self, part: Part) -> tuple[ArchivePlan, ...]:
        """Archives of one part."""
        return tuple(archive for archive in self.archives if archive.part == part)


def set_names() -> tuple[str, ...]:
    """Names of the sets that come with Gibswatch."""
    return tuple(sorted(path.name.removesuffix(".toml") for path in _packaged()))


def read_set(name: str) -> BenchSet:
    """Read a set that comes with Gibswatch, or a file.

    Parameters
    ----------
    name : str
        E.g. ``quality-1``, or the path of a TOML file.

    Raises
    ------
    UsageError
        If there is no such set, or its definition is wrong; the message names the place.
    """
    known = {path.name.removesuffix(".toml"): path for path in _packaged()}
    if name in known:
        return _parse(known[name].read_text(encoding="utf-8"), name)
    path = Path(name)
    if path.suffix != ".toml":
        raise UsageError(
            f"no benchmark set {name[:60]!r}: use {', '.join(sorted(known))}, or name a TOML file"
        )
    try:
        return _parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"set {path} cannot be read ({error}): name a TOML file") from error


def _packaged() -> list[Any]:
    folder = resources.files("gibswatch.simulate.bench") / "sets"
    return [path for path in folder.iterdir() if path.name.endswith(".toml")]


def _parse(text: str, source: str) -> BenchSet:
    try:
        table = tomllib.loads(text)
        recipes = {name: _recipes(lines) for name, lines in table.get("recipes", {}).items()}
        archives = tuple(_archive(line, recipes, table) for line in table["archive"])
        found = BenchSet(
            safe_name(table["name"], what="name of the set"),
            int(table["version"]),
            str(table["purpose"]),
            archives,
        )
        _check_parts(found)
    except GibswatchError as error:
        raise UsageError(f"set {source}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"set {source} is no TOML ({error}): correct it") from error
    except KeyError as error:
        raise UsageError(f"set {source} lacks {error}: add it (docs/bench-sets.md)") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"set {source} is not as docs/bench-sets.md says: {error}") from error
    return found


def _recipes(lines: list[Mapping[str, Any]]) -> tuple[Recipe, ...]:
    recipes = []
    for line in lines:
        kind = next((known for known in FAULT_KINDS if known == line["kind"]), None)
        if kind is None:
            raise UsageError(f"no fault {line['kind']!r}: use one of {', '.join(FAULT_KINDS)}")
        given = {key: value for key, value in line.items() if key != "kind"}
        if wrong := sorted(given.keys() - _RECIPE_FIELDS):
            raise UsageError(
                f"fault {kind} cannot be given {', '.join(wrong)}: one of "
                f"{', '.join(sorted(_RECIPE_FIELDS))}"
            )
        FaultSpec(kind, **given)
        recipes.append(Recipe(kind, tuple(sorted(given.items()))))
    return tuple(recipes)


def _archive(
    line: Mapping[str, Any], recipes: Mapping[str, tuple[Recipe, ...]], table: Mapping[str, Any]
) -> ArchivePlan:
    known = {field.name for field in fields(ArchivePlan)} - {"grid"}
    known |= {"epsg", "grid", "tile_resolution", "bbox"}
    if wrong := sorted(line.keys() - known):
        raise UsageError(f"archive {line.get('name')!r} has unknown keys: {', '.join(wrong)}")
    part = next(known for known in PARTS if known == line["part"]) if _is_part(line) else None
    if part is None:
        raise UsageError(f"part {line['part']!r} of {line['name']} is neither tune nor test")
    layers = tuple(line["layers"])
    if len({parse_layer(layer)[0] for layer in layers}) != 1:
        raise UsageError(f"the layers of {line['name']} must be of one satellite")
    start = line["start"]
    if type(start) is not dt.date:
        raise UsageError(f"start of {line['name']} is no date: write it as 2019-03-01")
    chosen = tuple(recipe for name in line.get("recipes", ()) for recipe in recipes[name])
    faulty = float(line.get("faulty", 0.5 if chosen else 0.0))
    if not 0 <= faulty <= 1 or (faulty and not chosen):
        raise UsageError(f"faulty = {faulty} of {line['name']}: 0 to 1, and recipes where over 0")
    if not 1 <= line["days"] <= _MOST_DAYS:
        raise UsageError(f"days = {line['days']} of {line['name']}: 1 to {_MOST_DAYS}")
    return ArchivePlan(
        name=safe_name(line["name"], what="name of an archive"),
        part=part,
        serves=line["serves"],
        layers=layers,
        start=start,
        days=line["days"],
        grid=_grid(line),
        faulty=faulty,
        recipes=chosen,
        windows_first=bool(line.get("windows_first", False)),
        tle=table["tle"][line["tle"]] if "tle" in line else "",
        invented=bool(line.get("invented", False)),
    )


def _is_part(line: Mapping[str, Any]) -> bool:
    return line["part"] in PARTS


def _grid(line: Mapping[str, Any]) -> Grid:
    kind = line.get("grid", "predecessor")
    if kind not in {"predecessor", "native"}:
        raise UsageError(f"grid {kind!r} of {line['name']} is neither predecessor nor native")
    bbox = BBox(*line["bbox"]) if "bbox" in line else None
    epsg = check_epsg(line.get("epsg", 4326))
    return Grid(kind, epsg, line.get("tile_resolution", "16km"), bbox)


def _check_parts(found: BenchSet) -> None:
    """Refuse what leaks: a year in both parts, or a name twice."""
    names = [archive.name for archive in found.archives]
    if len(set(names)) < len(names):
        raise UsageError("two archives have one name: names tell seeds and folders apart")
    years = {
        part: {day.year for archive in found.part(part) for day in archive.dates} for part in PARTS
    }
    if shared := sorted(years["tune"] & years["test"]):
        raise UsageError(
            f"years {', '.join(map(str, shared))} are in tune and in test: neighbouring days leak"
        )
