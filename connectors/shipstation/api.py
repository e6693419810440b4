"""ShipStation's wire (API v1): login, budget, and which hosts are its own. Everything that calls it passes here.

Source: ShipStation API v1, requirements, shipments, fulfillments and webhooks (docs.shipstation.com, 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import Rejected, Transient
from connectors.sdk.http import Answer, HttpClient
from connectors.sdk.keyed import basic_header
from connectors.sdk.queries import encoded
from connectors.shipstation import errors
from connectors.shipstation.manifest import CALLS, MANIFEST
from connectors.shipstation.settings import PRODUCTION_URL, Settings

NODE: Final = re.compile(r"ssapi[0-9]{0,2}\.shipstation\.com")
"""Webhooks name the node of the API that made them; each takes the account's login. Nothing else gets it."""
_PLAIN: Final = re.compile(r"https?://[!-\[\]-~]{1,2000}")
"""Printable ASCII without the backslash."""
LISTS: Final = ("/shipments", "/fulfillments")


class Api:
    """One account's calls. For one event loop; any number of tasks."""

    def __init__(self, ctx: AccountContext, settings: Settings) -> None:
        self._ctx = ctx
        self._settings = settings
        self.budgets = BudgetBook(ctx.clock, MANIFEST.budgets)
        self._own = urlsplit(settings.base_url)
        self._clients: dict[str, HttpClient] = {}

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()

    async def list(self, path: str, params: Mapping[str, str | int], *, kind: str) -> Answer:
        """A page of a list at the account's own address."""
        return await self._client(self._settings.base_url).request(
            "GET", path, raw_query=encoded(params), kind=kind, budget=CALLS
        )

    async def named(self, resource: object, extra: Mapping[str, str | int]) -> Answer:
        """A page of the list a webhook names, wherever of ShipStation's it is.

        Raises:
            Rejected: The URL is none of ShipStation's lists; nothing was sent.
        """
        url = self._read(resource)
        named = dict(parse_qsl(url.query, keep_blank_values=True))
        params = {**named, **{name: str(value) for name, value in extra.items()}}
        base = f"{url.scheme}://{url.netloc}"
        return await self._client(base).request(
            "GET", url.path, raw_query=encoded(params), kind="shipments.resolve", budget=CALLS
        )

    async def stores(self) -> Answer:
        return await self._client(self._settings.base_url).request(
            "GET", "/stores", raw_query="showInactive=false", kind="account.check", budget=CALLS
        )

    async def webhooks(self) -> Answer:
        return await self._client(self._settings.base_url).request(
            "GET", "/webhooks", kind="webhooks.read", budget=CALLS
        )

    async def subscribe(self, body: Mapping[str, Any]) -> Answer:
        """A subscription; asked for twice it may be there twice, so what there is is read first."""
        return await self._client(self._settings.base_url).request(
            "POST", "/webhooks/subscribe", json=body, kind="webhooks.create", write=True, budget=CALLS
        )

    async def unsubscribe(self, webhook_id: int) -> Answer:
        """Gone is gone, however often."""
        return await self._client(self._settings.base_url).request(
            "DELETE", f"/webhooks/{webhook_id}", kind="webhooks.delete", write=True, keyed=True, budget=CALLS
        )

    def _read(self, resource: object) -> SplitResult:
        url = _split(resource)
        if url is None or not (_same(url, self._own) or self._is_node(url)):
            raise Rejected("the resource of the push is not at ShipStation's API", code="url_refused")
        if url.path not in LISTS:
            raise Rejected("the resource of the push is no list of shipments or fulfillments", code="url_refused")
        return url

    def _is_node(self, url: SplitResult) -> bool:
        """Only for an account at ShipStation itself: a sandbox's login goes nowhere else."""
        production = self._settings.base_url == PRODUCTION_URL
        return production and url.scheme == "https" and bool(NODE.fullmatch(url.netloc))

    def _client(self, base: str) -> HttpClient:
        if base not in self._clients:
            self._clients[base] = HttpClient(
                self._ctx,
                base_url=base,
                budgets=self.budgets,
                classify=errors.classify,
                authorize=basic_header(self._settings.api_key, self._settings.api_secret),
            )
        return self._clients[base]


def rows_of(answer: Answer) -> tuple[str, list[Mapping[str, Any]], int]:
    """The list's name, its rows, and how many pages there are.

    Raises:
        Transient: The answer is no list of ShipStation's.
    """
    body = answer.json()
    for name in ("shipments", "fulfillments"):
        rows = body.get(name) if isinstance(body, Mapping) else None
        if isinstance(rows, list):
            pages = body.get("pages")
            return name, [row for row in rows if isinstance(row, Mapping)], pages if isinstance(pages, int) else 1
    raise Transient(f"{answer.call.kind}: the answer is no list", code="unexpected_body", status=answer.status)


def _split(resource: object) -> SplitResult | None:
    """A plain URL; None for anything that two readers might take for two addresses."""
    if not isinstance(resource, str) or not _PLAIN.fullmatch(resource):
        return None
    try:
        url = urlsplit(resource)
    except ValueError:
        return None
    return None if "@" in url.netloc or url.fragment else url


def _same(url: SplitResult, own: SplitResult) -> bool:
    return (url.scheme, url.netloc) == (own.scheme, own.netloc)
