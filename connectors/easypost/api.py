"""EasyPost's wire: key, budget. Everything that calls EasyPost passes here.

A tracker is made by asking for it: EasyPost answers with the one there is for a number and carrier asked
for in the last three months, so asking again makes nothing more and may be repeated.

Source: docs.easypost.com, trackers (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.easypost import errors
from connectors.easypost.manifest import MANIFEST, TRACKERS
from connectors.easypost.settings import Settings
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import TargetMissing
from connectors.sdk.http import Answer, HttpClient
from connectors.sdk.keyed import basic_header
from connectors.sdk.ports import Secret
from connectors.sdk.queries import escaped
from connectors.sdk.tracking import TrackedNumber

CARRIERS: Final[Mapping[str, str]] = {
    "canada_post": "CanadaPost",
    "dhl_express": "DHLExpress",
    "fedex": "FedEx",
    "ontrac": "OnTrac",
    "purolator": "Purolator",
    "ups": "UPS",
    "usps": "USPS",
}
"""Our word → EasyPost's. Of carriers that are not here none is named, and EasyPost finds out by the number."""
TRACKER_PREFIX: Final = "trk_"


class Api:
    """One account's calls. For one event loop; any number of tasks."""

    def __init__(self, ctx: AccountContext, settings: Settings) -> None:
        self.budgets = BudgetBook(ctx.clock, MANIFEST.budgets)
        self._http = HttpClient(
            ctx,
            base_url=settings.base_url,
            budgets=self.budgets,
            classify=errors.classify,
            authorize=basic_header(settings.api_key, Secret("")),
            correlation_headers=("x-ep-request-uuid", "x-request-id"),
        )

    async def close(self) -> None:
        await self._http.close()

    async def tracker(self, number: TrackedNumber) -> Answer:
        """The parcel by the id EasyPost has given it, else by its number."""
        if number.parcel and number.parcel.startswith(TRACKER_PREFIX):
            path = f"/v2/trackers/{escaped(number.parcel)}"
            try:
                return await self._http.request("GET", path, kind="parcel.track", budget=TRACKERS)
            except TargetMissing:
                # Made with another key, or gone by its age: the number still names the parcel.
                pass
        return await self.create(number, kind="parcel.track")

    async def create(self, number: TrackedNumber, *, kind: str) -> Answer:
        """The tracker of a number, made where there is none."""
        wanted = {"tracking_code": number.number}
        carrier = number.carrier_raw or CARRIERS.get(number.carrier or "")
        if carrier:
            wanted["carrier"] = carrier
        return await self._http.request(
            "POST", "/v2/trackers", json={"tracker": wanted}, kind=kind, write=True, keyed=True, budget=TRACKERS
        )

    async def newest(self) -> Answer:
        """One tracker of the account, or none: shows whether trackers may be read."""
        return await self._http.request(
            "GET", "/v2/trackers", params={"page_size": 1}, kind="account.check", budget=TRACKERS
        )
