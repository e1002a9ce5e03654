"""The label file: the same bytes out as in, and no line of a person's ever lost."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.archive.labels import (
    SPLITS,
    LabelFile,
    LabelLine,
    Split,
    label_path,
    parse_labels,
    read_labels,
    write_labels,
)
from gibswatch.archive.layout import Layout
from gibswatch.errors import OutputError, UsageError
from gibswatch.types import Kind

_SPACES = st.text(" \t", min_size=1, max_size=3)
_DATES = st.dates(dt.date(1, 1, 1))


@st.composite
def _lines(draw: st.DrawFn, day: dt.date) -> str:
    """Give a good line of a day, oddly spaced."""
    split = draw(st.sampled_from(["", *SPLITS]))
    head = draw(st.sampled_from(["", " ", "\t"])) + (split + draw(_SPACES) if split else "")
    codes = "".join(
        draw(_SPACES) + str(draw(st.integers(1, 9))) for _ in range(draw(st.integers(0, 4)))
    )
    return head + day.isoformat() + codes + draw(st.sampled_from(["", " ", "  ", "\t"]))


@st.composite
def _files(draw: st.DrawFn) -> bytes:
    """Give a good file: days in any order, blank lines and remarks, either line end."""
    days = draw(st.lists(_DATES, unique=True, max_size=8))
    texts = [draw(_lines(day)) for day in days]
    for _ in range(draw(st.integers(0, 3))):
        remark = draw(st.sampled_from(["", "  ", "# seen by Ada", "#\u00e9\u00e9"]))
        texts.insert(draw(st.integers(0, len(texts))), remark)
    ends: list[str] = [draw(st.sampled_from(["\n", "\r\n"])) for _ in texts]
    if draw(st.booleans()) and ends:
        ends[-1] = ""
    mark = "\ufeff" if draw(st.booleans()) and texts else ""
    return (mark + "".join(t + e for t, e in zip(texts, ends, strict=True))).encode()


@given(_files())
def test_what_is_read_and_written_is_the_same_bytes(data: bytes) -> None:
    assert parse_labels(data).to_bytes() == data


@given(_files(), st.dictionaries(_DATES, st.sampled_from(SPLITS), max_size=8))
def test_a_new_split_changes_no_code_and_loses_no_line(
    data: bytes, extra: dict[dt.date, Split]
) -> None:
    before = parse_labels(data)
    splits: dict[dt.date, Split] = {**dict.fromkeys(before.labels, "val"), **extra}
    after = parse_labels(before.with_splits(splits).to_bytes())
    assert {day: line.split for day, line in after.labels.items()} == splits
    for day, line in before.labels.items():
        assert after.labels[day].codes == line.codes
    kept = [text.strip("\ufeff \t\r\n") for text in before.lines]
    rest = [text for text in kept if text.startswith("#")]
    assert [t.strip("\ufeff \t\r\n") for t in after.lines if "#" in t] == rest
    assert after.to_bytes().count(b"\xef\xbb\xbf") == data.count(b"\xef\xbb\xbf")


@given(_files())
def test_the_same_split_again_changes_nothing(data: bytes) -> None:
    labels = parse_labels(data)
    same = {day: line.split for day, line in labels.labels.items() if line.split is not None}
    assert labels.with_splits(same).to_bytes() == data


@given(st.binary(max_size=200))
def test_any_bytes_are_read_back_or_refused(data: bytes) -> None:
    try:
        labels = parse_labels(data)
    except UsageError:
        return
    assert labels.to_bytes() == data


@given(
    st.lists(
        st.sampled_from(
            [
                b"train",
                b" ",
                b"2016-02-30",
                b"2016-02-29",
                b"9",
                b"\r",
                b"\n",
                b"0",
                b"\xff",
                b"\x85",
            ]
        )
    )
)
def test_nearly_good_bytes_are_read_back_or_refused(parts: list[bytes]) -> None:
    data = b"".join(parts)
    try:
        labels = parse_labels(data)
    except UsageError:
        return
    assert labels.to_bytes() == data


@pytest.mark.parametrize(
    "bad",
    [
        "train 2016-13-01 2", "train 2016-04-10 0", "train 2016-04-10 12", "train 2016-04-10 2,3",
        "Train 2016-04-10", "train", "2016-4-1", "train  val 2016-04-10", "train 2016-04-10 two",
        "train 2016-04-10\r2", "train 2016-04-10 \u0662", "train2016-04-10",
    ],
)  # fmt: skip
def test_a_bad_line_is_named_with_file_and_number(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(f"train 2016-04-01 2\n{bad}\n".encode())
    with pytest.raises(UsageError, match=r"labels\.txt line 2 cannot be read") as caught:
        read_labels(path)
    assert ascii(bad) in str(caught.value)
    assert "train 2023-08-07 2" in str(caught.value)


def test_a_day_in_two_lines_is_refused_naming_both() -> None:
    with pytest.raises(UsageError, match="2016-04-10 twice, in line 1 and line 3"):
        parse_labels(b"train 2016-04-10 2\n\nval 2016-04-10 3\n")


def test_codes_of_a_line_are_kinds() -> None:
    line = parse_labels(b"test 2016-04-10 2 3\n").labels[dt.date(2016, 4, 10)]
    assert line.codes == (Kind.MISSING_UNEXPECTED, Kind.MISCOLORATION)
    assert line.split == "test"


def test_a_line_is_written_as_the_predecessor_wrote_it() -> None:
    day = dt.date(2015, 11, 24)
    assert str(LabelLine("train", day)) == "train 2015-11-24 "
    assert str(LabelLine("train", day, (Kind(2), Kind(3)))) == "train 2015-11-24 2 3"


def test_a_list_of_days_that_is_not_split_yet_is_read_and_split() -> None:
    day = dt.date(2015, 11, 24)
    labels = parse_labels(b"2015-11-24 \n2015-11-25 2\n")
    assert labels.labels[day].split is None
    split = labels.with_splits({day: "train", dt.date(2015, 11, 25): "test"})
    assert split.to_bytes() == b"train 2015-11-24 \ntest 2015-11-25 2\n"


def test_new_days_come_in_their_place_and_take_the_files_line_end() -> None:
    before = parse_labels(b"# first\r\ntrain 2016-04-03 2\r\n# of the fifth\r\nval 2016-04-05")
    days: dict[dt.date, Split] = {dt.date(2016, 4, n): "test" for n in (2, 4, 6)}
    assert before.with_splits(days).to_bytes() == (
        b"test 2016-04-02 \r\n# first\r\ntrain 2016-04-03 2\r\ntest 2016-04-04 \r\n"
        b"# of the fifth\r\nval 2016-04-05\r\ntest 2016-04-06 \r\n"
    )


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert read_labels(tmp_path / "none.txt").to_bytes() == b""


def test_a_folder_in_the_files_place_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_labels(tmp_path)


def test_somebody_elses_writing_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(b"train 2016-04-10 \n")
    before = read_labels(path)
    path.write_bytes(b"train 2016-04-10 2\n")
    with pytest.raises(OutputError, match="written by another program meanwhile"):
        write_labels(path, before.with_splits({dt.date(2016, 4, 10): "val"}), before=before)
    assert path.read_bytes() == b"train 2016-04-10 2\n"


def test_a_file_that_cannot_be_written_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(b"train 2016-04-10 2\n")

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="no space left"):
        write_labels(path, LabelFile())
    monkeypatch.undo()
    assert path.read_bytes() == b"train 2016-04-10 2\n"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_lies_where_the_predecessor_has_it(tmp_path: Path) -> None:
    assert label_path(Layout(tmp_path, "L", 4326)) == tmp_path / "4326" / "L.txt"


@pytest.mark.realdata
def test_the_predecessors_labels_come_out_as_they_went_in(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "labels/VIIRS_SNPP_CorrectedReflectance_TrueColor.txt"
    labels = read_labels(path)
    assert len(labels.labels) == 946
    write_labels(tmp_path / "copy.txt", labels)
    assert (tmp_path / "copy.txt").read_bytes() == path.read_bytes()
    lines = b"".join(f"{line}\n".encode() for line in labels.labels.values())
    assert lines == path.read_bytes()
