"""Devices by name, and chance that leaves what is outside as it was."""

from __future__ import annotations

import pytest
import torch

from gibswatch.errors import UsageError
from gibswatch.models.deep.device import choose_device, mixed_precision, repeatable

pytestmark = pytest.mark.usefixtures("one_thread")


def test_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("cpu") == choose_device("auto") == torch.device("cpu")
    with pytest.raises(UsageError, match=r"--device cuda: .*finds no accelerator: give auto or"):
        choose_device("cuda")
    with pytest.raises(UsageError, match=r"--device 'tpu' is none: give auto, cpu or cuda"):
        choose_device("tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda")


def test_the_processor_works_in_full_precision() -> None:
    with mixed_precision(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_chance_outside_is_left() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with repeatable(7, 2):
        torch.rand(100)
    assert torch.equal(torch.rand(3), expected)


def drawn(*seeds: int) -> torch.Tensor:
    with repeatable(*seeds) as chance:
        return torch.cat([torch.rand(4), torch.rand(4, generator=chance)])


def test_each_seed_counts() -> None:
    torch.manual_seed(1)
    first = drawn(7, 2)
    torch.manual_seed(2)
    assert torch.equal(drawn(7, 2), first)
    others = [drawn(7, 3), drawn(8, 2), drawn(2, 7), drawn(7)]
    assert not any(torch.equal(other, first) for other in others)


def fail() -> None:
    with repeatable(1):
        assert torch.are_deterministic_algorithms_enabled()
        raise KeyError


@pytest.mark.parametrize(("mode", "warn_only"), [(False, False), (True, False), (True, True)])
def test_settings_outside_are_left(mode: bool, warn_only: bool) -> None:
    before = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(mode, warn_only=warn_only)
    try:
        with pytest.raises(KeyError):
            fail()
        assert torch.are_deterministic_algorithms_enabled() == mode
        assert torch.is_deterministic_algorithms_warn_only_enabled() == warn_only
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)
