"""Tokens of the operator API: made, listed, revoked. The token itself is shown once."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from hub.api.auth import LIFETIME_DAYS_MAX, Role, mint
from hub.api.backend import BadRequest
from hub.api.bodies import checked
from hub.api.spec import OBJECT, Call, Json, Operation, page, page_of
from hub.ports.queries import Queries
from hub.ports.store import ApiToken, AuditEntry, Micros, ReadSet, Store, WriteSet
from hub.services import views

_DAY_US = 86_400_000_000
CREATE: Json = {
    "type": "object",
    "required": ["role"],
    "additionalProperties": False,
    "properties": {
        "role": {"enum": ["viewer", "operator", "admin"]},
        "label": {"type": "string", "maxLength": 100},
        "days": {"type": "integer", "minimum": 1, "maximum": LIFETIME_DAYS_MAX},
    },
}


@dataclass(frozen=True, slots=True)
class Tokens:
    """`store` is None where the database is open for reading only. `changed` is called after a token was written."""

    store: Store | None
    queries: Queries
    now: Callable[[], Micros]
    changed: Callable[[], None] = lambda: None

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "listTokens",
                "GET",
                "/tokens",
                Role.ADMIN,
                "API tokens, newest first",
                self.list,
                answer=page_of(OBJECT),
            ),
            Operation(
                "createToken",
                "POST",
                "/tokens",
                Role.ADMIN,
                "A new API token, shown once",
                self.create,
                body=CREATE,
                answer=OBJECT,
                shown_once=("token",),
            ),
            Operation(
                "revokeToken", "POST", "/tokens/{id}/revoke", Role.ADMIN, "End a token", self.revoke, answer=OBJECT
            ),
        ]

    async def list(self, _call: Call) -> Json:
        return page([_shown(token) for token in await self.queries.api_tokens()])

    async def create(self, call: Call) -> Json:
        body = checked(call.body, CREATE)
        days = body.get("days", LIFETIME_DAYS_MAX)
        if not 1 <= days <= LIFETIME_DAYS_MAX:
            raise BadRequest(f"`days` is between 1 and {LIFETIME_DAYS_MAX}.")
        value, digest = mint()
        now = self.now()
        token = ApiToken(secrets.token_hex(4), digest, body["role"], body.get("label", ""), now, now + days * _DAY_US)
        await self._write(token, call.caller.name, "token.created")
        return {"token": value} | _shown(token)

    async def revoke(self, call: Call) -> Json:
        for token in await self.queries.api_tokens():
            if token.id == call.path["id"]:
                ended = token if token.revoked_at is not None else replace(token, revoked_at=self.now())
                await self._write(ended, call.caller.name, "token.revoked")
                return _shown(ended)
        raise BadRequest("No token with this id.", status=404)

    async def _write(self, token: ApiToken, actor: str, action: str) -> None:
        if self.store is None:
            raise BadRequest("The database is open for reading only.", status=409)
        writes = WriteSet(api_tokens=[token], audit=[AuditEntry(actor, action, token.id, f'{{"role":"{token.role}"}}')])
        await self.store.run(ReadSet(), lambda _state: writes)
        self.changed()


def _shown(token: ApiToken) -> Json:
    return {
        "id": token.id,
        "role": token.role,
        "label": token.label,
        "created_at": views.instant(token.created_at),
        "expires_at": views.instant(token.expires_at),
        "last_used_at": views.instant(token.last_used_at),
        "revoked_at": views.instant(token.revoked_at),
    }
