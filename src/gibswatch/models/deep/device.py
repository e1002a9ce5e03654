"""Where the numbers are worked out: ``--device auto``, ``cpu`` or ``cuda``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch

from gibswatch.errors import UsageError

__all__ = ["choose_device", "mixed_precision", "repeatable"]


def choose_device(name: str) -> torch.device:
    """Choose a device; ``auto`` takes an accelerator where there is one.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            f"--device cuda: this PyTorch ({torch.__version__}) finds no accelerator: give auto or "
            "cpu, or install a build for CUDA"
        )
    if name not in ("cpu", "cuda"):
        raise UsageError(f"--device {name[:20]!r} is none: give auto, cpu or cuda")
    return torch.device(name)


def mixed_precision(device: torch.device) -> contextlib.AbstractContextManager[None]:
    """Work in bfloat16 where that is faster, which is on CUDA; it needs no scaling of losses."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")


@contextlib.contextmanager
def repeatable(*seeds: int) -> Iterator[torch.Generator]:
    """Draw all chance within from these seeds, and ask for algorithms that repeat themselves.

    Yields
    ------
    torch.Generator
        For chance on the CPU.

    Notes
    -----
    What is drawn outside is as if nothing had been drawn here.
    """
    # One number of several, each of which changes it: as NumPy mixes them.
    mixed = _mix(seeds)
    before = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    with torch.random.fork_rng():
        torch.manual_seed(mixed)
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
        try:
            yield torch.Generator().manual_seed(mixed)
        finally:
            torch.use_deterministic_algorithms(mode=before, warn_only=warned)


def _mix(seeds: tuple[int, ...]) -> int:
    return int(np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0] >> 1)
