"""Weights of DenseNet-121 from files that others made; nothing of such a file is run."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors.numpy
import torch
from numpy.typing import NDArray

from gibswatch.catalogue.xml_guard import quoted
from gibswatch.errors import UsageError
from gibswatch.files import write_bytes
from gibswatch.models.deep.densenet import MAP_CHANNELS, DenseNet121
from gibswatch.models.deep.weight_source import MAX_WEIGHTS_BYTES, OFFICIAL_URL

__all__ = [
    "OFFICIAL_SHA256",
    "TrainedOn",
    "Weights",
    "checked_weights",
    "make_network",
    "read_weights",
    "save_backbone",
    "state_of",
]

OFFICIAL_SHA256 = "a639ec97"
"""What the SHA-256 of the official file begins with; PyTorch publishes no more of it."""

TrainedOn = Literal["ImageNet", "self-supervised", "unknown"]
"""What weights were trained on."""

State = dict[str, NDArray[np.float32]]

_SOURCES: tuple[TrainedOn, ...] = ("ImageNet", "self-supervised", "unknown")
_SOURCE_KEY = "gibswatch_source"
_PICKLES = (".pth", ".pt", ".bin", ".pkl", ".pickle", ".ckpt", ".tar", ".joblib")
_PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_MAX_HEADER = 2**20
_COUNTER = "num_batches_tracked"
_CLASSIFIER = ("classifier.weight", "classifier.bias")
_FLOATS = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2")}
_OLD_NAME = re.compile(r"(features\.denseblock\d+\.denselayer\d+\.(?:norm|conv))\.([12]\.\w+)")
"""As the official file has them: PyTorch allows no dot in a module's name any more."""
_WAYS = f"give a .safetensors file of DenseNet-121, or the official file of {OFFICIAL_URL}"


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights that were checked: all of DenseNet-121's, and no others."""

    state: State
    """By torchvision's names, without the counters of batches; with a classifier, or without."""
    source: str
    """Name of the file."""
    sha256: str
    """Of the file, 64 hexadecimal digits."""
    trained_on: TrainedOn
    """Proven by the hash for the official file; else what a safetensors file says of itself
    (`save_backbone` writes it), "unknown" where it does not."""

    @property
    def is_imagenet(self) -> bool:
        """Whether they were trained on ImageNet, as far as that is known."""
        return self.trained_on == "ImageNet"


def read_weights(path: Path, *, official_sha256: str = OFFICIAL_SHA256) -> Weights:
    """Read a file of weights: safetensors, or exactly the official one.

    Parameters
    ----------
    path : Path
        ``.safetensors`` with 32- or 16-bit floats, or the official ``.pth``.
    official_sha256 : str
        What the SHA-256 of the official file begins with; 8 digits or more.

    Returns
    -------
    Weights
        float32.

    Raises
    ------
    UsageError
        If the file is missing, damaged, larger than 200 MB, of another network, holds numbers that
        are none, or is any other file of a format that can run code.
    """
    pickled = path.suffix.lower() in _PICKLES
    if not pickled and path.suffix.lower() != ".safetensors":
        raise UsageError(f"{path} is no file of weights by its name: {_WAYS}")
    data = _read_bytes(path)
    sha = hashlib.sha256(data).hexdigest()
    trained_on: TrainedOn = "ImageNet"
    if pickled:
        _check_official(path, sha, official_sha256)
        state = _read_official(path, data)
    else:
        state, trained_on = _read_safetensors(path, data)
    _check_values(path, state)
    return Weights(state, path.name, sha, trained_on)


