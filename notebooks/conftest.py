"""One folder of simulated archives for all notebooks that a run of the tests executes."""

from __future__ import annotations

import os

import pytest

collect_ignore_glob = ["*.py"]  # their doctests are run by tests/test_notebooks.py
_THREADS = "OMP_NUM_THREADS"
_SET = pytest.StashKey[bool]()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Name the folder to the notebook's process, which inherits the environment."""
    if item.path.suffix == ".ipynb":
        base = item.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # noqa: SLF001
        shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
        os.environ.setdefault("GIBSWATCH_NOTEBOOK_DATA", str(shared / "notebooks"))
        if _THREADS not in os.environ:  # notebooks run side by side: threads that wait cost time
            os.environ[_THREADS] = "1"
            item.stash[_SET] = True


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Leave the threads of other tests as they were."""
    if item.stash.get(_SET, False):
        del os.environ[_THREADS]
