"""R16: models of arrays that others wrote: refused, whatever the file or its card says."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.features import PicturePixels
from gibswatch.models import load_model
from gibswatch.models.card import GridOfModel, ModelCard
from gibswatch.models.registry import find_model
from gibswatch.models.rows.backbones import BackboneDefinition
from gibswatch.models.rows.extraction import Definition, estimator_settings
from gibswatch.models.rows.grids import PatchGrid
from gibswatch.models.storage.store import save_model

pytestmark = pytest.mark.usefixtures("one_thread")

Arrays = dict[str, NDArray[Any]]
TINY: dict[str, dict[str, float]] = {
    "cnn": {"num_channels": 2, "hidden": 4, "num_epochs": 1},
    "densenet": {"num_epochs": 1},
    "padim": {"dimensions": 3},
    "patchcore": {"bank_size": 8},
}
DEFINITIONS: dict[str, Definition] = {
    "cnn": PicturePixels(32, 32),
    "densenet": BackboneDefinition(32, 32, maps=False),
    "padim": PatchGrid.of((64, 64)),
    "patchcore": PatchGrid.of((64, 64)),
}


def stored(folder: Path, model: str) -> Path:
    """Fit a model to noise and save it."""
    definition, entry = DEFINITIONS[model], find_model(model)
    chance = np.random.default_rng(2)
    rows = chance.integers(0, 256, (12, definition.length)).astype(np.uint8)
    given = rows if model == "cnn" else rows.astype(np.float32)
    estimator = entry.make(TINY[model], 1, **estimator_settings(definition))
    estimator.fit(given, np.arange(12) % 2 if entry.supervised else None)
    card = ModelCard(
        model=model, level="image", target="any", layer="A_Layer", seed=1,
        grid=GridOfModel(4326, 64, 64, (-180.0, -90.0, 180.0, 90.0)), parameters=TINY[model],
        features=definition.to_json(), n_features=definition.length,
        classes=(0, 1) if entry.supervised else (0,), threshold=0.5, file_bytes=0,
        file_sha256="0" * 64, data_sha256="0" * 64, split_by=None, counts={}, metrics={},
        versions={}, created="2026-01-01T00:00:00Z",
    )  # fmt: skip
    save_model(folder / model, estimator, card)
    return folder / f"{model}.safetensors"


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> dict[str, Path]:
    """A model of each kind."""
    folder = tmp_path_factory.mktemp("originals")
    return {model: stored(folder, model) for model in TINY}


@pytest.fixture
def copied(originals: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a model, to be changed."""

    def copy(model: str) -> Path:
        for suffix in (".safetensors", ".json"):
            source = originals[model].with_suffix(suffix)
            (tmp_path / source.name).write_bytes(source.read_bytes())
        return tmp_path / f"{model}.safetensors"

    return copy


def change_card(path: Path, **values: Any) -> None:
    card = path.with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text()) | values))


def write(path: Path, data: bytes) -> None:
    """Put other bytes into a file, and let its card say that they are right."""
    path.write_bytes(data)
    change_card(path, file_bytes=len(data), file_sha256=hashlib.sha256(data).hexdigest())


def refuse(path: Path, message: str = "is refused: ") -> None:
    with pytest.raises(UsageError, match=message):
        load_model(path)


every_model = pytest.mark.parametrize("model", ["cnn", "padim", "patchcore"])


@every_model
def test_what_was_written_is_read(copied: Callable[[str], Path], model: str) -> None:
    path = copied(model)
    loaded = load_model(path)
    assert loaded.scorer.backbone is None
    rows = np.zeros((1, DEFINITIONS[model].length), np.uint8 if model == "cnn" else np.float32)
    assert np.isfinite(loaded.scorer.estimator.anomaly_score(rows)).all()


@every_model
@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: b"no safetensors",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: (2**40).to_bytes(8, "little") + data[8:],
        lambda data: (2**64 - 1).to_bytes(8, "little") + data[8:],
        lambda data: data[:8] + b"[" * 90 + data[98:],
    ],
)
def test_files_that_are_none_are_refused(
    copied: Callable[[str], Path], model: str, change: Callable[[bytes], bytes]
) -> None:
    path = copied(model)
    write(path, change(path.read_bytes()))
    refuse(path)


