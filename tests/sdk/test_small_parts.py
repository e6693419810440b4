"""The kit's small parts: exact JSON, paging guards, Retry-After, clocks, ids, the registry."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import registry
from connectors.sdk import exact
from connectors.sdk.clock import FixedJitter, ManualClock, SeededIds, SeededJitter, SystemClock, SystemIds, SystemJitter
from connectors.sdk.contract import ConnectorType
from connectors.sdk.errors import Transient
from connectors.sdk.paging import PageGuard
from connectors.sdk.retry import parse_retry_after
from tests.support.toy.connector import CONNECTOR

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@settings(deadline=None)
@given(st.integers())
def test_integers_of_any_size_survive(number: int) -> None:
    """In and out, digit for digit."""
    assert exact.loads(f'{{"id":{number}}}') == {"id": number}
    assert exact.dumps({"id": number}) == f'{{"id":{number}}}'.encode()


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_decimals_keep_their_digits(number: Decimal) -> None:
    """Scale included, and never a float."""
    found = exact.loads(f"[{number:f}]")[0]
    assert not isinstance(found, float)
    assert str(found) == f"{number:f}"
    assert exact.dumps([found]) == f"[{number:f}]".encode()


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_json_or_not_json(body: bytes) -> None:
    """No other error comes out."""
    with contextlib.suppress(exact.NotJson):
        exact.loads(body)


def test_depth_is_bounded() -> None:
    """A document nested without end is refused, not a crash."""
    with pytest.raises(exact.NotJson):
        exact.loads(b"[" * 100_000)


def test_equal_values_have_equal_bytes() -> None:
    """Key order does not matter for a digest."""
    assert exact.canonical({"b": 1, "a": [2]}) == exact.canonical({"a": [2], "b": 1}) == b'{"a":[2],"b":1}'


def test_a_repeated_cursor_stops_the_walk() -> None:
    """The same cursor twice is an error that shows, whatever lies between."""
    guard = PageGuard("orders")
    for cursor in (None, {"after": 1}, {"after": 2}):
        guard.enter(cursor)
    with pytest.raises(Transient) as caught:
        guard.enter({"after": 1})
    assert caught.value.code == "cursor_repeated"


def test_a_walk_has_an_end() -> None:
    """Cursors that are ever new end at the limit."""
    guard = PageGuard("orders", pages_max=3)
    for number in range(3):
        guard.enter(number)
    with pytest.raises(Transient) as caught:
        guard.enter(3)
    assert caught.value.code == "pages_exceeded"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120), ("0", 0), ("1.5", 1.5), (" 7 ", 7), ("99999999", 86_400),
        ("Mon, 05 Jan 2026 12:02:00 GMT", 120), ("Mon, 05 Jan 2026 11:00:00 GMT", 0),
        ("Wed, 05 Jan 2028 12:00:00 GMT", 86_400),
        ("", None), (None, None), ("soon", None), ("-5", None), ("1e9", None), ("٣", None), ("Mon, 99 Jan 2026", None),
    ],
)  # fmt: skip
def test_retry_after_in_both_forms(value: str | None, seconds: float | None) -> None:
    """Seconds or a date, at most a day, never negative; what cannot be read is no wait at all."""
    assert parse_retry_after(value, NOW) == seconds


async def test_concurrent_sleeps_do_not_add_up() -> None:
    """Two tasks asleep at once wake at their own times."""
    clock = ManualClock()
    await asyncio.gather(clock.sleep(1), clock.sleep(3), clock.sleep(2))
    assert clock.monotonic() == 3
    assert clock.slept == [1, 3, 2]


def test_a_clock_is_aware_and_runs_forward() -> None:
    """Naive starts and steps back are refused."""
    with pytest.raises(ValueError, match="aware"):
        ManualClock(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="backwards"):
        ManualClock().advance(-1)
    assert SystemClock().now().tzinfo is UTC


def test_seeds_repeat() -> None:
    """The same seed gives the same ids and the same chances, another one others."""
    assert SeededIds(1).uuid() == SeededIds(1).uuid() != SeededIds(2).uuid()
    assert SeededJitter(1)() == SeededJitter(1)() != SeededJitter(2)()
    assert SystemIds().uuid() != SystemIds().uuid()
    assert 0 <= SystemJitter()() < 1
    with pytest.raises(ValueError, match="0, 1"):
        FixedJitter(1)


def test_an_unknown_connector_is_told_with_those_known() -> None:
    """The message lists the names there are."""
    with pytest.raises(registry.UnknownConnector, match=r"known are: .*amazon, .*ebay, .*shopify, .*walmart"):
        registry.get("shopfiy")
    assert {"amazon", "amazon_vendor", "ebay", "shopify", "walmart"} <= set(registry.names())


@pytest.mark.parametrize(("exported", "problem"), [(None, "exports no CONNECTOR"), (CONNECTOR, "calls itself 'toy'")])
def test_a_broken_connector_folder_is_told(
    monkeypatch: pytest.MonkeyPatch, exported: ConnectorType | None, problem: str
) -> None:
    """A folder without the export, or with another's name in its manifest."""
    module = ModuleType("connectors.walmart")
    module.CONNECTOR = exported  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "connectors.walmart", module)
    registry.get.cache_clear()
    with pytest.raises(registry.UnknownConnector, match=problem):
        registry.get("walmart")
    registry.get.cache_clear()


def test_the_product_does_not_import_the_suite() -> None:
    """Importing every part of the kit that runs in production loads neither pytest nor the contract suite."""
    parts = "http auth budget signing paging egress sandbox faults emitter clock exact"
    code = f"import sys; from connectors import registry; from connectors.sdk import {parts.replace(' ', ', ')}; "
    code += "sys.exit(any(name in sys.modules for name in ('pytest', 'connectors.sdk.contract_suite')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).resolve().parents[2], check=False)
    assert done.returncode == 0
