"""Amazon's wire: tokens, headers, budgets, documents. Everything that calls Amazon passes here.

Source: developer-docs.amazon.com/sp-api "connect to the Selling Partner API", "usage plans and rate
limits" (read 2026-11): a bucket per operation; `x-amzn-RateLimit-Limit` is the rate applied, in calls
a second; a 429 promises no time to come back. Signatures by AWS keys are not needed since 2023-10-02.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Final
from urllib.parse import quote

from connectors.amazon import budgets as rates
from connectors.amazon import errors
from connectors.amazon.login import Login, Proof
from connectors.amazon.settings import Settings
from connectors.sdk.budget import URGENT_RESERVE, URGENT_RESERVE_S, BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import AuthFailed, ConnectorError, RateLimited, Rejected, Transient
from connectors.sdk.http import Answer, Call, HttpClient, Timeouts
from connectors.sdk.manifest import Budget

TOKEN_HEADER: Final = "x-amz-access-token"  # noqa: S105  # a header's name
CORRELATION_HEADERS: Final = ("x-amzn-requestid", "x-amz-request-id")
RATE_HEADER: Final = "x-amzn-ratelimit-limit"
DOCUMENT_BYTES_MAX: Final = 256 * 1024 * 1024
"""A report of a few hundred thousand listings is some ten megabytes."""

DOCUMENT_TIMEOUTS: Final = Timeouts(read_s=60.0, total_s=240.0)
"""A document's address lives five minutes. Source: feeds and reports 2021-06-30 (2026-08)."""

_GZIP: Final = zlib.MAX_WBITS | 16

