"""Where in a picture a network sees a fault: Grad-CAM (Selvaraju et al. 2017)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["grad_cam", "relative_map"]

Network = Callable[[torch.Tensor], torch.Tensor]


def grad_cam(maps: Network, classify: Network, picture: torch.Tensor) -> NDArray[np.float64]:
    """Weight the last maps by how much each speaks for a fault.

    Parameters
    ----------
    maps : callable
        (1, 3, rows, cols) picture to (1, channels, r, c) maps.
    classify : callable
        Maps to (1, classes) logarithms of confidences; the first class is the normal one.
    picture : (1, 3, rows, cols) tensor

    Returns
    -------
    (r, c) ndarray of float64
        As `relative_map`.
    """
    with torch.no_grad():
        found = maps(picture)
    found = found.detach().requires_grad_()
    with torch.enable_grad():
        said = classify(found)
        # What speaks for the likeliest fault and against the normal class.
        against = said[0, 1:].max() - said[0, 0]
        (slope,) = torch.autograd.grad(against, found)
    weights = slope.mean(dim=(2, 3), keepdim=True)
    return relative_map((weights * found.detach()).sum(dim=1)[0].double().cpu().numpy())


def relative_map(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep what speaks for a fault, the highest as 1; all 0 where nothing does."""
    positive = np.maximum(values, 0.0)
    highest = positive.max(initial=0.0)
    return np.asarray(positive / highest if highest > 0 else positive)
