"""Up to which day the service lists a layer."""

from __future__ import annotations

import datetime as dt
import socket
from typing import Any

import numpy as np
import pytest

from gibswatch.catalogue import Grid, find_layer, plan_grid
from gibswatch.catalogue.layers import Layer
from gibswatch.download import published_until
from gibswatch.errors import ServerUnreachableError
from gibswatch.settings import Settings
from gibswatch.simulate import FaultPlan, FaultRule, GlobeSource, ServedLayer
from gibswatch.simulate.server import embedded_server
from gibswatch.types import ByteArray

LAYER = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
DAYS = [dt.date(2023, 8, day) for day in (1, 2, 3, 7, 8)]


def draw(_day: dt.date) -> ByteArray:
    return np.full((64, 128, 3), 80, np.uint8)


def ask(layer: Layer, *rules: FaultRule) -> Any:
    served = ServedLayer(LAYER.identifier, "jpg", {4326: "250m"})
    layers = {LAYER.identifier: (served, GlobeSource(draw, DAYS, "jpg"))}
    plan = plan_grid(Grid("native", 4326, "16km"), LAYER.matrix_set(4326))
    with embedded_server(layers, FaultPlan(rules)) as server:
        return published_until(layer, plan, Settings(base_url=server.base_url, attempts=1))


def test_the_last_day_of_the_services_list() -> None:
    assert ask(LAYER) == dt.date(2023, 8, 8)


def test_none_where_it_does_not_say() -> None:
    assert ask(find_layer("MODIS_Aqua_CorrectedReflectance_TrueColor")) is None
    assert ask(LAYER, FaultRule("status", status=500, documents=True)) is None
    assert ask(LAYER, FaultRule("html_200", documents=True)) is None


def test_no_server_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    plan = plan_grid(Grid("native", 4326, "16km"), LAYER.matrix_set(4326))
    settings = Settings(base_url=f"http://127.0.0.1:{port}", attempts=1)
    with pytest.raises(ServerUnreachableError):
        published_until(LAYER, plan, settings)
