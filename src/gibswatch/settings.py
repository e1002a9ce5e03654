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
    ca_bundle: str | None = None
    """PEM file with the certificate authorities to trust instead of the system's."""
    catalogue_file: str | None = None
    """Where `layers refresh` keeps what the service listed; None: the user's data folder."""

    def __post_init__(self) -> None:
        if not _is_address(self.base_url):
            raise UsageError(
                f"--base-url {self.base_url!r} is not an address: give one like {DEFAULT_BASE_URL}"
            )
        for name in ("connections", "dates_in_flight", "attempts"):
            if getattr(self, name) < 1:
                raise UsageError(
                    f"{name.replace('_', ' ')} is {getattr(self, name)}: give 1 or more"
                )
        for name in ("connect_timeout_s", "tile_timeout_s"):
            if not 0 < getattr(self, name) < inf:
                raise UsageError(
                    f"{name} is {getattr(self, name)}: give a number of seconds over 0"
                )


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
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        return False


def _parse(name: str, raw: str, annotation: str) -> Any:
    kind = {"int": int, "float": float}.get(annotation, str)
    try:
        return kind(raw)
    except ValueError as error:
        variable = _ENVIRONMENT_PREFIX + name.upper()
        raise UsageError(
            f"{variable}={raw!r} is not a number: set it to one or unset it"
        ) from error
