"""The FedEx connector: one object per account, putting the nouns together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from connectors.fedex import manifest, settings, webhooks
from connectors.fedex.api import Api
from connectors.sdk.contract import (
    AccountContext,
    CheckReport,
    Envelope,
    WebhookReply,
    WebhookRequest,
)
from connectors.sdk.errors import Rejected, Transient, UnknownTopic
from connectors.sdk.http import Answer
from connectors.sdk.manifest import Manifest
from connectors.sdk.tracking import TrackedNumber, TrackQuota
from connectors.sdk.tracking_envelopes import told

PROBE_NUMBER: Final = "111111111111"
"""A number nothing was ever shipped under: asking about it shows whether Track may be used."""


class FedexConnector:
    """Everything the manifest declares. For one event loop; its methods may run side by side."""

    manifest: ClassVar[Manifest] = manifest.MANIFEST

    def __init__(self, ctx: AccountContext) -> None:
        self.track_quota: TrackQuota | None = self.manifest.track_quota
        self._ctx = ctx
        self._settings = settings.read(ctx)
        self._api = Api(ctx, self._settings)
        self.budgets = self._api.budgets

    def __repr__(self) -> str:
        return f"FedexConnector({self._ctx.account!r})"

    async def close(self) -> None:
        await self._api.close()

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        """One envelope per number FedEx answers for, its parcels in it: a number may have been used twice."""
        if len(numbers) > self.manifest.track_batch_max:
            raise Rejected(f"FedEx takes at most {self.manifest.track_batch_max} numbers at a time", code="too_many")
        if not numbers:
            return []
        results = _results(await self._api.track(numbers))
        return [
            told(manifest.TRACKING, str(result["trackingNumber"]), {"output": {"completeTrackResults": [result]}})
            for result in results
            if result.get("trackingNumber")
        ]

    def challenge(self, request: WebhookRequest) -> WebhookReply | None:  # noqa: ARG002  # FedEx sends none
        return None

    def verify(self, request: WebhookRequest) -> None:
        webhooks.verify(request, self._settings, self._ctx.account)

    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        return webhooks.envelopes(request)

    async def resolve(self, envelope: Envelope) -> Sequence[Envelope]:
        """Ask about the numbers a push names. One that names none leads to nothing: polling finds it.

        Raises:
            UnknownTopic: No push of ours.
            Transient: FedEx cannot be asked now.
        """
        if envelope.topic != manifest.EVENT:
            raise UnknownTopic(f"{envelope.topic!r} is no push of FedEx's; known is {manifest.EVENT}")
        return await self.track([TrackedNumber(number) for number in webhooks.numbers_of(envelope.payload)])

    async def check(self) -> CheckReport:
        """One login and one question about a number nobody uses."""
        await self._api.track([TrackedNumber(PROBE_NUMBER)])
        account = f" {self._settings.account_number}" if self._settings.account_number else ""
        missing = "credentials.webhook_secret is not set: FedEx cannot push here, parcels are polled only"
        return CheckReport(who=f"FedEx account{account}", warnings=() if self._settings.webhook_secrets else (missing,))


def _results(answer: Answer) -> list[Mapping[str, Any]]:
    body = answer.json()
    output = body.get("output") if isinstance(body, Mapping) else None
    results = output.get("completeTrackResults") if isinstance(output, Mapping) else None
    if not isinstance(results, list):
        raise Transient("parcel.track: the answer is none of Track's", code="unexpected_body", status=answer.status)
    return [result for result in results if isinstance(result, Mapping)]
