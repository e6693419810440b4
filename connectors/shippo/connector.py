"""The Shippo connector: one object per account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from connectors.sdk.carrier_words import named_carrier
from connectors.sdk.contract import AccountContext, CheckReport, Envelope, WebhookReply, WebhookRequest
from connectors.sdk.errors import Rejected, Transient
from connectors.sdk.http import Answer
from connectors.sdk.manifest import Manifest
from connectors.sdk.tracking import TrackedNumber, TrackQuota, Watched
from connectors.sdk.tracking_envelopes import told
from connectors.shippo import manifest, settings, webhooks
from connectors.shippo.api import Api

NAMES: Final = "shippo"
"""Shippo's column in the crosswalk of carriers."""
OWN: Final = ("object_id", "object_created", "object_updated")
"""Ids and times of Shippo's records, which may change without the parcel having moved."""


class ShippoConnector:
    """Everything the manifest declares. For one event loop; its methods may run side by side."""

    manifest: ClassVar[Manifest] = manifest.MANIFEST
    track_quota: TrackQuota | None = None

    def __init__(self, ctx: AccountContext) -> None:
        self._ctx = ctx
        self._settings = settings.read(ctx)
        self._api = Api(ctx, self._settings)
        self.budgets = self._api.budgets

    def __repr__(self) -> str:
        return f"ShippoConnector({self._ctx.account!r})"

    async def close(self) -> None:
        await self._api.close()

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        """The track of one parcel; Shippo is asked by carrier and number, and has no list."""
        if len(numbers) > self.manifest.track_batch_max:
            raise Rejected("Shippo is asked about one number at a time", code="too_many")
        return [await self._track(each) for each in numbers]

    async def watch(self, numbers: Sequence[TrackedNumber]) -> Sequence[Watched]:
        """A registered number is pushed for the parcel's life."""
        return [await self._watch(each) for each in numbers]

    def challenge(self, request: WebhookRequest) -> WebhookReply | None:  # noqa: ARG002  # Shippo sends none
        return None

    def verify(self, request: WebhookRequest) -> None:
        webhooks.verify(request, self._settings)

    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        return webhooks.envelopes(request)

    async def check(self) -> CheckReport:
        """The account's webhooks are read: whether the token is good, and whether pushes come here."""
        rows = _rows(await self._api.webhooks())
        mode = "test" if self._settings.is_test else "live"
        return CheckReport(who=f"Shippo account ({mode} token)", warnings=self._warnings(rows))

    async def _track(self, number: TrackedNumber) -> Envelope:
        answer = await self._api.track(named_carrier(NAMES, "Shippo", number), number.number)
        track = _track_of(answer)
        return told(manifest.TRACKING, number.number, _without_records(track), answer.content)

    async def _watch(self, number: TrackedNumber) -> Watched:
        if not self._settings.webhook_secrets:
            deaf = Rejected("credentials.webhook_secret is not set: no push would be believed", code="no_secret")
            return Watched(number, error=deaf)
        try:
            _track_of(await self._api.register(named_carrier(NAMES, "Shippo", number), number.number))
        except Rejected as error:
            return Watched(number, error=error)
        return Watched(number)

    def _warnings(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        if not self._settings.webhook_secrets:
            return ["credentials.webhook_secret is not set: Shippo cannot push here, parcels are polled only"]
        if self._ctx.public_url is None:
            return []
        here = f"{self._ctx.public_url.rstrip('/')}/webhooks/{self._ctx.account}"
        if any(_leads(row, here, is_test=self._settings.is_test) for row in rows):
            return []
        return [f"no active webhook for {manifest.UPDATED} leads to {here}: add it in Shippo's portal"]


def _leads(row: Mapping[str, Any], here: str, *, is_test: bool) -> bool:
    """Whether a webhook of Shippo's tells this hub; a token at its end is nobody's business here."""
    tells = row.get("event") in (manifest.UPDATED, "all") and row.get("active", True) is True
    address = str(row.get("url", "")).partition("?")[0].rstrip("/")
    return tells and address == here and bool(row.get("is_test", False)) == is_test


def _rows(answer: Answer) -> list[Mapping[str, Any]]:
    body = answer.json()
    rows = body.get("results") if isinstance(body, Mapping) else None
    if not isinstance(rows, list):
        raise Transient("account.check: the answer is none of Shippo's", code="unexpected_body", status=answer.status)
    return [row for row in rows if isinstance(row, Mapping)]


def _track_of(answer: Answer) -> Mapping[str, Any]:
    """A track; one of a number nobody knows has no status, and is one all the same."""
    body = answer.json()
    if not isinstance(body, Mapping) or not isinstance(body.get("tracking_number"), str):
        kind = answer.call.kind
        raise Transient(f"{kind}: the answer is no track", code="unexpected_body", status=answer.status)
    return body


def _without_records(value: Any) -> Any:
    """What the track says, at whatever depth, without what Shippo says of its own records."""
    if isinstance(value, Mapping):
        return {name: _without_records(inner) for name, inner in value.items() if name not in OWN}
    return [_without_records(inner) for inner in value] if isinstance(value, list) else value
