"""Files of weights: what is read, and that of all else nothing is run."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from numpy.typing import NDArray

from gibswatch.errors import OutputError, UsageError
from gibswatch.models.deep import weights as module
from gibswatch.models.deep.densenet import DenseNet121
from gibswatch.models.deep.weights import (
    Weights,
    checked_weights,
    make_network,
    read_weights,
    save_backbone,
    state_of,
)

State = dict[str, NDArray[np.float32]]
NORM = "features.denseblock1.denselayer1.norm1"
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Two threads that wait for each other are slower than one where other tests run, too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def network() -> DenseNet121:
    chance = torch.Generator().manual_seed(9)
    made = DenseNet121(7, generator=chance).eval()
    for name, value in made.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 2, generator=chance)
    return made


@pytest.fixture(scope="module")
def state(network: DenseNet121) -> State:
    return state_of(network)


def old_names(network: DenseNet121) -> OrderedDict[str, torch.Tensor]:
    """As the official file has them, which is older than the counters of batches."""
    return OrderedDict(
        (re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", name), value)
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    )


@pytest.fixture(scope="module", params=["of 2017", "of today"])
def official(
    request: pytest.FixtureRequest, network: DenseNet121, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A file like the official one, in both formats of PyTorch."""
    path = tmp_path_factory.mktemp("official") / "densenet121.pth"
    today = request.param == "of today"
    torch.save(old_names(network), path, _use_new_zipfile_serialization=today)
    return path


def sha_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assert_same(weights: Weights, state: State) -> None:
    assert weights.state.keys() == state.keys()
    for name, array in state.items():
        assert weights.state[name].dtype == np.float32
        np.testing.assert_array_equal(weights.state[name], array)


def test_the_official_file(official: Path, state: State) -> None:
    sha = sha_of(official)
    weights = read_weights(official, official_sha256=sha[:8])
    assert_same(weights, state)
    assert (weights.source, weights.sha256) == ("densenet121.pth", sha)
    assert (weights.trained_on, weights.is_imagenet) == ("ImageNet", True)


def test_the_network_of_weights(official: Path, network: DenseNet121) -> None:
    weights = read_weights(official, official_sha256=sha_of(official))
    torch.manual_seed(1)
    drawn = torch.rand(1)
    torch.manual_seed(1)
    made = make_network(weights)
    assert torch.equal(torch.rand(1), drawn), "the caller's chance is not drawn from"
    assert not made.training
    assert not any(value.requires_grad for value in made.parameters())
    x = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(made(x), network(x))
    made.features.get_submodule("conv0").get_parameter("weight").zero_()
    assert weights.state["features.conv0.weight"].any(), "weights are copied"


def test_a_backbone_is_written_and_read(tmp_path: Path, state: State) -> None:
    bare = {name: array for name, array in state.items() if not name.startswith("classifier")}
    for index, kept in enumerate((state, bare)):
        path = tmp_path / f"{index}.safetensors"
        sha = save_backbone(path, kept, trained_on="self-supervised")
        weights = read_weights(path)
        assert_same(weights, kept)
        assert weights.sha256 == sha == sha_of(path)
        assert (weights.trained_on, weights.is_imagenet) == ("self-supervised", False)
        assert (make_network(weights).classifier is None) is (kept is bare)
    assert sorted(tmp_path.iterdir()) == [tmp_path / "0.safetensors", tmp_path / "1.safetensors"]
    assert save_backbone(tmp_path / "again.safetensors", state) == save_backbone(
        tmp_path / "more.safetensors", state | {f"{NORM}.num_batches_tracked": np.zeros(())}
    )


def test_weights_within_another_file(state: State) -> None:
    weights = checked_weights(state, "model.json")
    assert_same(weights, state)
    assert (weights.source, weights.sha256, weights.trained_on) == ("model.json", "", "unknown")
    with pytest.raises(UsageError, match=r"model\.json is refused: .*variance below 0"):
        checked_weights(state | {f"{NORM}.running_var": np.full(64, -1, np.float32)}, "model.json")
    other: Any = np.zeros(64, np.float64)
    with pytest.raises(UsageError, match="of another type"):
        checked_weights(state | {f"{NORM}.bias": other}, "model.json")


