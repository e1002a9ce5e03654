"""The label file: which part of a split a day belongs to, and the codes that a person gave it.

The predecessor's form, one line a day, ``data/{epsg}/{Layer}.txt``::

    train 2015-11-24
    train 2015-11-25 2
    test 2016-04-10 2 3

Where a day has no code the predecessor leaves a space at the end of its line.  A person's line is
never lost: a file is kept as the text that it was, spacing, line ends, blank lines and ``#`` lines
included, and a new split changes no more than the first word of a line.  A line that cannot be read
is an error that names it, before anything is written.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from gibswatch.archive.layout import Layout
from gibswatch.errors import OutputError, UsageError
from gibswatch.files import within, write_bytes
from gibswatch.types import Kind

__all__ = [
    "SPLITS",
    "LabelFile",
    "LabelLine",
    "Split",
    "label_path",
    "parse_labels",
    "read_labels",
    "write_labels",
]

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

_LINE = re.compile(
    r"(?P<indent>\s*)(?:(?P<split>train|val|test)(?P<space>\s+))?"
    r"(?P<date>\d{4}-\d\d-\d\d)(?P<codes>(?:\s+[1-9])*)\s*",
    re.ASCII,
)
_MARK = "\ufeff"
"""What some editors put before the first line of a file."""
_MAX_BYTES = 64 * 2**20
_WAY_OUT = "write `train 2023-08-07 2`: a split, a date, codes 1 to 9 with spaces between them"


@dataclass(frozen=True, slots=True)
class LabelLine:
    """What one line says."""

    split: Split | None
    """None in the predecessor's first form, a list of days that is not split yet."""
    date: dt.date
    codes: tuple[Kind, ...] = ()
    """As they stand; none for a normal day."""

    def __str__(self) -> str:
        codes = " ".join(str(int(code)) for code in self.codes)
        return f"{self.split} {self.date} {codes}" if self.split else f"{self.date} {codes}"


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A label file as it stands: the text of its lines, and what they say."""

    lines: tuple[str, ...] = ()
    """With their line ends; bytes that are no UTF-8 as lone surrogates."""
    name: str = "labels"
    """How errors call the file."""
    days: Mapping[dt.date, int] = field(init=False, compare=False)
    """Index of each day's line."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", _index(self.lines, self.name))

    @property
    def labels(self) -> dict[dt.date, LabelLine]:
        """What is said of each day, in the order of the lines."""
        parsed = (_parse(self.lines[index]) for index in self.days.values())
        return {line.date: line for line in parsed if line is not None}

    def to_bytes(self) -> bytes:
        """Give the file's bytes: those that were read, where nothing was changed."""
        return "".join(self.lines).encode("utf-8", "surrogateescape")

    def with_splits(self, splits: Mapping[dt.date, Split]) -> LabelFile:
        """Put days into splits: codes and spacing stay; a new day comes in before the next later.

        Parameters
        ----------
        splits : mapping of date to {"train", "val", "test"}
            Days that it does not name keep the split that they have.
        """
        lines = list(self.lines)
        for day, index in self.days.items():
            if day in splits:
                lines[index] = _resplit(lines[index], splits[day])
        new = sorted(splits.keys() - self.days.keys())
        added = [LabelLine(splits[day], day) for day in new]
        return LabelFile(tuple(_merge(lines, self.days, added)), self.name)

    def with_lines(self, added: Iterable[LabelLine]) -> LabelFile:
        """Say of days what is given, in place of what was said; all other lines stay.

        Parameters
        ----------
        added : iterable of LabelLine
            One a day.
        """
        lines, new = list(self.lines), []
        for line in sorted(added, key=lambda line: line.date):
            index = self.days.get(line.date)
            if index is None:
                new.append(line)
            elif _parse(lines[index]) != line:
                ending = lines[index][len(lines[index].rstrip("\r\n")) :]
                mark = _MARK if lines[index].startswith(_MARK) else ""
                lines[index] = f"{mark}{line}{ending}"
        return LabelFile(tuple(_merge(lines, self.days, new)), self.name)


def label_path(layout: Layout) -> Path:
    """Where the label file of a layer in one projection lies."""
    return within(layout.root, str(layout.epsg), f"{layout.layer}.txt")


