"""Pictures that are varied: what may change, and what must not."""

from __future__ import annotations

import pytest
import torch

from gibswatch.models.deep.augment import change_patches, change_pictures

pytestmark = pytest.mark.usefixtures("one_thread")


def chance(seed: int = 5) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(count: int = 40, rows: int = 6, cols: int = 32) -> torch.Tensor:
    """Levels of 0.1 to 0.8: no brightening reaches the ends."""
    return 0.1 + 0.7 * torch.rand(count, 3, rows, cols, generator=chance(1))


def relative(pictures: torch.Tensor) -> torch.Tensor:
    """Pictures without their brightness."""
    return pictures / pictures.amax(dim=(1, 2, 3), keepdim=True)


@pytest.mark.parametrize("wraps", [True, False])
def test_north_stays_up(wraps: bool) -> None:
    """Rows of a picture keep their order: each row has one level, which its place tells."""
    levels = torch.linspace(0.1, 0.8, 6)[None, None, :, None].expand(40, 3, 6, 32)
    found = relative(change_pictures(levels, chance(), wraps=wraps))
    torch.testing.assert_close(found, relative(levels))


def rolls(picture: torch.Tensor) -> torch.Tensor:
    """A picture and its mirror image, rolled by each number of columns."""
    return torch.stack(
        [one.roll(by, 2) for one in (picture, picture.flip(2)) for by in range(picture.shape[2])]
    )


def test_a_globe_is_rolled_exactly() -> None:
    before = noise()
    found = relative(change_pictures(before, chance(), wraps=True))
    ways = set()
    for old, new in zip(relative(before), found, strict=True):
        apart = (rolls(old) - new).abs().amax(dim=(1, 2, 3))
        assert apart.min() < 1e-5
        ways.add(int(apart.argmin()))
    assert len(ways) > 20  # many longitudes, and both ways round
    assert {way // 32 for way in ways} == {0, 1}


def test_a_part_of_the_map_moves_by_a_sixteenth_at_most() -> None:
    before = noise()
    found = change_pictures(before, chance(), wraps=False)
    moved = set()
    for old, new in zip(before, found, strict=True):
        ratio = (new / rolls(old))[..., 2:-2].flatten(1)  # without what an edge reaches
        apart = ratio.amax(dim=1) - ratio.amin(dim=1)
        assert apart.min() < 1e-5
        moved.add(int(apart.argmin()) % 32)
    assert moved <= {0, 1, 2, 30, 31}
    assert len(moved) == 5


@pytest.mark.parametrize("wraps", [True, False])
def test_no_black_comes_in(wraps: bool) -> None:
    assert (change_pictures(noise(), chance(), wraps=wraps) > 0.05).all()
    assert (change_patches(noise(), chance()) > 0.05).all()


def test_black_stays_black_and_is_no_more_than_before() -> None:
    before = noise()
    before[:, :, 2:4, 10:20] = 0
    for found in (
        change_pictures(before, chance(), wraps=True),
        change_patches(before, chance()),
    ):
        assert ((found == 0).all(dim=1).sum(dim=(1, 2)) == 20).all()


def test_channels_keep_their_ratios() -> None:
    colour = torch.tensor([0.6, 0.3, 0.15])[None, :, None, None].expand(30, 3, 4, 32)
    for found in (
        change_pictures(colour, chance(), wraps=False),
        change_patches(colour, chance()),
    ):
        torch.testing.assert_close(found[:, 0], 2 * found[:, 1])
        torch.testing.assert_close(found[:, 1], 2 * found[:, 2])
        gains = found[:, 0, 0, 0] / 0.6
        assert gains.min() >= 0.9 - 1e-6
        assert gains.max() <= 1.1 + 1e-6
        assert gains.std() > 0.02


def test_levels_stay_in_their_range() -> None:
    white = torch.ones(20, 3, 4, 32)
    assert change_pictures(white, chance(), wraps=True).max() <= 1


def test_patches_are_turned_over_in_both_directions() -> None:
    before = noise(rows=4, cols=4)
    found = relative(change_patches(before, chance()))
    ways = []
    for old, new in zip(relative(before), found, strict=True):
        kinds = torch.stack([old, old.flip(2), old.flip(1), old.flip(1, 2)])
        apart = (kinds - new).abs().amax(dim=(1, 2, 3))
        assert apart.min() < 1e-5
        ways.append(int(apart.argmin()))
    assert set(ways) == {0, 1, 2, 3}


def test_a_seed_decides_all_and_the_pictures_are_left() -> None:
    before = noise()
    kept = before.clone()
    one, same, other = (change_pictures(before, chance(seed), wraps=True) for seed in (5, 5, 6))
    assert torch.equal(before, kept)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
