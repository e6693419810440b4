"""Reading what a decision needs. Positions are locked, in key order, before anything is decided from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import asyncpg

from hub.ports.store import Micros, ReadSet, State
from hub.storage.plan import Loaded
from hub.storage.postgres import parcels, trading
from hub.storage.postgres.connection import Connection
from hub.storage.rows import (
    DOCUMENT,
    LEVEL,
    ORDER,
    OUTBOX,
    POSITION,
    columns,
    document_from,
    level_from,
    order_from,
    outbox_from,
    position_from,
)
from hub.storage.vault import Vault

# ruff: noqa: S608 - only names of our own columns are put into statements, values are always bound

_TWO: Final = "unnest($1::text[], $2::text[])"
_ORDERS: Final = (
    f"SELECT {columns(ORDER, 'o')} FROM {_TWO} AS j (account, source_id)"
    " JOIN orders o USING (account, source_id) ORDER BY o.account, o.source_id FOR NO KEY UPDATE OF o"
)
_HELD: Final = (
    f"SELECT {columns(ORDER, 'o')} FROM orders o WHERE o.id IN (SELECT u.order_id"
    f" FROM {_TWO} AS j (account, channel_sku) JOIN order_unresolved u USING (account, channel_sku))"
    " ORDER BY o.account, o.source_id FOR NO KEY UPDATE OF o"
)
_DOCUMENTS: Final = (
    f"SELECT {columns(DOCUMENT, 'd')} FROM unnest($1::text[], $2::text[], $3::text[]) AS j (account, type, source_id)"
    " JOIN documents d USING (account, type, source_id)"
)
_RESOLVE: Final = (
    "SELECT j.account, j.channel_sku, coalesce("
    "(SELECT min(l.sku) FROM listings l WHERE l.account = j.account AND l.channel_sku = j.channel_sku),"
    " (SELECT a.sku FROM aliases a WHERE a.account = j.account AND a.channel_sku = j.channel_sku),"
    f" (SELECT s.sku FROM skus s WHERE s.sku = j.channel_sku)) FROM {_TWO} AS j (account, channel_sku)"
)
_KITS: Final = (
    "SELECT kit, component, quantity FROM kit_parts WHERE kit = ANY($1::text[])"
    " OR component = ANY($1::text[]) ORDER BY kit, place"
)
_KIT_PARTS: Final = "SELECT kit, component, quantity FROM kit_parts WHERE kit = ANY($1::text[]) ORDER BY kit, place"
_KITS_OF: Final = "SELECT component, kit FROM kit_parts WHERE component = ANY($1::text[]) ORDER BY kit"
_POSITIONS: Final = (
    f"SELECT {columns(POSITION)} FROM positions WHERE sku = ANY($1::text[]) ORDER BY sku, location FOR NO KEY UPDATE"
)
_GLANCE: Final = f"SELECT {columns(POSITION)} FROM positions WHERE sku = ANY($1::text[])"
_ON_HAND_SINCE: Final = (
    "SELECT coalesce(sum(delta), 0)::bigint FROM postings WHERE bucket = 'on_hand' AND sku = $1 AND location = $2"
    " AND effective_at > $3"
)
_LEVELS: Final = (
    f"SELECT {columns(LEVEL, 'l')} FROM unnest($1::text[], $2::text[], $3::text[]) AS j (account, listing_id, location)"
    " JOIN levels l USING (account, listing_id, location)"
)
_LOCKED: Final = " ORDER BY l.account, l.listing_id, l.location FOR NO KEY UPDATE OF l"
_OWN: Final = (
    f"SELECT r.account, r.sku, r.location, r.units FROM {_TWO} AS j (account, sku)"
    " JOIN own_reserved r USING (account, sku) WHERE r.units <> 0"
)
_PERSONAL: Final = (
    f"SELECT p.subject, p.account, p.wrapped, p.body FROM {_TWO} AS j (account, source_id)"
    " JOIN orders o USING (account, source_id) JOIN personal p ON p.subject = o.id"
)

_EFFECTS: Final = (
    f"SELECT {columns(OUTBOX, 'o')} FROM outbox o WHERE o.idempotency_key = ANY($1::text[]) ORDER BY o.id FOR UPDATE"
)


async def load(connection: Connection, reads: ReadSet, now: Micros, vault: Vault) -> Loaded:
    """The state of everything named, in the caller's transaction."""
    state = State(now)
    # Before all that their numbers are computed from: a change that comes in between leaves them dirty.
    for row in await _each(connection, _LEVELS if _reads_more(reads) else _LEVELS + _LOCKED, reads.levels, 3):
        level = level_from(row)
        state.levels[level.account, level.listing_id, level.location] = level
    await _orders(connection, state, reads)
    for row in await _each(connection, _DOCUMENTS, reads.documents, 3):
        document = document_from(row)
        state.documents[document.account, document.type, document.source_id] = document
    for account, channel_sku, sku in await _each(connection, _RESOLVE, reads.skus, 2):
        if sku is not None:
            state.resolved[account, channel_sku] = sku
    skus = set(reads.positions) | set(state.resolved.values()) | {sku for _, sku in reads.own_open}
    for order in state.orders.values():
        skus.update(part[0] for line in order.allocations for part in line.parts)
    if skus:
        await _kits(connection, state, skus)
        for row in await connection.fetch(_POSITIONS, sorted(skus)):
            state.positions[row[0], row[1]] = position_from(row)
    # After the locks: what is posted from here on waits for this transaction.
    for key in sorted(reads.on_hand_since):
        state.on_hand_since[key] = await connection.fetchval(_ON_HAND_SINCE, *key)
    for account, sku, location, units in await _each(connection, _OWN, reads.own_open, 2):
        state.own_open[account, sku, location] = units
    for subject, account, wrapped, body in await _each(connection, _PERSONAL, reads.personal, 2):
        state.personal[subject] = vault.open_personal(subject, account, wrapped, body)
    for row in await connection.fetch(_EFFECTS, sorted(reads.effects)) if reads.effects else ():
        effect = outbox_from(row)
        state.effects[effect.idempotency_key] = effect
    await trading.load(connection, state, reads)
    await parcels.load(connection, state, reads)
    return Loaded.of(state, skus)


