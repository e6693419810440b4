"""Who is calling: bearer tokens of the operator API, three roles, constant-time comparison.

Tokens are 256 random bits behind the prefix `hub_`; only their SHA-256 is stored, so a stolen
database opens nothing. The local socket (mode 0600, beside the database) needs no token: whoever
may open it may already read the database.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from hub.api.problem import Problem
from hub.ports.store import ApiToken, Micros

PREFIX = "hub_"
LIFETIME_DAYS_MAX = 90
# How long a verified token is trusted before the store is asked again: bounds both the cost of a
# request and the time a revoked token still works.
_TRUST_US = 3_000_000
# An unknown token asks the store again, but no more often than this: guessing must stay cheap for us.
_LOOK_AGAIN_US = 200_000
_FAILURES_MAX = 10
_LOCK_US = 60_000_000


class Role(IntEnum):
    """Each role may do what the one below may."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Caller:
    name: str
    role: Role

    def require(self, role: Role) -> None:
        if self.role < role:
            raise Problem(403, "Role not sufficient", f"This needs the role {role.name.lower()}.")


LOCAL = Caller("local", Role.ADMIN)


def mint() -> tuple[str, str]:
    """A new token and the SHA-256 that is stored; the token itself is shown once."""
    token = PREFIX + secrets.token_urlsafe(32)
    return token, hashlib.sha256(token.encode()).hexdigest()


@dataclass(slots=True)
class Gate:
    """Turns an Authorization header into a `Caller`.

    A source that fails ten times within a minute is refused for a minute, whatever it sends.
    """

    load: Callable[[], Awaitable[Sequence[ApiToken]]]
    now: Callable[[], Micros]
    _tokens: Sequence[ApiToken] = ()
    _loaded_at: Micros = -_TRUST_US
    _failures: dict[str, list[Micros]] = field(default_factory=dict)

    async def caller(self, authorization: str | None, source: str) -> Caller:
        now = self.now()
        recent = [at for at in self._failures.get(source, ()) if now - at < _LOCK_US]
        if len(recent) >= _FAILURES_MAX:
            raise Problem(429, "Too many wrong tokens", "Wait a minute.", retry_after_s=60)
        token = await self._match(authorization, now)
        if token is None:
            self._failures[source] = [*recent, now]
            self._forget(now)
            raise Problem(401, "Token missing or not valid", "Send `Authorization: Bearer hub_…`.")
        self._failures.pop(source, None)
        return Caller(f"token:{token.id}", Role[token.role.upper()])

    def forget_tokens(self) -> None:
        """The tokens have changed: the next caller is judged by the store."""
        self._loaded_at = -_TRUST_US

    async def _match(self, authorization: str | None, now: Micros) -> ApiToken | None:
        if now - self._loaded_at >= _TRUST_US:
            self._tokens = await self.load()
            self._loaded_at = now
        scheme, _, value = (authorization or "").partition(" ")
        digest = hashlib.sha256(value.strip().encode()).hexdigest()
        found = self._find(digest)
        if found is None and value and now - self._loaded_at >= _LOOK_AGAIN_US:
            # It may have been made a moment ago, by a command or another process.
            self._tokens = await self.load()
            self._loaded_at = now
            found = self._find(digest)
        if scheme.lower() != "bearer" or found is None or found.revoked_at is not None or found.expires_at <= now:
            return None
        return found

    def _find(self, digest: str) -> ApiToken | None:
        found: ApiToken | None = None
        for token in self._tokens:
            # Every token is compared, so that the time taken tells nothing of which one matched.
            if hmac.compare_digest(token.sha256, digest):
                found = token
        return found

    def _forget(self, now: Micros) -> None:
        """Bound the table of failures by dropping sources that have been quiet."""
        if len(self._failures) > 10_000:
            self._failures = {source: times for source, times in self._failures.items() if now - times[-1] < _LOCK_US}
