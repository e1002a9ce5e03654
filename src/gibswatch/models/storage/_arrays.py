"""Arrays of a model, and of the network before it, in one safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import MissingExtraError

__all__ = ["pack_arrays", "unpack_arrays"]

Arrays = dict[str, NDArray[Any]]
_OWN, _NETWORK = "model.", "backbone."


def pack_arrays(own: Mapping[str, Any], network: Mapping[str, Any] | None) -> bytes:
    """Put arrays into the bytes of a safetensors file."""
    named = {_OWN + name: array for name, array in own.items()}
    named |= {_NETWORK + name: array for name, array in (network or {}).items()}
    data: bytes = _safetensors().save({n: np.asarray(v, order="C") for n, v in named.items()})
    return data


def unpack_arrays(data: bytes) -> tuple[Arrays, Arrays]:
    """Give the arrays of the model and those of the network, each by its name.

    Raises
    ------
    ValueError
        If it is no such file, or holds anything else.
    """
    module = _safetensors()
    try:
        named: Arrays = module.load(data)
    except Exception as error:  # the library has an exception of its own, and lets others through
        raise ValueError(f"no safetensors file ({str(error)[:80]})") from error
    own = {n.removeprefix(_OWN): v for n, v in named.items() if n.startswith(_OWN)}
    network = {n.removeprefix(_NETWORK): v for n, v in named.items() if n.startswith(_NETWORK)}
    if len(own) + len(network) != len(named):
        raise ValueError("it holds arrays that are no model's")
    return own, network


def _safetensors() -> Any:
    try:
        import safetensors.numpy  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise MissingExtraError(
            f'models need {error.name}: pip install "gibswatch[models]"'
        ) from error
    return safetensors.numpy
