"""How long it takes to say what a day should show, on one core.

Run: taskset -c 0 .venv/bin/python benchmarks/speed/sky.py [--days 9]

Cold: a fresh process after the import, its first day, tables and all.  Warm: other days of the same
grid.  Both as seconds on the wall and of the processor: on a busy machine only the latter hold.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import subprocess
import sys
import time

from gibswatch.sky.expectation import expect
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import Georeference

COLD = """
import datetime as dt, time
from gibswatch.sky.expectation import expect
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import Georeference
grid = Georeference(4326, -180.0, 90.0, 360 / 2048, 180 / 1024, 1024, 2048)
wall, cpu = time.perf_counter(), time.process_time()
expect(SATELLITES[{name!r}], grid, dt.date({day}))
print(time.perf_counter() - wall, time.process_time() - cpu)
"""
CASES = {"SNPP": "2017, 1, 1", "Terra": "2017, 1, 1", "SNPP, eclipse": "2017, 8, 21"}
WIDTHS = (512, 1024, 2048, 4096)
RUNS = 3


def cold(name: str, day: str) -> tuple[float, float]:
    """Wall and processor seconds of the first day of a fresh process; best of three."""
    code = COLD.format(name=name.split(",", maxsplit=1)[0], day=day)
    runs = []
    for _ in range(RUNS):
        ended = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        )
        wall, cpu = (float(word) for word in ended.stdout.split())
        runs.append((wall, cpu))
    return min(runs)


def warm(name: str, width: int, days: int) -> tuple[list[float], list[float]]:
    """Wall and processor seconds of further days."""
    rows = width // 2
    grid = Georeference(4326, -180.0, 90.0, 360 / width, 180 / rows, rows, width)
    walls, cpus = [], []
    for offset in range(days + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        expect(SATELLITES[name], grid, dt.date(2017, 3, 1) + dt.timedelta(days=11 * offset))
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return walls[1:], cpus[1:]


def main() -> None:
    """Print cold and warm times, and times by the size of the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=9)
    days = parser.parse_args().days
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    print(f"cores {len(os.sched_getaffinity(0))}, load {os.getloadavg()[0]:.1f}")
    for name, day in CASES.items():
        wall, cpu = cold(name, day)
        print(f"cold 2048x1024 {name:<14} wall {wall * 1e3:6.0f} ms   cpu {cpu * 1e3:6.0f} ms")
    for name in ("SNPP", "Terra"):
        for width in WIDTHS:
            walls, cpus = warm(name, width, days)
            wall, cpu = statistics.median(walls) * 1e3, statistics.median(cpus) * 1e3
            each = cpu * 1e6 / (width * width / 2)
            print(
                f"warm {width}x{width // 2:<5} {name:<14} wall {wall:6.0f} ms   cpu {cpu:6.0f} ms "
                f"(best {min(cpus) * 1e3:.0f})   {each:.0f} ns a pixel"
            )


if __name__ == "__main__":
    main()
