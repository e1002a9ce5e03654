"""DenseNet-121 against the paper's table, written out anew here on functions alone."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from gibswatch.errors import UsageError
from gibswatch.models.deep.densenet import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    DenseNet121,
    normalised,
)

State = dict[str, Tensor]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Two threads that wait for each other are slower than one where other tests run, too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def network() -> DenseNet121:
    """A network for evaluation whose norms do something."""
    chance = torch.Generator().manual_seed(5)
    made = DenseNet121(generator=chance).eval().requires_grad_(False)
    for name, value in made.state_dict().items():
        if name.endswith("running_mean") or ("norm" in name and name.endswith("bias")):
            value.normal_(0, 0.2, generator=chance)
        elif name.endswith("running_var") or ("norm" in name and name.endswith("weight")):
            value.uniform_(0.5, 1.8, generator=chance)
    return made


def pictures(rows: int, cols: int, count: int = 2) -> Tensor:
    chance = torch.Generator().manual_seed(rows * cols)
    return torch.randn(count, 3, rows, cols, generator=chance)


def norm(x: Tensor, state: State, name: str) -> Tensor:
    """Batch norm by its formula, and ReLU."""
    mean, var, weight, bias = (
        state[f"{name}.{part}"].view(1, -1, 1, 1)
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return ((x - mean) / torch.sqrt(var + 1e-5) * weight + bias).clamp(min=0)


def by_the_paper(x: Tensor, state: State) -> dict[str, Tensor]:
    """Every stage of Huang et al. 2017, table 1 (DenseNet-121), by the weights' names."""
    stages: dict[str, Tensor] = {}
    x = functional.conv2d(x, state["features.conv0.weight"], stride=2, padding=3)
    x = functional.max_pool2d(norm(x, state, "features.norm0"), 3, 2, 1)
    for block, layers in enumerate((6, 12, 24, 16), 1):
        seen = [x]
        for layer in range(1, layers + 1):
            at = f"features.denseblock{block}.denselayer{layer}"
            y = norm(torch.cat(seen, 1), state, f"{at}.norm1")
            y = functional.conv2d(y, state[f"{at}.conv1.weight"])
            y = functional.conv2d(
                norm(y, state, f"{at}.norm2"), state[f"{at}.conv2.weight"], padding=1
            )
            seen.append(y)
        x = torch.cat(seen, 1)
        if block < 4:
            at = f"features.transition{block}"
            x = functional.conv2d(norm(x, state, f"{at}.norm"), state[f"{at}.conv.weight"])
            x = stages[at] = functional.avg_pool2d(x, 2)
    stages["last"] = norm(x, state, "features.norm5")
    stages["pooled"] = functional.adaptive_avg_pool2d(stages["last"], 1).flatten(1)
    stages["logits"] = stages["pooled"] @ state["classifier.weight"].T + state["classifier.bias"]
    return stages


@pytest.mark.parametrize("size", [(32, 32), (33, 63), (64, 96), (127, 65), (224, 224)])
def test_the_same_as_the_paper(network: DenseNet121, size: tuple[int, int]) -> None:
    x = pictures(*size, count=1 if size[0] > 200 else 2)
    told = by_the_paper(x, dict(network.state_dict()))
    with torch.inference_mode():
        fine, coarse = network.middle_maps(x)
        made = {
            "features.transition1": fine,
            "features.transition2": coarse,
            "last": network.last_map(x),
            "pooled": network.pooled(x),
            "logits": network(x),
        }
    for name, value in made.items():
        scale = told[name].abs().max().item()
        torch.testing.assert_close(value, told[name], rtol=0, atol=1e-5 * scale, msg=name)
    assert told["logits"].std() > 0.1


