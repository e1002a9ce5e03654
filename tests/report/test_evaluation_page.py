"""The page of a comparison of models."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gibswatch.errors import ArchiveError, OutputError
from gibswatch.evaluation import Options, ScoreTable, compare
from gibswatch.raster.scene import Scene
from gibswatch.report import PictureSource, evaluation_page, write_evaluation
from gibswatch.types import Epsg, Kind

DAYS = np.arange("2023-01-01", 60, dtype="datetime64[D]")
TRUTH = np.isin(np.arange(60), [3, 4, 5, 40])
GONE = dt.date(2023, 1, 4)


def table(name: str = "<b>forest</b>", seed: int = 1, **changes: object) -> ScoreTable:
    scores = np.random.default_rng(seed).random(60) + 0.2 * TRUTH
    scores[3], scores[10] = 0, 2  # one miss, one false alarm for sure
    kinds = {
        day: frozenset({Kind.MISCOLORATION} if bad else set())
        for day, bad in zip(DAYS.tolist(), TRUTH, strict=True)
    }
    made = ScoreTable(name, "image", DAYS, scores, None, kinds, layer="L")
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def pictures(standin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PictureSource:
    """An archive that has a picture of every day but one."""

    class Archive:
        def __init__(self, root: Path) -> None:
            assert root == tmp_path

        def scene(self, layer: str, day: dt.date, epsg: Epsg) -> Scene:
            assert (layer, epsg) == ("L", 4326)
            if day == GONE:
                raise ArchiveError(f"no <picture> of {day}")
            made: Scene = standin.scene(layer, day, epsg)
            return made

    monkeypatch.setattr(evaluation_page, "Archive", Archive)
    return PictureSource(tmp_path, "L")


def written(path: Path, tables: list[ScoreTable], source: PictureSource | None = None) -> str:
    write_evaluation(compare(tables, Options("any", by="event", resamples=200)), path, source)
    return path.read_text("utf-8")


def test_mistaken_days_come_with_pictures_and_missing_ones_are_named(
    tmp_path: Path, pictures: PictureSource
) -> None:
    page = written(tmp_path / "e.html", [table()], pictures)
    thumbs = re.findall(r"<figure>(.*?)</figure>", page, re.DOTALL)
    found = compare([table()], Options("any", resamples=0)).rows[0].image
    assert found is not None
    assert len(thumbs) == len(found.mistakes)
    assert sum('<img src="data:image/jpeg;base64,' in thumb for thumb in thumbs) == len(thumbs) - 1
    gone = next(thumb for thumb in thumbs if str(GONE) in thumb)
    assert "no picture" in gone
    assert "3 miscoloration" in gone
    assert f"<b>{GONE}</b> no &lt;picture&gt; of {GONE}" in page


def test_without_an_archive_days_are_listed(tmp_path: Path) -> None:
    page = written(tmp_path / "e.html", [table()])
    assert "<img" not in page
    assert '<div class="listed">' in page
    assert f"<b>{GONE}</b> 0<br>" in page


def test_the_page_asks_nobody_and_runs_nothing(tmp_path: Path) -> None:
    page = written(tmp_path / "e.html", [table()])
    assert "script-src 'none'" in page
    assert "<script" not in page
    assert "<b>forest</b>" not in page
    assert "&lt;b&gt;forest&lt;/b&gt;" in page
    assert re.findall(r'(?:src|href)="(?!#|data:)([^"]+)"', page) == []


def test_splits_stand_side_by_side_and_share_a_colour(tmp_path: Path) -> None:
    both = [table("svm", 1, split_by="event"), table("svm", 2, split_by="random"), table("scan", 3)]
    page = written(tmp_path / "e.html", both)
    assert "<h1>2 models</h1>" in page
    leak = re.search(r'id="leak".*?</section>', page, re.DOTALL)
    assert leak is not None
    assert leak[0].count("<tr><td") == 1
    assert leak[0].count("Event split") == 2
    lines = re.findall(r'class="(line[^"]*)" d="[^"]+" stroke="([^"]+)"><title>([^<]+)', page)
    assert len(lines) == 6
    style = {name: (css, colour) for css, colour, name in lines}
    assert style["svm (event split)"][1] == style["svm (random split)"][1] != style["scan"][1]
    assert "dashed" in style["svm (random split)"][0]
    assert "dashed" not in style["svm (event split)"][0]


def test_few_events_are_told(tmp_path: Path) -> None:
    page = written(tmp_path / "e.html", [table()])
    assert "miscoloration is 2 events of 4 days: its recall is not known better than from 2" in page


def test_of_multi_each_class_has_its_curve(tmp_path: Path) -> None:
    one = table("m", class_scores={Kind.MISCOLORATION: table().scores, Kind(2): table().scores})
    write_evaluation(compare([one], Options("multi", resamples=0)), tmp_path / "e.html")
    page = (tmp_path / "e.html").read_text("utf-8")
    assert "<h3>m: miscoloration</h3>" in page
    assert "<h3>m: missing" not in page


def test_without_a_positive_day_nothing_is_drawn(tmp_path: Path) -> None:
    calm = table(kinds=dict.fromkeys(DAYS.tolist(), frozenset()))
    page = written(tmp_path / "e.html", [calm])
    assert "None can be drawn: the evaluated days lack one of the two classes." in page


def test_a_folder_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "e.html").mkdir()
    with pytest.raises(OutputError):
        written(tmp_path / "e.html", [table()])