def save_backbone(
    path: Path, state: Mapping[str, NDArray[Any]], *, trained_on: TrainedOn = "unknown"
) -> str:
    """Write weights as a safetensors file that `read_weights` reads, whole or not at all.

    Parameters
    ----------
    path : Path
        Ends in ``.safetensors``.
    state : mapping of str to ndarray
        As of `Weights` or `state_of`; written as float32, counters of batches left out.
    trained_on : {"ImageNet", "self-supervised", "unknown"}
        Written into the file.

    Returns
    -------
    str
        SHA-256 of the file.

    Raises
    ------
    UsageError
        If the weights are not those of a DenseNet-121, or the name ends otherwise.
    OutputError
        If the folder cannot take the file.
    """
    if path.suffix != ".safetensors":
        raise UsageError(f"weights are written to {path}: give a name that ends in .safetensors")
    kept = {
        name: np.ascontiguousarray(array, np.float32)
        for name, array in state.items()
        if not name.endswith(_COUNTER)
    }
    _check_shapes(path, {name: array.shape for name, array in kept.items()})
    _check_values(path, kept)
    data = safetensors.numpy.save(kept, metadata={_SOURCE_KEY: trained_on})
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def checked_weights(state: State, source: str) -> Weights:
    """Check weights that came within another file.

    Parameters
    ----------
    state : dict of str to float32 ndarray
    source : str
        Name of that file.

    Raises
    ------
    UsageError
        If they are not those of a DenseNet-121.
    """
    path = Path(source)
    if any(array.dtype != np.float32 for array in state.values()):
        raise _damaged(path, "its network has numbers of another type")
    _check_shapes(path, {name: array.shape for name, array in state.items()})
    _check_values(path, state)
    return Weights(state, path.name, "", "unknown")


def make_network(weights: Weights) -> DenseNet121:
    """Make the network of weights, for evaluation: nothing in it is trained.

    Parameters
    ----------
    weights : Weights
        Copied: to train the network leaves them as they are.

    Returns
    -------
    DenseNet121
        On the processor, without a classifier where the weights have none.
    """
    bias = weights.state.get(_CLASSIFIER[1])
    with torch.random.fork_rng(
        devices=[]
    ):  # its first weights are no use: draw none of the caller's
        network = DenseNet121(None if bias is None else len(bias))
    state = network.state_dict()
    with torch.no_grad():
        for name, array in weights.state.items():
            state[name].copy_(torch.from_numpy(np.array(array)))
    return network.eval().requires_grad_(requires_grad=False)


def state_of(network: DenseNet121) -> State:
    """Copy the weights of a network, as `save_backbone` takes them."""
    return {
        name: tensor.detach().cpu().numpy().astype(np.float32)
        for name, tensor in network.state_dict().items()
        if not name.endswith(_COUNTER)
    }


def _read_bytes(path: Path) -> bytes:
    """Read the file once: what is checked is what is used."""
    try:
        if not path.is_file():
            raise UsageError(f"{path} is no file: {_WAYS}")
        with path.open("rb") as file:
            data = file.read(MAX_WEIGHTS_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path} cannot be read ({reason}): {_WAYS}") from error
    if len(data) > MAX_WEIGHTS_BYTES:
        raise UsageError(f"{path} is larger than {MAX_WEIGHTS_BYTES} bytes: {_WAYS}")
    return data


def _check_official(path: Path, sha: str, official_sha256: str) -> None:
    if len(official_sha256) < 8:
        raise ValueError(f"{official_sha256!r} is too short a hash: give 8 digits or more")
    if sha.startswith(official_sha256):
        return
    new = str(path.with_suffix(".safetensors"))
    raise UsageError(
        f"{path} can run code when it is read, and is not the official file (its SHA-256 begins "
        f"with {sha[:8]}, not {official_sha256[:8]}): it is not opened. If you trust it, convert "
        "it in Python, and give the new file: "
        "import torch; from safetensors.torch import save_file; "
        f"save_file({{k: v.contiguous() for k, v in torch.load({str(path)!r}, "
        f'map_location="cpu", weights_only=True).items()}}, {new!r})'
    )


def _read_official(path: Path, data: bytes) -> State:
    """Unpickle what the hash knows; it has 32 bits, so the file is not trusted with more."""
    try:
        found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # what a library says of a file that others wrote
        raise _damaged(path, f"{type(error).__name__}: {_first_line(error)}") from error
    if not isinstance(found, dict):
        raise _damaged(path, "it is no table of weights")
    tensors: dict[str, torch.Tensor] = {}
    for name, value in found.items():
        whole = isinstance(value, torch.Tensor) and value.layout == torch.strided
        if not isinstance(name, str) or not whole:
            raise _damaged(path, "it holds something other than weights")
        if name.endswith(_COUNTER):
            continue
        if value.dtype not in (torch.float32, torch.float16) or value.device.type != "cpu":
            raise _damaged(path, f"{quoted(name)} is {value.dtype}, not float32")
        tensors[_new_name(path, name, tensors)] = value
    _check_shapes(path, {name: tuple(tensor.shape) for name, tensor in tensors.items()})
    return {name: np.array(t.detach().numpy(), np.float32) for name, t in tensors.items()}


