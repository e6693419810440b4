"""A vendor account's section of the configuration, checked once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.amazon import settings as seller
from connectors.amazon.settings import Settings
from connectors.sdk.contract import AccountContext

CREDENTIALS: Final[Mapping[str, str]] = {name: seller.CREDENTIALS[name] for name in seller.REQUIRED_CREDENTIALS}
OPTIONS: Final[Mapping[str, str]] = {
    **seller.COMMON_OPTIONS,
    "vendor_code": "the vendor code Amazon orders from: `sellingParty` of its orders and of all that is submitted",
    "retail": "true (default) to follow retail purchase orders; false for a vendor of direct fulfilment alone",
    "warehouses": "list of warehouse ids of direct fulfilment; without it there are no direct orders and no numbers",
    "items": "list of vendor product identifiers sold direct: Amazon has no read of what a vendor offers",
}


@dataclass(frozen=True, slots=True)
class VendorSettings:
    """`amazon` is what both flavours share; its `seller_id` is empty."""

    amazon: Settings
    vendor_code: str
    retail: bool
    warehouses: tuple[str, ...]
    items: tuple[str, ...]

    @property
    def direct(self) -> bool:
        return bool(self.warehouses)


def read(ctx: AccountContext) -> VendorSettings:
    """Turn an account's section into settings.

    Raises:
        ValueError: A key is missing, unknown or of the wrong kind; the message names it.
    """
    amazon = seller.read(ctx, credentials=CREDENTIALS, options=OPTIONS, seller=False)
    code = seller.text(ctx.options, "vendor_code")
    if code is None:
        raise ValueError(f"options.vendor_code: missing; it is {OPTIONS['vendor_code']}")
    retail = ctx.options.get("retail", True)
    if not isinstance(retail, bool):
        raise ValueError(f"options.retail: {retail!r} is neither true nor false")  # noqa: TRY004  # a wrong section
    found = VendorSettings(amazon, code, retail, _texts(ctx.options, "warehouses"), _texts(ctx.options, "items"))
    if not retail and not found.direct:
        raise ValueError("options.warehouses: missing; without retail orders and without a warehouse nothing is left")
    if found.items and not found.direct:
        raise ValueError("options.warehouses: missing; options.items are sold from a warehouse")
    for warehouse in found.warehouses:
        if "|" in warehouse:
            raise ValueError(f"options.warehouses: {warehouse!r} holds a bar, which parts the address of a listing")
    return found


def _texts(options: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts, each once; empty where the key is absent."""
    given = options.get(name, ())
    if (
        isinstance(given, str)
        or not isinstance(given, Sequence)
        or not all(isinstance(each, str) and each.strip() for each in given)
    ):
        raise ValueError(f"options.{name}: must be a list of texts that are not empty")
    found = tuple(each.strip() for each in given)
    if len(set(found)) != len(found):
        raise ValueError(f"options.{name}: names one twice")
    return found
