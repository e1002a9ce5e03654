"""DenseNet-121 that learns from normal pictures alone: CutPaste (Li, Sohn, Yoon and Pfister 2021).

A piece of a picture is pasted into another place of it, its colours a little changed, and the
network is to tell such pictures from those that are as they were.  Nobody has to label anything,
and no simulator is asked.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gibswatch.models.deep.densenet import DenseNet121, normalised
from gibswatch.models.deep.device import choose_device, mixed_precision, repeatable
from gibswatch.types import ByteArray

__all__ = ["learn_backbone", "paste_piece"]

_CROP = 64
"""Pixels a side: what is pasted is a tenth of it, as in the paper of 256."""
_BATCH = 32
_RATE = 1e-3
_AREA = (0.02, 0.15)
"""Share of the crop that a piece covers."""
_JITTER = 0.1
_SCAR = ((2, 5), (8, 24))
"""Sides of a narrow piece in pixels."""
_CLASSES = 3
Progress = Callable[[int, int], None]


def learn_backbone(
    pictures: NDArray[np.uint8],
    *,
    steps: int,
    seed: int,
    device: str = "auto",
    on_progress: Progress | None = None,
) -> DenseNet121:
    """Train a network from nothing on normal pictures.

    Parameters
    ----------
    pictures : (m, rows, cols, 3) ndarray of uint8
        May be memory-mapped; 32 by 32 pixels at least.
    steps : int
        Batches of 32 crops.
    seed : int
    device : {"auto", "cpu", "cuda"}
    on_progress : callable, optional
        Told (steps done, steps).

    Returns
    -------
    DenseNet121
        On the CPU, in evaluation mode, without a classifier that means anything.
    """
    where, chance = choose_device(device), np.random.default_rng([seed, 1])
    with repeatable(seed, 1):
        network = DenseNet121(_CLASSES).to(where).train()
        optimizer = torch.optim.AdamW(network.parameters(), _RATE)
        plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
        for step in range(1, steps + 1):
            crops, classes = _batch(pictures, chance)
            optimizer.zero_grad(set_to_none=True)
            with mixed_precision(where):
                found = network(normalised(crops).to(where))
                loss = nn.functional.cross_entropy(found, torch.from_numpy(classes).to(where))
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            plan.step()
            if on_progress is not None:
                on_progress(step, steps)
    return network.cpu().eval().requires_grad_(requires_grad=False)


def paste_piece(crop: ByteArray, chance: np.random.Generator, *, narrow: bool) -> ByteArray:
    """Copy a piece of a crop to another place of it, each channel up to a tenth brighter or darker.

    Parameters
    ----------
    crop : (rows, cols, 3) ndarray of uint8
    chance : Generator
    narrow : bool
        A thin piece, like a scar; else one of 2 to 15 % of the area.

    Returns
    -------
    (rows, cols, 3) ndarray of uint8
    """
    shape = crop.shape[:2]
    sides = _narrow(chance) if narrow else _broad(shape, chance)
    rows, cols = (min(side, size - 1) for side, size in zip(sides, shape, strict=True))
    (r, c), (to_r, to_c) = (
        (int(chance.integers(shape[0] - rows)), int(chance.integers(shape[1] - cols)))
        for _ in range(2)
    )
    gains = chance.uniform(1 - _JITTER, 1 + _JITTER, 3)
    piece = np.clip(crop[r : r + rows, c : c + cols] * gains, 0, 255)
    found = crop.copy()
    found[to_r : to_r + rows, to_c : to_c + cols] = piece.astype(np.uint8)
    return found


def _broad(shape: tuple[int, ...], chance: np.random.Generator) -> tuple[int, int]:
    area = chance.uniform(*_AREA) * shape[0] * shape[1]
    ratio = np.exp(chance.uniform(np.log(0.3), np.log(3.3)))
    return max(1, round(np.sqrt(area * ratio))), max(1, round(np.sqrt(area / ratio)))


def _narrow(chance: np.random.Generator) -> tuple[int, int]:
    thin, long = (int(chance.integers(*sides)) for sides in _SCAR)
    return (thin, long) if chance.random() < 0.5 else (long, thin)


def _batch(
    pictures: NDArray[np.uint8], chance: np.random.Generator
) -> tuple[ByteArray, NDArray[np.int64]]:
    """Draw crops; the first third stays as it is, the others get a piece of each sort."""
    rows, cols = (min(_CROP, size) for size in pictures.shape[1:3])
    classes = np.arange(_BATCH, dtype=np.int64) % _CLASSES
    crops = np.empty((_BATCH, rows, cols, 3), np.uint8)
    for number, kind in enumerate(classes.tolist()):
        picture = pictures[int(chance.integers(len(pictures)))]
        r = int(chance.integers(picture.shape[0] - rows + 1))
        c = int(chance.integers(picture.shape[1] - cols + 1))
        crop = np.array(picture[r : r + rows, c : c + cols])
        crop = crop[:, ::-1] if chance.random() < 0.5 else crop
        crops[number] = crop if kind == 0 else paste_piece(crop, chance, narrow=kind == 2)
    return crops, classes
