"""`gibswatch label` as a command, on a small archive of simulated days."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gibswatch.archive.own_labels import read_own
from gibswatch.cli import console
from gibswatch.cli.main import main

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
VIIRS = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
PLAN = '[[fault]]\nkind = "missing-orbit"\nday = 2023-08-02\nplace = [-15, 3]\n'
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four days with a hole on the second; the truth lies in ``truth.txt``."""
    folder = tmp_path_factory.mktemp("label") / "made"
    plan = folder.with_name("plan.toml")
    plan.write_text(PLAN)
    code = main(
        ["simulate", "archive", LAYER, "--start", "2023-08-01", "--end", "2023-08-05",
         "--bbox", "-36", "-18", "0", "18", "--grid", "native", "--invented-earth",
         "--faults", str(plan), "--workers", "1", "--output-dir", str(folder)]
    )  # fmt: skip
    assert code == 0
    (folder / "4326" / f"{LAYER}.txt").rename(folder / "truth.txt")
    return folder


@pytest.fixture
def archive(simulated: Path, tmp_path: Path) -> Path:
    """A copy of its own for each test."""
    return shutil.copytree(simulated, tmp_path / "data")


def labels_of(archive: Path) -> Path:
    return archive / "4326" / f"{LAYER}.txt"


def break_day(archive: Path, day: str) -> None:
    """Let the journal say that a day's tile failed."""
    with contextlib.closing(sqlite3.connect(archive / f"4326/.gibswatch/{LAYER}.sqlite")) as db:
        counts = json.dumps({"failed": 1})
        db.execute(
            "UPDATE days SET complete = 0, counts = ?, problems = 1 WHERE date = ?", (counts, day)
        )
        db.commit()


def test_codes_and_masks_of_what_the_archive_holds(run: Run, archive: Path) -> None:
    ended = run("label", LAYER, "--output-dir", archive, "--compat-masks", "--workers", "1")
    assert (ended.code, ended.err) == (0, "")
    lines = labels_of(archive).read_text().splitlines()
    assert lines == ["2023-08-01 ", "2023-08-02 2", "2023-08-03 ", "2023-08-04 "]
    assert ended.out.splitlines() == [
        f"{LAYER}: 4 days (1 anomalous, 3 clean)",
        f"labels: 4 days written; in {labels_of(archive)}",
    ]
    day = archive / "4326/2023-08-02"
    assert (day / f"{LAYER}_Mask.png").is_file()
    assert (day / "MODIS_Terra_CorrectedReflectance_Missing_Data.png").is_file()
    assert not (archive / "4326/2023-08-01" / f"{LAYER}_Mask.png").exists()
    assert not (archive / "4326/scans").exists()  # the tables of a scan are the scan's


def test_a_range_labels_its_days_alone(run: Run, archive: Path) -> None:
    where = ("--start", "2023-08-02", "--end", "2023-08-04", "--output-dir", archive)
    assert run("label", LAYER, *where, "--workers", "1").code == 0
    assert labels_of(archive).read_text() == "2023-08-02 2\n2023-08-03 \n"


def test_a_persons_lines_stay_and_ours_are_known(run: Run, archive: Path) -> None:
    labels_of(archive).write_text("# mine\ntrain 2023-08-02 4\nval 2023-08-03 \n")
    first = run("label", LAYER, "--output-dir", archive, "--workers", "1")
    assert "3 days written, 1 kept with the codes that they have" in first.out
    assert labels_of(archive).read_text() == (
        "2023-08-01 \n# mine\ntrain 2023-08-02 4\nval 2023-08-03 \n2023-08-04 \n"
    )
    assert read_own(archive / f"4326/.gibswatch/{LAYER}.labelled.json") == {}


def test_an_incomplete_day_is_listed_and_never_normal(run: Run, archive: Path) -> None:
    break_day(archive, "2023-08-03")
    ended = run("label", LAYER, "--output-dir", archive, "--workers", "1")
    assert ended.code == 4
    assert ended.out.startswith("2023-08-03  not labelled, incomplete: 1 of 1 tiles did not arrive")
    assert "2023-08-03" not in labels_of(archive).read_text()
    assert "1 without a verdict left out" in ended.out


