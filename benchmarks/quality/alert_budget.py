"""The alert budget on simulated clean days: how many alerts a month come of how many asked for.

Run: OPENBLAS_NUM_THREADS=1 .venv/bin/python benchmarks/quality/alert_budget.py [--part test]
     [--seed 1] [--coarser 4] [--folder FOLDER] [--window DAYS] [--believed SCORE]

Days of the set budget-1, judged as a scan judges them; archives of a layer stand in a row.  Alerts
are counted in blocks of 30 days that were not calibrated on: "before" calibrates on the days before
the block, as a watch does; "around" on all other days of the layer, as a scan that looks back.
2.5-97.5 % of 2000 bootstraps over blocks in brackets.  Of archives with faulty days, which are
calibrated on too, only the clean days are counted.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from _clean_days import (
    CleanArchive,
    ScoredDay,
    clean_archives,
    globe_archive,
    scored_days,
)

from gibswatch.scan import budget
from gibswatch.scan.budget import DAYS_A_MONTH, FEWEST_DAYS, spend

RATES = (1.0, 3.0, 10.0)
FAULTY = (0.02, 0.1)
"""Shares of faulty days of the archives that are calibrated with faults."""


@dataclass(frozen=True)
class Block:
    """Thirty days that were not calibrated on."""

    alerts: int
    """Of its clean days."""
    findings: int
    """Clean days that have a finding."""
    days: int
    """Clean days."""


def blocks(
    days: Sequence[ScoredDay], per_month: float, *, look_ahead: bool, window: int
) -> Iterator[Block]:
    """Count the alerts of an archive block by block.

    Parameters
    ----------
    days : sequence of ScoredDay
        In order.
    per_month : float
    look_ahead : bool
        Whether days after the block are calibrated on as well.
    window : int
        Calibrate on so many of the nearest days at most.
    """
    for first in range(0 if look_ahead else FEWEST_DAYS, len(days), DAYS_A_MONTH):
        block = days[first : first + DAYS_A_MONTH]
        known = [
            (first - n if n < first else n - first - DAYS_A_MONTH + 1, day.item)
            for n, day in enumerate(days)
            if n < first or (look_ahead and n >= first + DAYS_A_MONTH)
        ]
        near = [item for _, item in sorted(known, key=lambda pair: pair[0])[:window]]
        learned = spend([], per_month, others=near)[1]
        clean = [day.item for day in block if day.clean]
        yield Block(
            sum(learned.is_alert(round(item.score, 4)) for item in clean),
            sum(item.verdict == "anomalous" for item in clean),
            len(clean),
        )


def rate(found: Sequence[Block]) -> str:
    """Alerts in 30 clean days, with their interval."""
    alerts = np.array([block.alerts for block in found], dtype=float)
    days = np.array([block.days for block in found], dtype=float)
    picks = np.random.default_rng(0).integers(0, len(found), (2000, len(found)))
    drawn = DAYS_A_MONTH * alerts[picks].sum(axis=1) / days[picks].sum(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{DAYS_A_MONTH * alerts.sum() / days.sum():5.2f} ({low:.2f}-{high:.2f})"


def tell(archives: dict[str, list[ScoredDay]], window: int, *, look_ahead: bool) -> None:
    """Print the rates of archives, and of all of them."""
    total: dict[float, list[Block]] = {per_month: [] for per_month in RATES}
    for name, days in archives.items():
        rows = {k: list(blocks(days, k, look_ahead=look_ahead, window=window)) for k in RATES}
        for per_month, found in rows.items():
            total[per_month] += found
        _row(name, rows)
    if len(archives) > 1:
        _row("all", total)
    over = [abs(DAYS_A_MONTH * sum(b.alerts for b in found) / sum(b.days for b in found) / k - 1)
            for k, found in total.items()]  # fmt: skip
    print("  off by " + ", ".join(f"{share:.0%}" for share in over))


def _row(name: str, rows: dict[float, list[Block]]) -> None:
    known = rows[RATES[0]]
    days, findings = sum(b.days for b in known), sum(b.findings for b in known)
    told = "  ".join(rate(found) for found in rows.values())
    own = DAYS_A_MONTH * findings / days
    print(f"  {_short(name):<12} {days:5} days  {own:5.2f} findings  {told}", flush=True)


def _short(layer: str) -> str:
    """Satellite of a layer."""
    return layer.partition("_Corrected")[0].partition("_")[2] or layer


def tell_scores(archives: dict[str, list[ScoredDay]]) -> None:
    """Print what the scores look like: quantiles, ties, drift."""
    print("scores: quantiles .05 .5 .9 .967, most that tie, and .9 of each quarter of the days")
    for name, days in archives.items():
        scores = np.array([round(day.item.score, 4) for day in days if day.clean])
        ties = np.unique(scores, return_counts=True)[1].max()
        parts = [f"{np.quantile(part, 0.9):.3f}" for part in np.array_split(scores, 4)]
        shape = " ".join(f"{q:.3f}" for q in np.quantile(scores, [0.05, 0.5, 0.9, 0.967]))
        print(f"  {_short(name):<12} {shape}  {ties:4}  {' '.join(parts)}")


def by_layer(archives: Sequence[CleanArchive], folder: Path) -> dict[str, list[ScoredDay]]:
    """Judged days of each layer, one archive after the other."""
    found: dict[str, list[ScoredDay]] = {}
    for archive in archives:
        found.setdefault(archive.layer, []).extend(scored_days(archive, folder))
    return {
        layer: sorted(days, key=lambda day: str(day.item.date)) for layer, days in found.items()
    }


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--part", default="test", choices=["tune", "test"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--coarser", type=int, default=4)
    default = Path(tempfile.gettempdir()) / "gibswatch-clean-days"
    parser.add_argument("--folder", type=Path, default=default)
    parser.add_argument("--window", type=int, default=sys.maxsize, help="days to calibrate on")
    parser.add_argument("--believed", type=float, default=budget.BELIEVED_UNDER)
    options = parser.parse_args()
    budget.BELIEVED_UNDER = options.believed
    chosen = clean_archives(options.part, options.seed, options.coarser)
    tell_all(f"clean, {options.part}", by_layer(chosen, options.folder), options.window)
    for share in FAULTY:
        mixed = by_layer([replace(a, faulty=share) for a in chosen[:2]], options.folder)
        tell_all(f"{share:.0%} of the days faulty", mixed, options.window)
        tell_caught(mixed)
    globe = by_layer([globe_archive()], options.folder)
    tell_all("the globe at 256x128", globe, options.window)


def tell_all(title: str, layers: dict[str, list[ScoredDay]], window: int) -> None:
    """Print the rates of the days of some layers, both ways."""
    print(f"\n## {title}: {sum(map(len, layers.values()))} days, load {os.getloadavg()[0]:.1f}")
    tell_scores(layers)
    for look_ahead, name in ((False, "before"), (True, "around")):
        print(f"calibrated on the days {name}; asked for {RATES}")
        tell(layers, window, look_ahead=look_ahead)


def tell_caught(archives: dict[str, list[ScoredDay]]) -> None:
    """Print how many faulty days are alerts."""
    for per_month in RATES:
        for days in archives.values():
            told, learned = spend([day.item for day in days], per_month)
            bad = [item for item, day in zip(told, days, strict=True) if not day.clean]
            found = sum(item.verdict == "anomalous" for item in bad)
            hit = sum(bool(item.alert) for item in bad)
            print(f"  {learned}: {hit} of {len(bad)} faulty days are alerts, {found} have findings")


if __name__ == "__main__":
    main()
