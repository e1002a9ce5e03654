"""`gibswatch verify` as a command: what it prints, how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gibswatch.archive import Archive
from gibswatch.simulate import EmbeddedServer

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
Run = Callable[..., Any]


@pytest.fixture
def archive(run: Run, tmp_path: Path, server: EmbeddedServer) -> Path:
    """Give an archive of three days."""
    ended = run(
        "download", "--layer", LAYER, "--start", "2023-08-01", "--end", "2023-08-04",
        "--bbox", "-36", "-18", "0", "18", "--output-dir", tmp_path, "--base-url", server.base_url,
    )  # fmt: skip
    assert ended.code == 0
    server.requests.clear()
    return tmp_path


def test_a_good_archive_is_one_line(run: Run, archive: Path) -> None:
    ended = run("verify", LAYER, "--output_dir", archive)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"{LAYER}: 3 days, 0 bad files\n"


def test_what_was_mended_is_said(run: Run, archive: Path, server: EmbeddedServer) -> None:
    picture = archive / f"4326/2023-08-02/{LAYER}.jpg"
    picture.write_bytes(b"")
    listed = run("verify", LAYER, "--output-dir", archive, "--no-fetch")
    assert listed.code == 4
    assert listed.out.splitlines()[0].startswith("bad     empty       4326/2023-08-02/")
    assert "1 bad files, 0 mended, 1 left" in listed.out
    assert picture.read_bytes() == b""
    ended = run("verify", LAYER, "--output-dir", archive, "--base-url", server.base_url)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0].startswith("mended  empty       4326/2023-08-02/")
    assert (
        f"tiles fetched; 1 files set aside in {archive / '4326/.gibswatch/set-aside'}" in ended.out
    )


def test_many_bad_files_are_cut_short_but_all_in_the_json(run: Run, archive: Path) -> None:
    for n in range(30):
        folder = archive / f"4326/2022-01-{n + 1:02}"
        folder.mkdir()
        (folder / f"{LAYER}.jpg").write_bytes(b"")
    ended = run("verify", LAYER, "--output-dir", archive, "--no-fetch")
    assert "and 10 more (--json lists them)" in ended.out
    document = json.loads(run("verify", LAYER, "--output-dir", archive, "--no-fetch", "--json").out)
    assert len(document["faults"]) == 30
    assert document["faults"][0] == {
        "path": f"4326/2022-01-01/{LAYER}.jpg", "kind": "empty", "date": "2022-01-01",
        "message": "has 0 bytes, and the journal does not know it", "mended": False,
        "set_aside": None,
    }  # fmt: skip


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 300, None])
def test_a_damaged_journal_names_the_way_out_and_it_works(
    run: Run, archive: Path, server: EmbeddedServer, damage: bytes | None
) -> None:
    journal = archive / f"4326/.gibswatch/{LAYER}.sqlite"
    records = Archive(archive).records(LAYER)
    if damage is None:
        journal.unlink()
    else:
        journal.write_bytes(damage)
    before = run("verify", LAYER, "--output-dir", archive, "--no-fetch")
    assert before.code in (1, 4)
    rebuilt = run("verify", LAYER, "--rebuild", "--output-dir", archive, "--json")
    assert (rebuilt.code, rebuilt.err) == (0, "")
    assert json.loads(rebuilt.out)["days"] == 3
    good = run("verify", LAYER, "--output-dir", archive, "--base-url", server.base_url)
    assert (good.code, good.out) == (0, f"{LAYER}: 3 days, 0 bad files\n")
    assert len(server.requests) == 0
    found = Archive(archive).records(LAYER)
    assert {d: r.files for d, r in found.items()} == {d: r.files for d, r in records.items()}


def test_rebuild_says_what_it_left_out_and_ends_with_4(run: Run, archive: Path) -> None:
    (archive / f"4326/2023-08-02/{LAYER}.jpg").write_bytes(b"")
    ended = run("verify", LAYER, "--rebuild", "--output-dir", archive)
    assert ended.code == 4
    assert "left out  4326/2023-08-02/" in ended.out
    assert "the old journal lies in" in ended.out


@pytest.mark.parametrize(
    "flags", [("--adopt", "--rebuild"), ("--adopt", "--no-fetch"), ("--rebuild", "--no-fetch")]
)
def test_two_jobs_at_once_are_refused(run: Run, tmp_path: Path, flags: tuple[str, str]) -> None:
    ended = run("verify", LAYER, *flags, "--output-dir", tmp_path)
    assert ended.code == 2
    assert "give one of them" in ended.err


@pytest.mark.parametrize("flags", [(), ("--adopt",), ("--rebuild",), ("--no-fetch",)])
def test_an_empty_folder_ends_with_one_line(
    run: Run, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    ended = run("verify", LAYER, *flags, "--output-dir", tmp_path)
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "holds no" in ended.err
    assert list(tmp_path.rglob("*.sqlite")) == []


def test_an_unknown_layer_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    assert run("verify", "../../x", "--output-dir", tmp_path).code == 2


def test_what_could_not_be_fetched_is_still_told_by_the_next_verify(
    run: Run, archive: Path, server: EmbeddedServer
) -> None:
    (archive / f"4326/2023-08-02/{LAYER}.jpg").write_bytes(b"")
    first = run("verify", LAYER, "--output-dir", archive, "--base-url", "http://127.0.0.1:9")
    assert first.code == 4
    assert "a download asks for what was bad" in first.err
    found = run("verify", LAYER, "--output-dir", archive, "--base-url", server.base_url)
    whole = "1 days are not whole, a download asks for them again"
    assert found.out == f"{LAYER}: 3 days, 0 bad files; {whole}\n"
    document = run("verify", LAYER, "--output-dir", archive, "--no-fetch", "--json").out
    assert json.loads(document)["not_complete"] == ["2023-08-02"]
