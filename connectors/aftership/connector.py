"""The AfterShip connector: one object per account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from connectors.aftership import errors, manifest, settings, webhooks
from connectors.aftership.api import Api
from connectors.sdk import exact
from connectors.sdk.contract import AccountContext, CheckReport, Envelope, WebhookReply, WebhookRequest
from connectors.sdk.errors import Rejected, TargetMissing, Transient
from connectors.sdk.http import Answer
from connectors.sdk.manifest import Manifest
from connectors.sdk.tracking import TrackedNumber, TrackQuota, Watched
from connectors.sdk.tracking_envelopes import told

OWN: Final = ("created_at", "updated_at", "last_updated_at", "tracked_count")
"""Times and counts of AfterShip's own work, which change without the parcel having moved."""

Tracking = Mapping[str, Any]


class AftershipConnector:
    """Everything the manifest declares. For one event loop; its methods may run side by side."""

    manifest: ClassVar[Manifest] = manifest.MANIFEST
    track_quota: TrackQuota | None = None

    def __init__(self, ctx: AccountContext) -> None:
        self._ctx = ctx
        self._settings = settings.read(ctx)
        self._api = Api(ctx, self._settings)
        self.budgets = self._api.budgets

    def __repr__(self) -> str:
        return f"AftershipConnector({self._ctx.account!r})"

    async def close(self) -> None:
        await self._api.close()

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        """What AfterShip has of one parcel. The first question about it registers it, which takes a second call."""
        if len(numbers) > self.manifest.track_batch_max:
            raise Rejected("AfterShip is asked about one number at a time", code="too_many")
        return [_told(each.number, await self._trackings(each)) for each in numbers]

    async def watch(self, numbers: Sequence[TrackedNumber]) -> Sequence[Watched]:
        """A registered parcel is pushed for its life."""
        return [await self._watch(each) for each in numbers]

    def challenge(self, request: WebhookRequest) -> WebhookReply | None:  # noqa: ARG002  # AfterShip sends none
        return None

    def verify(self, request: WebhookRequest) -> None:
        webhooks.verify(request, self._settings)

    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        return webhooks.envelopes(request)

    async def check(self) -> CheckReport:
        """One tracking is read, where there is one."""
        _listed(await self._api.newest())
        missing = "credentials.webhook_secret is not set: AfterShip cannot push here, parcels are polled only"
        return CheckReport(who="AfterShip organization", warnings=() if self._settings.webhook_secrets else (missing,))

    async def _trackings(self, number: TrackedNumber) -> list[Tracking]:
        if number.parcel:
            try:
                return [_one(await self._api.read(number.parcel))]
            except TargetMissing:
                # Taken away at AfterShip's, by its age or by somebody: the number may still be known or tracked anew.
                pass
        found = _listed(await self._api.find(number.number))
        if found:
            return found
        answer = await self._api.create(number, kind="parcel.register")
        if answer.ok:
            return [_one(answer)]
        # Registered meanwhile by somebody else.
        return _listed(await self._api.find(number.number)) or [_named(number.number, answer)]

    async def _watch(self, number: TrackedNumber) -> Watched:
        if not self._settings.webhook_secrets:
            deaf = "credentials.webhook_secret is not set: nothing AfterShip pushes could be believed"
            return Watched(number, error=Rejected(deaf, code="no_secret"))
        try:
            answer = await self._api.create(number, kind="parcel.watch")
        except Rejected as error:
            return Watched(number, error=error)
        tracking = _one(answer) if answer.ok else _named(number.number, answer)
        return Watched(number, vendor_id=str(tracking["id"]) if tracking.get("id") else None)


def _data(answer: Answer) -> Mapping[str, Any]:
    body = answer.json()
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data, Mapping):
        kind = answer.call.kind
        raise Transient(f"{kind}: the answer is none of AfterShip's", code="unexpected_body", status=answer.status)
    inner = data.get("tracking")
    return inner if isinstance(inner, Mapping) else data


def _one(answer: Answer) -> Tracking:
    data = _data(answer)
    if not isinstance(data.get("tracking_number"), str):
        kind = answer.call.kind
        raise Transient(f"{kind}: the answer is no tracking", code="unexpected_body", status=answer.status)
    return data


def _listed(answer: Answer) -> list[Tracking]:
    rows = _data(answer).get("trackings")
    if not isinstance(rows, list):
        kind = answer.call.kind
        raise Transient(f"{kind}: the answer is no list of trackings", code="unexpected_body", status=answer.status)
    return [row for row in rows if isinstance(row, Mapping) and isinstance(row.get("tracking_number"), str)]


def _named(number: str, answer: Answer) -> Tracking:
    """What an answer that a tracking exists says of it, which is little."""
    assert errors.fault_of(answer).code == errors.EXISTS  # noqa: S101 - anything else was raised
    body = answer.json_or_none()
    data = body.get("data") if isinstance(body, Mapping) else None
    inner = data.get("tracking", data) if isinstance(data, Mapping) else None
    known = inner if isinstance(inner, Mapping) else {}
    return {"id": known.get("id"), "tracking_number": number, "slug": known.get("slug"), "tag": "Pending"}


def _told(number: str, trackings: Sequence[Tracking]) -> Envelope:
    """The same parcel has the same key, whichever of AfterShip's calls has told of it."""
    said = [_without_own(tracking) for tracking in trackings]
    return told(manifest.TRACKING, number, said, payload=exact.dumps({"data": {"trackings": trackings}}))


def _without_own(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_own(inner) for name, inner in value.items() if name not in OWN}
    return [_without_own(inner) for inner in value] if isinstance(value, list) else value