def test_an_official_file_with_counters(tmp_path: Path, network: DenseNet121, state: State) -> None:
    path = tmp_path / "w.pth"
    torch.save(network.state_dict(), path)
    assert_same(read_weights(path, official_sha256=sha_of(path)), state)


@pytest.mark.parametrize("kind", ["<f4", "<f2"])
def test_files_of_other_tools(
    tmp_path: Path, network: DenseNet121, state: State, kind: str
) -> None:
    """As torchvision's or timm's weights are: with counters, perhaps halved, perhaps old names."""
    path = tmp_path / "other.SafeTensors"
    for names in (network.state_dict(), old_names(network)):
        arrays = {name: value.numpy() for name, value in names.items()}
        floats = {n: a.astype(kind) if a.dtype.kind == "f" else a for n, a in arrays.items()}
        path.write_bytes(safetensors.numpy.save(floats, metadata={"format": "pt"}))
        weights = read_weights(path)
        assert_same(weights, {n: a.astype(kind).astype(np.float32) for n, a in state.items()})
        assert weights.trained_on == "unknown"


@pytest.mark.parametrize(
    ("said", "told"), [("ImageNet", "ImageNet"), ("my own days", "unknown"), ("", "unknown")]
)
def test_what_a_file_says_it_was_trained_on(
    tmp_path: Path, state: State, said: str, told: str
) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(safetensors.numpy.save(state, metadata={"gibswatch_source": said}))
    assert read_weights(path).trained_on == told


def _nan(state: dict[str, Any]) -> None:
    state[f"{NORM}.weight"] = np.full(64, np.nan, np.float32)


def _infinite(state: dict[str, Any]) -> None:
    state["features.conv0.weight"] = np.full((64, 3, 7, 7), np.inf, np.float32)


