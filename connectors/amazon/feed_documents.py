"""JSON_LISTINGS_FEED documents: what is sent, and what the processing report says of each message.

A message's id is made of its SKU, so a report is understood after a restart without anything remembered.
Two SKUs of one id never share a document.

Source: listings-feed-schema-v2 and listings-feed-processing-report-schema-v2 (2026-08): at most 25,000
messages, ids 1 to 2^31-1 and unique, `header` an object; an issue without a `messageId` is about the feed.
developer-docs.amazon.com/sp-api: documents of at most 10 MiB are recommended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.amazon.listings import PRODUCT_TYPE, patches
from connectors.sdk import exact
from connectors.sdk.contract import PushItem

FEED_TYPE: Final = "JSON_LISTINGS_FEED"
CONTENT_TYPE: Final = "application/json; charset=UTF-8"
VERSION: Final = "2.0"
MESSAGES_MAX: Final = 25_000
BYTES_MAX: Final = 10 * 1024 * 1024
MESSAGE_ID_MAX: Final = 2**31 - 1
_FRAME_BYTES: Final = 512
"""Kept for the header and the brackets around the messages."""

ERROR: Final = "ERROR"


class NotAReport(ValueError):
    """The bytes are no processing report."""


@dataclass(frozen=True, slots=True)
class Number:
    """One SKU's number on its way, with every item it answers for (the same SKU in several marketplaces)."""

    sku: str
    quantity: int
    items: tuple[PushItem, ...]


@dataclass(frozen=True, slots=True)
class FeedFile:
    """One document ready to send, for marketplaces that all get the same numbers."""

    marketplaces: tuple[str, ...]
    content: bytes = field(repr=False)
    numbers: tuple[Number, ...] = field(repr=False)

    @property
    def items(self) -> list[PushItem]:
        return [item for number in self.numbers for item in number.items]


@dataclass(frozen=True, slots=True)
class Issue:
    """One row of a report."""

    code: str
    message: str
    severity: str


@dataclass(frozen=True, slots=True)
class Report:
    """Issues that are errors: by message, and about the feed as a whole. `accepted` is None when not told."""

    by_message: Mapping[int, Issue]
    general: Sequence[Issue]
    accepted: int | None

    def issue_of(self, sku: str) -> Issue | None:
        return self.by_message.get(message_id(sku))


def message_id(sku: str) -> int:
    """1 to 2^31-1, the same for the same SKU on any day."""
    digest = hashlib.blake2b(sku.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % MESSAGE_ID_MAX + 1


def files(numbers: Sequence[Number], marketplaces: tuple[str, ...], seller_id: str, locale: str) -> list[FeedFile]:
    """As few documents as size, count and unlike ids allow."""
    header = {"sellerId": seller_id, "version": VERSION, "issueLocale": locale}
    made: list[FeedFile] = []
    waiting = list(numbers)
    while waiting:
        taken: dict[int, tuple[Number, bytes]] = {}
        size, left = _FRAME_BYTES, []
        for number in waiting:
            key = message_id(number.sku)
            row = exact.dumps(_message(key, number))
            fits = size + len(row) + 1 <= BYTES_MAX and len(taken) < MESSAGES_MAX
            if key in taken or (taken and not fits):
                left.append(number)
                continue
            taken[key] = (number, row)
            size += len(row) + 1
        body = b'{"header":' + exact.dumps(header) + b',"messages":[' + b",".join(row for _, row in taken.values())
        made.append(FeedFile(marketplaces, body + b"]}", tuple(number for number, _ in taken.values())))
        waiting = left
    return made


def _message(key: int, number: Number) -> dict[str, Any]:
    return {
        "messageId": key,
        "sku": number.sku,
        "operationType": "PATCH",
        "productType": PRODUCT_TYPE,
        "patches": patches(number.quantity),
    }


def read_report(content: bytes) -> Report:
    """A processing report; warnings refuse nothing and are left out.

    Raises:
        NotAReport: Not JSON, or without the lists a report has.
    """
    try:
        body = exact.loads(content)
    except exact.NotJson as error:
        raise NotAReport("the processing report is not JSON") from error
    if not isinstance(body, Mapping) or not isinstance(body.get("issues", []), list):
        raise NotAReport("the processing report has no list of issues")
    rows = [row for row in body.get("issues", []) if isinstance(row, Mapping) and _is_error(row)]
    summary = body.get("summary")
    accepted = summary.get("messagesAccepted") if isinstance(summary, Mapping) else None
    return Report(
        by_message=_first_of_each(rows),
        general=[_issue(row) for row in rows if _number(row.get("messageId")) is None],
        accepted=_number(accepted),
    )


def _first_of_each(rows: Iterable[Mapping[str, Any]]) -> dict[int, Issue]:
    found: dict[int, Issue] = {}
    for row in rows:
        key = _number(row.get("messageId"))
        if key is not None:
            found.setdefault(key, _issue(row))
    return found


def _is_error(row: Mapping[str, Any]) -> bool:
    return str(row.get("severity") or ERROR).upper() == ERROR


def _issue(row: Mapping[str, Any]) -> Issue:
    return Issue(str(row.get("code") or ""), str(row.get("message") or ""), str(row.get("severity") or ERROR))


def _number(value: object) -> int | None:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isdigit() else None
