"""A model on disk: weights in ``NAME.skops`` or ``NAME.safetensors``, its card in ``NAME.json``.

Loading runs no code of the file: the card is read and checked first, then the file's hash, then
what it consists of (`gibswatch.models.storage._schema`), then what it became
(`gibswatch.models.storage._bounds`).
A safetensors file holds arrays and nothing else; the estimator checks each before it takes it over.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, get_args

from gibswatch.errors import MissingExtraError, UsageError
from gibswatch.files import write_bytes
from gibswatch.models.card import ModelCard, card_to_bytes, read_card
from gibswatch.models.registry import Store, find_model
from gibswatch.models.rows.backbones import Backbone, BackboneDefinition, stored_backbone
from gibswatch.models.rows.extraction import definition_of, estimator_settings
from gibswatch.models.storage._arrays import pack_arrays, unpack_arrays
from gibswatch.models.storage._bounds import check_estimator
from gibswatch.models.storage._schema import TRUSTED, UnsafeFileError, checked_file
from gibswatch.models.storage._skops import import_skops

__all__ = ["StoredModel", "model_paths", "package_versions", "read_model", "save_model"]

_PACKAGES = ("gibswatch", "numpy", "scikit-learn", "skops", "safetensors", "torch")
_SUFFIXES = (".skops", ".safetensors", ".json")
_MAX_BYTES = 2**31
_PICKLES = (".pkl", ".pickle", ".pth", ".pt", ".joblib", ".cpickle", ".bin", ".ckpt", ".tar")
_PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"cos\n", b"cposix\n", b"(")
_NEW_MODEL = "train it again with `gibswatch train`"


@dataclass(frozen=True, slots=True, eq=False)
class StoredModel:
    """What a file held."""

    estimator: Any
    card: ModelCard
    backbone: Backbone | None = None


def model_paths(path: Path, store: Store = "skops") -> tuple[Path, Path]:
    """Paths of the weights and of the card, of either, or of the name that both share.

    Raises
    ------
    UsageError
        If the name is one of a format that can run code.
    """
    if path.suffix.lower() in _PICKLES:
        raise UsageError(
            f"{path} is of a format that can run code when it is read, and is not opened: "
            f"a model is a .skops or .safetensors file and its .json card; {_NEW_MODEL}"
        )
    stem = path.with_suffix("") if path.suffix in _SUFFIXES else path
    return stem.with_name(f"{stem.name}.{store}"), stem.with_name(stem.name + ".json")


def save_model(
    path: Path, estimator: Any, card: ModelCard, backbone: Backbone | None = None
) -> ModelCard:
    """Write a model and its card, each whole or not at all, the card last.

    Parameters
    ----------
    path : Path
        Name that both files share, or that of one of them.
    estimator : estimator
        Fitted.
    card : ModelCard
        Size and hash of the file, and the versions, are filled in.
    backbone : Backbone, optional
        Stored with it.

    Returns
    -------
    ModelCard
        As written.

    Raises
    ------
    MissingExtraError
        If the extra ``models`` is not installed.
    OutputError
        If the folder cannot take the files.
    """
    store = find_model(card.model).store
    weights, beside = model_paths(path, store)
    if store == "skops":
        data: bytes = import_skops().dumps(estimator)
    else:
        data = pack_arrays(estimator.weights(), None if backbone is None else backbone.arrays())
    sha = hashlib.sha256(data).hexdigest()
    made = replace(
        card, file_bytes=len(data), file_sha256=sha, versions=card.versions or package_versions()
    )
    write_bytes(weights, data)
    write_bytes(beside, card_to_bytes(made))
    return made


def read_model(path: Path, *, device: str = "auto") -> StoredModel:
    """Load a model and its card; nothing of the file is run.

    Parameters
    ----------
    path : Path
        ``NAME.skops``, ``NAME.safetensors``, ``NAME.json`` or ``NAME``.
    device : {"auto", "cpu", "cuda"}
        For networks of PyTorch.

    Raises
    ------
    UsageError
        If a file is missing, damaged, not what its card says, of a newer version, or holds anything
        that a model of ours does not.
    MissingExtraError
        If the extra that the model needs is not installed.
    """
    _refuse_pickle(_named_file(path))
    card = read_card(model_paths(path)[1])
    entry = find_model(card.model)
    weights = model_paths(path, entry.store)[0]
    _refuse_pickle(weights)
    data = _read_weights(weights, card)
    try:
        if entry.store == "safetensors":
            return _from_arrays(weights, data, card, device)
        estimator = _construct(checked_file(data, card.n_features))
        expected = entry.make(card.parameters, card.seed)
        check_estimator(estimator, expected, card.classes, card.n_features)
    except UnsafeFileError as error:
        raise UsageError(
            f"{weights} is refused: {error}; nothing of it was run: {_NEW_MODEL}"
        ) from error
    except (MissingExtraError, UsageError):
        raise
    except Exception as error:  # what a library says of a file that others wrote
        raise UsageError(
            f"{weights} is refused: {type(error).__name__}: {str(error)[:120]}; it is damaged, or "
            f"of other versions ({_told(card)}): {_NEW_MODEL}"
        ) from error
    return StoredModel(estimator, card)


def _from_arrays(path: Path, data: bytes, card: ModelCard, device: str) -> StoredModel:
    """Make a model of the arrays in a safetensors file."""
    entry, definition = find_model(card.model), definition_of(card)
    own, network = unpack_arrays(data)
    given = estimator_settings(definition) | ({"device": device} if entry.on_device else {})
    estimator = entry.make(card.parameters, card.seed, **given)
    classes = (card.classes,) if entry.supervised else ()
    estimator.adopt(own, card.n_features, *classes)
    needs = isinstance(definition, BackboneDefinition)
    if needs != bool(network):
        raise UnsafeFileError("it holds a network that its card does not name, or lacks it")
    backbone = stored_backbone(network, str(path), device) if needs else None
    return StoredModel(estimator, card, backbone)


def _named_file(path: Path) -> Path:
    """The file of weights that a name stands for: the one that is named, or that is there."""
    if path.suffix == ".safetensors":
        return path
    skops, arrays = (model_paths(path, store)[0] for store in get_args(Store))
    return skops if path.suffix == ".skops" or not arrays.exists() else arrays


def package_versions() -> dict[str, str]:
    """Versions of the packages that make a model, as far as they are installed."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _told(card: ModelCard) -> str:
    return ", ".join(f"{name} {text}" for name, text in card.versions.items())[:120]


