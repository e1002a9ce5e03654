"""`gibswatch doctor` as a user runs it; nothing but the loopback is asked."""

from __future__ import annotations

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

import pytest

from gibswatch.simulate import EmbeddedServer
from gibswatch.simulate.server import FaultRule

Run = Callable[..., Any]
_LINE = re.compile(r"(ok|missing|problem) +[^:]+: .+")


@pytest.fixture
def closed_url() -> Iterator[str]:
    with socket.socket() as holder:  # the port is taken, and nobody listens
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"


def line_of(out: str, name: str) -> str:
    [line] = [x for x in out.splitlines() if x.partition(" ")[2].lstrip().startswith(f"{name}: ")]
    return line


def test_all_is_well(run: Run, server: EmbeddedServer, tmp_path: Path) -> None:
    ended = run("doctor", "--base-url", server.base_url, "--output-dir", tmp_path / "data")
    assert (ended.code, ended.err) == (0, "")
    *lines, last = ended.out.splitlines()
    assert [line for line in lines if not _LINE.fullmatch(line)] == []
    assert last == "no problem was found"
    assert line_of(ended.out, "gibswatch") == f"ok       gibswatch: {version('gibswatch')}"
    for name in ("Python", "platform", "numpy", "scipy", "pillow", "pyarrow", "rasterio", "GDAL"):
        assert line_of(ended.out, name).startswith("ok  ")
    assert f"{server.base_url} answers in " in line_of(ended.out, "service")
    assert line_of(ended.out, "licence of gibswatch").endswith(": Apache-2.0")
    assert "We acknowledge the use of imagery" in ended.out
    assert len(server.requests) == 1
    assert not (tmp_path / "data").exists()


def test_every_extra_has_a_line(run: Run) -> None:
    out = run("doctor", "--offline").out
    for extra in distribution("gibswatch").metadata.get_all("Provides-Extra") or ():
        line = line_of(out, f"extra {extra}")
        if line.startswith("missing"):
            assert f"{sys.executable} -m pip install " in line


def test_as_json(run: Run, server: EmbeddedServer, tmp_path: Path) -> None:
    ended = run("doctor", "--json", "--base-url", server.base_url, "--output-dir", tmp_path)
    assert (ended.code, ended.err) == (0, "")
    document = json.loads(ended.out)
    assert (document["exit_code"], document["offline"]) == (0, False)
    checks = {check["name"]: check for check in document["checks"]}
    assert set(checks["service"]) == {
        *("group", "name", "mark", "text", "advice", "exit_code", "facts"),
    }
    assert checks["service"]["facts"]["status"] == 200
    assert checks["service"]["facts"]["cause"] is None
    assert checks["output folder"]["facts"]["free_bytes"] > 0
    assert checks["numpy"]["text"] == version("numpy")
    assert {check["group"] for check in document["checks"]} == {
        *("versions", "extras", "disk", "kernels", "settings", "service", "licences"),
    }
    printed = run("doctor", "--base-url", server.base_url, "--output-dir", tmp_path).out
    names = [line.partition(" ")[2].lstrip().partition(": ")[0] for line in printed.splitlines()]
    assert names[:-1] == [check["name"] for check in document["checks"]]


def test_offline_asks_nobody(run: Run, server: EmbeddedServer) -> None:
    ended = run("doctor", "--offline", "--base-url", server.base_url)
    assert ended.code == 0
    assert len(server.requests) == 0
    assert " service: " not in ended.out
    assert ended.out.endswith("the service was not asked (--offline)\n")
    document = json.loads(run("doctor", "--offline", "--json").out)
    assert "service" not in {check["name"] for check in document["checks"]}


def test_nobody_listens(run: Run, closed_url: str) -> None:
    ended = run("doctor", "--base-url", closed_url)
    assert (ended.code, ended.err) == (5, "")
    line = line_of(ended.out, "service")
    assert line.startswith(f"problem  service: {closed_url} cannot be used: connection refused")
    assert "check the port of --base-url" in line
    assert ended.out.endswith("\n1 problem: service\n")
    document = json.loads(run("doctor", "--base-url", closed_url, "--json").out)
    assert document["exit_code"] == 5
    [service] = [check for check in document["checks"] if check["name"] == "service"]
    assert (service["mark"], service["facts"]["cause"]) == ("problem", "refused")


def test_a_server_that_is_broken(run: Run, serve_drawn: Callable[..., EmbeddedServer]) -> None:
    server = serve_drawn(FaultRule("status", documents=True, status=503))
    ended = run("doctor", "--base-url", server.base_url)
    assert (ended.code, ended.err) == (5, "")
    assert "HTTP 503: the server is busy or broken" in line_of(ended.out, "service")
    assert len(server.requests) == 1


def test_a_folder_that_cannot_be_written(run: Run, closed_url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a")
    ended = run("doctor", "--output-dir", tmp_path / "file" / "data", "--base-url", closed_url)
    assert (ended.code, ended.err) == (2, "")  # goes before 5
    assert line_of(ended.out, "output folder").startswith("problem")
    assert ended.out.endswith("\n2 problems: output folder, service\n")


def test_an_address_that_is_none(run: Run) -> None:
    ended = run("doctor", "--base-url", "gibs.earthdata.nasa.gov")
    assert (ended.code, ended.err) == (2, "")
    assert "is not an address: give one like https://" in line_of(ended.out, "settings")
    assert " service: " not in ended.out


def test_variables_stand_in_for_options(
    run: Run, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIBSWATCH_BASE_URL", server.base_url)
    ended = run("doctor")
    assert ended.code == 0
    assert server.base_url in line_of(ended.out, "service")
    assert "GIBSWATCH_BASE_URL" in line_of(ended.out, "settings")


def test_a_file_of_authorities_that_is_missing(run: Run, tmp_path: Path) -> None:
    ended = run("doctor", "--base-url", "https://127.0.0.1:9", "--ca-bundle", tmp_path / "no.pem")
    assert (ended.code, ended.err) == (2, "")
    assert "--ca-bundle" in line_of(ended.out, "service")


def test_a_reader_that_has_enough(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gibswatch.cli.main", "doctor", "--offline"]
    line = f"{shlex.join(command)} | head -1"
    ended = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert ended.stderr == ""
    assert ended.stdout == f"ok       gibswatch: {version('gibswatch')}\n"


def test_ctrl_c_while_the_service_is_asked(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "gibswatch.cli.main", "doctor", "--base-url", url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        try:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(60)
                assert connection.recv(4) == b"GET "
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert err.startswith("gibswatch: stopped")
    assert len(err.splitlines()) == 1
    assert "output folder" in out  # what was found before is printed
