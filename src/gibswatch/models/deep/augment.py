"""Pictures changed as the same map may be: what is learned of one day, learned of a few more.

A globe is never turned upside down: north stays up.  East and west may be exchanged, and where a
picture goes round the Earth it may begin at any longitude.  Colours keep their ratios, since a
colour that is off is what is looked for; all channels together may be a little darker or brighter.
"""

from __future__ import annotations

import torch

__all__ = ["change_patches", "change_pictures"]

_BRIGHTNESS = 0.1
_SHIFT = 16
"""A picture that does not go round moves by a sixteenth of its side, its edge mirrored."""


def change_pictures(
    pictures: torch.Tensor, chance: torch.Generator, *, wraps: bool
) -> torch.Tensor:
    """Mirror, shift and brighten pictures of a map.

    Parameters
    ----------
    pictures : (n, 3, rows, cols) tensor of float32
        0-1; black is no data.
    chance : Generator
    wraps : bool
        Whether the last column borders on the first.

    Returns
    -------
    (n, 3, rows, cols) tensor of float32
    """
    mirrored = _mirrored(pictures, chance, axis=3)
    return _brightened(_shifted(mirrored, chance, wraps=wraps), chance)


def change_patches(patches: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Mirror and brighten patches; a small piece of a map may be turned over too.

    Parameters and result as of `change_pictures`.
    """
    both = _mirrored(_mirrored(patches, chance, axis=3), chance, axis=2)
    return _brightened(both, chance)


def _mirrored(pictures: torch.Tensor, chance: torch.Generator, *, axis: int) -> torch.Tensor:
    turned = torch.rand(len(pictures), generator=chance) < 0.5
    return torch.where(turned[:, None, None, None], pictures.flip(axis), pictures)


def _shifted(pictures: torch.Tensor, chance: torch.Generator, *, wraps: bool) -> torch.Tensor:
    cols = pictures.shape[3]
    most = cols if wraps else cols // _SHIFT
    by = torch.randint(-most, most + 1, (len(pictures),), generator=chance)
    place = torch.arange(cols)[None, :] + by[:, None]
    # Mirrored at the edge: what came in from outside must not be black, which would be a hole.
    source = place.remainder(cols) if wraps else _reflected(place, cols)
    index = source[:, None, None, :].expand_as(pictures)
    return pictures.gather(3, index)


def _reflected(place: torch.Tensor, cols: int) -> torch.Tensor:
    """Columns mirrored at the first and the last one."""
    inside = place.abs()
    return torch.where(inside > cols - 1, 2 * (cols - 1) - inside, inside)


def _brightened(pictures: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    drawn = torch.rand((len(pictures), 1, 1, 1), generator=chance)
    return (pictures * (1 + _BRIGHTNESS * (2 * drawn - 1))).clamp(0, 1)
