"""Every call passes the gate, leaves a row, and a long outage is told to a person once."""

import asyncio
from collections import deque

import pytest
from structlog.testing import capture_logs

from connectors.sdk.errors import RateLimited, Rejected, Transient
from hub.delivery.breaker import Circuit
from hub.services.calls import Target, VendorCalls
from tests.support.toy_channel import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def ask(desk: Desk) -> object:
    return await desk.calls.make(Target("read", "check", "shop"), desk.vendor.check)


async def test_every_call_is_an_attempt_row(desk: Desk) -> None:
    """Outcome, code, status and the vendor's correlation id are kept; bodies are not."""
    error = Rejected("no", code="E42", status=422, correlation_id="req-7")
    desk.vendor.faults["check"] = deque([error, None])
    refused = await desk.calls.make(Target("read", "check", "shop", reference="r1"), desk.vendor.check)
    assert refused is not None
    row = refused.attempt
    assert (row.outcome, row.code, row.status, row.correlation_id) == ("rejected", "E42", 422, "req-7")
    assert (row.kind, row.target, row.reference, row.direction) == ("check", "shop", "r1", "out")
    fine = await ask(desk)
    assert fine is not None
    assert [outcome for *_, outcome in desk.telemetry.attempts] == ["rejected", "ok"]


async def test_an_open_circuit_uses_nothing_up_and_shows(desk: Desk) -> None:
    """Twenty failures open it: the account's row says so, and calls are refused without being made."""
    desk.vendor.down = Transient("refused")
    for _ in range(20):
        await ask(desk)
    assert desk.accounts.row("shop").circuit == Circuit.OPEN.value
    made = desk.vendor.count("check")
    assert await ask(desk) is None
    assert desk.vendor.count("check") == made
    assert desk.calls.wait_s("read") == 30.0


async def test_a_cancelled_probe_does_not_shut_the_gate(desk: Desk) -> None:
    """The probe's task is cancelled in mid-call: the next one may probe."""
    desk.vendor.down = Transient("refused")
    for _ in range(20):
        await ask(desk)
    desk.clock.advance(30.0)

    async def hangs() -> None:
        await asyncio.Event().wait()

    probe = asyncio.create_task(desk.calls.make(Target("read", "check", "shop"), hangs))
    await asyncio.sleep(0)
    assert await ask(desk) is None, "one probe at a time"
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    assert await ask(desk) is not None


async def test_half_a_day_alerts_once_and_five_days_disable(desk: Desk) -> None:
    """One line at twelve hours; at five days the account is held for a person."""
    desk.vendor.down = Transient("refused")
    with capture_logs() as logs:
        for _ in range(24 * 6):
            await ask(desk)
            desk.clock.advance(3_600.0)
    alerts = [line for line in logs if line["event"] == "account.failing_long"]
    assert [line["hours"] for line in alerts] == [12.0]
    assert desk.accounts.row("shop").held == "every call has failed for five days"


async def test_the_vendors_rest_is_counted(desk: Desk) -> None:
    """Seconds asked for by limits reach the metric exactly."""
    waits: list[float] = []
    desk.telemetry.rate_limit_wait = lambda _account, seconds: waits.append(seconds)  # type: ignore[method-assign]
    desk.vendor.faults["check"] = deque([RateLimited("slow", retry_after_s=7.5)])
    await ask(desk)
    assert waits == [7.5]


async def test_a_stopping_hub_begins_no_call(desk: Desk) -> None:
    """While draining the gate is shut for whatever has not begun."""
    calls = VendorCalls("shop", desk.gate, desk.accounts, desk.clock, desk.telemetry, lambda: True)
    assert await calls.make(Target("read", "check", "shop"), desk.vendor.check) is None
    assert calls.wait_s("read") > 25.0
    assert desk.vendor.calls == []
