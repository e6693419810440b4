"""Working off a JSON_LISTINGS_FEED: header, messages, and a report per message.

Source: listings-feed-schema-v2 and listings-feed-processing-report-schema-v2 (2026-08); a header that is
no object gives 4002005 "Attribute 'Merchant' is required" (operators' report, 2025).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.amazon.fake.feeds_wire import Outcome
from connectors.amazon.fake.listings_wire import ListingsWire
from connectors.amazon.fake.patches import Issue, issue
from connectors.sdk import exact
from connectors.sdk.faults import Faults

MESSAGES_MAX: Final = 25_000
ID_MAX: Final = 2**31 - 1
FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "PATCH": frozenset({"productType", "patches"}),
    "PARTIAL_UPDATE": frozenset({"productType", "attributes"}),
    "UPDATE": frozenset({"productType", "attributes", "requirements"}),
    "DELETE": frozenset(),
}
ALWAYS: Final = frozenset({"messageId", "sku", "operationType"})


class ListingsFeed:
    """Messages take effect one by one; a bad one stops no other."""

    def __init__(self, listings: ListingsWire, seller: str, faults: Faults) -> None:
        self._listings = listings
        self._seller = seller
        self._faults = faults

    def work(self, number: str, content: bytes, noop: bool) -> Outcome:
        try:
            document = exact.loads(content)
        except exact.NotJson:
            return Outcome("FATAL", self._report(number, [], [_fatal("4002000", "The document is not JSON.")]))
        header = document.get("header") if isinstance(document, dict) else None
        if not isinstance(header, dict) or not isinstance(header.get("sellerId"), str):
            text = "Attribute 'Merchant' is required."
            return Outcome("FATAL", self._report(number, [], [_fatal("4002005", text)]))
        messages = document.get("messages")
        fault = self._unfit(header, messages)
        if fault:
            return Outcome("FATAL", self._report(number, [], [_fatal("4002000", fault)]))
        rows = [(message, self._applied(message, noop)) for message in messages]
        return Outcome("DONE", self._report(number, rows, []))

    def _unfit(self, header: Mapping[str, Any], messages: Any) -> str:
        if header.get("version") != "2.0":
            return "The version must be 2.0."
        if header["sellerId"] != self._seller:
            return "The feed is for another seller."
        if not isinstance(messages, list) or not 1 <= len(messages) <= MESSAGES_MAX:
            return f"A feed has 1 to {MESSAGES_MAX} messages."
        if not all(isinstance(message, dict) for message in messages):
            return "A message is an object."
        numbers = [message.get("messageId") for message in messages]
        fits = all(isinstance(each, int) and not isinstance(each, bool) and 1 <= each <= ID_MAX for each in numbers)
        return "" if fits and len(set(numbers)) == len(numbers) else "A messageId is a unique whole number from 1."

    def _applied(self, message: Mapping[str, Any], noop: bool) -> list[Issue]:
        operation = str(message.get("operationType"))
        if not isinstance(message.get("sku"), str) or not message["sku"] or operation not in FIELDS:
            return [issue("4000001", "sku or operationType is invalid.")]
        allowed = ALWAYS | FIELDS[operation]
        if set(message) - allowed:
            return [issue("4000001", f"{operation} does not take {', '.join(sorted(set(message) - allowed))}.")]
        if operation != "PATCH":
            # The sandbox changes numbers; it makes and ends no listings.
            return [issue("4000002", f"{operation} is not served here.")]
        if not isinstance(message.get("productType"), str):
            return [issue("4000001", "productType is required.")]
        if self._faults.hit("partial_failure"):
            return [issue("INTERNAL_ERROR", "An internal error has occurred. Please try again.")]
        return self._listings.patched(message["sku"], message.get("patches"), dry=noop)[1]

    def _report(self, number: str, rows: list[tuple[Mapping[str, Any], list[Issue]]], fatal: list[Issue]) -> bytes:
        issues: list[dict[str, Any]] = list(fatal)
        for message, found in rows:
            for each in found:
                names = each.get("attributeNames", [])
                issues.append(
                    {
                        "messageId": message["messageId"],
                        "sku": str(message.get("sku", "")),
                        "code": each["code"],
                        "severity": each["severity"],
                        "message": each["message"],
                    }
                    | ({"attributeName": names[0]} if names else {})
                )
        bad = sum(1 for _, found in rows if found)
        summary = {
            "errors": len(issues),
            "warnings": 0,
            "messagesProcessed": len(rows),
            "messagesAccepted": len(rows) - bad,
            "messagesInvalid": bad,
        }
        header = {"sellerId": self._seller, "version": "2.0", "feedId": number}
        return exact.dumps({"header": header, "issues": issues, "summary": summary})


def _fatal(code: str, message: str) -> Issue:
    """An issue of the feed as a whole: it names no message."""
    return {"code": code, "severity": "ERROR", "message": message}
