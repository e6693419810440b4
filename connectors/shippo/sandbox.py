"""The Shippo sandbox: a fake of tracks and of the webhooks they cause.

Source: docs.goshippo.com, API reference version 2018-02-08, Webhooks and Webhook security (2026-11).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from aiohttp import web

from connectors.sdk.carrier_sandbox import CarrierSandbox, Parcel, Scan, fitting
from connectors.sdk.emitter import Delivery, RetryRule
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock
from connectors.shippo import webhooks
from connectors.shippo.fake import answers

API_KEY: Final = "shippo_live_sandbox0000000000000000000000000000"
WEBHOOK_SECRET: Final = "sandbox-shippo-webhook-secret"  # noqa: S105  # of the sandbox alone
CARRIERS: Final = frozenset({"usps", "ups", "fedex", "dhl_express", "ontrac", "canada_post"})
_FIELDS: Final = frozenset({"carrier", "tracking_number", "metadata"})
_NUMBER: Final = re.compile(r"[0-9A-Za-z]{6,40}")


class ShippoSandbox(CarrierSandbox):
    """One account whose pushes are signed. A number registered twice is told of twice, as Shippo does."""

    name: ClassVar[str] = "shippo"
    has_scopes: ClassVar[bool] = False
    webhook_rule: ClassVar[RetryRule] = RetryRule(
        waits_s=(3.0, 3.0),
        timeout_s=3.0,
        source="docs.goshippo.com, Webhooks: two more tries, each waited for three seconds (2026-10)",
    )

    def __init__(self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None) -> None:
        super().__init__(seed=seed, faults=faults, clock=clock)
        self.registered: Counter[str] = Counter()

    def number(self, index: int) -> str:
        return fitting(f"9205590164917{index:08d}", "usps")

    def account_section(self) -> dict[str, Any]:
        return {
            "connector": "shippo",
            "base_url": self.base_url,
            "credentials": {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET},
            "options": {"webhook_auth": "signature"},
        }

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.post("/tracks", self._register),
            web.get("/tracks/{carrier}/{number}", self._track),
            web.get("/webhooks", self._webhooks),
        ]

    def rate_limited_response(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:  # noqa: ARG002
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
        return _refusal(429, {"detail": "Request was throttled."}, headers)

    def server_error_response(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        return _refusal(503, {"detail": "Service temporarily unavailable."})

    def webhook_headers(
        self,
        topic: str,  # noqa: ARG002 - the topic stands in the body
        body: bytes,
        *,
        event_id: str,  # noqa: ARG002 - there is none
        attempt: int = 1,  # noqa: ARG002
    ) -> Mapping[str, str]:
        now = int(self.clock.now().timestamp())
        return {"Content-Type": "application/json", "Shippo-Auth-Signature": webhooks.header(WEBHOOK_SECRET, body, now)}

    def push(self, parcel: Parcel, scan: Scan) -> None:
        """The track as it is now, for every scan, as often as the number was registered."""
        for _ in range(self.registered[parcel.number] if self.webhook_url else 0):
            self._tell(parcel, scan)

    def _tell(self, parcel: Parcel, scan: Scan) -> None:
        assert self.webhook_url is not None  # noqa: S101 - `push` has looked
        self.record("webhook.sent", number=parcel.number, step=scan.step)
        track = answers.track(parcel.number, "usps", parcel, parcel.shown(self.clock.now()))
        body = json.dumps(answers.event(track)).encode()
        headers = self.webhook_headers("track_updated", body, event_id=parcel.number)
        self.emit(self.webhook_url, lambda _: Delivery(body, headers, label=parcel.number))

    async def _register(self, request: web.Request) -> web.Response:
        """POST /tracks: 201 for whatever looks like a number, made up or not."""
        if not _is_known(request):
            return _unauthorized()
        try:
            wanted = json.loads(await request.read())
            carrier, number = str(wanted["carrier"]), str(wanted["tracking_number"])
        except (ValueError, KeyError, TypeError):
            return _refusal(400, {"tracking_number": ["This field is required."]})
        if set(wanted) - _FIELDS or not _NUMBER.fullmatch(number):
            return _refusal(400, {"tracking_number": ["Enter a valid tracking number."]})
        if carrier not in CARRIERS:
            return _refusal(400, {"carrier": [f"Carrier {carrier} is not supported for tracking."]})
        self.registered[number] += 1
        return web.json_response(self._shown(carrier, number), status=201)

    async def _track(self, request: web.Request) -> web.Response:
        """GET /tracks/{carrier}/{number}."""
        if not _is_known(request):
            return _unauthorized()
        carrier, number = request.match_info["carrier"], request.match_info["number"]
        if carrier not in CARRIERS or not _NUMBER.fullmatch(number):
            return _refusal(400, {"detail": "The carrier or the tracking number is not valid."})
        return web.json_response(self._shown(carrier, number))

    async def _webhooks(self, request: web.Request) -> web.Response:
        """GET /webhooks: the one entered in the portal, if any."""
        if not _is_known(request):
            return _unauthorized()
        if set(request.query) - {"page", "results"}:
            return _refusal(400, {"detail": "A parameter is not known."})
        row = {"event": "track_updated", "url": self.webhook_url, "active": True, "is_test": False, "object_id": "1"}
        rows = [row] if self.webhook_url else []
        return web.json_response({"next": None, "previous": None, "count": len(rows), "results": rows})

    def _shown(self, carrier: str, number: str) -> dict[str, Any]:
        parcel = self.parcels.get(number) if carrier == "usps" else None
        return answers.track(number, carrier, parcel, parcel.shown(self.clock.now()) if parcel else [])


def _is_known(request: web.Request) -> bool:
    return request.headers.get("Authorization") == f"ShippoToken {API_KEY}"


def _unauthorized() -> web.Response:
    return _refusal(401, {"detail": "Token does not exist"})


def _refusal(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response(dict(body), status=status, headers=headers)