def _construct(data: bytes) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other versions: what comes out is checked
        return import_skops().loads(data, trusted=list(TRUSTED))


def _refuse_pickle(path: Path) -> None:
    """Refuse, by its first bytes, a pickle that is called a model.

    A safetensors file begins with the length of its header, which may be any bytes, and a brace.
    """
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{path} cannot be read ({reason}): give the file of a trained model"
        ) from error
    arrays = path.suffix == ".safetensors" and start[8:9] == b"{"
    if start.startswith(_PICKLE_STARTS) and not arrays:
        raise UsageError(
            f"{path} is a pickle, which can run code when it is read, and is not opened: "
            f"{_NEW_MODEL}"
        )


def _read_weights(path: Path, card: ModelCard) -> bytes:
    """Read the file, if it is the one that the card names."""
    size = path.stat().st_size
    if size != card.file_bytes or size > _MAX_BYTES:
        raise UsageError(
            f"{path} has {size} bytes, its card says {card.file_bytes}: the two do not belong "
            f"together; put both files of one training side by side, or {_NEW_MODEL}"
        )
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != card.file_sha256:
        raise UsageError(
            f"{path} is not the file that its card names (SHA-256 differs): it was damaged or "
            f"exchanged; put both files of one training side by side, or {_NEW_MODEL}"
        )
    return data
