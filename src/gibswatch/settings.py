"""Options, read once at the edge: keyword arguments, else the environment, else the default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from math import inf
from typing import Any
from urllib.parse import urlsplit

from gibswatch.errors import UsageError

__all__ = ["DEFAULT_BASE_URL", "Settings", "read_settings"]

DEFAULT_BASE_URL = "https://gibs.earthdata.nasa.gov"
_ENVIRONMENT_PREFIX = "GIBSWATCH_"
_OPTIONS = {
    "connections": "--connections",
    "dates_in_flight": "--num-threads",
    "bandwidth_mbit_s": "--bandwidth",
    "run_deadline_s": "--deadline",
}
"""Settings that are options of the command line too."""
_MOST_AT_ONCE = 10_000
"""Connections, days or attempts: no machine has more sockets to spare, and no server bears it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the network part may do."""

    base_url: str = DEFAULT_BASE_URL
    """Scheme and host of the service, without a path."""
    connections: int = 32
    """Connections open at one time, at most."""
    dates_in_flight: int = 10
    """Days downloaded at one time, at most."""
    attempts: int = 3
    """Requests a tile, at most."""
    connect_timeout_s: float = 10.0
    tile_timeout_s: float = 60.0
    """Seconds for one request from its start to its last byte."""
    tile_deadline_s: float = 180.0
    """Seconds for all requests for one tile and the waits between them; waiting for a turn, as in
    a pause that the server asked for, is left out."""
    run_deadline_s: float = 0.0
    """Seconds after which a run ends, what is finished kept; 0: none."""
    retry_after_cap_s: float = 120.0
    """Longest pause that the server may ask for (Retry-After); over it the run ends."""
    bandwidth_mbit_s: float = 50.0
    """Megabits a second of tiles, at most; 0: no limit.  GIBS asks for 50 or less sustained."""
    requests_per_s: float = 100.0
    """Requests begun a second, at most; 0: no limit."""
    ramp_up_s: float = 10.0
    """Seconds until all connections are in use; 0: all at once."""
    ca_bundle: str | None = None
    """PEM file with the certificate authorities to trust instead of the system's."""
    catalogue_file: str | None = None
    """Where `layers refresh` keeps what the service listed; None: the user's data folder."""

    def __post_init__(self) -> None:
        if not self.base_url.isprintable():
            raise UsageError(
                f"--base-url {self.base_url!r} is not an address, it holds characters that no "
                f"address has: give one like {DEFAULT_BASE_URL}"
            )
        if not _is_address(self.base_url):
            raise UsageError(
                f"--base-url {self.base_url!r} is not an address: give one like {DEFAULT_BASE_URL}"
            )
        for name in ("connections", "dates_in_flight", "attempts"):
            if getattr(self, name) < 1:
                raise UsageError(f"{_named(name)} is {getattr(self, name)}: give 1 or more")
            if getattr(self, name) > _MOST_AT_ONCE:
                raise UsageError(
                    f"{_named(name)} is {getattr(self, name)}: give {_MOST_AT_ONCE} or less"
                )
        for name in ("connect_timeout_s", "tile_timeout_s", "tile_deadline_s"):
            if not 0 < getattr(self, name) < inf:
                raise UsageError(
                    f"{_named(name)} is {getattr(self, name)}: give a number of seconds over 0"
                )
        for name, means in _MAY_BE_NONE.items():
            if not 0 <= getattr(self, name) < inf:
                raise UsageError(
                    f"{_named(name)} is {getattr(self, name)}: give a number over 0, or 0 ({means})"
                )


_MAY_BE_NONE = {
    "run_deadline_s": "no end",
    "retry_after_cap_s": "end with the first Retry-After",
    "bandwidth_mbit_s": "no limit",
    "requests_per_s": "no limit",
    "ramp_up_s": "all connections at once",
}
"""What 0 means."""


def read_settings(environment: Mapping[str, str] | None = None, **options: Any) -> Settings:
    """Settings from options that are not None, else from ``GIBSWATCH_*``, else the defaults.

    Raises
    ------
    UsageError
        If a variable cannot be read as its type, or a value is out of range.

    Examples
    --------
    >>> read_settings({"GIBSWATCH_CONNECTIONS": "8"}, base_url=None).connections
    8
    """
    env = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    for field in fields(Settings):
        raw = env.get(_ENVIRONMENT_PREFIX + field.name.upper())
        if raw:
            values[field.name] = _parse(field.name, raw, str(field.type))
    values.update({name: value for name, value in options.items() if value is not None})
    return replace(Settings(), **values)


def _is_address(text: str) -> bool:
    """Whether tiles can be asked for by what is put behind the text.

    A name and password in it would stand in every address that the journal keeps.
    """
    if set(text) & set(" ?#@"):
        return False
    try:
        url = urlsplit(text)
        host = (url.hostname or "").encode("idna")  # fails where a part is empty, or too long
        return url.scheme in ("http", "https") and bool(host) and url.port != 0
    except ValueError:
        return False


def _named(name: str) -> str:
    """Call a setting as a person can change it: by its option, and by its variable."""
    variable = _ENVIRONMENT_PREFIX + name.upper()
    return f"{_OPTIONS[name]} ({variable})" if name in _OPTIONS else variable


def _parse(name: str, raw: str, annotation: str) -> Any:
    kind = {"int": int, "float": float}.get(annotation, str)
    try:
        return kind(raw)
    except ValueError as error:
        variable = _ENVIRONMENT_PREFIX + name.upper()
        raise UsageError(
            f"{variable}={raw!r} is not a number: set it to one or unset it"
        ) from error
