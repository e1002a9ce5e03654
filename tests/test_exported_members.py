"""Tests of what each room says is public."""

from __future__ import annotations

import importlib

import pytest


@pytest.mark.parametrize(
    "room",
    [
        "archive",
        "catalogue",
        "download",
        "evaluation",
        "features",
        "models",
        "raster",
        "report",
        "scan",
        "simulate",
        "simulate.server",
        "sky",
    ],
)
def test_every_public_name_of_a_room_is_there_once(room: str) -> None:
    module = importlib.import_module(f"gibswatch.{room}")
    names = module.__all__
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(module, name)] == []
