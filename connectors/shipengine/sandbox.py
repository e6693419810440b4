"""The ShipEngine sandbox: a fake of tracking, webhooks and the key set they are signed with.

Source: ShipEngine OpenAPI document 1.1.202604070904 (2026-04); docs.shipstation.com, Webhook validation and rate
limits (2026-11).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from aiohttp import web

from connectors.sdk.carrier_sandbox import CarrierSandbox, Parcel, Scan, fitting
from connectors.sdk.emitter import Delivery, MakeDelivery, RetryRule
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock
from connectors.sdk.sandbox_keys import SigningKey
from connectors.shipengine.fake import answers
from connectors.shipengine.webhooks import HEADERS, SECRET_HEADER

API_KEY: Final = "sandbox-shipengine-api-key"
WEBHOOK_SECRET: Final = "sandbox-shipengine-webhook-secret"  # noqa: S105  # of the sandbox alone
CARRIERS: Final = frozenset({"ups", "fedex", "stamps_com", "dhl_express", "ontrac"})
PREFIXES: Final = ("/v1", "/v2")
"""ShipEngine's own, and that of ShipStation's API v2."""
EVENTS: Final = frozenset({"track", "track_event_v2"})
ENDING: Final = frozenset({"delivered", "delayed", "returning", "returned"})
"""Steps after which ShipEngine pushes a number no more: the delivery, and any exception."""
_QUERY: Final = frozenset({"carrier_code", "tracking_number"})
_NUMBER: Final = re.compile(r"[0-9A-Za-z]{6,40}")


class ShipengineSandbox(CarrierSandbox):
    """One production account. A number is pushed once its tracking was started, to every webhook for `track`."""

    name: ClassVar[str] = "shipengine"
    has_scopes: ClassVar[bool] = False
    webhook_rule: ClassVar[RetryRule] = RetryRule(
        waits_s=(60.0, 300.0), timeout_s=10.0, source="ShipEngine publishes no spans; a guess of ours"
    )

    def __init__(self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None) -> None:
        super().__init__(seed=seed, faults=faults, clock=clock)
        self.key = SigningKey(HEADERS)
        self.started_numbers: set[str] = set()
        self.webhooks: list[dict[str, Any]] = []

    def number(self, index: int) -> str:
        return fitting(f"1Z8A4463{3:02d}{index:07d}", "ups")

    def account_section(self) -> dict[str, Any]:
        return {
            "connector": "shipengine",
            "base_url": self.base_url,
            "credentials": {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET},
        }

    def deliver_to(self, url: str) -> None:
        """A webhook as the owner makes it, header included."""
        super().deliver_to(url)
        self._add({"event": "track", "url": url, "headers": [{"key": SECRET_HEADER, "value": WEBHOOK_SECRET}]})

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        own = (
            (web.get, "/tracking", self._track),
            (web.post, "/tracking/start", self._start),
            (web.get, "/carriers", self._carriers),
            (web.get, "/environment/webhooks", self._list),
            (web.post, "/environment/webhooks", self._create),
            (web.put, "/environment/webhooks/{webhook_id}", self._change),
        )
        yield from (made(prefix + path, handler) for prefix in PREFIXES for made, path, handler in own)
        yield web.get("/jwks", self._keys)

    def rate_limited_response(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:  # noqa: ARG002
        response = self._refusal(429, "rate_limit_exceeded", "You have exceeded the rate limit.")
        if retry_after is not None:
            response.headers["Retry-After"] = f"{retry_after:g}"
        return response

    def server_error_response(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        return self._refusal(500, "unspecified", "An unknown error occurred.", kind="system")

    def webhook_headers(
        self,
        topic: str,  # noqa: ARG002 - the topic stands in the body
        body: bytes,
        *,
        event_id: str,  # noqa: ARG002 - there is none
        attempt: int = 1,  # noqa: ARG002
    ) -> Mapping[str, str]:
        return self._signed(body, {SECRET_HEADER: WEBHOOK_SECRET})

    def push(self, parcel: Parcel, scan: Scan) -> None:
        """Tracking information as it is now, for every scan; each attempt is signed anew."""
        if parcel.number not in self.started_numbers:
            return
        told = answers.tracking(parcel.number, "ups", parcel, parcel.shown(self.clock.now()))
        body = json.dumps(answers.push("ups", told)).encode()
        for hook in self.webhooks:
            self.record("webhook.sent", number=parcel.number, step=scan.step)
            own = {row["key"]: row["value"] for row in hook.get("headers", ())}
            self.emit(hook["url"], self._delivery(body, own, parcel.number))
        if scan.step in ENDING:
            self.started_numbers.discard(parcel.number)

    def _delivery(self, body: bytes, own: Mapping[str, str], label: str) -> MakeDelivery:
        return lambda _: Delivery(body, self._signed(body, own), label=label)

    def _signed(self, body: bytes, own: Mapping[str, str]) -> Mapping[str, str]:
        return {"Content-Type": "application/json", **own, **self.key.headers(body, self.clock.now())}

    async def _track(self, request: web.Request) -> web.Response:
        refused = self._unfit(request)
        if refused is not None:
            return refused
        carrier, number = request.query["carrier_code"], request.query["tracking_number"]
        parcel = self.parcels.get(number) if carrier == "ups" else None
        scans = parcel.shown(self.clock.now()) if parcel else []
        return web.json_response(answers.tracking(number, carrier, parcel, scans))

    async def _start(self, request: web.Request) -> web.Response:
        refused = self._unfit(request)
        if refused is not None:
            return refused
        self.started_numbers.add(request.query["tracking_number"])
        return web.Response(status=204)

    async def _carriers(self, request: web.Request) -> web.Response:
        if not _is_known(request):
            return self._unauthorized()
        rows = [{"carrier_id": f"se-{index}", "carrier_code": code} for index, code in enumerate(sorted(CARRIERS), 1)]
        return web.json_response({"carriers": rows, "request_id": self._request_id(), "errors": []})

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(self.webhooks) if _is_known(request) else self._unauthorized()

    async def _create(self, request: web.Request) -> web.Response:
        if not _is_known(request):
            return self._unauthorized()
        try:
            wanted = json.loads(await request.read())
            fits = wanted["event"] in EVENTS and isinstance(wanted["url"], str)
        except (ValueError, KeyError, TypeError):
            fits = False
        if not fits:
            return self._refusal(400, "invalid_field_value", "event or url is not valid.", kind="validation")
        return web.json_response(self._add(wanted))

    async def _change(self, request: web.Request) -> web.Response:
        if not _is_known(request):
            return self._unauthorized()
        wanted_id = request.match_info["webhook_id"]
        hook = next((each for each in self.webhooks if each["webhook_id"] == wanted_id), None)
        if hook is None:
            return self._refusal(404, "invalid_identifier", "There is no such webhook.", kind="validation")
        hook |= json.loads(await request.read())
        return web.Response(status=204)

    async def _keys(self, request: web.Request) -> web.Response:  # noqa: ARG002 - open to everybody
        return web.json_response(self.key.published())

    def _unfit(self, request: web.Request) -> web.Response | None:
        """What is wrong with a question about a parcel."""
        if not _is_known(request):
            return self._unauthorized()
        if set(request.query) != _QUERY or not _NUMBER.fullmatch(request.query["tracking_number"]):
            return self._refusal(400, "invalid_field_value", "tracking_number is not valid.", kind="validation")
        if request.query["carrier_code"] not in CARRIERS:
            return self._refusal(400, "carrier_not_connected", "The carrier is not connected.", kind="business_rules")
        return None

    def _add(self, hook: Mapping[str, Any]) -> dict[str, Any]:
        made = {**hook, "webhook_id": f"se-{len(self.webhooks) + 1}"}
        self.webhooks.append(made)
        return made

    def _unauthorized(self) -> web.Response:
        return self._refusal(401, "unauthorized", "The API key is invalid.", kind="security")

    def _refusal(self, status: int, code: str, message: str, *, kind: str = "business_rules") -> web.Response:
        row = {"error_source": "shipengine", "error_type": kind, "error_code": code, "message": message}
        return web.json_response({"request_id": self._request_id(), "errors": [row]}, status=status)

    def _request_id(self) -> str:
        mark = f"{self.random.getrandbits(128):032x}"
        return "-".join((mark[:8], mark[8:12], mark[12:16], mark[16:20], mark[20:]))


def _is_known(request: web.Request) -> bool:
    return request.headers.get("API-Key") == API_KEY
