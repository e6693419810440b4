"""The ShipEngine connector: one object per account, putting the nouns together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from connectors.sdk.carrier_words import named_carrier
from connectors.sdk.contract import AccountContext, CheckReport, Envelope, WebhookReply, WebhookRequest
from connectors.sdk.errors import Rejected, SignatureInvalid, Transient
from connectors.sdk.manifest import Manifest
from connectors.sdk.published_keys import PublishedKeys
from connectors.sdk.tracking import TrackedNumber, TrackQuota, Watched
from connectors.sdk.tracking_envelopes import told
from connectors.shipengine import manifest, settings, webhooks
from connectors.shipengine.api import Api
from connectors.shipengine.subscriptions import Subscriptions

NAMES: Final = "shipengine"
"""ShipEngine's column in the crosswalk of carriers."""


class ShipengineConnector:
    """Everything the manifest declares. For one event loop; its methods may run side by side."""

    manifest: ClassVar[Manifest] = manifest.MANIFEST
    track_quota: TrackQuota | None = None

    def __init__(self, ctx: AccountContext) -> None:
        self._ctx = ctx
        self._settings = settings.read(ctx)
        self._api = Api(ctx, self._settings)
        self.budgets = self._api.budgets
        self._keys = PublishedKeys(ctx.clock, webhooks.HEADERS, self._api.keys)
        self._subscriptions = Subscriptions(self._api, self._settings)

    def __repr__(self) -> str:
        return f"ShipengineConnector({self._ctx.account!r})"

    async def close(self) -> None:
        await self._api.close()

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        """Where one parcel is; ShipEngine is asked by carrier and number."""
        if len(numbers) > self.manifest.track_batch_max:
            raise Rejected("ShipEngine is asked about one number at a time", code="too_many")
        return [await self._track(each) for each in numbers]

    async def watch(self, numbers: Sequence[TrackedNumber]) -> Sequence[Watched]:
        """A number whose tracking was started is pushed until it is stopped."""
        return [await self._watch(each) for each in numbers]

    async def ensure_subscriptions(self, callback_url: str) -> Sequence[str]:
        return await self._subscriptions.ensure(callback_url)

    def challenge(self, request: WebhookRequest) -> WebhookReply | None:  # noqa: ARG002  # ShipEngine sends none
        return None

    async def fetch_keys(self, request: WebhookRequest) -> None:
        """Nobody without the secret makes us call ShipEngine."""
        try:
            webhooks.verify_secret(request, self._settings)
        except SignatureInvalid:
            return
        await self._keys.fetch_for(request)

    def verify(self, request: WebhookRequest) -> None:
        webhooks.verify_secret(request, self._settings)
        self._keys.verify(request)

    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        return webhooks.envelopes(request)

    async def check(self) -> CheckReport:
        """The account's carriers are listed."""
        answer = await self._api.carriers()
        body = answer.json()
        carriers = body.get("carriers") if isinstance(body, Mapping) else None
        if not isinstance(carriers, list):
            raise Transient("account.check: the answer lists no carriers", **answer.facts("unexpected_body"))
        mode = "TEST_" if self._settings.is_test else "production"
        who = f"ShipEngine account ({mode} key, {len(carriers)} carriers connected)"
        return CheckReport(who=who, warnings=self._warnings())

    async def _track(self, number: TrackedNumber) -> Envelope:
        carrier = named_carrier(NAMES, "ShipEngine", number)
        answer = await self._api.track(carrier, number.number)
        body = answer.json()
        if not isinstance(body, Mapping) or not isinstance(body.get("tracking_number"), str):
            raise Transient("parcel.track: the answer is no tracking information", **answer.facts("unexpected_body"))
        # The carrier asked for stands in for one the answer does not repeat.
        return told(manifest.TRACKING, number.number, {**body, "carrier_code": body.get("carrier_code") or carrier})

    async def _watch(self, number: TrackedNumber) -> Watched:
        if not self._settings.webhook_secrets:
            deaf = Rejected("credentials.webhook_secret is not set: no push would be believed", code="no_secret")
            return Watched(number, error=deaf)
        try:
            await self._api.start(named_carrier(NAMES, "ShipEngine", number), number.number)
        except Rejected as error:
            return Watched(number, error=error)
        return Watched(number)

    def _warnings(self) -> list[str]:
        found = []
        if not self._settings.webhook_secrets:
            found.append("credentials.webhook_secret is not set: ShipEngine cannot push here, parcels are polled only")
        if self._settings.is_test:
            found.append("a TEST_ key has no webhooks and made-up tracking: use a production key")
        return found