def test_against_a_persons_labels(run: Run, archive: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "mine.txt"
    theirs.write_text("2023-08-01 3\n2023-08-02 2\n2023-08-03 \n2023-09-01 2\n")
    ended = run("label", LAYER, "--output-dir", archive, "--workers", "1", "--against", theirs)
    assert (ended.code, ended.err) == (0, "")
    assert f"against {theirs}: 4 days, 3 judged, 1 without a picture, 1 judged but not in it" in (
        ended.out
    )
    rows = [" ".join(line.split()) for line in ended.out.splitlines()]
    assert "2 missing data, unexpected 2 2 1 0.3 0 0 2 100.0% 1.00" in rows
    assert "3 miscoloration 3 3 0 0.0 1 0 2 66.7% -" in rows
    assert "1 day on which the codes differ" in ended.out
    assert "2023-08-01  theirs 3, ours none: Nothing missing" in ended.out
    page = archive / "4326/scans" / LAYER / "labels.html"
    assert ended.out.splitlines()[-1] == f"page: {page}"
    html = page.read_text("utf-8")
    assert "3 miscoloration" in html
    assert html.count('<article class="day') == 1
    assert "data:image/jpeg;base64," in html


def test_json_says_the_same(run: Run, archive: Path) -> None:
    break_day(archive, "2023-08-04")
    theirs = archive / "truth.txt"
    where = ("--output-dir", archive, "--workers", "1", "--json")
    ended = run("label", LAYER, *where, "--against", theirs, "--suggest", 3)
    assert (ended.code, ended.err) == (4, "")
    document = json.loads(ended.out)
    assert [item["date"] for item in document["items"] if item["verdict"] == "anomalous"] == [
        "2023-08-02"
    ]
    assert document["labels"]["written"] == 3
    (open_day,) = document["labels"]["left_out"]
    assert (open_day["date"], open_day["verdict"]) == ("2023-08-04", "incomplete")
    agreement = document["agreement"]
    assert (agreement["labelled"], agreement["judged"], agreement["not_judged"]) == (4, 3, 1)
    (two,) = (row for row in agreement["pictures"] if row["our_kinds"] == [2])
    assert (two["both"], two["neither"], two["kappa"]) == (1, 2, 1.0)
    assert agreement["disagreements"] == []
    assert document["suggestions"] == []  # a person has labelled them all
    assert document["against"] == str(theirs)


def test_the_archives_own_labels_are_compared_and_not_written(run: Run, archive: Path) -> None:
    own = labels_of(archive)
    shutil.copy(archive / "truth.txt", own)
    before = own.read_bytes()
    own_again = archive / "4326" / ".." / "4326" / own.name
    ended = run("label", LAYER, "--output-dir", archive, "--workers", "1", "--against", own_again)
    assert ended.code == 0
    assert "labels: not written, as the verdicts are compared with them" in ended.out
    assert own.read_bytes() == before


def test_days_worth_a_look_again_after_they_were_written(run: Run, archive: Path) -> None:
    command = ("label", LAYER, "--output-dir", archive, "--workers", "1", "--suggest", 5)
    first, second = run(*command), run(*command)
    assert first.code == 0
    said = first.out[first.out.index("worth a look") :]
    assert "2023-08-02  anomalous" in said
    assert said == second.out[second.out.index("worth a look") :]
    labels_of(archive).write_text("2023-08-02 4\n")  # a person looked
    third = run(*command)
    assert "2023-08-02  anomalous" not in third.out[third.out.index("worth a look") :]


def test_masks_are_those_of_the_method_not_of_the_second_one(run: Run, archive: Path) -> None:
    run("label", LAYER, "--output-dir", archive, "--workers", "1")
    mask = archive / "4326/2023-08-02" / f"{LAYER}_Mask.png"
    before = mask.read_bytes()
    run("label", LAYER, "--output-dir", archive, "--workers", "1", "--suggest", 2)
    assert mask.read_bytes() == before


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.txt"
    path.write_text("train 2023-08-01 \n")
    return path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--suggest", "0"), "--suggest 0 is no number of days: give 1 or more"),
        (("--suggest", "-2"), "--suggest -2 is no number of days"),
        (("--against", "none.txt"), "--against none.txt is no file: name a label file"),
        (("--start", "2023-09-01"), "holds no day of"),
        (("--start", "2023-08-03", "--end", "2023-08-03"), "does not come before 2023-08-03"),
        (("--end", "soon"), "--end-date 'soon' is not a date"),
        (("--method", "guess"), "guess"),
        (("--epsg", "3413"), "holds no day of"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    run: Run, archive: Path, arguments: tuple[str, ...], says: str
) -> None:
    ended = run("label", LAYER, "--output-dir", archive, *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert says in ended.err
    assert not labels_of(archive).exists()
    assert not list(archive.rglob("*_Mask.png"))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("mine.txt", "train 2023-08-01 2\ntuesday\n", "mine.txt line 2 cannot be read: 'tuesday'"),
        ("mine.txt", "\n# nothing\n", "mine.txt has no day in it"),
        (f"{VIIRS}.txt", "2023-08-01 2\n", f"is of {VIIRS} by its name, not of {LAYER}"),
    ],
)
def test_bad_labels_are_one_line(run: Run, archive: Path, name: str, text: str, says: str) -> None:
    (archive / name).write_text(text)
    ended = run("label", LAYER, "--output-dir", archive, "--against", archive / name)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert says in ended.err
    assert not labels_of(archive).exists()


