"""Who did what, API tokens and stored replies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from hub.ports.store import ApiToken, StoredReply
from hub.storage import tables as t
from hub.storage.queries.reading import Line, Reading, picked

_TOKEN = ("id", "sha256", "role", "label", "created_at", "expires_at", "last_used_at", "revoked_at")
_REPLY = ("key", "fingerprint", "status", "body", "created_at")
_AUDIT = ("seq", "at", "actor", "action", "target", "detail")
_STRETCH = 2000


class JournalQueries(Reading):
    """The audit is newest first; `audit_intact` reads it oldest first, whole."""

    async def audit(
        self, *, limit: int = 100, cursor: str | None = None
    ) -> tuple[Sequence[Mapping[str, object]], str | None]:
        query = select(*picked(t.audit, _AUDIT), t.audit.c.seq.label("page_key"))
        return await self._page(query, [t.audit.c.seq], _entry, limit=limit, cursor=cursor)

    async def api_tokens(self) -> Sequence[ApiToken]:
        query = select(*picked(t.api_tokens, _TOKEN)).order_by(t.api_tokens.c.created_at.desc(), t.api_tokens.c.id)
        return [ApiToken(*row) for row in await self._rows(query)]

    async def reply(self, key: str) -> StoredReply | None:
        row = await self._first(select(*picked(t.replies, _REPLY)).where(t.replies.c.key == key))
        return StoredReply(*row) if row else None

    async def key_proof(self) -> str | None:
        """What the database recognises its key by; None before a hub ever opened it."""
        row = await self._first(select(t.meta.c.value).where(t.meta.c.name == "key"))
        return str(row[0]) if row else None

    async def audit_intact(self) -> bool:
        """False when an entry was changed, removed, added or reordered, the last one included."""
        audit = t.audit
        last, mac = 0, b""
        async with self._snapshot() as connection:
            while True:
                query = select(*picked(audit, _AUDIT), audit.c.mac).where(audit.c.seq > last)
                rows = (await connection.execute(query.order_by(audit.c.seq).limit(_STRETCH))).all()
                for entry in rows:
                    seq, at, actor, action, target, detail, stored = tuple(entry)
                    mac = self.vault.chain(mac, str(seq), str(at), actor, action, target, detail)
                    if seq != last + 1 or bytes(stored) != mac:
                        return False
                    last = seq
                if len(rows) < _STRETCH:
                    break
            head = (await connection.execute(select(t.meta.c.value).where(t.meta.c.name == "audit_head"))).scalar()
        return head == f"{last}:{mac.hex()}" or (head is None and last == 0)


def _entry(row: Line) -> Mapping[str, object]:
    return dict(zip(_AUDIT, row, strict=False))
