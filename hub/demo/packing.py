"""The demo's packing table: orders leave our own warehouse, and every channel has to show the parcel."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.sdk.sandbox import Sandbox
from hub.api.backend import Acts
from hub.demo.carrying import Carriers

Json = dict[str, Any]
Lines = Sequence[tuple[str, int]]

_CARRIERS: tuple[tuple[str, str | None], ...] = (
    ("ups", "ups"),
    ("usps", "usps"),
    ("FedEx", "fedex"),
    ("City Bikes", None),
)
"""(what the packer calls the carrier, its account); the last one no channel knows, and nobody can be asked about it"""
_OWN_NUMBER = "CB{:08d}"
_OWN_PAGE = "https://bikes.example/{}"
_SPLIT_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Parcel:
    account: str
    order: str
    number: str
    lines: Lines


@dataclass(slots=True)
class Packing:
    """What left, and whether its channel shows it."""

    carriers: Carriers
    parcels: list[Parcel] = field(default_factory=list)

    async def ship(self, acts: Acts, rng: random.Random, account: str, order: str, lines: Lines) -> None:
        """Pack an order into one parcel, or each of its lines into one, and tell the hub."""
        split = len(lines) > 1 and rng.random() < _SPLIT_SHARE
        loads = [[line] for line in lines] if split else [list(lines)]
        packages = [self._pack(rng, account, order, load) for load in loads]
        body = {"account": account, "order": order, "number": f"P-{order}", "ship_from": "main", "packages": packages}
        await acts.ship(body, key=f"demo-ship-{account}-{order}", actor="demo")

    def _pack(self, rng: random.Random, account: str, order: str, load: Lines) -> Json:
        carrier, account_of = rng.choice(_CARRIERS)
        number = self.carriers.hand_over(account_of, rng) if account_of else _OWN_NUMBER.format(len(self.parcels) + 1)
        self.parcels.append(Parcel(account, order, number, load))
        package: Json = {
            "tracking_number": number,
            "carrier": carrier,
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in load],
        }
        return package | ({} if account_of else {"tracking_url": _OWN_PAGE.format(number)})

    def confirmed(self, sandboxes: Mapping[str, Sandbox]) -> int:
        """Parcels their channel shows once, with a carrier and exactly what is in them."""
        return sum(_shows(sandboxes, parcel) for parcel in self.parcels)

    def unconfirmed(self, sandboxes: Mapping[str, Sandbox]) -> list[Parcel]:
        return [parcel for parcel in self.parcels if not _shows(sandboxes, parcel)]


def _shows(sandboxes: Mapping[str, Sandbox], parcel: Parcel) -> bool:
    order = next((one for one in sandboxes[parcel.account].orders() if str(one["id"]) == parcel.order), None)
    shown = [one for one in (order or {}).get("parcels", ()) if parcel.number in one["numbers"]]
    return len(shown) == 1 and bool(shown[0]["carrier"]) and sorted(shown[0]["lines"]) == sorted(parcel.lines)