@pytest.mark.parametrize("size", [(32, 32), (40, 77), (256, 128)])
def test_shapes(network: DenseNet121, size: tuple[int, int]) -> None:
    quarter = [math.ceil(math.ceil(side / 2) / 2) for side in size]
    with torch.inference_mode():
        fine, coarse = network.middle_maps(pictures(*size, 1))
        last = network.last_map(pictures(*size, 1))
    assert fine.shape == (1, 128, quarter[0] // 2, quarter[1] // 2)
    assert coarse.shape == (1, 256, quarter[0] // 4, quarter[1] // 4)
    assert last.shape == (1, 1024, quarter[0] // 8, quarter[1] // 8)


def test_count_of_parameters(network: DenseNet121) -> None:
    assert sum(value.numel() for value in network.parameters()) == 7_978_856
    assert len(network.state_dict()) == 727
    bare = DenseNet121(None)
    assert sum(value.numel() for value in bare.parameters()) == 7_978_856 - 1025 * 1000


def test_names_of_torchvision(network: DenseNet121) -> None:
    names = list(network.state_dict())
    assert names[0] == "features.conv0.weight"
    assert "features.denseblock1.denselayer1.norm1.weight" in names
    assert "features.denseblock4.denselayer16.conv2.weight" in names
    assert "features.transition3.norm.running_var" in names
    assert names[-7:] == [
        *(f"features.norm5.{part}" for part in ("weight", "bias", "running_mean", "running_var")),
        "features.norm5.num_batches_tracked",
        "classifier.weight",
        "classifier.bias",
    ]


def test_first_weights_are_drawn_as_the_caller_seeded(network: DenseNet121) -> None:
    one, same = (DenseNet121(3, generator=torch.Generator().manual_seed(1)) for _ in range(2))
    for name, value in one.state_dict().items():
        assert torch.equal(value, same.state_dict()[name])
    conv = one.features.get_submodule("denseblock3.denselayer7.conv2").get_parameter("weight")
    first = "features.conv0.weight"
    assert not torch.equal(one.state_dict()[first], network.state_dict()[first])
    assert conv.std().item() == pytest.approx(math.sqrt(2 / (128 * 9)), rel=0.02)
    assert one.classifier is not None
    assert one.classifier.bias.abs().max() == 0
    norm5 = one.features.get_submodule("norm5")
    assert (norm5.get_parameter("weight") == 1).all()
    assert (norm5.get_parameter("bias") == 0).all()


def test_it_learns() -> None:
    network = DenseNet121(2, generator=torch.Generator().manual_seed(0)).train()
    loss = functional.cross_entropy(network(pictures(40, 40)), torch.tensor([0, 1]))
    loss.backward()  # type: ignore[no-untyped-call]
    assert all(value.grad is not None for value in network.parameters())


def test_without_a_classifier(network: DenseNet121) -> None:
    bare = DenseNet121(None)
    assert not [name for name in bare.state_dict() if name.startswith("classifier")]
    with pytest.raises(UsageError, match="has no classifier"):
        bare(pictures(32, 32))


@pytest.mark.parametrize("shape", [(1, 3, 31, 64), (1, 3, 64, 31), (1, 4, 64, 64), (3, 64, 64)])
def test_pictures_that_do_not_fit(network: DenseNet121, shape: tuple[int, ...]) -> None:
    for method in (network.pooled, network.middle_maps, network):
        with pytest.raises(UsageError, match="32 rows and columns or more"):
            method(torch.zeros(shape))


def test_normalised() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 40, 33, 3), dtype=np.uint8)
    told = (pixels / 255 - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_STD)
    pixels.flags.writeable = False
    for given in (pixels, torch.from_numpy(pixels.copy()), pixels[::-1][::-1]):
        made = normalised(given)
        assert (made.dtype, tuple(made.shape)) == (torch.float32, (2, 3, 40, 33))
        np.testing.assert_allclose(made.numpy(), told.transpose(0, 3, 1, 2), atol=1e-6)
    np.testing.assert_array_equal(
        normalised(pixels[:, ::-1]).numpy(), normalised(pixels).numpy()[:, :, ::-1]
    )


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((2, 40, 40, 3), "f4"),
        ((40, 40, 3), "u1"),
        ((1, 40, 40, 4), "u1"),
        ((1, 3, 40, 40), "u1"),
        ((1, 31, 40, 3), "u1"),
    ],
)
def test_pixels_that_do_not_fit(shape: tuple[int, ...], kind: str) -> None:
    with pytest.raises(UsageError, match="give"):
        normalised(np.zeros(shape, kind))
    with pytest.raises(UsageError, match="give"):
        normalised(torch.from_numpy(np.zeros(shape, kind)))
