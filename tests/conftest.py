"""Fixtures that several test files share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the real imagery where it is not there, saying so."""
    folder = real_data_folder()
    if folder.is_dir():
        return
    reason = f"no real imagery at {folder}: set GIBSWATCH_REAL_DATA"
    for item in items:
        if item.get_closest_marker("realdata"):
            item.add_marker(pytest.mark.skip(reason=reason))


def real_data_folder() -> Path:
    """Where the real imagery lies, if it does."""
    return Path(os.environ.get("GIBSWATCH_REAL_DATA", _REPOSITORY.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real imagery; only for tests marked `realdata`."""
    return real_data_folder()


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's environment and proxies out of the tests."""
    for name in list(os.environ):
        if name.startswith("GIBSWATCH_") and name != "GIBSWATCH_REAL_DATA":
            monkeypatch.delenv(name)
        elif name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name)
