"""`gibswatch simulate serve`."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from gibswatch.cli.simulate import app
from gibswatch.errors import UsageError

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"


def save(path: Path, shape: tuple[int, int]) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*shape, 3), 90, np.uint8)).save(path)
    return path.read_bytes()


def error_of(*arguments: str) -> BaseException | None:
    return CliRunner().invoke(app, ["serve", *arguments]).exception


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to serve"),
        (("--pictures", "nonsense"), "is not LAYER=FOLDER"),
        (("--pictures", f"{LAYER}=missing-folder"), "missing-folder is not a folder"),
        (("--tile", f"{LAYER}=x@250m/3/2"), "is not LAYER=FOLDER@SET/LEVEL/ROW/COL"),
        (("missing-archive",), "missing-archive is no archive"),
        (("--absent-status", "500"), "--absent-status 500"),
        (("--pictures", "No_Such_Layer=x"), "No_Such_Layer"),
        (("--server-faults", "missing.toml"), "fault plan missing.toml cannot be read"),
        (("--faults", "random"), "give --simulated LAYER with it, or --server-faults"),
        (("--simulated", LAYER), "no --start-date"),
        (
            ("--simulated", LAYER, "--start", "2023-08-01", "--tracks", "tle"),
            "--tracks tle and --tle FILE belong together",
        ),
        (
            ("--simulated", "MODIS_Terra_Aerosol", "--start", "2023-08-01"),
            "MODIS_Terra_Aerosol cannot be simulated",
        ),
    ],
)
def test_errors_name_the_way_out(arguments: tuple[str, ...], message: str) -> None:
    error = error_of(*arguments)
    assert isinstance(error, UsageError)
    assert message in str(error)


def test_vector_layers_are_refused(tmp_path: Path) -> None:
    error = error_of("--pictures", f"MODIS_Terra_Thermal_Anomalies_All={tmp_path}")
    assert isinstance(error, UsageError)
    assert "vector tiles" in str(error)


def test_help_shows_an_example() -> None:
    result = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert "Example: gibswatch simulate serve" in result.stdout


@pytest.mark.skipif(os.name == "nt", reason="SIGINT to a child is a POSIX matter")
@pytest.mark.parametrize("how", ["pictures", "tile", "archive", "simulated"])
def test_serves_until_interrupted(tmp_path: Path, how: str) -> None:
    if how == "archive":
        save(tmp_path / "4326" / "2023-08-07" / f"{LAYER}.jpg", (64, 128))
        options = [str(tmp_path)]
    elif how == "simulated":
        options = ["--simulated", LAYER, "--start", "2023-08-07", "--invented-earth"]
    elif how == "pictures":
        save(tmp_path / "2023-08-07.jpg", (64, 128))
        plan = tmp_path / "plan.toml"
        plan.write_text(
            '[[fault]]\neffect = "status"\nstatus = 418\ndate = "2023-08-07"\nlevel = 3\n'
        )
        options = ["--pictures", f"{LAYER}={tmp_path}", "--server-faults", str(plan)]
    else:
        stored = save(tmp_path / "2023-08-07.jpg", (512, 512))
        options = ["--tile", f"{LAYER}={tmp_path}@250m/3/2/4"]
    code = "from gibswatch.cli.simulate import app; app()"
    command = [sys.executable, "-W", "error", "-c", code, "serve", *options, "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stderr is not None
            line = child.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+/wmts\S+", line)
            assert found, line + child.stderr.read()
            with urllib.request.urlopen(found[0], timeout=20) as reply:
                body = reply.read()
                assert reply.headers["Layer-Time-Actual"] == "2023-08-07T00:00:00Z"
            if how == "tile":
                assert body == stored
            if how == "pictures":
                with pytest.raises(urllib.error.HTTPError) as refused:
                    urllib.request.urlopen(found[0].replace("/2/1/2.", "/3/1/2."), timeout=20)
                with refused.value as error:
                    assert error.code == 418
            child.send_signal(signal.SIGINT)
            out, errors = child.communicate(timeout=30)
        finally:
            child.kill()
    assert child.returncode in (0, 130)
    assert out == ""
    assert "Traceback" not in errors
    assert errors.strip() == ""
