"""The one way out: every call of every connector passes here.

Budget, authorization, time limits, size limits, the seconds-long retries, the vendor's error
table and the record of the call, in that order. Redirects are not followed and cookies not kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from connectors.sdk import exact
from connectors.sdk.answer import Answer, Call, by_status
from connectors.sdk.auth import Authorizer, sendable
from connectors.sdk.body import ANSWER_BYTES_MAX, AnswerGarbled, AnswerTooLarge, read_capped
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.egress import Resolver, Target, allow, check_base_url, origin_of, system_resolver
from connectors.sdk.errors import AuthFailed, ConnectorError, InDoubt, RateLimited, Rejected, Transient
from connectors.sdk.records import outcome_of, record_of
from connectors.sdk.retry import parse_retry_after, retrying
from connectors.sdk.transport import PINNED, AiohttpTransport

__all__ = ["Answer", "Call", "Classify", "HttpClient", "Timeouts", "by_status", "outcome_of"]

Classify = Callable[[Answer, Call], ConnectorError | None]
"""A vendor's error table: what this answer means, None when it is good. It must not raise."""

USER_AGENT: Final = "trunkline"
CORRELATION_HEADERS: Final = ("x-request-id", "x-correlation-id", "request-id")
CONNECTIONS_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds per phase and for one try as a whole."""

    connect_s: float = 5.0
    read_s: float = 20.0
    total_s: float = 30.0


class HttpClient:
    """Calls one base address for one account. For one event loop; any number of tasks may call.

    Args:
        ctx: `transport` replaces the network, `on_call` hears of every try.
        base_url: https, or http on this machine; `ValueError` otherwise.
        budgets: Shared by all clients of the account.
        classify: The vendor's error table.
        timeout: Limits for every try, unless a request brings its own.
        authorize: Gives the headers that prove who we are; asked again once after a 401.
        headers: Sent with every request, e.g. the accepted type.
        correlation_headers: Where the vendor puts its request id, first one wins.
        answer_bytes_max: Larger answers are refused, packed or unpacked.
        resolver: Looks up hosts of URLs the vendor hands us; see `connectors.sdk.egress`.
    """

    def __init__(
        self,
        ctx: AccountContext,
        *,
        base_url: str,
        budgets: BudgetBook,
        classify: Classify,
        timeout: Timeouts = Timeouts(),
        authorize: Authorizer | None = None,
        headers: Mapping[str, str] | None = None,
        correlation_headers: Sequence[str] = CORRELATION_HEADERS,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
        connections_max: int = CONNECTIONS_MAX,
        resolver: Resolver | None = None,
    ) -> None:
        self._ctx = ctx
        self._base = check_base_url(base_url)
        own = (("base_url", ctx.base_url), ("auth_url", ctx.auth_url))
        self._trusted = [self._base, *(check_base_url(url, key=key) for key, url in own if url)]
        self._budgets = budgets
        self._classify = classify
        self._timeout = timeout
        self._authorize = authorize
        self._headers = {"accept": "application/json", **{k.lower(): v for k, v in (headers or {}).items()}}
        self._correlation_headers = tuple(correlation_headers)
        self._answer_bytes_max = answer_bytes_max
        self._seats = asyncio.Semaphore(connections_max)
        self._transport = ctx.transport or AiohttpTransport(connections_max=connections_max)
        self._owns_transport = ctx.transport is None
        self._resolver = resolver or (system_resolver if self._owns_transport else None)

    def __repr__(self) -> str:
        return f"HttpClient({self._ctx.account!r}, {str(self._base)!r})"

    async def request(
        self,
        method: str,
        path_or_url: str,
        *,
        params: Mapping[str, str | int | Sequence[str]] | None = None,
        raw_query: str | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        data: Mapping[str, Any] | None = None,
        files: Any = None,
        kind: str,
        write: bool = False,
        keyed: bool = False,
        cost: float = 1.0,
        budget: str = "default",
        timeout_s: float | None = None,
        fresh_headers: Callable[[], Mapping[str, str]] | None = None,
    ) -> Answer:
        """Send one request and give the answer the error table found good.

        Args:
            path_or_url: Appended to the base address as it is, percent escapes included; or an
                absolute URL, which passes the egress check unless it is the account's own address.
            raw_query: Appended byte for byte (a vendor's cursor); not together with `params`.
            json: Encoded exactly: decimals keep their digits.
            kind: What the call is for, in records and messages (`orders.read`).
            write: It changes something there. `keyed`: the vendor recognises a repeat of it.
            budget: Which of the account's budgets pays `cost`.
            timeout_s: For one try of this request, where an answer is known to take long.
            fresh_headers: Headers that must differ on every try (a correlation id).

        Raises:
            ConnectorError: What `classify` returned, `RateLimited` when the budget would keep us
                waiting, `Transient` or `InDoubt` when no trustworthy answer came.
        """
        target = await self._target(path_or_url, raw_query)
        call = Call(method, str(target.url), f"{method} {target.url.path}", kind, write, keyed, cost, budget)

        def build(extra: Mapping[str, str]) -> httpx.Request:
            return self._build(call, target, params, json, content, data, files, {**(headers or {}), **extra})

        tries = retrying(self._ctx.clock, self._ctx.jitter, repeatable=call.repeatable)
        async for attempt in tries:
            with attempt:
                number = attempt.retry_state.attempt_number
                return await self._try(call, target, build, number, timeout_s, fresh_headers)
        raise AssertionError("tenacity ends by returning or raising")

    async def close(self) -> None:
        """Release the connections; may be called twice. An injected transport stays its owner's."""
        if self._owns_transport:
            await self._transport.aclose()

    async def _target(self, path_or_url: str, raw_query: str | None) -> Target:
        url = path_or_url
        if "://" not in url.partition("?")[0]:
            url = f"{str(self._base).rstrip('/')}/{url.lstrip('/')}"
        if raw_query:
            url += ("&" if "?" in url else "?") + raw_query.lstrip("?")
        return await allow(url, trusted=self._trusted, resolver=self._resolver)

    def _build(
        self,
        call: Call,
        target: Target,
        params: Mapping[str, str | int | Sequence[str]] | None,
        json: Any,
        content: bytes | None,
        data: Mapping[str, Any] | None,
        files: Any,
        headers: Mapping[str, str],
    ) -> httpx.Request:
        merged = {"user-agent": USER_AGENT, "accept-encoding": "gzip", **self._headers}
        merged.update({key.lower(): value for key, value in headers.items()})
        if json is not None:
            content = exact.dumps(json)
            merged.setdefault("content-type", "application/json")
        url = target.url.copy_merge_params(dict(params)) if params else target.url
        request = httpx.Request(call.method, url, headers=merged, content=content, data=data, files=files)
        if target.address is not None:
            request.extensions[PINNED] = target.address
        return request

    async def _try(
        self,
        call: Call,
        target: Target,
        build: Callable[[Mapping[str, str]], httpx.Request],
        number: int,
        timeout_s: float | None,
        fresh_headers: Callable[[], Mapping[str, str]] | None,
    ) -> Answer:
        """One try; a refused token earns a second sending, since a 401 has carried nothing out."""
        proof: Mapping[str, str] = {}
        # Tokens are for the vendor's own address, never for a host out of a payload.
        authorize = self._authorize if self._is_own(target) else None
        for chance in (1, 2):
            if authorize is not None:
                proof = sendable(await authorize.headers())
            request = build({**(fresh_headers() if fresh_headers else {}), **proof})
            try:
                return await self._send(call, request, number, timeout_s)
            except AuthFailed as error:
                if chance == 2 or error.status != 401 or authorize is None or not authorize.refused(proof):
                    raise
        raise AssertionError("the second chance returns or raises")

    async def _send(self, call: Call, request: httpx.Request, number: int, timeout_s: float | None) -> Answer:
        # The budget comes first: a call that waits for it must not keep a seat from an urgent one.
        async with self._budgets.spend(call.budget, call.units) as waited_s, self._seats:
            started_at, began_s = self._ctx.clock.now(), self._ctx.clock.monotonic()
            error: BaseException | None = None
            answer: Answer | None = None
            try:
                answer = await self._exchange(call, request, began_s, timeout_s)
                self._judge(answer, call)
            except BaseException as raised:
                error = raised
                raise
            else:
                return answer
            finally:
                if self._ctx.on_call is not None:
                    duration_s = self._ctx.clock.monotonic() - began_s
                    record = record_of(
                        self._ctx.account,
                        call,
                        attempt=number,
                        started_at=started_at,
                        duration_s=duration_s,
                        waited_s=waited_s,
                        answer=answer,
                        error=error,
                    )
                    self._ctx.on_call(record)

    def _judge(self, answer: Answer, call: Call) -> None:
        error = self._classify(answer, call)
        if isinstance(error, RateLimited):
            self._budgets.refused(call.budget, error.retry_after_s)
        elif answer.status < 500:
            self._budgets.granted(call.budget)
        if error is not None:
            raise error

    async def _exchange(self, call: Call, request: httpx.Request, began_s: float, timeout_s: float | None) -> Answer:
        total_s = timeout_s if timeout_s is not None else self._timeout.total_s
        read_s = timeout_s if timeout_s is not None else self._timeout.read_s
        request.extensions["timeout"] = {
            "connect": self._timeout.connect_s,
            "read": read_s,
            "write": read_s,
            "pool": None,
        }
        try:
            async with asyncio.timeout(total_s):
                response = await self._transport.handle_async_request(request)
                try:
                    content = await read_capped(response, self._answer_bytes_max)
                finally:
                    await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Transient(f"{call.kind}: no connection to {_host(request)}", code="no_connection") from error
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as error:
            raise Rejected(f"{call.kind}: the request cannot be sent", code="request_invalid") from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise call.lost(f"{call.kind}: no answer in time", code="timeout") from error
        except httpx.TransportError as error:
            raise call.lost(f"{call.kind}: the connection broke", code="connection_broken") from error
        except AnswerGarbled as error:
            raise call.lost(f"{call.kind}: {error}", code="answer_garbled", status=response.status_code) from error
        except AnswerTooLarge as error:
            raise self._too_large(call, response.status_code) from error
        return self._answer(call, response, content, began_s)

    def _too_large(self, call: Call, status: int) -> ConnectorError:
        """It would be as large again, so a read is refused; a write was carried out or not."""
        message = f"{call.kind}: the answer is over {self._answer_bytes_max} bytes"
        kind = InDoubt if call.write else Rejected
        return kind(message, code="answer_too_large", status=status)

    def _answer(self, call: Call, response: httpx.Response, content: bytes, began_s: float) -> Answer:
        ids = (response.headers.get(name) for name in self._correlation_headers)
        return Answer(
            call=call,
            status=response.status_code,
            headers=response.headers,
            content=content,
            elapsed_s=self._ctx.clock.monotonic() - began_s,
            correlation_id=next((found for found in ids if found), None),
            retry_after_s=parse_retry_after(response.headers.get("retry-after"), self._ctx.clock.now()),
        )

    def _is_own(self, target: Target) -> bool:
        return origin_of(target.url) in {origin_of(url) for url in self._trusted}


def _host(request: httpx.Request) -> str:
    """Where it went, without path and query: those may name people and hold secrets."""
    return f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
