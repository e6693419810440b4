"""The AfterShip sandbox: a fake of trackings and of the webhooks they cause.

Source: AfterShip tracking SDK for Python, endpoints and error list (2026-11); aftership.com/docs/tracking (2026-11).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any, ClassVar, Final

from aiohttp import web

from connectors.aftership.api import TRACKINGS
from connectors.aftership.fake import answers
from connectors.aftership.settings import API_VERSION
from connectors.aftership.webhooks import SIGNATURE_HEADER, VERSION_HEADER
from connectors.sdk import signing
from connectors.sdk.carrier_sandbox import CarrierSandbox, Parcel, Scan, fitting
from connectors.sdk.emitter import Delivery, RetryRule
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock

API_KEY: Final = "asat_sandbox00000000000000000000"
WEBHOOK_SECRET: Final = "sandbox-aftership-webhook-secret"  # noqa: S105  # of the sandbox alone
SLUGS: Final = frozenset({"fedex", "ups", "usps", "dhl"})
_NUMBER: Final = re.compile(r"[0-9A-Za-z]{4,100}")


class AftershipSandbox(CarrierSandbox):
    """One organization. A parcel is told of once it is registered."""

    name: ClassVar[str] = "aftership"
    webhook_rule: ClassVar[RetryRule] = RetryRule(
        waits_s=tuple(30.0 * 2**attempt for attempt in range(1, 14)),
        source="aftership.com/docs/tracking, webhook: fourteen tries, 2^n times 30 s apart (2026-11)",
    )

    def __init__(self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None) -> None:
        super().__init__(seed=seed, faults=faults, clock=clock)
        self.has_tracking = True
        self._trackings: dict[str, tuple[str, datetime]] = {}
        self._events = 0

    def number(self, index: int) -> str:
        return fitting(f"7128{index:07d}", "fedex")

    def account_section(self) -> dict[str, Any]:
        return {
            "connector": "aftership",
            "base_url": self.base_url,
            "credentials": {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET},
        }

    def drop_scope(self) -> None:
        """The key loses Tracking."""
        self.has_tracking = False

    def forget(self, number: str) -> None:
        """The tracking is deleted in AfterShip's own pages."""
        del self._trackings[number]

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.get(TRACKINGS, self._list),
            web.post(TRACKINGS, self._create),
            web.get(f"{TRACKINGS}/{{id}}", self._read),
        ]

    async def writes(self, request: web.Request) -> bool:  # noqa: ARG002 - what is there is not made again
        return False

    def rate_limited_response(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:  # noqa: ARG002
        response = _refusal(429, 429, "TooManyRequests", "You have exceeded the API call rate limit.")
        if retry_after is not None:
            now = self.clock.now()
            response.headers["Date"] = format_datetime(now, usegmt=True)
            response.headers["X-RateLimit-Reset"] = str(math.ceil(now.timestamp() + retry_after))
        return response

    def server_error_response(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        return _refusal(503, 503, "InternalError", "Something went wrong on AfterShip's end.")

    def webhook_headers(
        self,
        topic: str,  # noqa: ARG002 - the event stands in the body
        body: bytes,
        *,
        event_id: str,  # noqa: ARG002 - and so does its id
        attempt: int = 1,  # noqa: ARG002
    ) -> Mapping[str, str]:
        signature = signing.hmac_sha256_base64(WEBHOOK_SECRET.encode(), body)
        return {"Content-Type": "application/json", SIGNATURE_HEADER: signature, VERSION_HEADER: API_VERSION}

    def push(self, parcel: Parcel, scan: Scan) -> None:
        """The tracking as it is now, for every scan of a registered parcel."""
        if self.webhook_url is None or parcel.number not in self._trackings:
            return
        self._events += 1
        event = f"00000000-0000-4000-8000-{self._events:012d}"
        told = {
            "event": "tracking_update",
            "event_id": event,
            "is_tracking_first_tag": False,
            "msg": self._tracking(parcel.number),
            "ts": int(self.clock.now().timestamp()),
        }
        body = json.dumps(told).encode()
        headers = self.webhook_headers("tracking_update", body, event_id=event)
        self.record("webhook.sent", number=parcel.number, step=scan.step)
        self.emit(self.webhook_url, lambda _: Delivery(body, headers, label=parcel.number))

    async def _create(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        try:
            wanted = json.loads(await request.read())
            number = wanted["tracking_number"].strip()
        except (ValueError, KeyError, TypeError, AttributeError):
            return _refusal(400, 4007, "BadRequest", "`tracking_number` is required.")
        if not _NUMBER.fullmatch(number):
            return _refusal(400, 4005, "BadRequest", "The value of `tracking_number` is invalid.")
        if wanted.get("slug") not in (None, *SLUGS):
            return _refusal(400, 4010, "BadRequest", "The value of `slug` is invalid.")
        if number in self._trackings:
            known = {"id": self._trackings[number][0], "tracking_number": number, "slug": "fedex"}
            return _refusal(400, 4003, "BadRequest", "Tracking already exists.", known)
        own = f"{len(self._trackings) + 1:032x}"
        self._trackings[number] = (own, self.clock.now().replace(microsecond=0))
        return web.json_response({"meta": {"code": 201}, "data": self._tracking(number)}, status=201)

    async def _read(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        wanted = request.match_info["id"]
        number = next((number for number, (own, _) in self._trackings.items() if own == wanted), None)
        if number is None:
            return _refusal(404, 4004, "NotFound", "Tracking does not exist.")
        return web.json_response({"meta": {"code": 200}, "data": self._tracking(number)})

    async def _list(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        limit = request.query.get("limit", "100")
        if set(request.query) - {"tracking_numbers", "limit"} or not limit.isdigit() or not 1 <= int(limit) <= 200:
            return _refusal(400, 400, "BadRequest", "The request was invalid or cannot be otherwise served.")
        wanted = request.query.get("tracking_numbers")
        numbers = list(self._trackings) if wanted is None else wanted.split(",")
        found = [self._tracking(number) for number in numbers if number in self._trackings][: int(limit)]
        data = {"trackings": found, "pagination": {"total": len(found), "has_next_page": False}}
        return web.json_response({"meta": {"code": 200}, "data": data})

    def _tracking(self, number: str) -> dict[str, Any]:
        own, created = self._trackings[number]
        parcel = self.parcels.get(number)
        return answers.tracking(own, number, created, parcel, parcel.shown(self.clock.now()) if parcel else [])

    def _refused(self, request: web.Request) -> web.Response | None:
        if request.headers.get("as-api-key") != API_KEY:
            return _refusal(401, 401, "Unauthorized", "The API key is invalid.")
        if not self.has_tracking:
            text = "The request is understood, but it has been refused or access is not allowed."
            return _refusal(403, 403, "Forbidden", text)
        return None


def _refusal(status: int, code: int, kind: str, message: str, data: Mapping[str, Any] | None = None) -> web.Response:
    body = {"meta": {"code": code, "type": kind, "message": message}, "data": dict(data or {})}
    return web.json_response(body, status=status)
