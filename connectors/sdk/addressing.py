"""Which order of the vendor's an effect is about."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.sdk.contract import Effect
from connectors.sdk.errors import Rejected


def order_of(effect: Effect) -> str:
    """The order's id: a reference, the document's `order`, or of an order its own source id, else its number.

    Raises:
        Rejected: None of them is there.
    """
    source = effect.body.get("source")
    own = source.get("id") if isinstance(source, Mapping) and effect.body.get("type") == "order" else None
    found = effect.references.get("order") or effect.body.get("order") or own or effect.body.get("number")
    if not found:
        raise Rejected("the effect names no order", code="no_order")
    return str(found)
