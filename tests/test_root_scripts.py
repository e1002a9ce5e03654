"""The predecessor's scripts run from a checkout, with the flags that they had."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gibswatch.simulate import EmbeddedServer

ROOT = Path(__file__).resolve().parents[1]
LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
SCRIPTS = ("download_data.py", "download_tiled_data.py", "split_data.py", "gibs_layer.py")


def start(script: str, *arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a script as a person does, with nothing of the environment that could redirect it."""
    clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return subprocess.run(
        [sys.executable, "-W", "error", ROOT / script, *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=cwd, env=clean,
    )  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_short_and_runs_nothing_when_imported(script: str) -> None:
    assert len((ROOT / script).read_text().splitlines()) < 15
    code = f"import {Path(script).stem}"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_download_data_takes_the_predecessors_eight_flags(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    flags = (
        "--layer_name", LAYER, "--start_date", "2023-08-01", "--end_date", "2023-08-03",
        "--epsg", "4326", "--tile_resolution", "16km", "--num_threads", "2",
        "--output_dir", tmp_path, "--base-url", server.base_url, "--bbox", -36, -18, 0, 18,
    )  # fmt: skip
    ended = start("download_data.py", *flags)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "4326/2023-08-02" / f"{LAYER}.jpg").is_file()

    split = start("split_data.py", "--layer_name", LAYER, "--output_dir", tmp_path)
    assert split.returncode == 0
    assert (tmp_path / f"4326/{LAYER}.txt").read_bytes().count(b"\n") == 2

    tiles = start("download_data.py", *flags, "--tiled_world")
    assert tiles.returncode == 2, "the folder holds one picture a day"
    assert "another grid" in tiles.stderr


def test_download_tiled_data_keeps_tiles_as_served(tmp_path: Path, server: EmbeddedServer) -> None:
    ended = start(
        "download_tiled_data.py", "--layer_name", LAYER, "--start_date", "2023-08-01",
        "--end_date", "2023-08-02", "--output_dir", tmp_path, "--base-url", server.base_url,
        "--bbox", -36, -18, 0, 18,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    tiles = sorted((tmp_path / "4326/2023-08-01/tiles/250m-2").glob("*.jpg"))
    assert len(tiles) == len(server.requests) > 0


def test_errors_are_one_line_and_the_exit_code_is_the_commands(tmp_path: Path) -> None:
    ended = start("split_data.py", "--output_dir", tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert (
        start("download_data.py", "--layer_name", "../x", "--output_dir", tmp_path).returncode == 2
    )


def test_the_old_import_goes_on_working() -> None:
    code = (
        "from gibs_layer import GIBSLayer\n"
        "layer = GIBSLayer.get_gibs_layer('VIIRS_SNPP_CorrectedReflectance_TrueColor')\n"
        "print(layer.format_suffix, layer.date_min)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ended.stdout == "jpg 2015-11-24\n"
