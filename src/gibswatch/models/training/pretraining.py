"""The weights of DenseNet-121 for a training: from a file, an address, or the days themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gibswatch.features import PicturePixels
from gibswatch.files import output_folder, storage_errors
from gibswatch.models.rows.backbones import BackboneDefinition, BackboneFile, deep_weights
from gibswatch.models.rows.extraction import DayTask
from gibswatch.models.rows.matrix import fill_matrix, remove_matrix
from gibswatch.models.training.checkpoints import TrainingFolder
from gibswatch.models.training.request import TrainingRun
from gibswatch.settings import read_settings

__all__ = ["SELF", "given_weights", "with_backbone"]

SELF = "self"
"""What ``--weights`` says where the network is to learn from the training days."""
ProgressCallback = Callable[[str, int, int], None]


def given_weights(run: TrainingRun, folder: TrainingFolder) -> Any | None:
    """Fetch and check the weights that a file or an address gives, before anything is removed.

    Parameters
    ----------
    run : TrainingRun
    folder : TrainingFolder
        Not begun yet; what is fetched is put there, beside all else.

    Returns
    -------
    Weights or None
        None where the training needs none, or learns them.

    Raises
    ------
    UsageError
        If the weights are no file, damaged, hostile or not those of DenseNet-121.
    NothingFetchedError, ServerUnreachableError
        If they cannot be had from their address.
    MissingExtraError
        If the extra ``deep`` is not installed.
    """
    source = run.request.weights
    if not isinstance(run.definition, BackboneDefinition) or source in (None, SELF):
        return None
    return deep_weights().read_weights(_fetched(source, folder.fetched))


def with_backbone(
    run: TrainingRun,
    folder: TrainingFolder,
    given: Any | None,
    *,
    on_progress: ProgressCallback | None = None,
) -> TrainingRun:
    """Put the weights into the folder of the training, if it needs any; those there are kept.

    Parameters
    ----------
    run : TrainingRun
    folder : TrainingFolder
        Begun.
    given : Weights or None
        As of `given_weights`; None too where the folder keeps those of an earlier run.
    on_progress : callable, optional
        Told (pass, done, total).

    Returns
    -------
    TrainingRun
        With its backbone and the hash of its weights.

    Raises
    ------
    UsageError
        If those there are damaged.
    MissingExtraError
        If the extra ``deep`` is not installed.
    """
    definition, source = run.definition, run.request.weights
    if not isinstance(definition, BackboneDefinition) or source is None:
        return run
    deep, path = deep_weights(), folder.backbone
    if not path.exists():
        if given is None:
            _learn(run, definition, folder, on_progress)
        else:
            deep.save_backbone(path, given.state, trained_on=given.trained_on)
    weights = deep.read_weights(path)
    name = "self" if source == SELF else Path(source).name
    file = BackboneFile(path, weights.sha256, run.request.device, weights.trained_on, name)
    chosen = replace(definition, weights_sha256=weights.sha256)
    return replace(run, definition=chosen, backbone=file)


def _fetched(source: str, folder: Path) -> Path:
    from gibswatch.models.deep.weight_source import local_weights  # noqa: PLC0415

    return local_weights(source, folder, read_settings())


def _learn(
    run: TrainingRun,
    definition: BackboneDefinition,
    training: TrainingFolder,
    on_progress: ProgressCallback | None,
) -> None:
    """Learn from the normal training days, their pictures in a matrix of bytes."""
    from gibswatch.models.deep.selfsupervised import learn_backbone  # noqa: PLC0415

    def tell(done: int, total: int) -> None:
        if on_progress is not None:
            on_progress("weights", done, total)

    days, request = run.days, run.request
    pixels = PicturePixels(definition.rows, definition.cols)
    normal = [day for day in days.of("train") if day.number == 0]
    tasks = [DayTask(days.root, days.layer, days.epsg, d.date, 0, pixels) for d in normal]
    folder = training.pictures
    output_folder(folder)
    matrix = fill_matrix(folder, tasks, workers=request.workers, on_progress=on_progress)
    pictures = np.asanyarray(matrix.features).reshape(-1, definition.rows, definition.cols, 3)
    network = learn_backbone(
        pictures, steps=request.self_steps, seed=request.seed, device=request.device,
        on_progress=tell,
    )  # fmt: skip
    deep = deep_weights()
    state = {n: v for n, v in deep.state_of(network).items() if not n.startswith("classifier.")}
    deep.save_backbone(training.backbone, state, trained_on="self-supervised")
    del matrix, pictures  # the file that they map is removed
    remove_matrix(folder)
    with storage_errors(folder):
        folder.rmdir()