@pytest.mark.parametrize("shape", [[2**33, 2**33], [2**40], [-1], ["x"], [2**31, 4]])
def test_arrays_of_gigabytes_that_are_not_there_are_refused(
    copied: Callable[[str], Path], shape: list[Any]
) -> None:
    path = copied("cnn")
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["model.network.fc2.bias"]["shape"] = shape
    text = json.dumps(header).encode()
    write(path, len(text).to_bytes(8, "little") + text + data[8 + length :])
    refuse(path)


def with_nan(arrays: Arrays) -> None:
    name = next(n for n in arrays if arrays[n].dtype.kind == "f" and arrays[n].size > 1)
    arrays[name] = np.full_like(arrays[name], np.nan)


def with_infinity(arrays: Arrays) -> None:
    name = next(n for n in arrays if arrays[n].dtype.kind == "f" and arrays[n].size > 1)
    arrays[name] = np.full_like(arrays[name], np.inf)


def of_another_type(arrays: Arrays) -> None:
    name = next(n for n in arrays if arrays[n].dtype.kind == "f" and arrays[n].size > 1)
    arrays[name] = arrays[name].astype(np.float16)


def of_another_shape(arrays: Arrays) -> None:
    name = next(n for n in arrays if arrays[n].ndim)
    arrays[name] = arrays[name][..., np.newaxis]


CHANGES: list[Callable[[Arrays], Any]] = [
    with_nan,
    with_infinity,
    of_another_type,
    of_another_shape,
    lambda arrays: arrays.update({"model.more": np.zeros(3, np.float32)}),
    lambda arrays: arrays.update({"nobody.more": np.zeros(3, np.float32)}),
    lambda arrays: arrays.update({"backbone.features.conv0.weight": np.zeros(3, np.float32)}),
    lambda arrays: arrays.pop(min(arrays)),
    lambda arrays: arrays.clear(),
]


@every_model
@pytest.mark.parametrize("change", CHANGES)
def test_arrays_that_are_not_the_models_are_refused(
    copied: Callable[[str], Path], model: str, change: Callable[[Arrays], Any]
) -> None:
    path = copied(model)
    arrays = safetensors.numpy.load(path.read_bytes())
    change(arrays)
    write(path, safetensors.numpy.save(arrays))
    refuse(path)


def test_densenet_without_its_network_is_refused(copied: Callable[[str], Path]) -> None:
    refuse(copied("densenet"), "a network that its card does not name, or lacks it")


@pytest.mark.parametrize("change", ["as it is", "nan", "variance", "lacking", "of halves"])
def test_a_network_of_strangers_is_checked(
    copied: Callable[[str], Path], random_weights: Path, change: str
) -> None:
    path = copied("densenet")
    network = safetensors.numpy.load(random_weights.read_bytes())
    if change == "nan":
        network["features.conv0.weight"][0] = np.nan
    elif change == "variance":
        network["features.norm0.running_var"][0] = -1
    elif change == "lacking":
        del network["features.conv0.weight"]
    elif change == "of halves":
        network = {name: array.astype(np.float16) for name, array in network.items()}
    own = safetensors.numpy.load(path.read_bytes())
    write(path, safetensors.numpy.save(own | {f"backbone.{n}": a for n, a in network.items()}))
    if change == "as it is":
        assert load_model(path).scorer.backbone is not None
    else:
        refuse(path)


@pytest.mark.parametrize("other", [name for name in TINY if name != "cnn"])
def test_a_card_of_another_model_is_refused(copied: Callable[[str], Path], other: str) -> None:
    path = copied("cnn")
    change_card(path, model=other, parameters={})
    refuse(path, "the model|the card|is refused: |out of range")
    change_card(path, features=DEFINITIONS[other].to_json(), n_features=DEFINITIONS[other].length)
    refuse(path, "the model|the card|is refused: |out of range")


