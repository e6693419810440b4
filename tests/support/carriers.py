"""A carrier's connector opened on its sandbox, or on answers a test makes up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx

from canonical import TrackingUpdate
from connectors.sdk.carrier_sandbox import CarrierSandbox
from connectors.sdk.clock import FixedJitter, ManualClock, MemoryTokens, SeededIds
from connectors.sdk.contract import AccountContext, CallRecord, ConnectorType, Envelope, WebhookRequest
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Secret
from mappings import MapContext, MappingSet

ACCOUNT = "carrier"


@dataclass
class World:
    """`sandbox` is None where the answers are the test's own."""

    connector: Any
    clock: ManualClock
    sandbox: Any = None
    calls: list[CallRecord] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)

    def updates(self, *envelopes: Envelope) -> list[TrackingUpdate]:
        """What the envelopes mean by the shipped mappings."""
        name = self.connector.manifest.name
        context = MapContext(ACCOUNT, name, self.clock.now())
        mapping = _mapping(name)
        documents = [document for each in envelopes for document in mapping.map(each.topic, each.payload, context)]
        assert all(isinstance(document, TrackingUpdate) for document in documents)
        return documents  # type: ignore[return-value]

    def current(self, *envelopes: Envelope) -> TrackingUpdate:
        (found,) = (document for document in self.updates(*envelopes) if document.current)
        return found


@cache
def _mapping(name: str) -> MappingSet:
    return MappingSet.load(name)


def context(clock: ManualClock, section: Mapping[str, Any], **changed: Any) -> AccountContext:
    given: dict[str, Any] = {
        "account": ACCOUNT,
        "base_url": section.get("base_url"),
        "auth_url": section.get("auth_url"),
        "credentials": {name: Secret(str(value)) for name, value in section.get("credentials", {}).items()},
        "options": dict(section.get("options", {})),
        "locations": {},
        "public_url": None,
        "clock": clock,
        "ids": SeededIds(1),
        "jitter": FixedJitter(0.5),
        "tokens": MemoryTokens(),
    }
    return AccountContext(**{**given, **changed})


@asynccontextmanager
async def beside_sandbox(
    kind: ConnectorType, *, seed: int = 1, faults: Faults | None = None, **options: Any
) -> AsyncIterator[World]:
    """The connector on a started sandbox; both share a clock that moves when somebody waits."""
    clock = ManualClock()
    assert kind.sandbox is not None
    sandbox: CarrierSandbox = kind.sandbox(seed=seed, faults=faults or Faults(seed=seed), clock=clock)
    sandbox.hang_s, sandbox.pace = 0.05, 10_000.0
    await sandbox.start()
    try:
        section = sandbox.account_section()
        section["options"] = {**section.get("options", {}), **options}
        calls: list[CallRecord] = []
        connector = kind.open(context(clock, section, on_call=calls.append))
        try:
            yield World(connector, clock, sandbox, calls)
        finally:
            await connector.close()
    finally:
        await sandbox.stop()
    assert sandbox.defects == []


@asynccontextmanager
async def answered(
    kind: ConnectorType,
    answer: Callable[[httpx.Request], httpx.Response],
    section: Mapping[str, Any],
) -> AsyncIterator[World]:
    """The connector in front of made-up answers; every request is kept."""
    clock = ManualClock()
    requests: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answer(request)

    connector = kind.open(context(clock, section, transport=httpx.MockTransport(reply)))
    try:
        yield World(connector, clock, requests=requests)
    finally:
        await connector.close()


def incoming(body: bytes, headers: Mapping[str, str], at: datetime | None = None) -> WebhookRequest:
    """A webhook as intake hands it on."""
    lowered = {name.lower(): value for name, value in headers.items()}
    return WebhookRequest("POST", f"/webhooks/{ACCOUNT}", lowered, body, at or datetime(2026, 11, 21, 12, tzinfo=UTC))
