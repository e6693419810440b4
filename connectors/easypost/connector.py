"""The EasyPost connector: one object per account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from connectors.easypost import manifest, settings, webhooks
from connectors.easypost.api import Api
from connectors.sdk.contract import AccountContext, CheckReport, Envelope, WebhookReply, WebhookRequest
from connectors.sdk.errors import Rejected, Transient
from connectors.sdk.http import Answer
from connectors.sdk.manifest import Manifest
from connectors.sdk.tracking import TrackedNumber, TrackQuota, Watched
from connectors.sdk.tracking_envelopes import told


class EasypostConnector:
    """Everything the manifest declares. For one event loop; its methods may run side by side."""

    manifest: ClassVar[Manifest] = manifest.MANIFEST
    track_quota: TrackQuota | None = None

    def __init__(self, ctx: AccountContext) -> None:
        self._ctx = ctx
        self._settings = settings.read(ctx)
        self._api = Api(ctx, self._settings)
        self.budgets = self._api.budgets

    def __repr__(self) -> str:
        return f"EasypostConnector({self._ctx.account!r})"

    async def close(self) -> None:
        await self._api.close()

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        """One tracker; a number EasyPost has heard nothing of has one too, whose status says so."""
        if len(numbers) > self.manifest.track_batch_max:
            raise Rejected("EasyPost is asked about one number at a time", code="too_many")
        return [_told(each.number, await self._api.tracker(each)) for each in numbers]

    async def watch(self, numbers: Sequence[TrackedNumber]) -> Sequence[Watched]:
        """A tracker is pushed for the parcel's life once it is there."""
        return [await self._watch(each) for each in numbers]

    def challenge(self, request: WebhookRequest) -> WebhookReply | None:  # noqa: ARG002  # EasyPost sends none
        return None

    def verify(self, request: WebhookRequest) -> None:
        webhooks.verify(request, self._settings, self._ctx.account)

    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        return webhooks.envelopes(request)

    async def check(self) -> CheckReport:
        """One tracker is read, where there is one."""
        answer = await self._api.newest()
        body = answer.json()
        if not isinstance(body, Mapping) or not isinstance(body.get("trackers"), list):
            raise Transient("account.check: the answer is none of EasyPost's", code="unexpected_body")
        mode = "test" if self._settings.is_test else "production"
        return CheckReport(who=f"EasyPost account ({mode} key)", warnings=_warnings(self._settings))

    async def _watch(self, number: TrackedNumber) -> Watched:
        if not self._settings.webhook_secrets:
            missing = "credentials.webhook_secret is not set: nothing EasyPost pushes could be believed"
            return Watched(number, error=Rejected(missing, code="no_secret"))
        try:
            answer = await self._api.create(number, kind="parcel.watch")
        except Rejected as error:
            return Watched(number, error=error)
        return Watched(number, vendor_id=str(_tracker(answer)["id"]))


def _tracker(answer: Answer) -> Mapping[str, Any]:
    body = answer.json()
    if not isinstance(body, Mapping) or not body.get("id") or not body.get("tracking_code"):
        raise Transient(f"{answer.call.kind}: the answer is no tracker", code="unexpected_body", status=answer.status)
    return body


def _told(number: str, answer: Answer) -> Envelope:
    """Without the time of the last look, which changes without news."""
    tracker = _tracker(answer)
    said = {name: value for name, value in tracker.items() if name != "updated_at"}
    return told(manifest.TRACKING, number, said, payload=answer.content)


def _warnings(known: settings.Settings) -> list[str]:
    found = []
    if not known.webhook_secrets:
        found.append("credentials.webhook_secret is not set: EasyPost cannot push here, parcels are polled only")
    if known.is_test:
        found.append("the key is a test key: EasyPost tells of its own test numbers only")
    return found
