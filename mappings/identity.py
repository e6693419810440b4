"""What the engine adds to a document: type, id, where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final

from canonical import document_id, instant_of

_ID_TIME: Final[Mapping[str, str]] = MappingProxyType(
    {
        "order": "placed_at",
        "purchase_order": "placed_at",
        "order_cancellation": "at",
        "refund": "at",
        "return": "requested_at",
        "order_change": "at",
        "order_acknowledgement": "at",
        "tracking_update": "at",
        "stock_movement": "at",
        "stock_report": "as_of",
        "functional_acknowledgement": "at",
        "application_advice": "at",
    }
)
"""The field whose instant an id sorts by: a fact of the thing that later states of it repeat.

Other types sort by 0 unless the mapping gives `id_at`; a shipment's `shipped_at`, say, is unknown
at first and would give one shipment two ids.
"""


def id_time_ms(document: Mapping[str, Any], type_: str, stated: Any) -> int:
    """Milliseconds since 1970 for the id, from `id_at` or the type's own field; 0 when unknown.

    A text that is no instant counts as unknown here: validating the field is what reports it.
    """
    text = stated or document.get(_ID_TIME.get(type_, ""))
    if not isinstance(text, str):
        return 0
    try:
        moment: date = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
        if isinstance(moment, datetime) and moment.tzinfo is None:
            return 0
        return max(0, int(instant_of(moment).timestamp() * 1000))
    except (ValueError, OverflowError):
        return 0


def identify(document: dict[str, Any], type_: str, source: dict[str, Any], id_at: Any) -> None:
    """Sets `type`, `id` and `source` in place. `source` has at least `account`, `kind` and `id`.

    The same thing of the same account always gets the same id, whichever topic told of it.
    """
    document["type"] = type_
    document["id"] = document_id(
        type_, id_time_ms(document, type_, id_at), source.get("account"), source["kind"], source["id"]
    )
    document["source"] = source