Params = Mapping[str, str | int | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A document, unpacked. `content_type` is as its store gave it: only its charset is worth anything."""

    content: bytes = field(repr=False)
    content_type: str = ""


def escaped(text: str) -> str:
    """A SKU or id as part of a path or a query: every reserved character, "/" and "%" included."""
    return quote(text, safe="")


def encoded(params: Params) -> str:
    """A query; a list is one value with commas between, as the models' `csv` format has it."""
    return "&".join(f"{escaped(name)}={_value(value)}" for name, value in params.items())


def _value(value: str | int | Sequence[str]) -> str:
    if isinstance(value, str | int):
        return escaped(str(value))
    return ",".join(escaped(each) for each in value)


class Api:
    """One account's calls. For one event loop; any number of tasks.

    A token lasts an hour and one task renews it for all. A 401 and a 403 earn one renewal and one more try:
    Amazon says 403 for an ended token and for a missing role alike.
    """

    def __init__(self, ctx: AccountContext, settings: Settings, budgets: Sequence[Budget] = rates.SELLER) -> None:
        self._ctx = ctx
        self._settings = settings
        self.budgets = BudgetBook(ctx.clock, budgets)
        self.login = Login(ctx, settings, self.budgets)
        self._partner = self._client(Proof(self.login.partner, header=TOKEN_HEADER, prefix=""))
        self._grantless = self._client(Proof(self.login.grantless, header=TOKEN_HEADER, prefix=""))
        self._restricted = self._client(None)
        self._documents = HttpClient(
            ctx,
            base_url=settings.base_url,
            budgets=self.budgets,
            classify=errors.classify_document,
            timeout=DOCUMENT_TIMEOUTS,
            headers={"accept": "*/*"},
            answer_bytes_max=DOCUMENT_BYTES_MAX,
        )

    async def close(self) -> None:
        await self.login.close()
        for client in (self._partner, self._grantless, self._restricted, self._documents):
            await client.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        params: Params | None = None,
        json: Any = None,
        write: bool = False,
        keyed: bool = False,
        grantless: bool = False,
        restricted: str | None = None,
        optional: bool = False,
    ) -> Answer:
        """One call, paid from the bucket of `operation`.

        Args:
            path: Percent escapes included (`escaped`).
            write: It changes something there. `keyed`: doing it twice is the same as once.
            grantless: With the application's own token.
            restricted: A restricted data token, sent instead of the partner's.
            optional: An application may lack the role for it and serve the account all the same: a 403 is then
                `Rejected`, and nothing else of the account is held for it.

        Raises:
            ConnectorError: As `errors.classify` decides; `RateLimited` when the bucket is empty for long.
        """
        client, tokens = self._partner, self.login.partner
        if grantless:
            client, tokens = self._grantless, self.login.grantless
        if restricted is not None:
            client = self._restricted

        async def once() -> Answer:
            return await client.request(
                method,
                path,
                raw_query=encoded(params or {}) or None,
                json=json,
                headers={TOKEN_HEADER: restricted} if restricted is not None else None,
                kind=operation,
                budget=operation,
                write=write,
                keyed=keyed,
                fresh_headers=self._fresh,
            )

        try:
            return await once()
        except AuthFailed as error:
            if error.status != 403 or restricted is not None:
                raise
            if not self.login.worth_renewing(tokens):
                if optional:
                    raise errors.role_missing(error) from error
                raise
        self.login.drop_used(tokens)
        try:
            return await once()
        except AuthFailed as error:
            if error.status != 403:
                raise
            self.login.renewed_in_vain(tokens)
            if optional:
                raise errors.role_missing(error) from error
            raise

    async def upload(self, url: str, content: bytes, content_type: str) -> None:
        """Put a document where Amazon said: the type as announced, no token.

        Raises:
            Transient: The address has ended or the store is down; the bytes may be put again.
            Rejected: The store refuses them, or the address is none the hub may call.
        """
        await self._documents.request(
            "PUT",
            url,
            content=content,
            headers={"content-type": content_type},
            kind="document.put",
            budget="document",
            write=True,
            keyed=True,
        )

    async def download(self, url: str, compression: str | None = None) -> bytes:
        """The bytes of a document, unpacked as its `compressionAlgorithm` says; see `fetch_document`."""
        return (await self.fetch_document(url, compression)).content

    async def fetch_document(self, url: str, compression: str | None = None) -> Downloaded:
        """A document with the type its store gave it.

        Raises:
            Transient: The address has ended (ask for the document again) or the bytes do not unpack.
            Rejected: Too large, packed in an unknown way, or at an address the hub may not call.
        """
        answer = await self._documents.request("GET", url, kind="document.get", budget="document")
        content = answer.content
        if compression:
            if compression.upper() != "GZIP":
                raise Rejected(f"a document is packed as {compression!r}, not GZIP", code="compression_unknown")
            content = _unpacked(content)
        return Downloaded(content, answer.header("content-type") or "")

    def ready_within(self, operation: str, seconds: float) -> bool:
        """Whether a call of `operation` that is asked for now would be sent within `seconds`."""
        state = self.budgets.snapshot()[operation]
        if state.held_s > seconds:
            return False
        if state.tokens is None or not state.rate or not state.burst:
            return True
        kept = min(URGENT_RESERVE * state.burst, URGENT_RESERVE_S * state.rate)
        return state.tokens + seconds * state.rate >= 1 + state.waiting + kept

    def wait_for(self, operation: str, calls: float) -> float:
        """Seconds until so many calls of `operation` are left; 0.0 means now, or that no limit is known."""
        state = self.budgets.snapshot()[operation]
        if state.tokens is None or not state.rate or not state.burst:
            return state.held_s
        return max(state.held_s, (min(calls, state.burst) - state.tokens) / state.rate, 0.0)

    def _fresh(self) -> Mapping[str, str]:
        return {"x-amz-date": self._ctx.clock.now().astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")}

    def _client(self, authorize: Proof | None) -> HttpClient:
        return HttpClient(
            self._ctx,
            base_url=self._settings.base_url,
            budgets=self.budgets,
            classify=self._judge,
            authorize=authorize,
            correlation_headers=CORRELATION_HEADERS,
        )

    def _judge(self, answer: Answer, call: Call) -> ConnectorError | None:
        """The error table, with the rate this answer states taken in. A 429 without a wait waits for one token."""
        rate = _rate(answer.header(RATE_HEADER))
        if rate is not None:
            self.budgets.learn(call.budget, restore_rate=rate)
        error = errors.classify(answer, call)
        if not isinstance(error, RateLimited) or error.retry_after_s is not None:
            return error
        known = rate or self.budgets.snapshot()[call.budget].rate or 1.0
        wait_s = (1 + self._ctx.jitter() / 2) / known
        return RateLimited(error.message, retry_after_s=wait_s, **answer.facts(error.code))


def _rate(text: str | None) -> float | None:
    """Calls a second; None for anything that is no rate."""
    try:
        rate = float(text or "")
    except ValueError:
        return None
    return rate if math.isfinite(rate) and rate > 0 else None


def _unpacked(content: bytes) -> bytes:
    body, waiting = bytearray(), content
    try:
        while waiting:
            unpack = zlib.decompressobj(_GZIP)
            body += unpack.decompress(waiting, DOCUMENT_BYTES_MAX + 1 - len(body))
            if len(body) > DOCUMENT_BYTES_MAX:
                raise Rejected("a document unpacks to more than is read", code="document_too_large")
            if not unpack.eof:
                raise Transient("a packed document ends early", code="document_garbled")
            # gzip may be several members one after another.
            waiting = unpack.unused_data
    except zlib.error as error:
        raise Transient("a document does not unpack", code="document_garbled") from error
    return bytes(body)