def _read_safetensors(path: Path, data: bytes) -> tuple[State, TrainedOn]:
    header = _header_of(path, data)
    told = header.pop("__metadata__", None)
    said = told.get(_SOURCE_KEY) if isinstance(told, dict) else None
    names = _names_of(path, header)
    try:
        loaded = safetensors.numpy.load(data)
    except Exception as error:  # what a library says of a file that others wrote
        raise _damaged(path, f"{type(error).__name__}: {_first_line(error)}") from error
    state = {new: loaded[old].astype(np.float32) for new, old in names.items()}
    return state, next((source for source in _SOURCES if source == said), "unknown")


def _header_of(path: Path, data: bytes) -> dict[str, Any]:
    """Read the header; what it says of places in the file is for safetensors to check."""
    length = int.from_bytes(data[:8], "little")
    if data.startswith(_PICKLE_STARTS):
        raise _damaged(path, "it is a PyTorch file or a pickle by another name, and is not opened")
    if not 2 <= length <= min(_MAX_HEADER, len(data) - 8):
        raise _damaged(path, f"its header claims {length} bytes, the file has {len(data)}")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "its header cannot be read") from error
    if not isinstance(header, dict):
        raise _damaged(path, "its header is no table")
    return header


def _names_of(path: Path, header: Mapping[str, Any]) -> dict[str, str]:
    """Check what the header says there is; names in the file by our names."""
    names: dict[str, str] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    for name, entry in header.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("shape"), list):
            raise _damaged(path, "its header is not that of a table of weights")
        if name.endswith(_COUNTER):
            continue
        if entry.get("dtype") not in _FLOATS:
            raise _damaged(
                path,
                f"{quoted(name)} is {quoted(str(entry.get('dtype')))}, not F32 or F16: convert it",
            )
        new = _new_name(path, name, names)
        names[new], shapes[new] = name, tuple(entry["shape"])
    _check_shapes(path, shapes)
    return names


def _new_name(path: Path, name: str, seen: Mapping[str, object]) -> str:
    new = _OLD_NAME.sub(r"\1\2", name)
    if new in seen:
        raise _damaged(path, f"{quoted(new)} stands in it twice")
    return new


@functools.cache
def _known_shapes() -> dict[str, tuple[int, ...]]:
    with torch.random.fork_rng(devices=[]):
        network = DenseNet121(None)
    return {name: array.shape for name, array in state_of(network).items()}


def _check_shapes(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Check that all weights of the network are there, and nothing else."""
    known = _known_shapes()
    known = known | _classifier_shapes(shapes)
    for name in [*known, *shapes]:
        if name not in shapes:
            raise _damaged(path, f"{name} is missing")
        if name not in known:
            raise _damaged(path, f"it holds {quoted(name)}, which DenseNet-121 does not have")
        if tuple(shapes[name]) != known[name]:
            raise _damaged(
                path, f"{name} is {str(shapes[name])[:40]}, DenseNet-121 has {known[name]}"
            )


def _classifier_shapes(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Shapes of a classifier of as many classes as its bias has, where there is one."""
    weight, bias = _CLASSIFIER
    if not shapes.keys() & {weight, bias}:
        return {}
    told = shapes.get(bias) or shapes.get(weight) or (0,)
    classes = told[0] if type(told[0]) is int and told[0] > 0 else 1
    return {weight: (classes, MAP_CHANNELS), bias: (classes,)}


def _check_values(path: Path, state: State) -> None:
    for name, array in state.items():
        if not np.isfinite(array).all():
            raise _damaged(path, f"{name} holds values that are no numbers")
        if name.endswith("running_var") and (array < 0).any():
            raise _damaged(path, f"{name} holds a variance below 0")


def _first_line(error: Exception) -> str:
    return quoted(str(error).partition("\n")[0])


def _damaged(path: Path, reason: str) -> UsageError:
    return UsageError(f"{path} is refused: {reason}; {_WAYS}")
