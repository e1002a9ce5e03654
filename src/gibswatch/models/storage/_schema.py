"""What a ``.skops`` file holds, checked before anything of it is made.

A file is a zip of arrays and of ``schema.json``, which names the type of every object.  Only the
types that our estimators consist of are let through; arrays must be as large as their header says;
and a tree's nodes must lead to nodes and features that there are, since scikit-learn follows them
without looking.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["TRUSTED", "UnsafeFileError", "checked_file"]

_ESTIMATORS = "gibswatch.models.estimators"
TRUSTED = (
    f"{_ESTIMATORS}.forest.RandomForest",
    f"{_ESTIMATORS}.isolation.IsolationForest",
    f"{_ESTIMATORS}.linear.LinearSVM",
    f"{_ESTIMATORS}.linear.Softmax",
    f"{_ESTIMATORS}.neighbours.NearestNeighbours",
    f"{_ESTIMATORS}.network.Network",
    "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.ensemble._iforest.IsolationForest",
    "sklearn.linear_model._logistic.LogisticRegression",
    "sklearn.neighbors._classification.KNeighborsClassifier",
    "sklearn.preprocessing._data.StandardScaler",
    "sklearn.svm._classes.LinearSVC",
    "sklearn.tree._classes.DecisionTreeClassifier",
    "sklearn.tree._classes.ExtraTreeRegressor",
    "sklearn.tree._tree.Tree",
)
"""Types of objects that a model file may hold."""

_PLAIN = {
    "DictNode": {"builtins.dict"},
    "ListNode": {"builtins.list"},
    "TupleNode": {"builtins.tuple"},
    "JsonNode": {"builtins.str"},
    "TypeNode": {"builtins.str", "builtins.int"},
    "NdArrayNode": {
        "numpy.ndarray", "numpy.bool", "numpy.bool_",
        "numpy.float32", "numpy.float64", "numpy.int32", "numpy.int64",
    },
    "ObjectNode": set(TRUSTED) - {"sklearn.tree._tree.Tree"},
    "TreeNode": {"sklearn.tree._tree.Tree"},
}  # fmt: skip
"""Types that each loader of skops may be asked for."""
_PROTOCOL = 2
"""Of skops: by an older one a file could ask for loaders that check less."""
_MAX_BYTES = 2**31
_MAX_ENTRIES = 100_000
_MAX_SCHEMA = 2**28
_MAX_DEPTH = 40
_HEADER_ROOM = 4096
"""Bytes of an array's file that are no data, at most."""
_LEAF = -1


class UnsafeFileError(ValueError):
    """A file that holds what no model of ours holds; the message says what."""


def checked_file(data: bytes, n_features: int) -> bytes:
    """Check the bytes of a ``.skops`` file; makes no object of it.

    Parameters
    ----------
    data : bytes
    n_features : int
        Features that its model may use.

    Returns
    -------
    bytes
        The same file without the identities of its objects: by them skops would take an object that
        it made for another one, which was checked.

    Raises
    ------
    UnsafeFileError
        If it holds anything that a model of ours does not.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_entries(archive)
            schema = _without_identities(json.loads(archive.read("schema.json")), 0)
            _check_schema(archive, schema, n_features)
            return _packed(archive, schema)
    except UnsafeFileError:
        raise
    except zipfile.BadZipFile as error:
        raise UnsafeFileError(f"it is no zip file, or a damaged one ({error})") from error
    except (ValueError, KeyError, TypeError, EOFError, OSError, RuntimeError) as error:
        # RuntimeError: an entry with a password, or nested too deep; EOFError: one cut short.
        name = type(error).__name__
        raise UnsafeFileError(f"it is damaged ({name}: {str(error)[:80]})") from error


def _check_schema(archive: zipfile.ZipFile, schema: Any, n_features: int) -> None:
    if schema["protocol"] != _PROTOCOL:
        raise UnsafeFileError("it was written by another version of skops")
    for node in _nodes(schema):
        _check_node(node)
        if node["__loader__"] == "NdArrayNode":
            _check_array(archive, node)
        if node["__loader__"] == "TreeNode":
            _check_tree(archive, node, n_features)


def _packed(archive: zipfile.ZipFile, schema: Any) -> bytes:
    """Put the arrays and a changed schema into a file of the same form."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for entry in archive.infolist():
            if entry.filename != "schema.json":
                packed.writestr(entry.filename, archive.read(entry))
        packed.writestr("schema.json", json.dumps(schema))
    return buffer.getvalue()


