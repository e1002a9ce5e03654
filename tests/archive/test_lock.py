"""One writer at a time, and a clear word for the second."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gibswatch.archive.journal.lock import ArchiveLock
from gibswatch.archive.layout import Layout
from gibswatch.errors import ArchiveInUseError, OutputError

Held = Callable[..., Any]
HOLD = """
import sys
from pathlib import Path
from gibswatch.archive.journal.lock import ArchiveLock
with ArchiveLock(Path(sys.argv[1]), "download; a test"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Layout(tmp_path, "Some_Layer", 4326).lock


def refusal(path: Path) -> str:
    """Try to take the lock, and return why it is refused."""
    with pytest.raises(ArchiveInUseError) as caught, ArchiveLock(path, "scan"):
        pass
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_second_process_is_told_who_holds_it(path: Path, held_elsewhere: Held) -> None:
    with held_elsewhere(path, HOLD) as child:
        message = refusal(path)
        pattern = (
            rf"Some_Layer in {re.escape(str(path.parents[1]))} is in use by process {child.pid} on "
            rf"{re.escape(socket.gethostname())} since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00 "
            r"\(download; a test\): wait until it ends, or name another --output-dir"
        )
        assert re.fullmatch(pattern, message)
        assert refusal(path) == message
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.wait() == 0
    with ArchiveLock(path, "scan"):
        assert json.loads(path.read_text())["pid"] == os.getpid()
    assert path.read_bytes() == b""


def test_what_a_killed_process_left_blocks_nobody(path: Path, held_elsewhere: Held) -> None:
    with held_elsewhere(path, HOLD) as child:
        child.kill()
        assert child.wait() == -signal.SIGKILL
    assert json.loads(path.read_text())["pid"] == child.pid
    with ArchiveLock(path, "scan"):
        assert json.loads(path.read_text())["pid"] == os.getpid()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_worker_does_not_keep_its_killed_parents_lock(path: Path) -> None:
    """A forked worker has copies of all descriptors, and may outlive the process that forked it."""
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from gibswatch.archive.journal.lock import ArchiveLock\n"
        "started, starting = os.pipe()\n"
        "with ArchiveLock(Path(sys.argv[1]), 'scan'):\n"
        "    if os.fork() == 0:\n"
        "        os.write(starting, b'!')\n"
        "        sys.stdin.readline()\n"
        "        os._exit(0)\n"
        "    os.read(started, 1)  # what a child does first, before any code of ours, is done\n"
        "    print('forked', flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "forked\n"
        assert parent.wait() == -signal.SIGKILL
        # The parent is dead, its worker waits for a line that has not come yet.
        with ArchiveLock(path, "scan"):
            pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_worker_does_not_free_the_lock(path: Path, held_elsewhere: Held) -> None:
    code = """
import os, sys
from pathlib import Path
from gibswatch.archive.journal.lock import ArchiveLock
path = Path(sys.argv[1])
with ArchiveLock(path, "scan"):
    if os.fork() == 0:
        sys.exit(0)  # leaves the block in the child
    os.wait()
    print("held", flush=True)
    sys.stdin.readline()
"""
    with held_elsewhere(path, code) as child:
        assert f"process {child.pid} " in refusal(path)


def test_another_thread_is_refused_as_another_process_is(path: Path) -> None:
    messages: list[str] = []
    with ArchiveLock(path, "download"):
        thread = threading.Thread(target=lambda: messages.append(refusal(path)))
        thread.start()
        thread.join()
    assert f"process {os.getpid()} " in messages[0]
    assert "(download)" in messages[0]
    with ArchiveLock(path, "download"):
        pass


def test_of_many_threads_one_has_it(path: Path) -> None:
    count = 8
    everyone = threading.Barrier(count)
    got: list[bool] = []

    def take() -> None:
        everyone.wait()
        try:
            with ArchiveLock(path, "download"):
                got.append(True)
                everyone.wait()
        except ArchiveInUseError:
            got.append(False)
            everyone.wait()

    threads = [threading.Thread(target=take) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * (count - 1) + [True]


def test_the_thread_that_holds_it_enters_again(path: Path) -> None:
    other_way = path.parent / ".." / ".gibswatch" / path.name
    with ArchiveLock(path, "verify"):
        with ArchiveLock(other_way, "download"):
            pass
        assert json.loads(path.read_text())["command"] == "verify"
        assert not taken_by_another_process(path)
    assert taken_by_another_process(path)


def taken_by_another_process(path: Path) -> bool:
    """Whether another process can take the lock now."""
    command = [sys.executable, "-c", HOLD, str(path)]
    done = subprocess.run(command, input="\n", capture_output=True, text=True, check=False)
    return done.stdout == "held\n"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"[" * 4000,
        b'{"pid": 1}',
        b'{"pid": "\\u001b[2J\\n", "host": "h", "since": "s", "command": "c"}',
        b'{"pid": 1, "host": "' + b"h" * 3000 + b'", "since": "s", "command": "c"}',
    ],
)
def test_who_holds_it_may_be_anything(path: Path, content: bytes, held_elsewhere: Held) -> None:
    with held_elsewhere(path, HOLD):
        path.write_bytes(content)
        message = refusal(path)
        assert message.isprintable()
        assert len(message) < 700
        assert "in use by" in message


def test_locks_of_other_layers_do_not_matter(
    tmp_path: Path, path: Path, held_elsewhere: Held
) -> None:
    with (
        held_elsewhere(path, HOLD),
        ArchiveLock(Layout(tmp_path, "Some_Layer", 3413).lock, "download"),
        ArchiveLock(Layout(tmp_path, "Other_Layer", 4326).lock, "download"),
    ):
        pass


def test_an_error_inside_lets_go(path: Path) -> None:
    with pytest.raises(RuntimeError, match="inside"), ArchiveLock(path, "download"):
        raise RuntimeError("inside")
    assert taken_by_another_process(path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "4326").write_text("a file in the way")
    lock = ArchiveLock(Layout(tmp_path, "Some_Layer", 4326).lock, "download")
    with pytest.raises(OutputError, match="something else stands there"), lock:
        pass


def test_a_folder_in_place_of_the_file(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(OutputError), ArchiveLock(path, "download"):
        pass


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_read_only_folder(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o555)
    with pytest.raises(OutputError, match="no right to write"), ArchiveLock(path, "download"):
        pass
