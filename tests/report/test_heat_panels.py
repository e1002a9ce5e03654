"""The panel in which a model shows where it sees a fault."""

from __future__ import annotations

import base64
import datetime as dt
import io
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from PIL import Image

from gibswatch.errors import UsageError
from gibswatch.models import LoadedModel, explain
from gibswatch.models.explain import HeatMap
from gibswatch.raster.scene import Scene
from gibswatch.report import write_report
from gibswatch.report.cards import Card, make_card
from gibswatch.report.panels import Panel
from gibswatch.report.pictures import Budget
from gibswatch.types import BoolArray, Kind, ModelScore

if TYPE_CHECKING:
    from conftest import Standin

_DAY = dt.date(2017, 8, 21)
_MODEL = cast("LoadedModel", SimpleNamespace(card=SimpleNamespace(model="cnn"), threshold=0.5))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, block: BoolArray) -> None:
    """A model that sees the block."""

    def explained(_model: LoadedModel, scene: Scene) -> HeatMap:
        assert scene.date == _DAY
        return HeatMap(np.where(block, 0.9, 0.1).astype(np.float32), "Grad-CAM")

    monkeypatch.setattr(explain, "explain", explained)


def _card(
    standin: Standin, block: BoolArray, score: ModelScore | None, budget: Budget | None = None
) -> Card:
    standin.days(2)
    item = replace(standin.plant(_DAY, Kind.MISSING_UNEXPECTED, block), model=score)
    standin.items[_DAY] = item
    return make_card(standin.result(), item, budget or Budget(10**6, 9), 240, _MODEL)


def _score(called: bool = True, name: str = "cnn", threshold: float = 0.5) -> ModelScore:
    return ModelScore(name, 0.9 if called else 0.1, threshold, called=called)


def _panel(card: Card) -> Panel | None:
    return next((panel for panel in card.panels if panel.key == "seen-by-model"), None)


@pytest.mark.usefixtures("seen")
def test_a_day_that_the_model_scored_shows_its_heat(standin: Standin, block: BoolArray) -> None:
    panel = _panel(_card(standin, block, _score()))
    assert panel is not None
    assert panel.title == "Model cnn: where it sees a fault (Grad-CAM)"
    assert panel.overlay is not None
    (swatch,) = panel.legend
    assert (swatch.name, swatch.share[-1]) == ("strong", "%")
    data = base64.b64decode(panel.overlay.removeprefix("data:image/png;base64,"))
    assert len(data) < 1000
    with Image.open(io.BytesIO(data)) as image:
        opacity = np.asarray(image.convert("RGBA"))[..., 3]
    assert np.array_equal(opacity > 0, block)


def test_what_is_drawn_has_a_name_in_the_legend(
    standin: Standin, block: BoolArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    faint = HeatMap(np.where(block, 0.3, 0.1).astype(np.float32), "Grad-CAM")
    monkeypatch.setattr(explain, "explain", lambda _model, _scene: faint)
    panel = _panel(_card(standin, block, _score(called=False)))
    assert panel is not None
    assert panel.overlay is not None
    assert [swatch.name for swatch in panel.legend] == ["weak"]


@pytest.mark.usefixtures("seen")
def test_a_day_that_is_not_called_says_so(standin: Standin, block: BoolArray) -> None:
    panel = _panel(_card(standin, block, _score(called=False)))
    assert panel is not None
    assert panel.caption == "It does not call the day"


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("score", [None, _score(name="padim"), _score(threshold=0.7)])
def test_another_model_than_the_scans_shows_nothing(
    standin: Standin, block: BoolArray, score: ModelScore | None
) -> None:
    card = _card(standin, block, score)
    assert _panel(card) is None
    assert len(card.panels) == 4


@pytest.mark.usefixtures("seen")
def test_the_panel_counts_against_the_page(standin: Standin, block: BoolArray) -> None:
    plain, more = Budget(10**6, 9), Budget(10**6, 9)
    _card(standin, block, None, plain)
    _card(standin, block, _score(), more)
    assert more._bytes < plain._bytes


@pytest.mark.usefixtures("seen")
def test_the_page_shows_it(standin: Standin, block: BoolArray) -> None:
    _card(standin, block, _score())
    page = write_report(standin.result(), explained_by=_MODEL).read_text("utf-8")
    assert page.count('class="shot seen-by-model"') == 1
    assert 'class="shot seen-by-model"' not in write_report(standin.result()).read_text("utf-8")


def test_clean_days_that_the_model_calls_are_shown_strongest_first(
    standin: Standin, block: BoolArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm = HeatMap(block.astype(np.float32), "Grad-CAM")
    monkeypatch.setattr(explain, "explain", lambda _model, _scene: warm)
    days = sorted(standin.days(5).items)
    standin.plant(days[0], Kind.MISSING_UNEXPECTED, block)
    standin.plant(days[1], Kind.ECLIPSE_MISSING, block)
    scores = (0.9, 0.9, 0.6, 0.8, 0.1)
    for day, score in zip(days, scores, strict=True):
        said = ModelScore("cnn", score, 0.5, called=score > 0.5)
        standin.items[day] = replace(standin.items[day], model=said)
    page = write_report(standin.result(), explained_by=_MODEL).read_text("utf-8")
    assert [page.count(f'id="d{day}"') for day in days] == [1] * 5  # no day has two places
    called = page.partition('<section id="called">')[2].partition("</section>")[0]
    assert '<span class="count">2</span>' in called
    assert called.count('class="shot seen-by-model"') == 2
    places = [called.find(f'id="d{days[n]}"') for n in (3, 2)]
    assert 0 < places[0] < places[1]
    assert page.count('href="#called"') == 1
    for day in days:
        standin.items[day] = replace(standin.items[day], model=None)
    assert 'id="called"' not in write_report(standin.result()).read_text("utf-8")


def test_a_model_that_does_not_fit_leaves_the_card_whole(
    standin: Standin, block: BoolArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_model: LoadedModel, _scene: Scene) -> HeatMap:
        raise UsageError("another part of the map")

    monkeypatch.setattr(explain, "explain", refuse)
    card = _card(standin, block, _score())
    assert (_panel(card), len(card.panels)) == (None, 4)


def test_no_heat_is_no_overlay(
    standin: Standin, block: BoolArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    cold = HeatMap(np.zeros(block.shape, np.float32), "Grad-CAM")
    monkeypatch.setattr(explain, "explain", lambda _model, _scene: cold)
    card = _card(standin, block, _score(called=False))
    panel = _panel(card)
    assert panel is not None
    assert (panel.overlay, panel.legend) == (None, ())
