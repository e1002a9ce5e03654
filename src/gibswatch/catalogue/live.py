"""What the service itself listed, kept in a file that lies over the packaged table.

``gibswatch layers refresh`` writes the file (`gibswatch.download.refresh`), and the catalogue reads
it (`gibswatch.catalogue.layers`).  It is taken whole or not at all: its records carry a checksum.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gibswatch.catalogue.domains import Period, parse_step
from gibswatch.errors import GibswatchWarning, OutputError
from gibswatch.files import write_bytes
from gibswatch.settings import Settings, read_settings

__all__ = ["LiveRecord", "cadence_of", "goes_on", "live_file", "read_live", "write_live"]

LiveRecord = Mapping[str, Any]
"""One layer: ``id``, ``title``, ``service``, ``format``, ``projections`` and ``served_as`` (EPSG
code as text to a name); where it has time ``domain``, ``cadence``, ``ongoing``, ``domain_source``.
"""

_ONGOING = dt.timedelta(days=40)
_VERSION = 1
_VARIABLE = "GIBSWATCH_CATALOGUE_FILE"


def live_file(settings: Settings | None = None) -> Path:
    """Where the file lies: `Settings.catalogue_file`, else in the user's data folder.

    Parameters
    ----------
    settings : Settings, optional
        Without it ``GIBSWATCH_CATALOGUE_FILE`` is read.
    """
    if settings is None:
        settings = read_settings({_VARIABLE: os.environ.get(_VARIABLE, "")})
    if settings.catalogue_file:
        return Path(settings.catalogue_file)
    import platformdirs  # noqa: PLC0415 - rarely needed

    return platformdirs.user_data_path("gibswatch", appauthor=False) / "catalogue.json"


def read_live(path: Path) -> tuple[LiveRecord, ...]:
    """Records of the file; none where it is missing.

    Warns
    -----
    GibswatchWarning
        If the file is damaged, or of a newer Gibswatch: then there are no records either.
    """
    try:
        document = json.loads(path.read_bytes())
        if document["version"] > _VERSION:
            _warn(path, "was written by a newer Gibswatch")
            return ()
        records = document["layers"]
        if document["sha256"] != _checksum(records):
            _warn(path, "is damaged")
            return ()
        return tuple(records)
    except FileNotFoundError:
        return ()
    except OSError as error:
        _warn(path, f"cannot be read ({error.strerror or error})")
    except (KeyError, RecursionError, TypeError, ValueError):
        _warn(path, "is damaged")
    return ()


def write_live(path: Path, records: Iterable[LiveRecord], base_url: str) -> None:
    """Write the file, whole or not at all.

    Raises
    ------
    OutputError
        If the folder cannot take it.
    """
    ordered = sorted(records, key=lambda record: str(record["id"]))
    document = {
        "what": "Layers as a server listed them; written by gibswatch layers refresh",
        "version": _VERSION,
        "base_url": base_url,
        "sha256": _checksum(ordered),
        "layers": ordered,
    }
    text = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
    try:
        write_bytes(path, text.encode("utf-8", "backslashreplace"))
    except OutputError as error:
        reason = str(error).partition(": name another")[0].partition(": free some")[0]
        raise OutputError(
            f"{reason}: make room there, or set {_VARIABLE} to another file"
        ) from error


def cadence_of(periods: Sequence[Period]) -> str:
    """Return the step that most steps of a domain have; of two the shorter."""
    counts: Counter[str] = Counter()
    for period in periods:
        counts[str(period.step)] += period.count
    return min(counts, key=lambda text: (-counts[text], parse_step(text)))


def goes_on(periods: Sequence[Period], day: dt.date) -> bool:
    """Whether new steps are still to be expected: the newest stands for a day of the last forty.

    The packaged table was made by the same rule.
    """
    return any(period.last_covered_day >= day - _ONGOING for period in periods)


def _checksum(records: Sequence[LiveRecord]) -> str:
    text = json.dumps(records, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _warn(path: Path, what: str) -> None:
    warnings.warn(
        f"{path} {what}: the packaged table of layers is used; gibswatch layers refresh writes "
        "the file anew",
        GibswatchWarning,
        stacklevel=2,
    )
