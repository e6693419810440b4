"""A sandbox, a connector opened on it, and what a test does with the two."""

# ruff: noqa: S101 - these are tests; asserting is their work

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

import pytest

from canonical import Document, Listing
from connectors.sdk.carrier_sandbox import CarrierSandbox
from connectors.sdk.clock import FixedJitter, ManualClock, MemoryTokens, SeededIds
from connectors.sdk.contract import (
    AccountContext,
    CallRecord,
    Checks,
    ConnectorType,
    Cursor,
    Envelope,
    ListingRef,
    Page,
    Publishes,
    Pulls,
    ReadsBack,
    ReceivesWebhooks,
    Resolves,
    SendsEffects,
    Subscribes,
    WebhookRequest,
)
from connectors.sdk.contract_suite.samples import Sample, WebhookSample
from connectors.sdk.faults import Faults
from connectors.sdk.files import ReceivesFiles
from connectors.sdk.manifest import Capability, Manifest
from connectors.sdk.ports import Secret
from connectors.sdk.sandbox import WEBHOOK_PATH, Sandbox
from connectors.sdk.tracking import TrackedNumber, Tracks, Watches
from mappings import MapContext, MappingSet

ACCOUNT: Final = "suite"
PAGES_MAX: Final = 200
PUBLIC_URL: Final = "http://127.0.0.1:9"
PROTOCOLS: Final[Mapping[Capability, type]] = {
    Capability.WEBHOOKS: ReceivesWebhooks,
    Capability.PULL: Pulls,
    Capability.RESOLVE: Resolves,
    Capability.PUBLISH: Publishes,
    Capability.READ_BACK: ReadsBack,
    Capability.EFFECTS: SendsEffects,
    Capability.SUBSCRIBE: Subscribes,
    Capability.CHECK: Checks,
    Capability.TRACK: Tracks,
    Capability.WATCH: Watches,
    Capability.FILES: ReceivesFiles,
}


@dataclass
class Rig:
    """One test's world. `clock` is the vendor's and ours; it moves when somebody waits."""

    sandbox: Sandbox
    connector: Any
    ctx: AccountContext
    clock: ManualClock
    section: Mapping[str, Any]
    calls: list[CallRecord] = field(default_factory=list)

    def hub_location(self) -> str:
        """The channel's id of the location we call "main"."""
        return next((theirs for theirs, ours in self.ctx.locations.items() if ours == "main"), "")

    def webhook(self, topic: str, body: bytes, *, event_id: str = "event-1", attempt: int = 1) -> WebhookRequest:
        """A request as the vendor would send it now."""
        headers = self.sandbox.webhook_headers(topic, body, event_id=event_id, attempt=attempt)
        lowered = {name.lower(): value for name, value in headers.items()}
        path = f"{WEBHOOK_PATH}?{self.sandbox.webhook_query}".rstrip("?")
        return WebhookRequest("POST", path, lowered, body, self.clock.now())