CHANGED: dict[str, tuple[Change, str]] = {
    "no number": (_nan, "values that are no numbers"),
    "infinite": (_infinite, "values that are no numbers"),
    "variance": (
        lambda s: s.update({f"{NORM}.running_var": np.full(64, -1, np.float32)}),
        "a variance below 0",
    ),
    "extra": (lambda s: s.update(more=np.zeros(3, np.float32)), "holds 'more', which"),
    "missing": (lambda s: s.pop(f"{NORM}.bias"), "norm1.bias is missing"),
    "half a classifier": (lambda s: s.pop("classifier.bias"), "classifier.bias is missing"),
    "no classes": (
        lambda s: s.update({"classifier.bias": np.zeros(0, np.float32)}),
        "classifier.weight is",
    ),
    "shape": (
        lambda s: s.update({f"{NORM}.bias": np.zeros((8, 8), np.float32)}),
        r"norm1\.bias is \(8, 8\), DenseNet-121 has \(64,\)",
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_other_weights_are_refused(tmp_path: Path, state: State, name: str) -> None:
    change, message = CHANGED[name]
    changed = dict(state)
    change(changed)
    path = tmp_path / "w.safetensors"
    path.write_bytes(safetensors.numpy.save(changed))
    with pytest.raises(UsageError, match=message):
        read_weights(path)
    with pytest.raises(UsageError, match=message):
        save_backbone(tmp_path / "mine.safetensors", changed)
    assert not (tmp_path / "mine.safetensors").exists()
    path = path.with_suffix(".pth")
    torch.save({n: torch.from_numpy(np.array(a)) for n, a in changed.items()}, path)
    with pytest.raises(UsageError, match=message):
        read_weights(path, official_sha256=sha_of(path))


@pytest.mark.parametrize("kind", ["f8", "i4", "bf16"])
def test_numbers_of_other_types(tmp_path: Path, state: State, kind: str) -> None:
    path = tmp_path / "w.safetensors"
    tensor = torch.zeros(
        64, dtype={"f8": torch.float64, "i4": torch.int32}.get(kind, torch.bfloat16)
    )
    if kind == "bf16":
        data = safetensors.numpy.save(state | {f"{NORM}.bias": np.zeros(64, "<f2")})
        rest = data[8:].replace(b'"F16"', b'"BF16"')
        path.write_bytes((int.from_bytes(data[:8], "little") + 1).to_bytes(8, "little") + rest)
    else:
        path.write_bytes(safetensors.numpy.save(state | {f"{NORM}.bias": tensor.numpy()}))
    with pytest.raises(UsageError, match=r"norm1\.bias' is '[FIB0-9]+', not F32 or F16"):
        read_weights(path)
    path = path.with_suffix(".pt")
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in state.items()}
    torch.save(tensors | {f"{NORM}.bias": tensor}, path)
    with pytest.raises(UsageError, match="not float32"):
        read_weights(path, official_sha256=sha_of(path))


def raw(header: object, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


ENTRY = {"dtype": "F32", "shape": [64], "data_offsets": [0, 256]}
DAMAGED = {
    "empty": (b"", "header claims 0 bytes"),
    "short": (b"\x10\0\0", "header claims"),
    "a header of gigabytes": ((2**33).to_bytes(8, "little") + b"{}", "claims 8589934592 bytes"),
    "a header over the end": ((99).to_bytes(8, "little") + b"{}", "claims 99 bytes"),
    "no JSON": (raw(b"{'a': 1}"), "header cannot be read"),
    "deep JSON": (raw(b"[" * 500_000), "header cannot be read"),
    "a large number": (raw(b'{"a": ' + b"9" * 10_000 + b"}"), "header cannot be read"),
    "no UTF-8": (raw(b'{"\xff": 1}'), "header cannot be read"),
    "a list": (raw([1, 2]), "header is no table"),
    "no entries": (raw({"a": 1}), "not that of a table of weights"),
    "no weights": (raw({}), "features.conv0.weight is missing"),
    "metadata of numbers": (raw({"__metadata__": 3}), "is missing"),
    "twice": (
        raw({f"{NORM}.weight": ENTRY, NORM[:-1] + ".1.weight": ENTRY}, bytes(256)),
        "stands in it twice",
    ),
    "a control character": (raw({"a\x1b[2J": ENTRY | {"dtype": "\x1b"}}), "is refused"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_safetensors(tmp_path: Path, name: str) -> None:
    data, message = DAMAGED[name]
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=message) as caught:
        read_weights(path)
    assert str(caught.value).isprintable()


def test_truncated_and_shifted_safetensors(tmp_path: Path, state: State) -> None:
    path = tmp_path / "w.safetensors"
    data = safetensors.numpy.save(state)
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]
    overlapping = header | {f"{NORM}.bias": header[f"{NORM}.weight"]}
    beyond = header | {f"{NORM}.bias": ENTRY | {"data_offsets": [2**40, 2**40 + 256]}}
    no_place = header | {f"{NORM}.bias": {"dtype": "F32", "shape": [64]}}
    files = [data[:-1], data[: len(data) // 2], data + b"\0", data[: 8 + length]]
    files += [raw(changed, body) for changed in (overlapping, beyond, no_place)]
    for damaged in files:
        path.write_bytes(damaged)
        with pytest.raises(UsageError, match=r"w\.safetensors is refused"):
            read_weights(path)
    path.write_bytes(raw(header, body))
    assert_same(read_weights(path), state)


class Bomb:
    """Leaves a file behind if it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


def bombs(mark: Path) -> list[bytes]:
    made = [pickle.dumps(Bomb(mark), protocol) for protocol in (0, 2, 4, 5)]
    for today in (True, False):
        file = io.BytesIO()
        torch.save(
            {"features.conv0.weight": Bomb(mark)}, file, _use_new_zipfile_serialization=today
        )
        made.append(file.getvalue())
    return made


def test_nothing_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for data in bombs(mark):
        for name in ("w.pth", "w.PT", "w.bin", "w.pkl", "w.safetensors"):
            path = tmp_path / name
            path.write_bytes(data)
            with pytest.raises(UsageError, match=r"can run code|is refused"):
                read_weights(path)
            with pytest.raises(UsageError, match="is refused"):
                read_weights(path, official_sha256=sha_of(path))
    assert not mark.exists()


@pytest.mark.parametrize("name", ["w.pth", "w.pt", "w.bin", "w.ckpt"])
def test_other_pickles_are_not_even_opened(
    tmp_path: Path, official: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    path.write_bytes(official.read_bytes())

    def opened(*_: object, **__: object) -> None:
        raise AssertionError("it is opened")

    monkeypatch.setattr(torch, "load", opened)
    with pytest.raises(UsageError, match="not the official file") as caught:
        read_weights(path)
    text = str(caught.value)
    assert sha_of(path)[:8] in text
    assert "a639ec97" in text


def test_the_way_out_that_the_message_shows(tmp_path: Path, official: Path, state: State) -> None:
    path = tmp_path / "my own.pt"
    path.write_bytes(official.read_bytes())
    with pytest.raises(UsageError) as caught:
        read_weights(path)
    printed = " ".join(str(caught.value).split())  # an error is one line
    exec(printed.partition("give the new file: ")[2], {})  # as the user would
    assert_same(read_weights(path.with_suffix(".safetensors")), state)


OTHER_PICKLES: dict[str, object] = {
    "a list": [torch.zeros(3)],
    "numbers for names": {3: torch.zeros(3)},
    "text for weights": {"features.conv0.weight": "none"},
    "sparse": {"features.conv0.weight": torch.zeros(3, 3).to_sparse()},
    "elsewhere": {"features.conv0.weight": torch.zeros(3, device="meta")},
    "one number for all": {"features.conv0.weight": torch.zeros(1).expand(64, 3, 7, 7)},
}


@pytest.mark.parametrize("name", OTHER_PICKLES)
def test_other_contents_under_the_right_hash(tmp_path: Path, name: str) -> None:
    path = tmp_path / "w.pth"
    torch.save(OTHER_PICKLES[name], path)
    with pytest.raises(UsageError, match="is refused"):
        read_weights(path, official_sha256=sha_of(path))


def test_a_truncated_official_file(tmp_path: Path, official: Path) -> None:
    path = tmp_path / "densenet121.pth"
    path.write_bytes(official.read_bytes()[:-1000])
    with pytest.raises(UsageError, match="not the official file"):
        read_weights(path, official_sha256=sha_of(official))
    with pytest.raises(UsageError, match="is refused"):
        read_weights(path, official_sha256=sha_of(path))


@pytest.mark.parametrize("name", ["w", "w.onnx", "w.skops", "w.json", "w.h5"])
def test_other_names(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UsageError, match="no file of weights by its name"):
        read_weights(tmp_path / name)


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    os.mkfifo(tmp_path / "pipe.safetensors")
    names = ["folder.safetensors", "pipe.safetensors", "none.safetensors", "none.pth", "a\0.pth"]
    for name in [*names, "x" * 300 + ".pth"]:
        with pytest.raises(UsageError, match=r"is no file|cannot be read"):
            read_weights(tmp_path / name)


def test_large_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: State) -> None:
    path = tmp_path / "w.safetensors"
    save_backbone(path, state)
    monkeypatch.setattr(module, "MAX_WEIGHTS_BYTES", path.stat().st_size)
    read_weights(path)
    monkeypatch.setattr(module, "MAX_WEIGHTS_BYTES", path.stat().st_size - 1)
    with pytest.raises(UsageError, match="is larger than"):
        read_weights(path)


def test_a_hash_that_says_nothing(official: Path) -> None:
    with pytest.raises(ValueError, match="too short a hash"):
        read_weights(official, official_sha256="")


def test_where_it_cannot_be_written(tmp_path: Path, state: State) -> None:
    with pytest.raises(UsageError, match=r"ends in \.safetensors"):
        save_backbone(tmp_path / "w.pth", state)
    (tmp_path / "a.safetensors").mkdir()
    with pytest.raises(OutputError):
        save_backbone(tmp_path / "a.safetensors", state)
