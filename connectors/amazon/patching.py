"""Numbers sent one by one: a PATCH per SKU, a few at a time.

Source: listingsItems_2021-08-01, patchListingsItem (2026-08): 200 with status INVALID is a refusal; an
absolute number makes a repeat harmless.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from connectors.amazon.api import Api, escaped
from connectors.amazon.errors import listing_issue
from connectors.amazon.feed_documents import Number
from connectors.amazon.listings import ITEMS_PATH, Address, address_of, patch_body
from connectors.amazon.settings import Settings
from connectors.sdk.contract import PushItem, PushResult, PushState
from connectors.sdk.errors import AuthFailed, ConnectorError, RateLimited, Rejected, Transient
from connectors.sdk.http import Answer

CALLS_AT_ONCE: Final = 4
WEATHER_MAX: Final = 3
"""After so many failures that are not the items' fault Amazon is taken to be down."""

Results = dict[Address, PushResult]
Numbers = Mapping[tuple[str, ...], Sequence[Number]]
"""By the marketplaces they go to."""


class Patcher:
    """One account's single calls."""

    def __init__(self, settings: Settings, api: Api) -> None:
        self._settings = settings
        self._api = api

    async def send(self, numbers: Numbers, results: Results) -> ConnectorError | None:
        """Send SKU by SKU, a few at a time; stop at the first error that concerns the whole account."""
        waiting = iter([(marketplaces, number) for marketplaces, group in numbers.items() for number in group])
        halted: list[ConnectorError] = []
        weather: list[ConnectorError] = []

        async def work() -> None:
            for marketplaces, number in waiting:
                if halted:
                    return
                try:
                    sent = await self._patch(marketplaces, number)
                except (RateLimited, AuthFailed) as error:
                    halted.append(error)
                    return
                except ConnectorError as error:
                    weather.append(error)
                    if len(weather) >= WEATHER_MAX:
                        halted.append(error)
                    sent = all_failed(number.items, None, error)
                for result in sent:
                    results[address_of(result.item.ref, self._settings.marketplace_ids)] = result

        async with asyncio.TaskGroup() as tasks:
            for _ in range(CALLS_AT_ONCE):
                tasks.create_task(work())
        return halted[0] if halted else None

    async def _patch(self, marketplaces: Sequence[str], number: Number) -> list[PushResult]:
        """One SKU. Refused for several marketplaces at once, each is asked by itself."""
        error: Rejected
        try:
            answer = await self._api.request(
                "PATCH",
                f"{ITEMS_PATH}/{escaped(self._settings.seller_id)}/{escaped(number.sku)}",
                operation="patchListingsItem",
                params={"marketplaceIds": list(marketplaces), "issueLocale": self._settings.issue_locale},
                json=patch_body(number.quantity),
                write=True,
                keyed=True,
            )
            refusal = _refusal(answer, number.sku)
            if refusal is None:
                return [
                    PushResult(item, PushState.ACCEPTED, correlation_id=answer.correlation_id) for item in number.items
                ]
            if not isinstance(refusal, Rejected):
                return all_failed(number.items, None, refusal)
            error = refusal
        except Rejected as refused:
            error = refused
        if len(marketplaces) == 1:
            return all_failed(number.items, None, error)
        apart: list[PushResult] = []
        for item in number.items:
            address = address_of(item.ref, self._settings.marketplace_ids)
            apart += await self._patch((address.marketplace,), Number(number.sku, number.quantity, (item,)))
        return apart


def all_failed(items: Iterable[PushItem], receipt: str | None, error: ConnectorError) -> list[PushResult]:
    return [
        PushResult(item, PushState.FAILED, receipt=receipt, error=error, correlation_id=error.correlation_id)
        for item in items
    ]


def _refusal(answer: Answer, sku: str) -> ConnectorError | None:
    """What a 200 refuses. Only ACCEPTED is a yes."""
    body = answer.json()
    status = str(body.get("status") or "") if isinstance(body, Mapping) else ""
    if status == "ACCEPTED":
        return None
    if status != "INVALID":
        return Transient(f"Amazon answered {sku} with status {status!r}", **answer.facts("unexpected_status"))
    rows = body.get("issues")
    issues = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    errors = [row for row in issues if row.get("severity") == "ERROR"] or issues or [{"code": "INVALID"}]
    first = errors[0]
    told = listing_issue(str(first.get("code") or "INVALID"), str(first.get("message") or ""), "ERROR")
    told.status, told.correlation_id = answer.status, answer.correlation_id
    return told
