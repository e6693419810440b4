"""The DHL connector: one object per account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from connectors.dhl import errors, manifest, settings
from connectors.dhl.api import Api
from connectors.sdk.contract import AccountContext, CheckReport, Envelope
from connectors.sdk.errors import Rejected, Transient
from connectors.sdk.http import Answer
from connectors.sdk.manifest import Manifest
from connectors.sdk.tracking import TrackedNumber, TrackQuota
from connectors.sdk.tracking_envelopes import told

PROBE_NUMBER: Final = "7777777770"
"""The number of DHL's own examples: harmless to ask about."""
SHIPMENTS: Final = "shipments"


class DhlConnector:
    """Everything the manifest declares. For one event loop; its methods may run side by side."""

    manifest: ClassVar[Manifest] = manifest.MANIFEST

    def __init__(self, ctx: AccountContext) -> None:
        self._ctx = ctx
        self._settings = settings.read(ctx)
        self._api = Api(ctx, self._settings)
        self.budgets = self._api.budgets
        self.track_quota: TrackQuota | None = manifest.quota(self._settings.calls_per_day)

    def __repr__(self) -> str:
        return f"DhlConnector({self._ctx.account!r})"

    async def close(self) -> None:
        await self._api.close()

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        """One envelope with all shipments DHL has under the number, of whichever division."""
        if len(numbers) > self.manifest.track_batch_max:
            raise Rejected("DHL is asked about one number at a time", code="too_many")
        return [_told(each.number, await self._api.shipments(each)) for each in numbers]

    async def check(self) -> CheckReport:
        """One question about DHL's example number: one of the day's calls."""
        await self._api.shipments(TrackedNumber(PROBE_NUMBER))
        account = f" {self._settings.account_number}" if self._settings.account_number else ""
        few = f"{self._settings.calls_per_day} calls a day: more open parcels than that are asked about less than daily"
        default = self._settings.calls_per_day == settings.CALLS_PER_DAY
        return CheckReport(who=f"DHL app{account}", warnings=(few,) if default else ())


def _told(number: str, answer: Answer) -> Envelope:
    """The answer without its page links, and with the number asked for, which may be that of one piece."""
    if answer.status == 404:
        return told(manifest.TRACKING, number, {"trackingNumber": number, **_without_instance(answer)})
    body = answer.json()
    shipments = body.get(SHIPMENTS) if isinstance(body, Mapping) else None
    if not isinstance(shipments, list):
        raise Transient("parcel.track: the answer is none of Tracking's", code="unexpected_body", status=answer.status)
    if not shipments:
        nothing = {"title": "No result found", "status": 404}
        return told(manifest.TRACKING, number, {"trackingNumber": number, **nothing})
    return told(manifest.TRACKING, number, {"trackingNumber": number, SHIPMENTS: shipments})


def _without_instance(answer: Answer) -> dict[str, object]:
    """A problem document less the path it is about, which may hold an id of the answer's own."""
    return {name: value for name, value in errors.problem_of(answer).items() if name != "instance"}