def test_cards_whose_features_are_not_the_models_are_refused(
    copied: Callable[[str], Path],
) -> None:
    path = copied("cnn")
    whole = PicturePixels(32, 32).to_json()
    for features, n_features in (
        (whole, 3073),
        (whole | {"rows": 33}, 3072),
        (whole | {"rows": 64, "cols": 16}, 3072),  # as many numbers
        (whole | {"rows": 48, "cols": 64}, 48 * 64 * 3),
        (whole | {"wraps": 1}, 3072),
        (whole | {"of": "patch-pixels"}, 3072),
        ({"of": "patch-pixels", "side": 32, "version": 1}, 3072),
        (BackboneDefinition(32, 32, maps=True).to_json(), 4 * 4 * 128),
        ({"of": ["pixels"]}, 3072),
        ({"of": "nothing"}, 3072),
        ({}, 3072),
    ):
        change_card(path, features=features, n_features=n_features)
        refuse(path, "the model|the card|is refused: |out of range")


@pytest.mark.parametrize(
    ("model", "features"),
    [
        ("densenet", BackboneDefinition(32, 64, maps=True)),
        ("padim", BackboneDefinition(32, 64, maps=False)),
    ],
)
def test_a_network_is_used_as_its_model_does(
    copied: Callable[[str], Path], model: str, features: BackboneDefinition
) -> None:
    path = copied(model)
    change_card(path, features=features.to_json(), n_features=features.length)
    refuse(path, f"names features of backbone such as {model} does not learn from")


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Room for 2 GiB more than there is now; what asks for more is refused it by the system."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + 2**31, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def test_cards_of_giant_models_are_refused_in_little_memory(
    copied: Callable[[str], Path], little_memory: None
) -> None:
    """Gigabytes to terabytes, by pictures, channels, patches or grids, and small files."""
    wide: dict[str, float] = {"num_channels": 512, "hidden": 4096}
    room: dict[str, float] = {"memory_mb": 65_536}
    giants: list[tuple[str, Definition, dict[str, float]]] = [
        ("cnn", PicturePixels(4096, 4096), {}),
        ("cnn", PicturePixels(1824, 1824), {}),
        ("cnn", PicturePixels(1824, 1824), wide),
        ("cnn", PicturePixels(256, 256), wide),
        ("padim", PatchGrid.of((16_000, 16_000)), {**room, "dimensions": 4096}),
        ("patchcore", PatchGrid.of((16_000, 16_000)), {**room, "bank_size": 10**6}),
    ]
    for model, definition, parameters in giants:
        path = copied(model)
        change_card(
            path, features=definition.to_json(), n_features=definition.length,
            parameters=parameters,
        )  # fmt: skip
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(UsageError) as told:
            load_model(path)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB
        assert "alloc" not in str(told.value).lower()  # not for want of memory


class _Runs:
    """What a pickle can do to whoever opens it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_by_another_name_is_not_opened(
    copied: Callable[[str], Path], tmp_path: Path, protocol: int
) -> None:
    path, trace = copied("cnn"), tmp_path / "was-run"
    write(path, pickle.dumps(_Runs(trace), protocol))
    refuse(path, "is a pickle|is refused")
    assert not trace.exists()


def test_a_file_of_torch_by_another_name_is_not_opened(
    copied: Callable[[str], Path], tmp_path: Path
) -> None:
    import torch

    path, trace = copied("cnn"), tmp_path / "was-run"
    buffer = io.BytesIO()
    torch.save({"network": _Runs(trace)}, buffer)
    write(path, buffer.getvalue())
    refuse(path)
    assert not trace.exists()


def test_bytes_that_change_by_chance_are_refused_or_harmless(
    copied: Callable[[str], Path],
) -> None:
    """A card that fits each time: what is loaded scores without a crash."""
    path, chance = copied("padim"), np.random.default_rng(7)
    whole, ends = path.read_bytes(), {"refused": 0, "loaded": 0}
    rows = np.zeros((1, DEFINITIONS["padim"].length), np.float32)
    for _ in range(60):
        data = bytearray(whole)
        for at in chance.integers(0, min(len(data), 1500), size=2):
            data[at] = chance.integers(256)
        write(path, bytes(data))
        try:
            loaded = load_model(path)
        except UsageError:
            ends["refused"] += 1
            continue
        assert loaded.scorer.estimator.anomaly_score(rows).shape == (1,)
        ends["loaded"] += 1
    assert ends["refused"] > 20