class Subject:
    """Base of the suite: what is tested. A subclass names the connector and gives payloads."""

    connector: ClassVar[ConnectorType]
    webhooks: ClassVar[Sequence[WebhookSample]] = ()
    reads: ClassVar[Sequence[Sample]] = ()
    seed: ClassVar[int] = 20261121
    signs_bodies: ClassVar[bool] = True
    """False for a vendor whose webhooks carry a credential instead of a signature over the body."""

    @property
    def manifest(self) -> Manifest:
        return self.connector.manifest

    def make_sandbox(self, *, seed: int, clock: ManualClock) -> Sandbox:
        """The vendor's fake; the default is the one the connector exports."""
        if self.connector.sandbox is None:
            pytest.fail(f"{self.manifest.name} exports no sandbox")
        sandbox: Sandbox = self.connector.sandbox(seed=seed, faults=Faults(seed=seed), clock=clock)
        return sandbox

    def mapping(self) -> MappingSet:
        """The shipped mappings; the default loads those of the connector's name."""
        return MappingSet.load(self.manifest.name)

    @asynccontextmanager
    async def opened(
        self,
        *,
        credentials: Mapping[str, str] | None = None,
        without: Sequence[str] = (),
        public_url: str = PUBLIC_URL,
    ) -> AsyncIterator[Rig]:
        """A started sandbox and a connector on it, both closed afterwards whatever happened."""
        clock = ManualClock()
        sandbox = self.make_sandbox(seed=self.seed, clock=clock)
        sandbox.hang_s = 0.05
        sandbox.pace = 10_000.0
        await sandbox.start()
        try:
            section = sandbox.account_section()
            rig = Rig(sandbox, None, _context(section, clock, credentials or {}, without, public_url), clock, section)
            rig = Rig(sandbox, None, _listening(rig.ctx, rig.calls), clock, section, rig.calls)
            rig.connector = self.connector.open(rig.ctx)
            try:
                yield rig
            finally:
                await rig.connector.close()
                await rig.connector.close()
        finally:
            await sandbox.stop()
        assert not sandbox.defects, f"the sandbox itself failed: {sandbox.defects}"

    def capable(self, rig: Rig, capability: Capability) -> Any:
        """The connector as one of its capabilities; skips the test where the manifest has none."""
        self.need(capability)
        protocol = PROTOCOLS[capability]
        assert isinstance(rig.connector, protocol), f"declares {capability.value} but lacks {protocol.__name__}"
        return rig.connector

    def need(self, capability: Capability) -> None:
        if capability not in self.manifest.capabilities:
            pytest.skip(f"{self.manifest.name} does not declare {capability.value}")

    async def trade(self, rig: Rig, *, skus: int = 5, orders: int = 3) -> list[str]:
        """Listings SUITE-1… with ten each, then some sales a second apart; gives the orders' ids."""
        for number in range(1, skus + 1):
            rig.sandbox.stock(f"SUITE-{number}", 10, title=f"Suite item {number}")
        ids = []
        for number in range(orders):
            rig.clock.advance(1)
            order_id = await rig.sandbox.sell([(f"SUITE-{number % skus + 1}", 1)])
            assert order_id is not None, "the sandbox refused a sale its shown number allows"
            ids.append(order_id)
        rig.clock.advance(1)
        return ids

    async def walk(self, pulls: Pulls, stream: str, cursor: Cursor | None = None, *, limit: int = 2) -> list[Page]:
        """Every page of a stream from a cursor on; the cursor goes through JSON as the engine's store does."""
        pages: list[Page] = []
        seen: set[str] = set()
        while True:
            page = await pulls.fetch(stream, cursor, limit)
            pages.append(page)
            text = json.dumps(page.cursor, sort_keys=True)
            if not page.more:
                return pages
            assert text not in seen, f"{stream}: the cursor {text} came twice with more to come"
            assert len(pages) < PAGES_MAX, f"{stream}: no end after {PAGES_MAX} pages"
            seen.add(text)
            cursor = json.loads(text)

    async def probe(self, rig: Rig) -> None:
        """Any read that reaches the vendor."""
        if isinstance(rig.connector, Pulls) and self.manifest.streams:
            await rig.connector.fetch(self.manifest.streams[0].name, None, 5)
        elif isinstance(rig.connector, Tracks) and isinstance(rig.sandbox, CarrierSandbox):
            carriers = self.manifest.track_carriers
            await rig.connector.track([TrackedNumber(rig.sandbox.number(1), carriers[0] if carriers else "ups")])
        elif isinstance(rig.connector, Checks):
            await rig.connector.check()
        else:
            pytest.skip(f"{self.manifest.name} neither pulls nor checks")

    def documents(self, rig: Rig, envelopes: Sequence[Envelope]) -> list[Document]:
        """What the envelopes of mapped topics mean."""
        mapping = self.mapping()
        found: list[Document] = []
        for envelope in envelopes:
            topic = self.manifest.topic(envelope.topic)
            if topic is None or not (topic.hint or topic.ignored):
                found += mapping.map(envelope.topic, envelope.payload, self.map_context(rig))
        return found

    def map_context(self, rig: Rig | None = None) -> MapContext:
        clock = rig.clock if rig else ManualClock()
        locations = dict(rig.ctx.locations) if rig else {}
        return MapContext(
            account=ACCOUNT, connector=self.manifest.name, received_at=clock.now(), locations=locations, currency="USD"
        )

    async def listing_refs(self, rig: Rig) -> dict[str, ListingRef]:
        """The address of each listing by SKU, found as the engine finds it: the `listings` stream, mapped.

        Overridden where a connector finds listings in another way.
        """
        pulls: Pulls = self.capable(rig, Capability.PULL)
        pages = await self.walk(pulls, "listings", limit=50)
        documents = self.documents(rig, [envelope for page in pages for envelope in page.envelopes])
        refs = {}
        for document in documents:
            if isinstance(document, Listing) and document.channel_sku:
                location = rig.hub_location() or None
                refs[document.channel_sku] = ListingRef(
                    document.listing_id, document.channel_sku, location, document.variant_id
                )
        return refs


def _context(
    section: Mapping[str, Any],
    clock: ManualClock,
    changed: Mapping[str, str],
    without: Sequence[str],
    public_url: str,
) -> AccountContext:
    credentials = {**section.get("credentials", {}), **changed}
    return AccountContext(
        account=ACCOUNT,
        base_url=section.get("base_url"),
        auth_url=section.get("auth_url"),
        credentials={key: Secret(str(value)) for key, value in credentials.items() if key not in without},
        options=dict(section.get("options", {})),
        locations=dict(section.get("locations", {})),
        public_url=public_url,
        clock=clock,
        ids=SeededIds(1),
        jitter=FixedJitter(0.5),
        tokens=MemoryTokens(),
    )


def _listening(ctx: AccountContext, calls: list[CallRecord]) -> AccountContext:
    return replace(ctx, on_call=calls.append)
