"""The UPS connector: one object per account, putting the nouns together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from connectors.sdk.contract import (
    AccountContext,
    CheckReport,
    Envelope,
    WebhookReply,
    WebhookRequest,
)
from connectors.sdk.errors import Rejected, Transient
from connectors.sdk.http import Answer
from connectors.sdk.manifest import Manifest
from connectors.sdk.tracking import TrackedNumber, TrackQuota, Watched
from connectors.sdk.tracking_envelopes import told
from connectors.ups import errors, manifest, settings, webhooks
from connectors.ups.alerts import Alerts
from connectors.ups.api import Api

PROBE_NUMBER: Final = "1ZCIETST0111111114"
"""UPS's own test number: harmless to ask about anywhere (UPS Track Alert v2 OpenAPI document, 2026-07)."""


class UpsConnector:
    """Everything the manifest declares. For one event loop; its methods may run side by side."""

    manifest: ClassVar[Manifest] = manifest.MANIFEST
    track_quota: TrackQuota | None = None

    def __init__(self, ctx: AccountContext) -> None:
        self._ctx = ctx
        self._settings = settings.read(ctx)
        self._api = Api(ctx, self._settings)
        self.budgets = self._api.budgets
        self._alerts = Alerts(ctx, self._api, is_heard=bool(self._settings.webhook_secrets))

    def __repr__(self) -> str:
        return f"UpsConnector({self._ctx.account!r})"

    async def close(self) -> None:
        await self._api.close()

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        if len(numbers) > self.manifest.track_batch_max:
            raise Rejected("UPS is asked about one number at a time", code="too_many")
        return [_told(each.number, await self._api.details(each.number)) for each in numbers]

    async def watch(self, numbers: Sequence[TrackedNumber]) -> Sequence[Watched]:
        return await self._alerts.watch(numbers)

    def challenge(self, request: WebhookRequest) -> WebhookReply | None:
        """UPS's login at this hub; see `connectors.ups.webhooks`."""
        return webhooks.login(request, self._settings, self._ctx.ids.uuid())

    def verify(self, request: WebhookRequest) -> None:
        webhooks.verify(request, self._settings)

    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        return webhooks.envelopes(request)

    async def check(self) -> CheckReport:
        """One login and one question about UPS's test number, which may well be unknown."""
        await self._api.details(PROBE_NUMBER)
        account = f" {self._settings.account_number}" if self._settings.account_number else ""
        return CheckReport(who=f"UPS account{account}", warnings=_warnings(self._settings))


def _told(number: str, answer: Answer) -> Envelope:
    body = answer.json()
    if answer.status == 404:
        fault = errors.fault_of(answer)
        body = _without_news(number, {"code": fault.code, "message": fault.message})
    response = body.get("trackResponse") if isinstance(body, Mapping) else None
    shipments = response.get("shipment") if isinstance(response, Mapping) else None
    if not isinstance(shipments, list):
        raise Transient("parcel.track: the answer is none of Track's", code="unexpected_body", status=answer.status)
    return told(
        manifest.TRACKING, number, {"trackResponse": {"shipment": [_named(each, number) for each in shipments]}}
    )


def _named(shipment: Any, number: str) -> Any:
    """A shipment without package does not always repeat the number it is about; the document has to name it."""
    if isinstance(shipment, Mapping) and not shipment.get("package") and not shipment.get("inquiryNumber"):
        return {"inquiryNumber": number, **{key: value for key, value in shipment.items() if key != "inquiryNumber"}}
    return shipment


def _without_news(number: str, warning: Mapping[str, str]) -> dict[str, Any]:
    """A 404 in the shape Track has for a number without news in a 200."""
    return {"trackResponse": {"shipment": [{"inquiryNumber": number, "warnings": [dict(warning)]}]}}


def _warnings(known: settings.Settings) -> list[str]:
    found = []
    if not known.webhook_secrets:
        found.append("credentials.webhook_secret is not set: UPS cannot push alerts here, parcels are polled only")
    if settings.INTEGRATION_HOST in known.base_url:
        found.append(f"{settings.INTEGRATION_HOST} is UPS's integration host: it creates no subscriptions")
    return found