def _without_identities(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise UnsafeFileError("its schema is nested deeper than a model's")
    if isinstance(value, dict):
        return {
            key: _without_identities(child, depth + 1)
            for key, child in value.items()
            if key != "__id__"
        }
    if isinstance(value, list):
        return [_without_identities(child, depth + 1) for child in value]
    return value


def _check_entries(archive: zipfile.ZipFile) -> None:
    """Refuse what would take more memory than the file has bytes."""
    entries = archive.infolist()
    if len(entries) > _MAX_ENTRIES or sum(entry.file_size for entry in entries) > _MAX_BYTES:
        raise UnsafeFileError("it unpacks to more than a model takes")
    names = [entry.filename for entry in entries]
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise UnsafeFileError("it is compressed, which a model of ours is not")
        array = PurePosixPath(entry.filename).suffix == ".npy" and "/" not in entry.filename
        if not array and entry.filename != "schema.json":
            raise UnsafeFileError(f"it holds {entry.filename[:60]!r}, which is no array")
        if not array and entry.file_size > _MAX_SCHEMA:
            raise UnsafeFileError("its schema is larger than a model's")
    if len(set(names)) != len(names) or "schema.json" not in names:
        raise UnsafeFileError("it has no schema, or two of one name")


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a schema, however deep it lies."""
    children: list[Any] = []
    if isinstance(value, dict):
        # skops takes an object for one by its loader; what lacks one must be a plain container.
        if "__loader__" in value:
            yield value
        elif {"__class__", "__module__"} & set(value):
            raise UnsafeFileError("an object of it has no loader")
        children = list(value.values())
    elif isinstance(value, list):
        children = value
    for child in children:
        yield from _nodes(child)


def _check_node(node: dict[str, Any]) -> None:
    loader, name = node["__loader__"], f"{node.get('__module__')}.{node.get('__class__')}"
    if not isinstance(loader, str) or name not in _PLAIN.get(loader, set()):
        raise UnsafeFileError(
            f"it holds {name[:80]} ({str(loader)[:30]}), which no model of ours does"
        )
    if loader == "NdArrayNode" and node.get("type") != "numpy":
        raise UnsafeFileError("it holds an array of objects")


def _check_array(archive: zipfile.ZipFile, node: dict[str, Any]) -> None:
    """Check that an array is as large as its header says, and holds plain numbers."""
    entry = archive.getinfo(node["file"])
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise UnsafeFileError("an array of it has another format than ours")
        shape, _, kind = np.lib.format.read_array_header_1_0(file)
    if kind.hasobject or any(side < 0 for side in shape):
        raise UnsafeFileError("it holds an array of objects")
    size = kind.itemsize
    for side in shape:
        size *= side
    if not 0 <= entry.file_size - size <= _HEADER_ROOM:
        raise UnsafeFileError("an array of it claims another size than it has")


def _check_tree(archive: zipfile.ZipFile, node: dict[str, Any], n_features: int) -> None:
    """Check all that scikit-learn takes for granted of a tree."""
    args, state = node["__reduce__"]["args"]["content"], node["content"]["content"]
    features, outputs = _number(args[0]), _number(args[2])
    classes, nodes = _array(archive, args[1]), _array(archive, state["nodes"])
    values = _array(archive, state["values"])
    count = len(nodes)
    if features != n_features or outputs != 1 or classes.shape != (1,):
        raise UnsafeFileError(f"a tree of it is for {features} features, the card has {n_features}")
    shape = (count, 1, int(classes[0]))
    if count < 1 or _number(state["node_count"]) != count or values.shape != shape:
        raise UnsafeFileError("a tree of it claims another number of nodes than it has")
    if not np.isfinite(values).all() or not 0 <= _number(state["max_depth"]) <= count:
        raise UnsafeFileError("a tree of it has values that are no numbers")
    _check_ways(nodes, n_features)


def _check_ways(nodes: NDArray[Any], n_features: int) -> None:
    """Check that every node leads on to later nodes of the tree, or is a leaf."""
    index = np.arange(len(nodes))
    left, right, feature = nodes["left_child"], nodes["right_child"], nodes["feature"]
    leaf = left == _LEAF
    inner = ~leaf
    onward = (left > index) & (right > index) & (left < len(nodes)) & (right < len(nodes))
    known = (feature >= 0) & (feature < n_features) & np.isfinite(nodes["threshold"])
    if not (onward & known)[inner].all() or not (right == _LEAF)[leaf].all():
        raise UnsafeFileError("a tree of it leads out of its nodes or features")


def _number(node: dict[str, Any]) -> int:
    value = json.loads(node["content"])
    if node["__loader__"] != "JsonNode" or not isinstance(value, int) or isinstance(value, bool):
        raise UnsafeFileError("a tree of it has a size that is no number")
    return value


def _array(archive: zipfile.ZipFile, node: dict[str, Any]) -> NDArray[Any]:
    _check_node(node)
    _check_array(archive, node)
    loaded: NDArray[Any] = np.load(io.BytesIO(archive.read(node["file"])), allow_pickle=False)
    return loaded