def parse_labels(data: bytes, name: str = "labels") -> LabelFile:
    r"""Read the bytes of a label file.

    Parameters
    ----------
    data : bytes
    name : str
        How errors call the file.

    Raises
    ------
    UsageError
        If a line cannot be read, or a day stands in two lines.

    Examples
    --------
    >>> parse_labels(b"train 2016-04-10 2 3\n").labels[dt.date(2016, 4, 10)].codes
    (<Kind.MISSING_UNEXPECTED: 2>, <Kind.MISCOLORATION: 3>)
    """
    text = data.decode("utf-8", "surrogateescape")
    lines = tuple(line for line in re.split(r"(?<=\n)", text) if line)
    return LabelFile(lines, name)


def read_labels(path: Path) -> LabelFile:
    """Read a label file; one that is not there has no lines.

    Raises
    ------
    UsageError
        If it cannot be read, a line cannot be, or a day stands in two lines.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UsageError(f"{path} has over {_MAX_BYTES >> 20} MiB: that is no label file")
        data = path.read_bytes()
    except FileNotFoundError:
        return LabelFile(name=str(path))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror or error}): check its rights"
        ) from error
    return parse_labels(data, str(path))


def write_labels(path: Path, labels: LabelFile, *, before: LabelFile | None = None) -> None:
    """Write a label file, whole or not at all.

    Parameters
    ----------
    path : Path
    labels : LabelFile
    before : LabelFile, optional
        What was read: if the file has become another since, it is left as it is.

    Raises
    ------
    OutputError
        If the folder cannot take the file, or somebody wrote in it meanwhile.
    """
    if before is not None and read_labels(path).to_bytes() != before.to_bytes():
        raise OutputError(
            f"{path} was written by another program meanwhile, and is left as it is: "
            "run the command again"
        )
    write_bytes(path, labels.to_bytes())


def _parse(line: str) -> LabelLine | None:
    """Read one line; None if it says nothing (blank, or begun by #)."""
    text = line.removeprefix(_MARK)
    if not text.strip() or text.lstrip().startswith("#"):
        return None
    found = _LINE.fullmatch(text)
    if found is None or "\r" in text.rstrip("\r\n"):
        raise ValueError(line)
    split = next((name for name in SPLITS if name == found["split"]), None)
    codes = tuple(Kind(int(code)) for code in found["codes"].split())
    return LabelLine(split, dt.date.fromisoformat(found["date"]), codes)


def _index(lines: Iterable[str], name: str) -> dict[dt.date, int]:
    days: dict[dt.date, int] = {}
    for index, text in enumerate(lines):
        try:
            line = _parse(text)
        except ValueError as error:
            raise UsageError(
                f"{name} line {index + 1} cannot be read: {_shown(text)}: {_WAY_OUT}"
            ) from error
        if line is None:
            continue
        if line.date in days:
            raise UsageError(
                f"{name} has {line.date} twice, in line {days[line.date] + 1} and line "
                f"{index + 1}: put its codes into one line"
            )
        days[line.date] = index
    return days


def _resplit(line: str, split: Split) -> str:
    """Change the split of a line and nothing else."""
    mark = _MARK if line.startswith(_MARK) else ""
    text = line.removeprefix(_MARK)
    found = _LINE.fullmatch(text)
    if found is None:  # indexed lines always match
        raise ValueError(line)
    rest = text[found.start("date") :]
    return f"{mark}{found['indent']}{split}{found['space'] or ' '}{rest}"


def _merge(lines: list[str], days: Mapping[dt.date, int], added: list[LabelLine]) -> list[str]:
    """Put each new line before the first line of a later day, else at the end."""
    mark = _MARK if lines and lines[0].startswith(_MARK) else ""
    lines = [lines[0].removeprefix(mark), *lines[1:]] if lines else lines
    ending = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    dated = sorted((index, day) for day, index in days.items())
    result: list[str] = []
    waiting = list(added)
    done = 0
    for index, day in dated:
        earlier = [line for line in waiting if line.date < day]
        if earlier:
            result += [f"{line}{ending}" for line in earlier]
            waiting = waiting[len(earlier) :]
        result += lines[done : index + 1]
        done = index + 1
    result += lines[done:]
    if waiting and result and not result[-1].endswith("\n"):
        result[-1] += ending
    result += [f"{line}{ending}" for line in waiting]
    return [mark + result[0], *result[1:]] if result else result


def _shown(text: str) -> str:
    cut = text.rstrip("\r\n")
    return ascii(cut if len(cut) <= 60 else cut[:57] + "...")
