"""What `gibswatch doctor` finds outside of the packages: disk, compiled kernels, the service."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gibswatch.errors import NothingFetchedError, OutputError, UsageError

if TYPE_CHECKING:
    from gibswatch.download import ServiceProbe
    from gibswatch.settings import Settings

__all__ = [
    "UNREACHABLE",
    "UNUSABLE",
    "WANTED_BYTES",
    "Check",
    "Mark",
    "check_disk",
    "check_kernels",
    "check_service",
    "check_settings",
    "exit_code_of",
]

Mark = Literal["ok", "missing", "problem"]

UNUSABLE = UsageError.exit_code
"""Exit code where something on this machine has to be changed first."""
UNREACHABLE = NothingFetchedError.exit_code
"""Exit code where the service cannot be had."""
WANTED_BYTES = 500 * 10**6
"""Five months of one layer in the predecessor's 16km: 50 tiles a day, of 64 kB."""
_TRIED_BYTES = 2**16


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    group: Literal["versions", "extras", "disk", "kernels", "settings", "service", "licences"]
    name: str
    mark: Mark
    text: str
    """What was found."""
    advice: str = ""
    """What to do about it; empty where nothing is to be done, or the text says it."""
    exit_code: int = 0
    """What the command ends with for it; 0 where it does not hinder the main job."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The same as values for JSON."""

    @property
    def line(self) -> str:
        """The check as one line that can be printed."""
        said = f"{self.name}: {self.text}" + (f": {self.advice}" if self.advice else "")
        words = " ".join(said.split())
        return f"{self.mark:<8} " + "".join(c if c.isprintable() else "." for c in words)


def exit_code_of(checks: Iterable[Check]) -> int:
    """Return the code of all checks together; what has to be changed here goes before the rest."""
    codes = {check.exit_code for check in checks}
    return next((code for code in (UNUSABLE, UNREACHABLE) if code in codes), 0)


def check_disk(folder: Path, wanted_bytes: int = WANTED_BYTES) -> Check:
    """Try whether pictures can be written under a folder; it is not made, and nothing is left.

    Parameters
    ----------
    folder : Path
        Of ``--output-dir``; where it is not there, the nearest folder over it that is, is tried.
    wanted_bytes : int
        Free space under which a download would soon end.
    """
    try:
        place, free = _try_to_write(folder)
    except OutputError as error:
        return Check("disk", "output folder", "problem", str(error), exit_code=UNUSABLE)
    there = "" if place == folder.absolute() else f", not there yet: would be made in {place}"
    facts = {"folder": str(folder), "free_bytes": free, "wanted_bytes": wanted_bytes}
    text = f"{folder} can be written, {free / 1e9:,.1f} GB free{there}"
    if free >= wanted_bytes:
        return Check("disk", "output folder", "ok", text, facts=facts)
    return Check(
        "disk",
        "output folder",
        "problem",
        f"{folder} has {free / 1e6:,.0f} MB free, {wanted_bytes / 1e6:,.0f} MB are wanted: "
        "a day of one layer takes 1 to 3 MB, more on finer grids",
        "free some, or name another --output-dir",
        UNUSABLE,
        facts,
    )


def _try_to_write(folder: Path) -> tuple[Path, int]:
    """Write in the folder that is there; return it, and the bytes that are free."""
    from gibswatch.files import storage_errors

    with storage_errors(folder):
        place = folder.absolute()
        while not place.exists() and not place.is_symlink():
            place = place.parent
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(bytes(_TRIED_BYTES))
            file.flush()
            os.fsync(file.fileno())  # a quota, or a disk over the network, refuses only now
        return place, shutil.disk_usage(place).free


def check_kernels() -> Check:
    """Look where compiled kernels are kept; without them all works, though slower."""
    name = "compiled kernels"
    try:
        from gibswatch.raster import _kernels
    except ImportError as error:
        text = f"numba cannot be loaded ({error}), averaging takes forty times as long"
        return Check("kernels", name, "missing", text, "install numba again")
    stats = getattr(_kernels.average_cells, "stats", None)
    if stats is None:
        advice = "unset NUMBA_DISABLE_JIT, unless you look for an error"
        return Check("kernels", name, "problem", "numba is told not to compile", advice)
    folder = stats.cache_path
    if folder is None:
        text = "no folder can take them, so that each process compiles them anew for some seconds"
        advice = "set NUMBA_CACHE_DIR to a folder that can be written"
        return Check("kernels", name, "problem", text, advice, facts={"folder": None})
    return Check("kernels", name, "ok", f"kept in {folder}", facts={"folder": folder})


def check_settings(base_url: str | None, ca_bundle: str | None) -> tuple[Check, Settings | None]:
    """Read options and variables; there are no settings where one of them is wrong.

    Parameters
    ----------
    base_url, ca_bundle : str or None
        As given on the command line.
    """
    from gibswatch.settings import read_settings

    try:
        settings = read_settings(base_url=base_url, ca_bundle=ca_bundle)
    except UsageError as error:
        return Check("settings", "settings", "problem", str(error), exit_code=UNUSABLE), None
    named = sorted(name for name in os.environ if name.startswith("GIBSWATCH_"))
    text = f"read, with {', '.join(named)}" if named else "no GIBSWATCH_ variable is set"
    return Check("settings", "settings", "ok", text, facts={"variables": named}), settings


def check_service(settings: Settings) -> Check:
    """Ask the service once, as a download would: same proxies, same authorities."""
    name = "service"
    try:
        from gibswatch.download import probe_service

        probe = probe_service(settings)
    except ImportError as error:
        text = f"cannot be asked ({error})"
        return Check("service", name, "problem", text, "install what is missing", UNUSABLE)
    except UsageError as error:  # the file of authorities, or the proxy
        return Check("service", name, "problem", str(error), exit_code=UNUSABLE)
    return _service_check(name, probe, settings)


def _service_check(name: str, probe: ServiceProbe, settings: Settings) -> Check:
    facts = {
        "base_url": settings.base_url,
        "url": probe.url,
        "proxy": probe.proxy,
        "ca_bundle": settings.ca_bundle,
        "status": probe.status,
        "cause": probe.cause,
        "seconds": round(probe.seconds, 3),
    }
    through = f" through the proxy {probe.proxy}" if probe.proxy else ""
    if probe.cause is None:
        text = f"{settings.base_url} answers in {probe.seconds:.1f} s{through}"
        return Check("service", name, "ok", text, facts=facts)
    text = f"{settings.base_url} cannot be used{through}: {probe.text}"
    return Check("service", name, "problem", text, probe.advice, UNREACHABLE, facts)
