"""What the download is measured against: gdal_translate and curl, as processes of their own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from _tile_files import COLS, LAYER, ROWS

_TILE = f"wmts/epsg4326/best/{LAYER}/default/{{day}}/250m"
_SERVICE = """<GDAL_WMS>
<Service name="TMS"><ServerUrl>{base_url}/{tile}/${{z}}/${{y}}/${{x}}.jpg</ServerUrl></Service>
<DataWindow><UpperLeftX>-180.0</UpperLeftX><UpperLeftY>90</UpperLeftY>
<LowerRightX>396.0</LowerRightX><LowerRightY>-198</LowerRightY><TileLevel>3</TileLevel>
<TileCountX>2</TileCountX><TileCountY>1</TileCountY><YOrigin>top</YOrigin></DataWindow>
<Projection>EPSG:4326</Projection><BlockSizeX>512</BlockSizeX><BlockSizeY>512</BlockSizeY>
<BandsCount>3</BandsCount>{connections}</GDAL_WMS>
"""
_TUNED = {"GDAL_HTTP_MULTIPLEX": "YES", "GDAL_CACHEMAX": "256", "GDAL_NUM_THREADS": "ALL_CPUS"}


def gdal_translate(
    base_url: str, days: Sequence[str], folder: Path, *, connections: int | None = None
) -> None:
    """Make a 4096x2048 JPEG of each day, ten processes at a time, without a cache.

    Parameters
    ----------
    base_url : str
    days : sequence of str
    folder : Path
    connections : int, optional
        ``MaxConnections`` of the service file; None leaves GDAL's default of 2, and all else too.
    """
    more = f"<MaxConnections>{connections}</MaxConnections>" if connections else ""
    env = {**os.environ, **(_TUNED if connections else {})}

    def one(day: str) -> None:
        service = _SERVICE.format(base_url=base_url, tile=_TILE.format(day=day), connections=more)
        file = folder / f"{day}.xml"
        file.write_text(service)
        target = folder / f"{day}.jpg"
        subprocess.run(
            ["gdal_translate", "-q", "-of", "JPEG", "-outsize", "4096", "2048",
             "-projwin", "-180", "90", "180", "-90", file, target],
            check=True, env=env,
        )  # fmt: skip
        if target.stat().st_size < 100_000:
            raise RuntimeError(f"{target} is no picture")

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(one, days))


def curl(base_url: str, days: Sequence[str], folder: Path, *, connections: int = 32) -> None:
    """Fetch every tile of every day into a file with ``curl -Z``, over connections kept alive."""
    lines = []
    for day in days:
        for row in range(ROWS):
            for col in range(COLS):
                url = f"{base_url}/{_TILE.format(day=day)}/3/{row}/{col}.jpg"
                lines += [f'url = "{url}"', f'output = "{folder}/{day}/{col}-{row}.jpg"']
    config = folder / "curl.txt"
    config.write_text("\n".join(lines))
    subprocess.run(
        ["curl", "--silent", "--show-error", "--no-progress-meter", "--fail", "--create-dirs",
         "--parallel", "--parallel-max", str(connections), "--config", config],
        check=True,
    )  # fmt: skip
    found = sum(1 for _ in folder.rglob("*.jpg"))
    if found != len(days) * ROWS * COLS:
        raise RuntimeError(f"curl brought {found} tiles of {len(days) * ROWS * COLS}")


def versions() -> str:
    """Say which GDAL and which curl these are."""
    said = [
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")[0]
        for command in (["gdal_translate", "--version"], ["curl", "--version"])
    ]
    return f"{said[0]}; {' '.join(said[1].split()[:2])}"
