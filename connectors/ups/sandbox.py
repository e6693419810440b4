"""The UPS sandbox: a fake of Track, Track Alert and the login, built from UPS's documents.

Source: UPS OAuth client credentials, Tracking and Track Alert v2 OpenAPI documents (2026-07); answers as
captured (2024-02): a number without news is a warning in a 200 that does not repeat it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import aiohttp
from aiohttp import web

from connectors.sdk.carrier_sandbox import CarrierSandbox, Parcel, Scan, fitting
from connectors.sdk.emitter import Delivery, RetryRule
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock
from connectors.sdk.sandbox_tokens import BearerTokens
from connectors.ups import webhooks
from connectors.ups.alerts import WATCHABLE
from connectors.ups.fake import answers
from connectors.ups.manifest import WATCH_BATCH_MAX, WATCH_LIFE_S

CLIENT_ID: Final = "sandbox-ups-client"
CLIENT_SECRET: Final = "sandbox-ups-client-secret"  # noqa: S105  # of the sandbox alone
WEBHOOK_CLIENT_ID: Final = "sandbox-ups-alerts"
WEBHOOK_SECRET: Final = "sandbox-ups-webhook-secret"  # noqa: S105  # of the sandbox alone
TOKEN_LIFE_S: Final = 14_399
AGENT: Final = "UPSPubSubTrackingService"
TOKEN_TIMEOUT_S: Final = 5.0

Handler = Callable[[web.Request], Awaitable[web.Response]]


class UpsSandbox(CarrierSandbox):
    """One UPS app and its webhook. See the base classes for how it is used."""

    name: ClassVar[str] = "ups"
    webhook_rule: ClassVar[RetryRule] = RetryRule(source="UPS documents no second attempt (Track Alert v2, 2026-07)")

    def __init__(self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None) -> None:
        super().__init__(seed=seed, faults=faults, clock=clock)
        self.tokens = BearerTokens("ups", self.clock, self.faults, life_s=TOKEN_LIFE_S)
        self.has_product = True
        self._watches: dict[str, datetime] = {}
        self._pushes: set[asyncio.Task[None]] = set()
        self._bearer: tuple[str, datetime] | None = None

    def number(self, index: int) -> str:
        return fitting(f"1Z5R8939{3:02d}{index:07d}", "ups")

    def account_section(self) -> dict[str, Any]:
        return {
            "connector": "ups",
            "base_url": self.base_url,
            "credentials": {
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "webhook_client_id": WEBHOOK_CLIENT_ID,
                "webhook_secret": WEBHOOK_SECRET,
            },
            "options": {"account_number": "0A12B3"},
        }

    def ship_parcel(self, number: str, *, journey: str = "delivered") -> Parcel:
        """As any carrier's; a number may have been asked for before its parcel was known."""
        parcel = super().ship_parcel(number, journey=journey)
        parcel.watched_until = self._watches.get(number)
        return parcel

    def drop_scope(self) -> None:
        """The app loses the Tracking product."""
        self.has_product = False

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.post("/security/v1/oauth/token", self._token),
            web.get("/api/track/v1/details/{inquiryNumber}", self._guarded(self._details)),
            web.post("/api/track/v2/subscription/{type}/package", self._guarded(self._subscribe)),
        ]

    async def writes(self, request: web.Request) -> bool:
        return "/subscription/" in request.path

    def rate_limited_response(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:  # noqa: ARG002
        response = _refusal(429, "10429", "Too Many Requests")
        if retry_after is not None:
            response.headers["Retry-After"] = f"{retry_after:g}"
        return response

    def server_error_response(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        return _refusal(500, "10004", "Something went wrong while processing your request, please try again later")

    def webhook_headers(
        self,
        topic: str,  # noqa: ARG002 - UPS signs neither topic nor body
        body: bytes,  # noqa: ARG002
        *,
        event_id: str,
        attempt: int = 1,
    ) -> Mapping[str, str]:
        """As after a login at the receiver that was given the sandbox's pair."""
        ends = int(self.clock.now().timestamp()) + webhooks.TOKEN_LIFE_S
        return _alert_headers(webhooks.issued(WEBHOOK_SECRET, WEBHOOK_CLIENT_ID, ends, f"{event_id}{attempt}"))

    def push(self, parcel: Parcel, scan: Scan) -> None:
        """An alert, if the parcel is watched and its fourteen days are not over."""
        if self.webhook_url is None or parcel.watched_until is None or self.clock.now() > parcel.watched_until:
            return
        task = asyncio.get_running_loop().create_task(self._push(self.webhook_url, answers.alert(parcel, scan)))
        self._pushes.add(task)
        task.add_done_callback(self._pushes.discard)

    async def settle(self) -> None:
        while self._pushes:
            await asyncio.wait(set(self._pushes))
        await super().settle()

    async def stopped(self) -> None:
        await super().stopped()
        for task in set(self._pushes):
            task.cancel()
        await asyncio.gather(*self._pushes, return_exceptions=True)

    async def _push(self, url: str, event: Mapping[str, Any]) -> None:
        token = await self._bearer_for(url)
        if token is None:
            self.record("webhook.given_up", label="token", url=url)
            return
        body = json.dumps(event).encode()
        self.emit(url, lambda _: Delivery(body, _alert_headers(token), label=str(event["trackingNumber"])))

    async def _bearer_for(self, url: str) -> str | None:
        """A token of the receiver's, fetched with the pair it gave UPS; kept while it lasts."""
        if self._bearer is not None and self.clock.now() < self._bearer[1]:
            return self._bearer[0]
        pair = base64.b64encode(f"{WEBHOOK_CLIENT_ID}:{WEBHOOK_SECRET}".encode()).decode()
        timeout = aiohttp.ClientTimeout(total=TOKEN_TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(
                    url, data={"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {pair}"}
                ) as answer,
            ):
                given = await answer.json(content_type=None) if answer.status == 200 else {}
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError):
            return None
        token = given.get("access_token") if isinstance(given, dict) else None
        if not isinstance(token, str):
            return None
        self._bearer = (token, self.clock.now() + timedelta(seconds=int(given.get("expires_in", 60)) - 30))
        return token

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.Response:
            if not self.tokens.admits(request):
                return _refusal(401, "250002", "Invalid Authentication Information")
            if not self.has_product:
                return _refusal(403, "10403", "The requested product is not part of this app")
            for header in ("transId", "transactionSrc"):
                if not request.headers.get(header):
                    return _refusal(400, "VSS002" if header == "transId" else "VSS004", f"Missing {header}")
            return await handler(request)

        return guarded

    async def _token(self, request: web.Request) -> web.Response:
        """POST /security/v1/oauth/token; every value of the answer is a text."""
        pair = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {pair}":
            return _refusal(401, "10401", "ClientId is Invalid")
        if (await request.post()).get("grant_type") != "client_credentials":
            return _refusal(400, "10400", "Invalid/Missing grant_type")
        issued_at = int(self.clock.now().timestamp() * 1000)
        return web.json_response(
            {
                "token_type": "Bearer",
                "issued_at": str(issued_at),
                "client_id": CLIENT_ID,
                "access_token": self.tokens.give(),
                "scope": "",
                "expires_in": str(TOKEN_LIFE_S),
                "refresh_count": "0",
                "status": "approved",
            }
        )

    async def _details(self, request: web.Request) -> web.Response:
        number = request.match_info["inquiryNumber"]
        if not re.fullmatch(r"[0-9A-Za-z]{7,34}", number):
            return _refusal(400, "TV1002", "Invalid inquiry number")
        parcel = self.parcels.get(number)
        scans = parcel.shown(self.clock.now()) if parcel else []
        if parcel is None or not scans:
            # The number is not repeated, as in answers captured.
            warning = {"code": "TW0001", "message": "Tracking Information Not Found"}
            return web.json_response({"trackResponse": {"shipment": [{"warnings": [warning]}]}})
        return web.json_response(answers.details(parcel, scans))

    async def _subscribe(self, request: web.Request) -> web.Response:
        if request.match_info["type"] not in ("standard", "enhanced"):
            return _refusal(400, "VSS930", "Type is missing or invalid, The Subscription request has been rejected.")
        try:
            wanted = json.loads(await request.read())
        except ValueError:
            wanted = None
        refused = _subscription_fault(wanted)
        if refused is not None:
            return refused
        numbers = [str(number) for number in wanted["trackingNumberList"]]
        valid = [number for number in numbers if WATCHABLE.fullmatch(number)]
        invalid = [number for number in numbers if number not in valid]
        if not valid:
            text = "The Subscription request should have at least one valid tracking number."
            return _refusal(400, "VSS210", text, invalidTrackingNumbers=invalid)
        for number in valid:
            self._watches[number] = self.clock.now() + timedelta(seconds=WATCH_LIFE_S)
            if number in self.parcels:
                self.parcels[number].watched_until = self._watches[number]
        return web.json_response({"validTrackingNumbers": valid, "invalidTrackingNumbers": invalid})


def _subscription_fault(wanted: Any) -> web.Response | None:
    if not isinstance(wanted, dict) or not wanted:
        return _refusal(400, "VSS110", "Subscription request is empty or not present.")
    if not isinstance(wanted.get("locale"), str):
        return _refusal(400, "VSS300", "Locale is required. The Subscription request has been rejected.")
    if not re.fullmatch(r"[a-z]{2}_[A-Z]{2}", wanted["locale"]):
        return _refusal(400, "VSS310", "Please enter a valid locale.")
    if not re.fullmatch(r"[A-Z]{2}", str(wanted.get("countryCode", "US"))):
        return _refusal(400, "VSS400", "Please enter a valid country code.")
    numbers = wanted.get("trackingNumberList")
    if not isinstance(numbers, list) or not numbers:
        return _refusal(400, "VSS200", "Tracking Number List is required.", invalidTrackingNumbers=[])
    if len(numbers) > WATCH_BATCH_MAX:
        return _refusal(400, "VSS220", "You have submitted over 100 tracking numbers which is not allowed.")
    return None


def _alert_headers(token: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {token}",
        "x-api-key": WEBHOOK_CLIENT_ID,
        "User-Agent": AGENT,
    }


def _refusal(status: int, code: str, message: str, **beside: Any) -> web.Response:
    body = {**beside, "response": {"errors": [{"code": code, "message": message}]}}
    return web.json_response(body, status=status)
