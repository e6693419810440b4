"""The FedEx sandbox: a fake of Track, the login and the webhooks, built from FedEx's documents.

Source: FedEx Track v1 OpenAPI document (2025-10); developer.fedex.com, Advanced Integrated Visibility and API
authorization (read 2026-10).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from aiohttp import web

from connectors.fedex.fake import answers
from connectors.fedex.manifest import BATCH_MAX
from connectors.fedex.webhooks import SIGNATURE_HEADER
from connectors.sdk import signing
from connectors.sdk.carrier_sandbox import CarrierSandbox, Parcel, Scan, fitting
from connectors.sdk.emitter import Delivery, RetryRule
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock
from connectors.sdk.sandbox_tokens import BearerTokens

CLIENT_ID: Final = "sandbox-fedex-key"
CLIENT_SECRET: Final = "sandbox-fedex-secret-key"  # noqa: S105  # of the sandbox alone
WEBHOOK_SECRET: Final = "sandbox-fedex-security-token"  # noqa: S105  # of the sandbox alone
TOKEN_LIFE_S: Final = 3_599
_NUMBER: Final = re.compile(r"[0-9A-Za-z]{6,40}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class FedexSandbox(CarrierSandbox):
    """One project with Track, and a webhook for everything the account ships."""

    name: ClassVar[str] = "fedex"
    webhook_rule: ClassVar[RetryRule] = RetryRule(
        waits_s=(300.0, 300.0, 300.0),
        source="developer.fedex.com, Advanced Integrated Visibility: three more tries, five minutes apart (2026-10)",
    )

    def __init__(self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None) -> None:
        super().__init__(seed=seed, faults=faults, clock=clock)
        self.tokens = BearerTokens("fedex", self.clock, self.faults, life_s=TOKEN_LIFE_S)
        self.has_track = True

    def number(self, index: int) -> str:
        return fitting(f"7949{index:07d}", "fedex")

    def account_section(self) -> dict[str, Any]:
        return {
            "connector": "fedex",
            "base_url": self.base_url,
            "credentials": {
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "webhook_secret": WEBHOOK_SECRET,
            },
            "options": {"account_number": "123456789"},
        }

    def drop_scope(self) -> None:
        """The project loses the Track API."""
        self.has_track = False

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [web.post("/oauth/token", self._token), web.post("/track/v1/trackingnumbers", self._track)]

    async def writes(self, request: web.Request) -> bool:  # noqa: ARG002 - asking is all one can do here
        return False

    def rate_limited_response(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:  # noqa: ARG002
        response = self._refusal(429, "TOO.MANY.REQUESTS", "We have received too many requests in a short duration.")
        if retry_after is not None:
            response.headers["Retry-After"] = f"{retry_after:g}"
        return response

    def server_error_response(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        return self._refusal(503, "SERVICE.UNAVAILABLE.ERROR", "The service is currently unavailable.")

    def webhook_headers(
        self,
        topic: str,  # noqa: ARG002 - FedEx signs the body alone
        body: bytes,
        *,
        event_id: str,  # noqa: ARG002
        attempt: int = 1,  # noqa: ARG002
    ) -> Mapping[str, str]:
        signature = signing.hmac_sha256_base64(WEBHOOK_SECRET.encode(), body)
        return {"Content-Type": "application/json", SIGNATURE_HEADER: signature}

    def push(self, parcel: Parcel, scan: Scan) -> None:
        """The parcel as Track has it now, for every scan; scans come as they become known, not as they happen."""
        if self.webhook_url is None:
            return
        self.record("webhook.sent", number=parcel.number, step=scan.step)
        result = answers.known(parcel, parcel.shown(self.clock.now()))
        body = json.dumps({"output": {"completeTrackResults": [result]}}).encode()
        headers = self.webhook_headers("tracking", body, event_id=parcel.number)
        self.emit(self.webhook_url, lambda _: Delivery(body, headers, label=parcel.number))

    async def _token(self, request: web.Request) -> web.Response:
        """POST /oauth/token: a form with the pair in it."""
        form = await request.post()
        if form.get("grant_type") != "client_credentials":
            return self._refusal(400, "BAD.REQUEST.ERROR", "The grant type is missing or not supported.")
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            text = "The given client credentials were not valid. Please modify your request and try again."
            return self._refusal(401, "NOT.AUTHORIZED.ERROR", text)
        given = {"access_token": self.tokens.give(), "token_type": "bearer", "expires_in": TOKEN_LIFE_S, "scope": "CXS"}
        return web.json_response(given)

    async def _track(self, request: web.Request) -> web.Response:
        """POST /track/v1/trackingnumbers: a list of outcomes, each number with its own."""
        if not self.tokens.admits(request):
            return self._refusal(401, "NOT.AUTHORIZED.ERROR", "Access token expired. Please modify your request.")
        if not self.has_track:
            text = "We could not authorize your credentials. Please check your permissions and try again."
            return self._refusal(403, "FORBIDDEN.ERROR", text)
        try:
            wanted = json.loads(await request.read())
        except ValueError:
            wanted = None
        fault = _fault_of(wanted)
        if fault is not None:
            return self._refusal(400, *fault)
        results = [self._result(info["trackingNumberInfo"]) for info in wanted["trackingInfo"]]
        return web.json_response(self._named({"output": {"completeTrackResults": results}}))

    def _result(self, info: Mapping[str, Any]) -> dict[str, Any]:
        number = str(info["trackingNumber"])
        parcel = self.parcels.get(number)
        scans = parcel.shown(self.clock.now()) if parcel else []
        wanted = info.get("trackingNumberUniqueId")
        if parcel is None or not scans or (wanted and wanted != answers.unique_id(parcel)):
            return answers.unknown(number)
        return answers.known(parcel, scans)

    def _refusal(self, status: int, code: str, message: str) -> web.Response:
        return web.json_response(self._named({"errors": [{"code": code, "message": message}]}), status=status)

    def _named(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Every answer has an id of its own, so that two of the same content differ in it."""
        return {"transactionId": f"{self.random.getrandbits(64):016x}", **body}


def _fault_of(wanted: Any) -> tuple[str, str] | None:
    """What the document has to say against a request: code and text."""
    rows = wanted.get("trackingInfo") if isinstance(wanted, dict) else None
    if not isinstance(rows, list) or not rows:
        return "TRACKING.TRACKINGNUMBER.EMPTY", "Please provide tracking number."
    if not isinstance(wanted.get("includeDetailedScans"), bool):
        return "INVALID.INPUT.EXCEPTION", "Invalid field value in the input."
    if len(rows) > BATCH_MAX:
        return "TRACKING.MULTISHIPMENT.MAXLIMIT", "Number of tracking numbers exceeds the limit."
    for row in rows:
        info = row.get("trackingNumberInfo") if isinstance(row, dict) else None
        number = info.get("trackingNumber") if isinstance(info, dict) else None
        if not isinstance(number, str) or not _NUMBER.fullmatch(number):
            return "TRACKING.TRACKINGNUMBER.INVALID", "Invalid tracking numbers. Please check the following format."
        if any(not _DAY.fullmatch(str(row[name])) for name in ("shipDateBegin", "shipDateEnd") if name in row):
            return "TRACKING.SHIPDATEBEGIN.INVALID", "Please provide a valid ship date."
    return None
