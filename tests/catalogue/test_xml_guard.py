"""XML from outside: what is refused, how quickly, in how much memory, and that nobody is asked."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.catalogue.xml_guard import MAX_DOCUMENT_BYTES, local_name, parse_xml, quoted
from gibswatch.errors import NothingFetchedError, ServiceDocumentError

LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
BILLION = f'<!DOCTYPE a [<!ENTITY a0 "ha">{LAUGHS}]><a>&a9;</a>'.encode()
QUADRATIC = f'<!DOCTYPE a [<!ENTITY b "{"b" * 50_000}">]><a c="{"&b;" * 50_000}"/>'.encode()

HOSTILE = {
    "external entity": b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
    "billion laughs": BILLION,
    "quadratic": QUADRATIC,
    "doctype in UTF-16": '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
    "deep": b"<a>" * 200_000,
    "many elements": b"<a>" + b"<b/>" * 8_000_000 + b"</a>",
    "many attributes": b"<a " + b" ".join(b'b%d=""' % n for n in range(600_000)) + b"/>",
    "too long": b"<a>" + b" " * MAX_DOCUMENT_BYTES + b"</a>",
    "unknown encoding": b'<?xml version="1.0" encoding="nosuch"?><a/>',
    "unbound entity": b"<a>&nbsp;</a>",
    "cut": b"<a><b></b>",
    "empty": b"",
    "no XML": b"\x1f\x8b\x08\x00 packed",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_refused_at_once(name: str) -> None:
    with pytest.raises(ServiceDocumentError, match="the answer") as caught:
        parse_xml(HOSTILE[name], what="the answer")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
    assert isinstance(caught.value, NothingFetchedError)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells the peak")
def test_hostile_documents_take_neither_time_nor_memory() -> None:
    # In a process of its own, which no coverage slows down; CPU time, so that others do not count.
    code = f"""
import re, sys, time
from pathlib import Path
import lxml.etree
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_xml_guard as t

def memory(name):
    return int(re.search(name + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
before, longest = memory("VmRSS"), 0.0
for data in t.HOSTILE.values():
    started = time.process_time()
    try: t.parse_xml(data, what="x")
    except t.ServiceDocumentError: pass
    longest = max(longest, time.process_time() - started)
print(memory("VmHWM") - before, longest)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    kilobytes, seconds = map(float, ended.stdout.split())
    assert kilobytes * 1024 < 50 * 10**6
    assert seconds < 1


@pytest.fixture
def nobody_calls() -> Iterator[int]:
    """Port of a listener; fails if a connection was made to it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_nothing_is_asked_for(nobody_calls: int) -> None:
    at = f"http://127.0.0.1:{nobody_calls}"
    for text in (
        f'<!DOCTYPE a SYSTEM "{at}/a.dtd"><a/>',
        f'<!DOCTYPE a PUBLIC "-//X//Y" "{at}/a.dtd"><a/>',
        f'<!DOCTYPE a [<!ENTITY e SYSTEM "{at}/e">]><a>&e;</a>',
        f'<!DOCTYPE a [<!ENTITY % e SYSTEM "{at}/e"> %e;]><a/>',
    ):
        with pytest.raises(ServiceDocumentError, match="document type"):
            parse_xml(text.encode(), what="it")
    root = parse_xml(
        f'<?xml-stylesheet href="{at}/s.xsl"?><a xmlns:xi="http://www.w3.org/2001/XInclude" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a {at}/a.xsd">'
        f'<xi:include href="{at}/i"/></a>'.encode(),
        what="it",
    )
    assert len(root) == 1


def test_a_plain_document_is_read() -> None:
    root = parse_xml(
        '<?xml version="1.0" encoding="ISO-8859-1"?><!-- c --><a xmlns="u"><?p?>é<b/></a>'.encode(
            "latin-1"
        ),
        what="it",
    )
    assert (local_name(root), root.text, [local_name(child) for child in root]) == ("a", "é", ["b"])


def test_sixty_four_levels_are_read() -> None:
    assert parse_xml(b"<a>" * 64 + b"</a>" * 64, what="it") is not None
    with pytest.raises(ServiceDocumentError, match="more than 64 deep"):
        parse_xml(b"<a>" * 65 + b"</a>" * 65, what="it")


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: f"<a>{t}</a>".encode()))
def test_any_bytes_parse_or_are_refused(data: bytes) -> None:
    said = ""
    try:
        parse_xml(data, what="it")
    except ServiceDocumentError as error:
        said = str(error)
    assert said.isprintable()


@given(st.text())
def test_quoted_text_is_short_and_printable(text: str) -> None:
    assert quoted(text).isprintable()
    assert len(quoted(text)) < 2000
