"""Bad manners on request: how often a sandbox misbehaves, and how often it did."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rate_limit": "429 with Retry-After",
        "rate_limit_bare": "429 without Retry-After",
        "server_error": "5xx, nothing applied",
        "timeout_before": "no answer, nothing applied",
        "timeout_after_apply": "no answer, but applied",
        "drop_connection": "connection cut, nothing applied",
        "slow": "an answer that takes its time",
        "duplicate_webhook": "the same delivery twice",
        "reordered_webhook": "a delivery overtaken by later ones",
        "lost_webhook": "a delivery that never comes",
        "late_read": "a read that does not show the last write yet",
        "partial_failure": "one item of a batch fails, the others work",
        "feed_noop": "a batch reported as processed with nothing changed",
        "expired_token": "a good token refused as expired",
        "late_ack": "a partner's acknowledgement that takes its time",
        "missing_ack": "a partner's acknowledgement that never comes",
        "duplicate_interchange": "the same file twice",
        "wrong_count": "a set that miscounts its segments",
        "control_reset": "control numbers that begin again",
        "partial_acceptance": "a part of what was asked for, the rest later or never",
        "damaged_file": "a file that breaks off",
    }
)
"""Every fault a sandbox may know, and what it does."""

FAULT_PROFILES: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "none": MappingProxyType({}),
        "bad-manners": MappingProxyType(
            {
                "rate_limit": 0.02,
                "rate_limit_bare": 0.01,
                "server_error": 0.02,
                "timeout_before": 0.002,
                "timeout_after_apply": 0.002,
                "drop_connection": 0.01,
                "slow": 0.03,
                "duplicate_webhook": 0.10,
                "reordered_webhook": 0.10,
                "lost_webhook": 0.02,
                "late_read": 0.05,
                "partial_failure": 0.03,
                "feed_noop": 0.05,
                "expired_token": 0.01,
                "late_ack": 0.10,
                "missing_ack": 0.05,
                "duplicate_interchange": 0.10,
                "wrong_count": 0.05,
                "control_reset": 0.02,
                "partial_acceptance": 0.10,
                "damaged_file": 0.03,
            }
        ),
        "webhooks": MappingProxyType({"duplicate_webhook": 0.3, "reordered_webhook": 0.3, "lost_webhook": 0.1}),
        "outage": MappingProxyType({"server_error": 0.7, "drop_connection": 0.3}),
    }
)


class Faults:
    """Decides, repeatably for a seed, when a sandbox misbehaves.

    Each fault has its own sequence of chances, so that asking about one never shifts another.
    `counts` holds how often each struck: a run meant to be bad in which nothing struck proves
    nothing.
    """

    def __init__(self, rates: Mapping[str, float] | None = None, seed: int = 0) -> None:
        self._seed = seed
        self._rates: dict[str, float] = {}
        self._forced: Counter[str] = Counter()
        self._chances: dict[str, random.Random] = {}
        self.counts: Counter[str] = Counter()
        for name, rate in (rates or {}).items():
            self.set(name, rate)

    @classmethod
    def parse(cls, text: str, seed: int = 0) -> Faults:
        """Read a profile's name, or `name=0.1,other=0.05`.

        Raises:
            ValueError: Saying what is known, or which part is malformed.
        """
        wanted = text.strip()
        if wanted in FAULT_PROFILES:
            return cls(FAULT_PROFILES[wanted], seed)
        rates: dict[str, float] = {}
        for part in wanted.split(","):
            name, equals, number = (piece.strip() for piece in part.partition("="))
            if not equals:
                profiles = ", ".join(FAULT_PROFILES)
                raise ValueError(
                    f"{part.strip()!r} is neither a profile ({profiles}) nor a fault with a rate (name=0.1)"
                )
            try:
                rates[name] = float(number)
            except ValueError:
                raise ValueError(f"{name}: {number!r} is not a rate between 0 and 1") from None
        return cls(rates, seed)

    @property
    def rates(self) -> Mapping[str, float]:
        return MappingProxyType(self._rates)

    def set(self, name: str, rate: float) -> None:
        """Change one rate from now on; 0 ends the fault."""
        self._known(name)
        if not 0 <= rate <= 1:
            raise ValueError(f"{name}: {rate} is not a rate between 0 and 1")
        self._rates[name] = rate

    def force(self, name: str, times: int = 1) -> None:
        """Let it strike for certain the next `times` times it is asked about."""
        self._known(name)
        self._forced[name] += times

    def calm(self) -> None:
        """End every fault, forced ones included; `counts` stay."""
        self._rates.clear()
        self._forced.clear()

    def hit(self, name: str) -> bool:
        """Whether the fault strikes this time."""
        self._known(name)
        struck = self._forced[name] > 0 or self._draw(name)
        if self._forced[name] > 0:
            self._forced[name] -= 1
        if struck:
            self.counts[name] += 1
        return struck

    def _draw(self, name: str) -> bool:
        rate = self._rates.get(name, 0.0)
        if rate <= 0:
            return False
        chance = self._chances.setdefault(name, random.Random(f"{self._seed}:{name}"))  # noqa: S311 - repeatable
        return chance.random() < rate

    @staticmethod
    def _known(name: str) -> None:
        if name not in FAULTS:
            raise ValueError(f"no fault is called {name!r}; known are: {', '.join(FAULTS)}")


SPARED_USES: Final = 24
"""First uses of a renewed token that are spared: other calls may use it before the refused one is repeated."""


class ExpiredTokens:
    """The fault `expired_token` at a sandbox's gate: a good token is refused as if its time were over.

    The token fetched because of that is spared at its first uses: a vendor does not refuse what it has
    only just issued, and a client that renews once would otherwise be told that its login is wrong.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._spared: dict[str, int] = {}
        self._spare_next = False

    def issued(self, token: str) -> None:
        """A login gave this token out."""
        if self._spare_next:
            self._spared[token] = SPARED_USES
            self._spare_next = False

    def refuses(self, token: str) -> bool:
        """Whether this good token is called expired, this time."""
        left = self._spared.get(token, 0)
        if left:
            self._spared[token] = left - 1
            return False
        self._spared.pop(token, None)
        struck = self._faults.hit("expired_token")
        self._spare_next = self._spare_next or struck
        return struck