def test_the_archives_own_file_that_cannot_be_read_is_left_alone(run: Run, archive: Path) -> None:
    labels_of(archive).write_text("tuesday 2\n")
    ended = run("label", LAYER, "--output-dir", archive)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert f"{LAYER}.txt line 1 cannot be read" in ended.err
    assert labels_of(archive).read_text() == "tuesday 2\n"


def test_an_empty_archive_and_an_unknown_layer(run: Run, tmp_path: Path) -> None:
    empty = run("label", LAYER, "--output-dir", tmp_path / "none")
    assert (empty.code, "holds no day of" in empty.err, empty.err.count("\n")) == (2, True, 1)
    unknown = run("label", "No_Such_Layer", "--output-dir", tmp_path)
    assert (unknown.code, unknown.err.count("\n")) == (2, 1)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C when the second day has been judged."""

    @contextlib.contextmanager
    def progress() -> Iterator[Callable[[str, int, int], None]]:
        def tell(stage: str, done: int, _total: int) -> None:
            if (stage, done) == ("judge", 2):
                raise KeyboardInterrupt

        yield tell

    monkeypatch.setattr(console, "progress", progress)


@pytest.mark.usefixtures("interrupted")
def test_ctrl_c_leaves_the_label_file_whole(run: Run, archive: Path) -> None:
    labels_of(archive).write_text("train 2023-08-03 2\n")
    ended = run("label", LAYER, "--output-dir", archive, "--workers", "1")
    assert ended.code == 130
    assert ended.err.count("\n") == 1
    assert labels_of(archive).read_text() == "train 2023-08-03 2\n"
    assert not list(archive.rglob(".part-*"))


@pytest.mark.realdata
def test_the_predecessors_labels_by_sky_and_schedule_alone(
    run: Run, tmp_path: Path, real_data: Path
) -> None:
    theirs = real_data / "labels" / f"{VIIRS}.txt"
    where = ("--output-dir", tmp_path / "none", "--against", theirs)
    ended = run("label", VIIRS, *where, "--json")
    assert (ended.code, ended.err) == (0, "")
    agreement = json.loads(ended.out)["agreement"]
    assert (agreement["labelled"], agreement["judged"]) == (946, 0)
    assert (agreement["without_picture"], agreement["told_by_sky"]) == (946, 32)
    rows = {row["name"]: row for row in agreement["sky"]}
    roll, eclipse = rows["roll towards the Moon"], rows["eclipse, 35% of the Sun or more"]
    assert (roll["both"], roll["only_ours"], roll["by_chance"]) == (23, 3, 2.94)
    assert (eclipse["both"], eclipse["only_theirs"], eclipse["only_ours"]) == (5, 1, 1)
    assert eclipse["kappa"] == pytest.approx(0.832, abs=1e-3)
    assert len(agreement["disagreements"]) == 5
    assert not (tmp_path / "none").exists()
    table = (Path(__file__).parents[2] / "docs/labelling.md").read_text("utf-8")
    printed = run("label", VIIRS, *where).out
    shown = printed[printed.index("by sky") :].splitlines()
    assert [line for line in shown if line and line not in table] == []
