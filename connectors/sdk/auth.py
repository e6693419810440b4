"""Access tokens: fetched by one task at a time, renewed early, kept over a restart."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import AuthFailed, ConnectorError, RateLimited, Transient

RENEW_AGAIN_S: Final = 30.0
"""After a renewal failed although the token in hand is still good."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a login gave. `expires_in_s` None lasts until it is refused.

    `kept` are further values to persist with it (a rotated refresh token, granted scopes); read
    them back through `OAuthTokens.kept`.
    """

    value: str = field(repr=False)
    expires_in_s: float | None = None
    kept: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class _Held:
    value: str = field(repr=False)
    expires_at: datetime | None
    renew_at: datetime | None
    kept: Mapping[str, str] = field(repr=False)


class OAuthTokens:
    """One named token of one account. For one event loop; any number of tasks may ask at once.

    While one task fetches, the others wait for its result, its failure included: a wrong secret is
    tried once, not once per waiting task. A fetch that is cancelled hands over to the next waiter.

    Args:
        ctx: Gives the clock, the store and the credentials the token belongs to.
        name: Unique per account; the key in the token store.
        fetch: Asks the vendor for a fresh token; raises `AuthFailed`, `Transient` or `RateLimited`.
        renew_early_s: How long before its end a token is renewed, at most a fifth of its life.
    """

    def __init__(
        self,
        ctx: AccountContext,
        name: str,
        fetch: Callable[[], Awaitable[Token]],
        *,
        renew_early_s: float = 120.0,
    ) -> None:
        self._ctx = ctx
        self._name = name
        self._fetch = fetch
        self._renew_early_s = renew_early_s
        self._lock = asyncio.Lock()
        self._held: _Held | None = None
        self._loaded = False
        self._rounds = 0
        self._failure: ConnectorError | None = None

    def __repr__(self) -> str:
        return f"OAuthTokens({self._ctx.account!r}, {self._name!r})"

    @property
    def kept(self) -> Mapping[str, str]:
        """The extra values of the token in hand; empty before the first `get`."""
        return self._held.kept if self._held else {}

    async def get(self) -> str:
        """A token that is good now.

        Raises:
            AuthFailed, Transient, RateLimited: As `fetch` raised them. While the token in hand is
                still good, a vendor that is down or busy does not matter.
        """
        held = self._held
        if held is not None and self._fresh(held):
            return held.value
        seen = self._rounds
        async with self._lock:
            if self._rounds != seen and self._failure is not None:
                raise self._failure
            return await self._get_alone()

    def invalidate(self, value: str) -> None:
        """The vendor refused this token; a newer one, fetched meanwhile, stays."""
        if self._held is not None and self._held.value == value:
            self._held = None

    async def _get_alone(self) -> str:
        if not self._loaded:
            self._held = await self._load()
            self._loaded = True
        held = self._held
        if held is not None and self._fresh(held):
            return held.value
        try:
            token = await self._fetch()
        except (Transient, RateLimited) as error:
            if held is not None and self._alive(held):
                self._held = replace(held, renew_at=self._ctx.clock.now() + timedelta(seconds=RENEW_AGAIN_S))
                return held.value
            self._end_round(error)
            raise
        except ConnectorError as error:
            self._end_round(error)
            raise
        self._held = self._hold(token)
        self._end_round(None)
        await self._save(self._held)
        return self._held.value

    def _end_round(self, failure: ConnectorError | None) -> None:
        self._rounds += 1
        self._failure = failure

    def _fresh(self, held: _Held) -> bool:
        return held.renew_at is None or self._ctx.clock.now() < held.renew_at

    def _alive(self, held: _Held) -> bool:
        return held.expires_at is None or self._ctx.clock.now() < held.expires_at

    def _hold(self, token: Token) -> _Held:
        now = self._ctx.clock.now()
        if token.expires_in_s is None:
            return _Held(token.value, None, None, dict(token.kept))
        life_s = max(0.0, token.expires_in_s)
        early_s = min(self._renew_early_s, life_s / 5)
        ends = now + timedelta(seconds=life_s)
        return _Held(token.value, ends, ends - timedelta(seconds=early_s), dict(token.kept))

    async def _load(self) -> _Held | None:
        stored = await self._ctx.tokens.load(self._name)
        if stored is None or stored.get("for") != self._fingerprint():
            return None
        value = stored.get("value", "")
        kept = {key.removeprefix("kept."): text for key, text in stored.items() if key.startswith("kept.")}
        try:
            ends = _instant(stored.get("expires_at", ""))
            renew = _instant(stored.get("renew_at", ""))
        except ValueError:
            # A record we cannot read is worth one login, not an outage.
            return None
        return _Held(value, ends, renew, kept) if value else None

    async def _save(self, held: _Held) -> None:
        record = {"value": held.value, "for": self._fingerprint()}
        if held.expires_at is not None and held.renew_at is not None:
            record |= {"expires_at": held.expires_at.isoformat(), "renew_at": held.renew_at.isoformat()}
        record |= {f"kept.{key}": text for key, text in held.kept.items()}
        await self._ctx.tokens.save(self._name, record)

    def _fingerprint(self) -> str:
        """Ties a stored token to the login it came from: changed credentials mean a new login."""
        mark = hashlib.sha256()
        for part in (self._ctx.account, self._ctx.base_url or "", self._ctx.auth_url or ""):
            mark.update(part.encode() + b"\0")
        for key in sorted(self._ctx.credentials):
            mark.update(f"{key}\0{self._ctx.credentials[key].reveal()}\0".encode())
        return mark.hexdigest()[:32]


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a stored time has no offset")
    return at.astimezone(UTC)


class Authorizer(Protocol):
    """How requests of one client prove who they are (see `connectors.sdk.http.HttpClient`)."""

    async def headers(self) -> Mapping[str, str]:
        """Headers for one try."""
        ...

    def refused(self, headers: Mapping[str, str]) -> bool:
        """The vendor answered 401 to these headers; True when fresh ones are worth one more try."""
        ...


def sendable(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The same headers, when a request can carry them.

    Raises:
        AuthFailed: One holds a character that no header takes, such as the dots of a token that was copied shortened.
    """
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            message = f"the credential sent as {name} holds a character no header takes; copy it anew"
            raise AuthFailed(message, code="credential_unfit")
    return headers


class TokenHeader:
    """Puts a token into a header: `TokenHeader(tokens)` is `Authorization: Bearer …`."""

    def __init__(self, tokens: OAuthTokens, *, header: str = "Authorization", prefix: str = "Bearer ") -> None:
        self._tokens = tokens
        self._header = header
        self._prefix = prefix

    async def headers(self) -> Mapping[str, str]:
        return {self._header: self._prefix + await self._tokens.get()}

    def refused(self, headers: Mapping[str, str]) -> bool:
        self._tokens.invalidate(headers[self._header].removeprefix(self._prefix))
        return True
