"""Fault plans: which requests get a broken answer, and how it is broken.

A `FaultPlan` is a pure function of the request, of how often it was made before, and of the plan's
seed: the same plan breaks the same tiles in whatever order they are asked for.  The middleware that
acts on it is `gibswatch.simulate.server.fault_injector.FaultInjector`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from gibswatch.simulate.server.fault_file import read_rules
from gibswatch.simulate.server.fault_mix import EVERY_FAULT
from gibswatch.simulate.server.fault_rules import (
    EFFECTS,
    PROTOCOLS,
    Asked,
    Effect,
    FaultRule,
    How,
    ProtocolName,
    check,
)

__all__ = [
    "EFFECTS",
    "PROTOCOLS",
    "Asked",
    "Effect",
    "FaultPlan",
    "FaultRule",
    "How",
    "ProtocolName",
]


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Rules in order; the first that applies to a request breaks its answer.

    Examples
    --------
    >>> import datetime
    >>> plan = FaultPlan((FaultRule("status", row=(2, 2), first=1),))
    >>> tile = Asked("wmts", "A_Layer", 4326, datetime.date(2023, 8, 7), 3, 2, 4)
    >>> plan.rule(tile, earlier=0).status, plan.rule(tile, earlier=1)
    (503, None)
    """

    rules: tuple[FaultRule, ...] = ()
    seed: int = 0

    def rule(self, asked: Asked, *, earlier: int = 0) -> FaultRule | None:
        """Return the rule for a request that was made `earlier` times before, if any.

        Parameters
        ----------
        asked : Asked
        earlier : int
            Requests for the same before this one.
        """
        for index, rule in enumerate(self.rules):
            used_up = rule.first is not None and earlier >= rule.first
            if rule.selects(asked) and not used_up and self.chance(asked, index) < rule.rate:
                return rule
        return None

    def chance(self, asked: Asked, index: int = 0) -> float:
        """Return a number of 0 to 1 that belongs to a request, a rule and the seed.

        It does not depend on the protocol: a tile is the same by whatever address.
        """
        tile = (asked.layer, asked.epsg, asked.date, asked.level, asked.row, asked.col, asked.rest)
        words = "\n".join(str(word) for word in (self.seed, index, *tile))
        digest = hashlib.sha256(words.encode()).digest()
        return int.from_bytes(digest[:7], "big") / 2.0**56

    @classmethod
    def from_toml(cls, path: Path) -> FaultPlan:
        """Read a plan: ``seed`` and a ``[[fault]]`` for every rule, with the fields of `FaultRule`.

        Raises
        ------
        UsageError
            If the file cannot be read, is not TOML, or has a key or value that cannot be.
        """
        return cls(*read_rules(path))

    @classmethod
    def parse(cls, text: str) -> FaultPlan:
        """Return the plan that a command line names: ``random``, ``random:SEED``, or a file.

        Raises
        ------
        UsageError
            If it is none of these.
        """
        word, _, seed = text.partition(":")
        if word != "random":
            return cls.from_toml(Path(text))
        good = not text.endswith(":") and (not seed or (seed.isascii() and seed.isdecimal()))
        check(good, f"fault plan {text!r} has no seed of 0 or more: write random:7")
        return cls.random(int(seed or 0))

    @classmethod
    def random(cls, seed: int, rate: float = 0.01) -> FaultPlan:
        """Return a plan that breaks a share of all tiles, each in one of all ways there are.

        Parameters
        ----------
        seed : int
        rate : float
            Share (0-1) of the tiles.  Some of the faults pass with the first or second request.

        Raises
        ------
        UsageError
            If the rate is not a share.
        """
        check(0.0 <= rate <= 1.0, f"rate {rate} is not a share: give 0 to 1")
        # Every rule draws for itself among those that the rules before it left: equal parts.
        left = [1.0 - rate * n / len(EVERY_FAULT) for n in range(len(EVERY_FAULT))]
        part = rate / len(EVERY_FAULT)
        shares = [min(1.0, part / share) if share > 0 else 1.0 for share in left]
        rules = zip(EVERY_FAULT, shares, strict=True)
        return cls(tuple(replace(rule, rate=share) for rule, share in rules), seed)
