"""How long the command takes to say its help, and the catalogue to load.

Run: .venv/bin/python benchmarks/speed/startup.py [--runs 15]

Each round runs every case once, in turn, so that all see the same load; an empty interpreter is the
base that no program can go below.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

CASES = {
    "python -c pass": "pass",
    "import numpy": "import numpy",
    "gibswatch --help": "from gibswatch.cli.main import main; main(['--help'])",
    "load_catalogue": "from gibswatch.catalogue.layers import load_catalogue; load_catalogue()",
}


def measure(code: str) -> float:
    """Seconds of one fresh interpreter."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Print median, best and worst of each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    seconds: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(runs):
        for name, code in CASES.items():
            seconds[name].append(measure(code))
    print(f"{runs} rounds, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
    for name, values in seconds.items():
        middle, best, worst = statistics.median(values), min(values), max(values)
        print(f"{name:<18} median {middle:.3f} s   {best:.3f} to {worst:.3f} s")


if __name__ == "__main__":
    main()
