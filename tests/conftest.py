"""Fixtures that several test files share."""

from __future__ import annotations

import datetime as dt
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gibswatch.cli.main import main
from gibswatch.simulate import DrawnDays, EmbeddedServer, GlobeSource, ServedLayer, create_app

# A shell starts what it puts into the background with Ctrl-C ignored, and children inherit that:
# tests that interrupt themselves or a child need it as it is in a terminal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_REPOSITORY = Path(__file__).resolve().parents[1]
_NO_CATALOGUE = str(Path(tempfile.gettempdir()) / f"no-gibswatch-catalogue-{os.getpid()}.json")
"""Nothing lies there: doctests, fixtures and subprocesses see the packaged table alone."""

os.environ["GIBSWATCH_CATALOGUE_FILE"] = _NO_CATALOGUE


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
    """Keep the user's environment, refreshed catalogue and proxies out of the tests."""
    proxies = {"http_proxy", "https_proxy", "all_proxy"}
    for name in list(os.environ):
        ours = name.startswith("GIBSWATCH_") and name != "GIBSWATCH_REAL_DATA"
        if ours or name.lower() in proxies:
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIBSWATCH_CATALOGUE_FILE", _NO_CATALOGUE)


LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"


@pytest.fixture(scope="session")
def drawn() -> DrawnDays:
    """Fourteen days of 2023 with a hole on the 8th of August."""
    return DrawnDays(LAYER, 5, dt.date(2023, 8, 1), 14, dt.date(2023, 8, 8), rows=256)


@pytest.fixture
def server(drawn: DrawnDays) -> Iterator[EmbeddedServer]:
    """A server of the drawn days, on loopback, with a request log of its own."""
    source = GlobeSource(drawn.globe, drawn.dates, "jpg")
    served = ServedLayer(LAYER, "jpg", {4326: "250m"})
    with EmbeddedServer(create_app({LAYER: (served, source)})) as running:
        yield running


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run the command line in this process as `gibswatch ARGUMENT...` does."""

    def call(*arguments: object) -> Ended:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capfd.readouterr()
        return Ended(code, out, err)

    return call
