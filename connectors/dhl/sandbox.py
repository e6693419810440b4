"""The DHL sandbox: a fake of Shipment Tracking Unified with an app's small allowance.

Source: DHL Shipment Tracking Unified 1.3.1 OpenAPI document (2026-11); 250 calls a day, one in five seconds
(developer.dhl.com, 2026-10).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar, Final

from aiohttp import web

from connectors.dhl.fake import answers
from connectors.dhl.settings import CALLS_PER_DAY, SERVICES
from connectors.sdk.carrier_sandbox import CarrierSandbox, Parcel, fitting
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock

API_KEY: Final = "sandbox-dhl-api-key"
PARAMETERS: Final = frozenset(
    {
        "trackingNumber", "service", "requesterCountryCode", "originCountryCode", "recipientPostalCode", "language",
        "offset", "limit",
    }
)  # fmt: skip


class DhlSandbox(CarrierSandbox):
    """One app. `calls_per_day` ends at midnight UTC; faults are not counted."""

    name: ClassVar[str] = "dhl"
    calls_per_day: int = CALLS_PER_DAY

    def __init__(self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None) -> None:
        super().__init__(seed=seed, faults=faults, clock=clock)
        self.has_product = True
        self._day: date | None = None
        self._calls = 0

    def number(self, index: int) -> str:
        return fitting(f"7777{index:05d}", "dhl_express")

    def account_section(self) -> dict[str, Any]:
        return {
            "connector": "dhl",
            "base_url": self.base_url,
            "credentials": {"api_key": API_KEY},
            "options": {"country": "US"},
        }

    def drop_scope(self) -> None:
        """The app loses Shipment Tracking."""
        self.has_product = False

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [web.get("/track/shipments", self._shipments)]

    async def writes(self, request: web.Request) -> bool:  # noqa: ARG002 - asking is all one can do here
        return False

    def rate_limited_response(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:  # noqa: ARG002
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
        return _problem(429, "Too Many Requests", "Too many requests within defined time period.", headers)

    def server_error_response(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        return _problem(503, "Service Unavailable", "The service cannot be reached.")

    async def _shipments(self, request: web.Request) -> web.Response:
        if request.headers.get("DHL-API-Key") != API_KEY:
            return _problem(401, "Unauthorized", "Unauthorized for given resource.")
        if not self.has_product:
            return _problem(403, "Forbidden", "The API key is not allowed to use this API.")
        if self._spent():
            return _problem(429, "Too Many Requests", "Too many requests within defined time period.")
        number = request.query.get("trackingNumber", "")
        service = request.query.get("service", "express")
        if not number or set(request.query) - PARAMETERS or service not in SERVICES:
            return _problem(400, "Bad request", "A parameter is missing or not known.")
        parcel = self._under(number)
        scans = parcel.shown(self.clock.now()) if parcel else []
        if parcel is None or not scans or service != "express":
            return web.json_response(answers.not_found(number), status=404, content_type="application/problem+json")
        return web.json_response(answers.shipments(parcel, scans))

    def _under(self, number: str) -> Parcel | None:
        """A shipment by its own number or by that of its piece."""
        if number in self.parcels:
            return self.parcels[number]
        return next((each for each in self.parcels.values() if number == f"JD01460000{each.serial:010d}"), None)

    def _spent(self) -> bool:
        today = self.clock.now().date()
        if today != self._day:
            self._day, self._calls = today, 0
        self._calls += 1
        return self._calls > self.calls_per_day


def _problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"title": title, "detail": detail, "status": status}
    return web.json_response(body, status=status, headers=headers, content_type="application/problem+json")
