"""The ShipStation connector: one object per account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from connectors.sdk.contract import (
    AccountContext,
    CheckReport,
    Cursor,
    Envelope,
    Page,
    WebhookReply,
    WebhookRequest,
)
from connectors.sdk.errors import Transient
from connectors.sdk.manifest import Manifest
from connectors.shipstation import manifest, settings, webhooks
from connectors.shipstation.api import Api
from connectors.shipstation.reading import Reader


class ShipstationConnector:
    """Everything the manifest declares. For one event loop; its methods may run side by side."""

    manifest: ClassVar[Manifest] = manifest.MANIFEST

    def __init__(self, ctx: AccountContext) -> None:
        self._ctx = ctx
        self._settings = settings.read(ctx)
        self._api = Api(ctx, self._settings)
        self._reader = Reader(ctx, self._api, self._settings)
        self._subscriptions = webhooks.Subscriptions(self._api, self._settings)
        self.budgets = self._api.budgets

    def __repr__(self) -> str:
        return f"ShipstationConnector({self._ctx.account!r})"

    async def close(self) -> None:
        await self._api.close()

    def challenge(self, request: WebhookRequest) -> WebhookReply | None:  # noqa: ARG002  # ShipStation sends none
        return None

    def verify(self, request: WebhookRequest) -> None:
        webhooks.verify(request, self._settings)

    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        return webhooks.envelopes(request)

    async def resolve(self, envelope: Envelope) -> Sequence[Envelope]:
        return await self._reader.resolve(envelope)

    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        return await self._reader.fetch(stream, cursor, limit, since)

    async def ensure_subscriptions(self, callback_url: str) -> Sequence[str]:
        return await self._subscriptions.ensure(callback_url)

    async def check(self) -> CheckReport:
        """The account's stores are read."""
        answer = await self._api.stores()
        stores = answer.json()
        if not isinstance(stores, list):
            raise Transient("account.check: the answer is no list of stores", code="unexpected_body")
        missing = "credentials.webhook_token is not set: ShipStation cannot push here, shipments are polled only"
        warnings = [] if self._settings.webhook_tokens else [missing]
        wanted = self._settings.store_id
        known = {str(row.get("storeId")) for row in stores if isinstance(row, dict)}
        if wanted is not None and str(wanted) not in known:
            warnings.append(f"options.store_id: the account has no active store {wanted}")
        return CheckReport(who=f"ShipStation account with {len(stores)} stores", warnings=warnings)
