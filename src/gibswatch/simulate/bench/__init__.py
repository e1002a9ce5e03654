"""Benchmark sets: versioned lists of archives to simulate, built with their truth and a card."""

from __future__ import annotations

from gibswatch.simulate.bench.build import build_set, fault_days, plan_orders
from gibswatch.simulate.bench.card import read_card
from gibswatch.simulate.bench.definition import (
    PARTS,
    ArchivePlan,
    BenchSet,
    Part,
    Recipe,
    read_set,
    set_names,
)

__all__ = [
    "PARTS",
    "ArchivePlan",
    "BenchSet",
    "Part",
    "Recipe",
    "build_set",
    "fault_days",
    "plan_orders",
    "read_card",
    "read_set",
    "set_names",
]
