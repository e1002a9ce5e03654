"""How long simulated days take, on one core, and how much memory.

Run: taskset -c 0 .venv/bin/python benchmarks/speed/simulator.py [--days 5] [--only tile]

Seconds on the wall and of the processor: on a busy machine only the latter hold, and they too grow
with the load, as neighbours take the cache.  Every case runs in a fresh process, so that the memory
is its own.  Cold is the first picture of the process, with all tables; the imports before it are
told apart.  Warm are those after it: the median, and the least, which the load touches least.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys

CASE = """
import json, resource, sys, time
def now():
    return time.perf_counter(), time.process_time()
clock = [now()]
import datetime as dt, tempfile
from pathlib import Path
from gibswatch.archive import Layout
from gibswatch.simulate.archiving.day_files import write_day
from gibswatch.simulate.days.day import simulate_day
from gibswatch.simulate.days.faults.draw import draw_day
from gibswatch.types import Georeference
satellite, product, kind, days, invented, faults = json.loads(sys.argv[1])
grid = {
    "globe": Georeference(4326, -180.0, 90.0, 360 / 2048, 180 / 1024, 1024, 2048),
    "tile": Georeference(4326, -36.0, 18.0, 0.0703125, 0.0703125, 512, 512),
    "fine": Georeference(4326, 9.0, 54.0, 0.002197265625, 0.002197265625, 512, 512),
    "polar": Georeference(3413, -4194304.0, 4194304.0, 8192.0, 8192.0, 1024, 1024),
    "large": Georeference(4326, -180.0, 90.0, 360 / 4096, 180 / 2048, 2048, 4096),
}[kind]
clock.append(now())
for offset in range(days + 1):
    day = dt.date(2016, 4, 12) + dt.timedelta(days=11 * offset)
    spec = draw_day(offset, satellite, product, day, faults=faults, invented=invented)
    if kind == "large":
        with tempfile.TemporaryDirectory() as folder:
            write_day(Layout(Path(folder), spec.layer, 4326), spec, grid)
    else:
        simulate_day(spec, grid)
    clock.append(now())
seconds = [[b - a for a, b in zip(*two)] for two in zip(clock, clock[1:])]
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
CASES = (
    ("SNPP", "TrueColor", "globe", "none"),
    ("Terra", "TrueColor", "globe", "none"),
    ("SNPP", "TrueColor", "globe", "random"),
    ("Terra", "Bands721", "globe", "none"),
    ("Terra", "Data_No_Data", "globe", "none"),
    ("Terra", "TrueColor", "tile", "none"),
    ("SNPP", "TrueColor", "tile", "none"),
    ("Terra", "TrueColor", "fine", "none"),
    ("SNPP", "TrueColor", "polar", "none"),
    ("SNPP", "TrueColor", "large", "random"),
)


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=5, help="warm ones (large: two at most)")
    parser.add_argument("--invented", action="store_true", help="without Blue Marble")
    parser.add_argument("--only", default="", help="cases of this satellite, product or grid")
    options = parser.parse_args()
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    print(f"cores {len(os.sched_getaffinity(0))}; seconds of the processor (on the wall)")
    heads = (("imports", 12), ("cold", 15), ("warm, median", 15), ("least", 7), ("memory", 11))
    print(" " * 41 + "".join(f"{head:>{width}}" for head, width in heads) + "  load")
    for satellite, product, kind, faults in CASES:
        if options.only not in ("", satellite, product, kind):
            continue
        days = min(options.days, 2) if kind == "large" else options.days
        words = json.dumps([satellite, product, kind, days, options.invented, faults])
        ended = subprocess.run(
            [sys.executable, "-c", CASE, words],
            check=True, capture_output=True, text=True, env=environment,
        )  # fmt: skip
        seconds, memory = json.loads(ended.stdout)
        walls, cpus = zip(*seconds, strict=True)
        print(
            f"{satellite:6}{product:14}{kind:7}faults {faults:7}"
            f"{cpus[0]:5.2f} ({walls[0]:4.2f})"
            f"{cpus[1]:7.2f} ({walls[1]:5.2f})"
            f"{statistics.median(cpus[2:]):7.2f} ({statistics.median(walls[2:]):5.2f})"
            f"{min(cpus[2:]):7.2f}{memory:8.0f} MB{os.getloadavg()[0]:6.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
