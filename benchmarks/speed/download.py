"""How long a download takes, against gdal_translate and curl, from a server 50 ms away.

Run: .venv/bin/python benchmarks/speed/download.py [--rounds 5] [--real FOLDER] [--profile]

A server in a process of its own sends tiles from memory, each 50 ms after it was asked for.  Each
round runs every case once, in turn, so that all see the same load; ratios are of the same round.
Ours: 32 connections, no limit of bandwidth and requests, no ramp-up; SHA-256, strict decoding, the
journal and fsync are on, as always.  gdal_translate: Debian's, ten processes at a time, no cache,
with its defaults, and tuned (32 connections a process).
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import datetime as dt
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from _rivals import curl, gdal_translate, versions
from _tile_files import LAYER, write_drawn_tiles, write_real_tiles

from gibswatch.archive import download_days
from gibswatch.catalogue import Grid, find_layer
from gibswatch.settings import Settings

FIRST_DAY = dt.date(2020, 6, 1)
DAYS = tuple(FIRST_DAY + dt.timedelta(days=n) for n in range(20))
STITCHED = Grid("predecessor", 4326, "16km")
KEPT = Grid("native", 4326, "8km", tiled=True)
UNLIMITED = {"bandwidth_mbit_s": 0.0, "requests_per_s": 0.0, "ramp_up_s": 0.0}
BARS = (
    # ours, rival, how many times faster ours must be at least
    ("ours, 20 dates", "gdal_translate, 20 dates", 4.0),
    ("ours, 20 dates", "gdal_translate tuned, 20 dates", 4.0),
    ("ours, 1 date", "gdal_translate, 1 date", 10.0),
    ("ours, 1 date", "gdal_translate tuned, 1 date", 10.0),
    ("ours, 1000 tiles kept", "curl -Z, 1000 tiles", 1 / 1.5),
    ("gibswatch download, 20 dates", "gdal_translate, 20 dates", 4.0),
    ("gibswatch download, 1 date", "gdal_translate, 1 date", 10.0),
    ("gibswatch download, kept", "curl -Z, 1000 tiles", 1 / 1.5),
)


@dataclass(frozen=True)
class Bench:
    """Where the server is, and how to be asked."""

    base_url: str

    def ours(self, days: Sequence[dt.date], grid: Grid, folder: Path) -> None:
        """Download in this process, everything imported."""
        settings = Settings(base_url=self.base_url, connections=32, **UNLIMITED)
        summary = download_days(folder, find_layer(LAYER), grid, days, settings)
        if (summary.days_complete, summary.fetched) != (len(days), 50 * len(days)):
            raise RuntimeError(f"not all tiles came: {summary}")

    def command(self, days: Sequence[dt.date], grid: Grid, folder: Path) -> None:
        """Download by the command line, from the start of the process."""
        env = {**os.environ, **{f"GIBSWATCH_{k.upper()}": f"{v}" for k, v in UNLIMITED.items()}}
        kept = ["--grid", "native", "--tile-resolution", "8km", "--tiled-world"]
        stop = days[-1] + dt.timedelta(days=1)
        subprocess.run(
            [sys.executable, "-m", "gibswatch.cli.main", "download", "--layer-name", LAYER,
             "--start-date", f"{days[0]}", "--end-date", f"{stop}", "--output-dir", folder,
             "--base-url", self.base_url, "--connections", "32", *(kept if grid.tiled else [])],
            check=True, env=env, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def cases(self) -> Mapping[str, Callable[[Path], None]]:
        """Every case, in the order in which a round runs them."""
        names = [day.isoformat() for day in DAYS]
        gdal = partial(gdal_translate, self.base_url)
        tuned = partial(gdal, connections=32)
        return {
            "ours, 20 dates": partial(self.ours, DAYS, STITCHED),
            "gdal_translate, 20 dates": partial(gdal, names),
            "gdal_translate tuned, 20 dates": partial(tuned, names),
            "gibswatch download, 20 dates": partial(self.command, DAYS, STITCHED),
            "ours, 1 date": partial(self.ours, DAYS[:1], STITCHED),
            "gdal_translate, 1 date": partial(gdal, names[:1]),
            "gdal_translate tuned, 1 date": partial(tuned, names[:1]),
            "gibswatch download, 1 date": partial(self.command, DAYS[:1], STITCHED),
            "ours, 1000 tiles kept": partial(self.ours, DAYS, KEPT),
            "curl -Z, 1000 tiles": partial(curl, self.base_url, names),
            "gibswatch download, kept": partial(self.command, DAYS, KEPT),
        }


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    seconds: float
    """On the clock."""
    cpu_s: float
    """Of all cores, of this process and those that it started; the server is left out."""


def measure(case: Callable[[Path], None]) -> Cost:
    """Run once into an empty folder."""
    with tempfile.TemporaryDirectory(prefix="gibswatch-bench-") as folder:
        cpu_before, started = sum(os.times()[:4]), time.perf_counter()
        case(Path(folder))
        return Cost(time.perf_counter() - started, sum(os.times()[:4]) - cpu_before)


@contextlib.contextmanager
def tile_server(folder: Path, delay_s: float) -> Iterator[str]:
    """Run the server of tiles in another process; gives its address."""
    command = [sys.executable, Path(__file__).with_name("_tile_server.py"), folder]
    with subprocess.Popen(
        [*command, "--delay", f"{delay_s}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()


def report(costs: Mapping[str, Sequence[Cost]]) -> bool:
    """Print every case and every bar; return whether all bars against the defaults are met."""
    seconds = {name: [cost.seconds for cost in runs] for name, runs in costs.items()}
    for name, values in seconds.items():
        middle, best, worst = statistics.median(values), min(values), max(values)
        cpu_s = statistics.median(cost.cpu_s for cost in costs[name])
        print(f"{name:<32} median {middle:6.3f} s  {best:.3f} to {worst:.3f} s  CPU {cpu_s:6.2f} s")
    good = True
    for ours, rival, bar in BARS:
        if ours not in seconds or rival not in seconds:
            continue
        ratios = [b / a for a, b in zip(seconds[ours], seconds[rival], strict=True)]
        middle = statistics.median(ratios)
        print(
            f"{rival} / {ours}: median {middle:.2f}, {min(ratios):.2f} to {max(ratios):.2f}; "
            f"bar {bar:.2f}: {'met' if middle >= bar else 'MISSED'}"
        )
        good &= middle >= bar or "tuned" in rival or "gibswatch" in ours
    return good


def profile(bench: Bench, names: Sequence[str]) -> None:
    """Print where the time of our own cases goes (the main thread; the others only wait)."""
    for name in names:
        profiler = cProfile.Profile()
        profiler.runcall(measure, bench.cases()[name])
        print(name)
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def capacity(tiles: Path) -> float:
    """Tiles a second that the server sends without a delay, asked by curl."""
    with tile_server(tiles, 0.0) as base_url:
        days = [day.isoformat() for day in DAYS]
        return 1000 / min(measure(partial(curl, base_url, days)).seconds for _ in range(3))


def main() -> int:
    """Print the table; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    parser.add_argument("--real", type=Path, help="folder of 50 real tiles, one a day")
    parser.add_argument("--profile", action="store_true", help="profile ours instead of measuring")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tiles = Path(folder)
        real = options.real
        length = write_real_tiles(tiles, real) if real else write_drawn_tiles(tiles)
        print(f"50 {'real' if real else 'drawn'} tiles of {length} bytes in the mean; {versions()}")
        print(f"the server alone, by curl without delay: {capacity(tiles):.0f} tiles/s", flush=True)
        with tile_server(tiles, 0.05) as base_url:
            bench = Bench(base_url)
            cases = {name: run for name, run in bench.cases().items() if options.only in name}
            for name, run in cases.items():  # once for nothing: imports and kernels are warm
                if name.startswith("ours"):
                    measure(run)
            if options.profile:
                profile(bench, [name for name in cases if name.startswith("ours")])
                return 0
            costs: dict[str, list[Cost]] = {name: [] for name in cases}
            for _ in range(options.rounds):
                for name, run in cases.items():
                    costs[name].append(measure(run))
    cores, load = os.cpu_count(), os.getloadavg()[0]
    print(
        f"{options.rounds} rounds, {cores} cores, load {load:.1f}, Python {sys.version.split()[0]}"
    )
    return 0 if report(costs) else 1


if __name__ == "__main__":
    sys.exit(main())
