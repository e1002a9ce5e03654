"""A set is built whole, again from where it stopped, and the same for the same seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gibswatch.archive import open_archive
from gibswatch.errors import UsageError
from gibswatch.simulate.bench import build_set, plan_orders, read_card, read_set
from gibswatch.types import Kind

SMOKE = read_set("smoke-1")
TERRA = "MODIS_Terra_CorrectedReflectance_TrueColor"


def card_of(folder: Path) -> dict[str, Any]:
    card = read_card(folder)
    assert card is not None
    return card


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("smoke")
    summary = build_set(SMOKE, 1, folder)
    assert (summary.days, summary.days_made) == (8, 8)
    return folder


def test_the_card_counts_what_lies_there(smoke: Path) -> None:
    card = card_of(smoke)
    assert (card["set"], card["version"], card["seed"]) == ("smoke-1", 1, 1)
    assert card["parts"]["tune"]["years"] == [2016]
    assert card["parts"]["test"]["years"] == [2017]
    assert card["parts"]["test"]["pictures_there"] == 6
    for archive in card["archives"]:
        assert archive["complete"]
        root = smoke / archive["part"] / archive["name"]
        for layer in archive["layers"]:
            assert len(open_archive(root).days(layer["layer"])) == archive["days"]
            lines = (smoke / layer["labels"]).read_text("utf-8").splitlines()
            anomalous = [
                line for line in lines if any(Kind(int(c)).is_fault for c in line.split()[2:])
            ]
            assert len(anomalous) == layer["anomalous_days"] == archive["faulty_days"] == 1
            word = {"tune": "train", "test": "test"}[archive["part"]]
            assert all(line.startswith(word) for line in lines)


def test_the_card_can_be_read_by_people(smoke: Path) -> None:
    text = (smoke / "README.md").read_text("utf-8")
    card = card_of(smoke)
    assert card["sha256"] in text
    for archive in card["archives"]:
        assert f"{archive['part']}/{archive['name']}" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {8, 9}


def test_a_second_run_makes_nothing_and_writes_the_same_card(smoke: Path) -> None:
    before = (smoke / "card.json").read_bytes()
    summary = build_set(SMOKE, 1, smoke)
    assert (summary.days_made, summary.days_kept) == (0, 8)
    assert (smoke / "card.json").read_bytes() == before


def test_piece_by_piece_and_by_processes_it_is_the_same_set(smoke: Path, tmp_path: Path) -> None:
    build_set(SMOKE, 1, tmp_path, only=["holes-test"])
    card = card_of(tmp_path)
    assert [a["complete"] for a in card["archives"]] == [False, True, False]
    assert card["sha256"] != card_of(smoke)["sha256"]
    build_set(SMOKE, 1, tmp_path, parts=["tune"])
    build_set(SMOKE, 1, tmp_path, workers=2)
    assert (tmp_path / "card.json").read_bytes() == (smoke / "card.json").read_bytes()


def test_stopped_in_the_middle_it_goes_on(smoke: Path, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_set(SMOKE, 1, tmp_path, on_day=stop)
    assert sum(part["pictures_there"] for part in card_of(tmp_path)["parts"].values()) == 3
    assert not list(tmp_path.rglob(".part-*"))
    summary = build_set(SMOKE, 1, tmp_path)
    assert (summary.days_made, summary.days_kept) == (5, 3)
    assert (tmp_path / "card.json").read_bytes() == (smoke / "card.json").read_bytes()


def test_another_seed_is_another_set(smoke: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"seed 1, not smoke-1 version 1 of seed 2"):
        build_set(SMOKE, 2, smoke)
    build_set(SMOKE, 2, tmp_path, only=["holes-test"])
    hashes = [
        next(a["sha256"] for a in card_of(folder)["archives"] if a["name"] == "holes-test")
        for folder in (smoke, tmp_path)
    ]
    assert hashes[0] != hashes[1]


def test_no_two_archives_share_a_seed(tmp_path: Path) -> None:
    chosen = read_set("quality-1")
    seeds = [
        {spec.seed for order in plan_orders(chosen, archive, 1, tmp_path) for spec in order.specs}
        for archive in chosen.archives
    ]
    assert all(len(own) == 1 for own in seeds)
    assert len(set.union(*seeds)) == len(chosen.archives)
    assert not list(tmp_path.iterdir())


def test_layers_of_an_archive_have_the_same_faults(tmp_path: Path) -> None:
    archive = next(a for a in SMOKE.archives if a.name == "holes-test")
    colour, mask = plan_orders(SMOKE, archive, 1, tmp_path)
    assert [spec.faults for spec in colour.specs] == [spec.faults for spec in mask.specs]
    assert sum(bool(spec.faults) for spec in colour.specs) == 1


def test_names_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no archive gone: one of holes-tune"):
        build_set(SMOKE, 1, tmp_path, only=["gone"])
    with pytest.raises(UsageError, match="no such archive in test"):
        build_set(SMOKE, 1, tmp_path, only=["holes-tune"], parts=["test"])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["{", "[]", "\x00"])
def test_a_damaged_card_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(UsageError, match=r"card\.json is"):
        build_set(SMOKE, 1, tmp_path)


def test_the_card_is_json(smoke: Path) -> None:
    json.loads((smoke / "card.json").read_text("utf-8"))
