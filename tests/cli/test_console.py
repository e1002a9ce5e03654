"""What the commands write to stderr."""

from __future__ import annotations

import pytest
from rich import console as rich_console

from gibswatch.cli.console import note, progress


def test_in_a_notebook_no_bars_and_no_html(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rich_console, "_is_jupyter", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")  # as ipykernel does
    with progress() as tell:
        tell("judge", 1, 1)
    note("hues of 3 days counted")
    assert capsys.readouterr() == ("", "hues of 3 days counted\n")
