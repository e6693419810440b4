"""Trading partners of the demo: a retailer that orders by EDI, the warehouse that ships, the supplier that refills."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Protocol

from connectors import registry
from connectors.sdk.faults import Faults

Json = dict[str, Any]

LOCATION = "east"
"""Our stock at the warehouse; the shops sell from another place."""
POLL_S = "1s"


class Partner(Protocol):
    """What the demo needs of a trading sandbox, whichever role it plays."""

    role: str
    faults: Faults
    complaints: list[str]
    counts: dict[str, int]

    async def start(self) -> str: ...

    async def stop(self) -> None: ...

    def introduce(self, hub_url: str) -> None: ...

    def account_section(self) -> Json: ...

    async def settle(self) -> None: ...


def account_of(role: str) -> str:
    """The account a partner trades under in the demo."""
    return f"{role}-demo"


async def opened(stack: AsyncExitStack, *, seed: int = 0, faults: str = "none") -> dict[str, Any]:
    """Every partner of every connector that trades, started, by account."""
    found: dict[str, Any] = {}
    for name in registry.names():
        for role, build in registry.get(name).partners.items():
            partner = build(seed=seed, faults=Faults.parse(faults, seed=seed))
            await partner.start()
            stack.push_async_callback(partner.stop)
            found[account_of(role)] = partner
    return found


def sections(partners: Mapping[str, Partner], hub_url: str) -> dict[str, Json]:
    """The accounts that reach them; each partner is told where the hub is."""
    found = {}
    for account, partner in partners.items():
        partner.introduce(f"{hub_url}/as2/{account}")
        found[account] = partner.account_section() | {"poll": {"files": POLL_S}} | _more(partner.role)
    return found


def _more(role: str) -> Json:
    if role == "retailer":
        return {"locations": {"EAST": LOCATION}, "routing": [LOCATION], "availability": {"locations": [LOCATION]}}
    if role == "warehouse":
        return {"locations": {"3PL01": LOCATION}}
    return {"locations": {}}


def locations(partners: Mapping[str, Partner]) -> dict[str, Json]:
    """The place the warehouse runs, where there is one."""
    warehouse = account_of("warehouse")
    return {LOCATION: {"name": "Eastern warehouse", "warehouse": warehouse}} if warehouse in partners else {}