def _reads_more(reads: ReadSet) -> bool:
    """Whether a unit takes other locks before those of levels, which then come last, as in a sale."""
    return bool(reads.orders or reads.held_for or reads.skus or reads.positions or reads.own_open)


async def load_orders(connection: Connection, keys: Collection[tuple[str, str]]) -> Iterable[Any]:
    """Stored orders by key, locked."""
    return [order_from(row) for row in await _each(connection, _ORDERS, keys, 2)]


async def glance(connection: Connection, loaded: Loaded, skus: Sequence[str]) -> None:
    """Add the positions of these SKUs, kits' components too, unlocked: enough to rank, not to decide."""
    wanted = set(skus)
    for kit, component, quantity in await connection.fetch(_KIT_PARTS, sorted(wanted)):
        parts = loaded.state.kits.get(kit, ())
        if (component, quantity) not in parts:
            loaded.state.kits[kit] = (*parts, (component, quantity))
        wanted.add(component)
    missing = sorted(wanted - loaded.skus)
    for row in await connection.fetch(_GLANCE, missing):
        loaded.positions[row[0], row[1]] = position_from(row)
    loaded.glanced.update(missing)


async def _orders(connection: Connection, state: State, reads: ReadSet) -> None:
    for statement, keys in ((_ORDERS, reads.orders), (_HELD, reads.held_for)):
        for row in await _each(connection, statement, keys, 2):
            order = order_from(row)
            state.orders[order.account, order.source_id] = order


async def _kits(connection: Connection, state: State, skus: set[str]) -> None:
    """Components of loaded kits join `skus`; kits around any loaded SKU are named."""
    given = frozenset(skus)
    rows = await connection.fetch(_KITS, sorted(given))
    if not rows:
        return
    for kit, component, quantity in rows:
        if kit in given:
            state.kits[kit] = (*state.kits.get(kit, ()), (component, quantity))
    skus.update(component for parts in state.kits.values() for component, _ in parts)
    for component, kit in await connection.fetch(_KITS_OF, sorted(skus)):
        state.kits_of[component] = (*state.kits_of.get(component, ()), kit)


async def _each(
    connection: Connection, statement: str, keys: Collection[tuple[Any, ...]], width: int
) -> Sequence[asyncpg.Record]:
    if not keys:
        return ()
    ordered = sorted(keys)
    rows: list[asyncpg.Record] = await connection.fetch(
        statement, *([key[place] for key in ordered] for place in range(width))
    )
    return rows
