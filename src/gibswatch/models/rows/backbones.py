"""What DenseNet-121 sees in a picture, as features: the record of it, and the network behind it.

Nothing here imports PyTorch before a network is made: it is the extra ``deep``.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import MissingExtraError, UsageError
from gibswatch.features import PicturePixels, standard_picture
from gibswatch.features.pixels import fields_of
from gibswatch.raster.scene import Scene
from gibswatch.types import ByteArray, FloatArray

__all__ = [
    "BACKBONE_LENGTH",
    "Backbone",
    "BackboneDefinition",
    "BackboneFile",
    "check_device",
    "deep_weights",
    "open_backbone",
    "stored_backbone",
]  # fmt: skip

BACKBONE_LENGTH = 1024
"""Channels of the last map of DenseNet-121."""
_STRIDE = 8
_MAP_CHANNELS = 384
_KEPT_CHANNELS = 128
_SEED = 121
_CLASSIFIER = "classifier."
_VERSION = 1
_SHA = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class BackboneDefinition:
    """Which of the network's numbers describe a picture.

    Raises
    ------
    UsageError
        If a field is out of range.
    """

    rows: int
    """Of the grid that pictures are averaged to."""
    cols: int
    maps: bool
    """A vector for each 8 by 8 pixels of the grid; else one of the whole picture."""
    weights_sha256: str = ""
    """Of the file of weights; empty as long as they are not chosen."""
    version: int = _VERSION

    def __post_init__(self) -> None:
        PicturePixels(self.rows, self.cols)  # it knows the limits
        if self.version != _VERSION:
            raise UsageError(
                f"the model sees pictures in way {self.version} and this Gibswatch in way "
                f"{_VERSION}: train it again with `gibswatch train`"
            )
        if self.weights_sha256 and not _SHA.fullmatch(self.weights_sha256):
            raise UsageError(f"{self.weights_sha256[:40]!r} is no SHA-256: train the model again")

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the vectors of a picture."""
        return (self.rows // _STRIDE, self.cols // _STRIDE) if self.maps else (1, 1)

    @property
    def patch_length(self) -> int:
        """Numbers of one vector."""
        return _KEPT_CHANNELS if self.maps else BACKBONE_LENGTH

    @property
    def length(self) -> int:
        """Numbers in a row."""
        rows, cols = self.grid
        return rows * cols * self.patch_length

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` makes an equal record of them."""
        return {"of": "backbone", **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave.

        Raises
        ------
        UsageError
            If it is no such document.
        """
        return cls(**fields_of(cls, document))


@dataclass(frozen=True, slots=True)
class BackboneFile:
    """Weights that were checked, as a worker is told of them."""

    path: Path
    """Of a safetensors file."""
    sha256: str
    device: str = "auto"
    trained_on: str = "unknown"
    """``ImageNet``, ``self-supervised`` or ``unknown``."""
    name: str = ""
    """Of the file that the user named."""

    @property
    def told(self) -> str:
        """Where the weights come from, for the card."""
        words = {
            "ImageNet": "trained on ImageNet",
            "self-supervised": "self-supervised on the training days; no ImageNet weights",
        }
        what = words.get(self.trained_on, "trained on what is unknown")
        return f"{what} ({self.name or self.path.name})"


class Backbone:
    """DenseNet-121 with weights, its last layer left out.

    Parameters
    ----------
    network : DenseNet121
        In evaluation mode.
    device : torch.device
    """

    def __init__(self, network: Any, device: Any) -> None:
        self._network, self._device = network.to(device), device

    def rows(self, scene: Scene, definition: BackboneDefinition) -> NDArray[np.float32]:
        """Describe a picture, as (definition.length,) ndarray of float32."""
        picture = standard_picture(scene, definition.rows, definition.cols)
        if not definition.maps:
            whole: NDArray[np.float32] = self.pooled(picture[np.newaxis])[0]
            return whole
        return self._vectors(picture, definition.grid)

    def pooled(self, pictures: ByteArray) -> NDArray[np.float32]:
        """Describe (n, rows, cols, 3) pictures of uint8 as wholes, as (n, 1024) float32."""
        import torch  # noqa: PLC0415  (an extra)

        with torch.inference_mode():
            found = self._network.pooled(self._input(pictures))
        return _numbers(found)

    def last_map(self, pictures: ByteArray) -> NDArray[np.float32]:
        """Give the last map of (n, rows, cols, 3) pictures, as (n, 1024, rows/32, cols/32)."""
        import torch  # noqa: PLC0415

        with torch.inference_mode():
            found = self._network.last_map(self._input(pictures))
        return _numbers(found)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Weights by torchvision's names."""
        state: dict[str, NDArray[Any]] = deep_weights().state_of(self._network)
        return {name: array for name, array in state.items() if not name.startswith(_CLASSIFIER)}

    def _input(self, pictures: ByteArray) -> Any:
        from gibswatch.models.deep.densenet import normalised  # noqa: PLC0415

        return normalised(pictures).to(self._device)

    def _vectors(self, picture: ByteArray, grid: tuple[int, int]) -> NDArray[np.float32]:
        """Vectors of two depths side by side, each averaged over its neighbours.

        As PatchCore (Roth et al. 2022) does it; of 384 channels 128 are kept by chance, the same
        ones always, as PaDiM (Defard et al. 2020) found to lose little.
        """
        import torch  # noqa: PLC0415
        from torch.nn import functional  # noqa: PLC0415

        with torch.inference_mode():
            fine, coarse = self._network.middle_maps(self._input(picture[np.newaxis]))
            smooth = [functional.avg_pool2d(one, 3, 1, 1) for one in (fine, coarse)]
            sized = [
                functional.interpolate(one, size=grid, mode="bilinear", align_corners=False)
                for one in smooth
            ]
            both = torch.cat(sized, dim=1)[0].permute(1, 2, 0).reshape(-1, _MAP_CHANNELS)
        kept = np.sort(np.random.default_rng(_SEED).permutation(_MAP_CHANNELS)[:_KEPT_CHANNELS])
        return np.ascontiguousarray(_numbers(both)[:, kept]).ravel()


def _numbers(tensor: Any) -> NDArray[np.float32]:
    return np.asarray(tensor.float().cpu().numpy(), dtype=np.float32)


@lru_cache(maxsize=2)
def open_backbone(file: BackboneFile) -> Backbone:
    """Read a backbone from its file of weights, once a process.

    Raises
    ------
    UsageError
        If the file is damaged, hostile, or has another SHA-256.
    MissingExtraError
        If the extra ``deep`` is not installed.
    """
    deep = deep_weights()
    weights = deep.read_weights(file.path)
    if weights.sha256 != file.sha256:
        raise UsageError(
            f"{file.path} is no longer the file that the training began with: begin again"
        )
    return Backbone(deep.make_network(weights), _device(file.device))


def stored_backbone(arrays: Mapping[str, FloatArray], source: str, device: str) -> Backbone:
    """Make a backbone of the weights in a model's file, which may be anyone's.

    Raises
    ------
    UsageError
        If they are not those of DenseNet-121.
    MissingExtraError
        If the extra ``deep`` is not installed.
    """
    deep = deep_weights()
    weights = deep.checked_weights(dict(arrays), source)
    return Backbone(deep.make_network(weights), _device(device))


def deep_weights() -> Any:
    """Import the module of weights.

    Raises
    ------
    MissingExtraError
        If the extra ``deep`` is not installed.
    """
    try:
        from gibswatch.models.deep import weights  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise MissingExtraError(
            f'DenseNet-121 needs {error.name}: pip install "gibswatch[deep]"'
        ) from error
    return weights


def check_device(name: str) -> None:
    """Refuse a device that is not there, before pictures are read for it.

    Raises
    ------
    UsageError
        If it is not.
    MissingExtraError
        If the extra ``deep`` is not installed.
    """
    deep_weights()
    _device(name)


def _device(name: str) -> Any:
    from gibswatch.models.deep.device import choose_device  # noqa: PLC0415

    return choose_device(name)
