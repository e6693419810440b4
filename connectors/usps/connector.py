"""The USPS connector: one object per account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from connectors.sdk.contract import AccountContext, CheckReport, Envelope
from connectors.sdk.errors import Rejected, Transient
from connectors.sdk.http import Answer
from connectors.sdk.manifest import Manifest
from connectors.sdk.tracking import TrackedNumber, TrackQuota
from connectors.sdk.tracking_envelopes import told
from connectors.usps import manifest, settings
from connectors.usps.api import Api

PROBE_NUMBER: Final = "9400100000000000000000"
"""A number nothing was ever mailed under: asking about it shows whether Tracking may be used."""


class UspsConnector:
    """Everything the manifest declares. For one event loop; its methods may run side by side."""

    manifest: ClassVar[Manifest] = manifest.MANIFEST

    def __init__(self, ctx: AccountContext) -> None:
        self._ctx = ctx
        self._settings = settings.read(ctx)
        self._api = Api(ctx, self._settings)
        self.budgets = self._api.budgets
        self.track_quota: TrackQuota | None = manifest.quota(self._settings.calls_per_hour)

    def __repr__(self) -> str:
        return f"UspsConnector({self._ctx.account!r})"

    async def close(self) -> None:
        await self._api.close()

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        if len(numbers) > self.manifest.track_batch_max:
            raise Rejected("USPS is asked about one number at a time", code="too_many")
        return [_told(each.number, await self._api.tracking(each)) for each in numbers]

    async def check(self) -> CheckReport:
        """One login and one question about a number nobody uses: two of the hour's calls."""
        await self._api.tracking(TrackedNumber(PROBE_NUMBER))
        account = f" {self._settings.account_number}" if self._settings.account_number else ""
        slow = f"{self._settings.calls_per_hour} calls an hour: more open parcels than that wait for their turn"
        default = self._settings.calls_per_hour == settings.CALLS_PER_HOUR
        return CheckReport(who=f"USPS app{account}", warnings=(slow,) if default else ())


def _told(number: str, answer: Answer) -> Envelope:
    """The answer with the number asked for in it: "no news" never repeats it, and scans need not either."""
    body = answer.json()
    if not isinstance(body, Mapping) or not {"trackingEvents", "statusCategory", "error"} & body.keys():
        raise Transient("parcel.track: the answer is none of Tracking's", code="unexpected_body", status=answer.status)
    return told(manifest.TRACKING, number, {"trackingNumber": number, **_known(body)})


def _known(body: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in body.items() if not (name == "trackingNumber" and not value)}
