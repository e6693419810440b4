"""The EasyPost sandbox: a fake of trackers and of the webhooks they cause.

Source: docs.easypost.com, trackers, errors and webhooks (2026-11).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from aiohttp import web

from connectors.easypost import webhooks
from connectors.easypost.fake import answers
from connectors.sdk.carrier_sandbox import CarrierSandbox, Parcel, Scan, fitting
from connectors.sdk.emitter import Delivery, RetryRule
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock

API_KEY: Final = "EZAK-sandbox-easypost-key"
WEBHOOK_SECRET: Final = "sandbox-easypost-webhook-sécret"  # noqa: S105  # of the sandbox alone
_FIELDS: Final = frozenset({"tracking_code", "carrier"})


class EasypostSandbox(CarrierSandbox):
    """One account. A parcel is told of once somebody has asked for its tracker."""

    name: ClassVar[str] = "easypost"
    has_scopes: ClassVar[bool] = False
    webhook_rule: ClassVar[RetryRule] = RetryRule(
        waits_s=(60.0, 300.0, 900.0, 3_600.0, 7_200.0, 14_400.0),
        source="six more tries as users saw (2026-10); EasyPost publishes no spans",
    )

    def __init__(self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None) -> None:
        super().__init__(seed=seed, faults=faults, clock=clock)
        self._trackers: dict[str, tuple[str, str, datetime]] = {}
        """by number: EasyPost's id, the carrier, when it was made"""
        self._events = 0

    def number(self, index: int) -> str:
        return fitting(f"6129{index:07d}", "fedex")

    def account_section(self) -> dict[str, Any]:
        return {
            "connector": "easypost",
            "base_url": self.base_url,
            "credentials": {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET},
        }

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.get("/v2/trackers", self._list),
            web.post("/v2/trackers", self._create),
            web.get("/v2/trackers/{id}", self._retrieve),
        ]

    async def writes(self, request: web.Request) -> bool:  # noqa: ARG002 - asking again gives the same tracker
        return False

    def rate_limited_response(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:  # noqa: ARG002
        text = "You have been temporarily rate-limited due to excessive resource consumption."
        response = _refusal(429, "RATE_LIMITED", text)
        if retry_after is not None:
            response.headers["Retry-After"] = f"{retry_after:g}"
        return response

    def server_error_response(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        return _refusal(503, "SERVICE_UNAVAILABLE.ERROR", "The service is not available. Please try again.")

    def webhook_headers(
        self,
        topic: str,  # noqa: ARG002 - the topic stands in the body
        body: bytes,
        *,
        event_id: str,  # noqa: ARG002 - and so does the id
        attempt: int = 1,  # noqa: ARG002
    ) -> Mapping[str, str]:
        signature = webhooks.first_signature(webhooks.key_of(WEBHOOK_SECRET), body)
        return {"Content-Type": "application/json", "X-Hmac-Signature": signature}

    def push(self, parcel: Parcel, scan: Scan) -> None:
        """The tracker as it is now, for every scan."""
        if parcel.number in self._trackers:
            self._tell("tracker.updated", parcel.number)
            self.record("webhook.sent", number=parcel.number, step=scan.step)

    async def _create(self, request: web.Request) -> web.Response:
        """POST /v2/trackers: the one there is for this number, else a new one."""
        if not _is_known(request):
            return _unauthorized()
        try:
            wanted = json.loads(await request.read())["tracker"]
            number = wanted["tracking_code"].strip()
        except (ValueError, KeyError, TypeError, AttributeError):
            number, wanted = "", {}
        if not number or set(wanted) - _FIELDS:
            return _refusal(422, "PARAMETER.REQUIRED", "Missing required parameter: tracking_code")
        if number not in self._trackers:
            own = f"trk_{len(self._trackers) + 1:032x}"
            carrier = str(wanted.get("carrier") or "FedEx")
            self._trackers[number] = (own, carrier, self.clock.now().replace(microsecond=0))
            self._tell("tracker.created", number)
        return web.json_response(self._tracker(number), status=201)

    async def _retrieve(self, request: web.Request) -> web.Response:
        if not _is_known(request):
            return _unauthorized()
        wanted = request.match_info["id"]
        number = next((number for number, (own, *_) in self._trackers.items() if own == wanted), None)
        if number is None:
            return _refusal(404, "NOT_FOUND", "The requested resource could not be found.")
        return web.json_response(self._tracker(number))

    async def _list(self, request: web.Request) -> web.Response:
        """GET /v2/trackers: the newest first."""
        if not _is_known(request):
            return _unauthorized()
        size = request.query.get("page_size", "20")
        if not size.isdigit() or not 1 <= int(size) <= 100:
            return _refusal(422, "PARAMETER.INVALID", "page_size must be between 1 and 100")
        newest = list(self._trackers)[::-1]
        page = [self._tracker(number) for number in newest[: int(size)]]
        return web.json_response({"trackers": page, "has_more": len(newest) > len(page)})

    def _tracker(self, number: str) -> dict[str, Any]:
        own, carrier, created = self._trackers[number]
        parcel = self.parcels.get(number)
        return answers.tracker(own, number, carrier, created, parcel, parcel.shown(self.clock.now()) if parcel else [])

    def _tell(self, description: str, number: str) -> None:
        if self.webhook_url is None:
            return
        self._events += 1
        told = answers.event(f"evt_{self._events:032x}", description, self.clock.now(), self._tracker(number))
        body = json.dumps(told).encode()
        headers = self.webhook_headers(description, body, event_id=told["id"])
        self.emit(self.webhook_url, lambda _: Delivery(body, headers, label=number))


def _is_known(request: web.Request) -> bool:
    wanted = base64.b64encode(f"{API_KEY}:".encode()).decode()
    return request.headers.get("Authorization") == f"Basic {wanted}"


def _unauthorized() -> web.Response:
    return _refusal(401, "APIKEY.INACTIVE", "This API key is no longer active. Please use a different key.")


def _refusal(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message, "errors": []}}, status=status)
