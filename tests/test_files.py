"""Whole or absent, and names that cannot become paths."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.errors import OutputError, UnsafeNameError
from gibswatch.files import atomic_path, output_folder, safe_name, storage_errors, write_bytes


@pytest.mark.parametrize(
    "name",
    [
        "MODIS_Terra_CorrectedReflectance_TrueColor",
        "VIIRS_SNPP_CorrectedReflectance_BandsM11-I2-I1",
        "a",
        "3B42.v7",
        "CONSOLE",
        "a" * 200,
    ],
)
def test_ordinary_names_pass(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../../x",
        "a/b",
        "a\\b",
        "a..b",
        ".hidden",
        "-rf",
        "a.",
        "a\0b",
        "a\n",
        ";rm -rf",
        "$(reboot)",
        "C:x",
        "CON",
        "con.txt",
        "LPT1",
        "Nul.tar.gz",
        "a" * 201,
        "MODIS\u2215Terra",
        "\u041cODIS",  # Cyrillic capital em
        "a\u202eb",
    ],
)
def test_hostile_names_are_refused(name: str) -> None:
    with pytest.raises(UnsafeNameError, match="cannot be used as a file name"):
        safe_name(name, what="layer")


def test_the_refusal_says_what_and_stays_short() -> None:
    with pytest.raises(UnsafeNameError) as caught:
        safe_name("x/" * 5000, what="layer")
    assert str(caught.value).startswith("layer 'x/x/")
    assert len(str(caught.value)) < 250


@given(st.text(max_size=300))
def test_what_passes_is_one_component_of_a_path(name: str) -> None:
    try:
        safe_name(name)
    except UnsafeNameError:
        return
    root = Path("/root")
    assert (root / name).resolve().parent == root
    assert name.isascii()
    assert name.isprintable()


def test_write_bytes_makes_folders_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b.jpg"
    write_bytes(target, b"one")
    write_bytes(target, b"two")
    assert target.read_bytes() == b"two"
    assert list(target.parent.iterdir()) == [target]
    assert target.stat().st_mode & 0o777 == 0o644


def test_a_failing_block_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "x.jpg"
    write_bytes(target, b"old")

    def fail() -> None:
        with atomic_path(target) as temporary:
            assert temporary.parent == target.parent
            assert temporary.suffix == ".jpg"
            temporary.write_bytes(b"half")
            raise RuntimeError("cut")

    with pytest.raises(RuntimeError, match="cut"):
        fail()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_output_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    folder = output_folder(tmp_path / "new" / "deep")
    assert list(folder.iterdir()) == []
    assert output_folder(folder) == folder


def test_output_folder_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match=r"something else stands there.*another folder"):
        output_folder(tmp_path / "file")
    with pytest.raises(OutputError, match="something else stands there"):
        output_folder(tmp_path / "file" / "below")


def test_a_folder_where_the_file_should_go(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").mkdir()
    with pytest.raises(OutputError, match="something else stands there"):
        write_bytes(tmp_path / "x.jpg", b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["x.jpg"]


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "no space left to write .*free some, or name another folder"),
        (errno.EDQUOT, "no space left"),
        (errno.EACCES, "no right to write .*another folder"),
        (errno.EPERM, "no right to write"),
        (errno.EROFS, "no right to write"),
    ],
)
def test_refusals_of_the_system_get_a_way_out(number: int, message: str) -> None:
    with pytest.raises(OutputError, match=message), storage_errors(Path("there")):
        raise OSError(number, "refused")


def test_other_refusals_are_named_as_the_system_does() -> None:
    with (
        pytest.raises(OutputError, match=r"there cannot be written \(broken\).*another folder"),
        storage_errors(Path("there")),
    ):
        raise OSError(errno.EIO, "broken")


def test_a_device_or_a_pipe_is_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="something else stands there"):
        write_bytes(pipe, b"data")
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    target.write_bytes(b"before")
    link.symlink_to(target)
    write_bytes(link, b"after")
    assert link.is_symlink()
    assert target.read_bytes() == b"after"
