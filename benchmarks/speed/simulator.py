"""How long simulated days take, on one core, and how much memory.

Run: taskset -c 0 .venv/bin/python benchmarks/speed/simulator.py [--days 5] [--invented]

Seconds on the wall and of the processor: on a busy machine only the latter hold.  Every case runs
in a fresh process, so that the memory is its own; its first day, with all tables, is told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys

CASE = """
import datetime as dt, json, resource, sys, time
from dataclasses import replace
from gibswatch.simulate.days.day import picture_bytes, simulate_day
from gibswatch.simulate.days.faults.draw import draw_day
from gibswatch.types import Georeference
satellite, product, kind, days, invented, faults = json.loads(sys.argv[1])
grid = {
    "globe": Georeference(4326, -180.0, 90.0, 360 / 2048, 180 / 1024, 1024, 2048),
    "tile": Georeference(4326, -36.0, 18.0, 0.0703125, 0.0703125, 512, 512),
    "polar": Georeference(3413, -4194304.0, 4194304.0, 8192.0, 8192.0, 1024, 1024),
}[kind]
seconds = []
for offset in range(days + 1):
    day = dt.date(2016, 4, 12) + dt.timedelta(days=11 * offset)
    spec = draw_day(offset, satellite, product, day, faults=faults, invented=invented)
    wall, cpu = time.perf_counter(), time.process_time()
    simulate_day(spec, grid)
    seconds.append((time.perf_counter() - wall, time.process_time() - cpu))
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
    ("SNPP", "TrueColor", "polar", "none"),
)


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--invented", action="store_true", help="without Blue Marble")
    options = parser.parse_args()
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    print(f"cores {len(os.sched_getaffinity(0))}, load {os.getloadavg()[0]:.1f}")
    for satellite, product, kind, faults in CASES:
        words = json.dumps([satellite, product, kind, options.days, options.invented, faults])
        ended = subprocess.run(
            [sys.executable, "-c", CASE, words],
            check=True, capture_output=True, text=True, env=environment,
        )  # fmt: skip
        seconds, memory = json.loads(ended.stdout)
        wall = statistics.median(first for first, _ in seconds[1:])
        cpu = statistics.median(second for _, second in seconds[1:])
        print(
            f"{satellite:8}{product:14}{kind:7}faults {faults:7} first {seconds[0][1]:5.2f} s   "
            f"then wall {wall:5.2f} s  cpu {cpu:5.2f} s   memory {memory:4.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
