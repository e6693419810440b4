"""What the kit's tests share: an account on a clock that tests move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connectors.sdk.clock import FixedJitter, ManualClock, MemoryTokens, SeededIds
from connectors.sdk.contract import AccountContext, CallRecord
from connectors.sdk.ports import Secret


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def calls() -> list[CallRecord]:
    return []


@pytest.fixture
def account(clock: ManualClock, calls: list[CallRecord]) -> Callable[..., AccountContext]:
    """Makes an account context; any part can be given."""

    def make(**given: Any) -> AccountContext:
        parts: dict[str, Any] = {
            "account": "acme",
            "base_url": "https://api.vendor.example",
            "auth_url": None,
            "credentials": {"client_id": Secret("id-1"), "client_secret": Secret("very-secret")},
            "options": {},
            "locations": {},
            "public_url": None,
            "clock": clock,
            "ids": SeededIds(),
            "jitter": FixedJitter(0.5),
            "tokens": MemoryTokens(),
            "on_call": calls.append,
        }
        return AccountContext(**{**parts, **given})

    return make
