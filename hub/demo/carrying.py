"""The demo's carriers: what our warehouse hands over travels, and the hub hears of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from connectors import registry
from connectors.sdk.carrier_sandbox import CarrierSandbox
from connectors.sdk.faults import Faults
from hub.ports.queries import Queries
from hub.workers.duties import Intervals

CARRIERS: Final = ("fedex", "ups", "usps")
STRIDE_S: Final = 2.0
"""A parcel is at the customer's door after ten seconds."""
INTERVALS: Final = Intervals(track_s=5.0, watch_s=2.0)
"""A demo's parcels do not wait five minutes until their carrier is asked to tell of them."""
_JOURNEYS: Final = ("delivered", "delivered", "delivered", "attempted", "delayed", "returned")


@dataclass(slots=True)
class Carriers:
    """Fake carriers, listening. `shipped` is what was handed over, by number."""

    sandboxes: dict[str, CarrierSandbox] = field(default_factory=dict)
    shipped: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def started(cls, seed: int, fault: str, stack: AsyncExitStack, say: Callable[[str], None]) -> Carriers:
        """One sandbox per carrier, stopped with the stack."""
        found = cls()
        for name in CARRIERS:
            build = registry.get(name).sandbox
            if build is None:
                continue
            sandbox: CarrierSandbox = build(seed=seed, faults=Faults.parse(fault, seed=seed))
            sandbox.stride_s = STRIDE_S
            url = await sandbox.start()
            stack.push_async_callback(sandbox.stop)
            say(f"sandbox   {name:<10} {url}")
            found.sandboxes[name] = sandbox
        return found

    def sections(self) -> dict[str, dict[str, Any]]:
        """Their accounts' configuration."""
        return {f"{name}-demo": sandbox.account_section() for name, sandbox in self.sandboxes.items()}

    def deliver_to(self, hub_url: str) -> None:
        """Enter the hub's address in the carriers' own pages."""
        for name, sandbox in self.sandboxes.items():
            sandbox.deliver_to(f"{hub_url}/webhooks/{name}-demo")

    def hand_over(self, carrier: str, rng: random.Random) -> str:
        """A parcel goes to the carrier; its number."""
        sandbox = self.sandboxes[carrier]
        number = sandbox.number(len(self.shipped) + 1)
        sandbox.ship_parcel(number, journey=rng.choice(_JOURNEYS))
        self.shipped[number] = carrier
        return number

    async def heard(self, queries: Queries) -> Mapping[str, int]:
        """Parcels handed over by how far the hub knows them to be; `unheard` are those no carrier told of yet."""
        found: Counter[str] = Counter()
        cursor: str | None = None
        while True:
            rows, cursor = await queries.parcels(limit=500, cursor=cursor)
            found.update(row.milestone or "unheard" for row in rows if row.number in self.shipped)
            if cursor is None:
                found["unheard"] += len(self.shipped) - found.total()
                return dict(sorted(found.items()))
