"""Reading what a decision needs: a few set-wise statements, on the writing connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from typing import Any

from hub.ports.store import Micros, ReadSet, State
from hub.storage.plan import Loaded
from hub.storage.rows import document_from, json_text, level_from, order_from, outbox_from, position_from
from hub.storage.sqlite import parcels, trading
from hub.storage.sqlite import statements as sql
from hub.storage.sqlite.memo import Memo
from hub.storage.vault import Vault


def load(connection: sqlite3.Connection, reads: ReadSet, now: Micros, memo: Memo, vault: Vault) -> Loaded:
    """The state of everything named, as this transaction sees it."""
    state = State(now)
    if reads.orders:
        _orders(state, connection, sql.ORDERS, reads.orders)
    if reads.held_for:
        _orders(state, connection, sql.HELD_ORDERS, reads.held_for)
    for row in _each(connection, sql.DOCUMENTS, reads.documents):
        document = document_from(row)
        state.documents[document.account, document.type, document.source_id] = document
    if reads.skus:
        state.resolved = _resolved(connection, reads.skus, memo)
    skus = _wanted(state, reads)
    if skus:
        _kits(connection, state, skus, memo)
        for row in _each(connection, sql.POSITIONS, skus):
            state.positions[row[0], row[1]] = position_from(row)
    for row in _each(connection, sql.NAMED_EFFECTS, reads.effects):
        effect = outbox_from(row)
        state.effects[effect.idempotency_key] = effect
    for key in reads.on_hand_since:
        (state.on_hand_since[key],) = connection.execute(sql.ON_HAND_SINCE, key).fetchone()
    for row in _each(connection, sql.LEVELS, reads.levels):
        level = level_from(row)
        state.levels[level.account, level.listing_id, level.location] = level
    if reads.own_open:
        _own_open(connection, state, reads.own_open)
    for subject, account, wrapped, body in _each(connection, sql.PERSONAL, reads.personal):
        state.personal[subject] = vault.open_personal(subject, account, wrapped, body)
    trading.load(connection, state, reads)
    parcels.load(connection, state, reads)
    return Loaded.of(state, skus)


def resolve(
    connection: sqlite3.Connection, keys: Iterable[tuple[str, str]]
) -> list[tuple[tuple[str, str], str | None]]:
    """Listing, then alias, then the catalogue's own SKU; None where there is nothing."""
    found = connection.execute(sql.RESOLVE, (json_text(list(keys)),))
    return [((account, channel_sku), sku) for account, channel_sku, sku in found]


def _each(connection: sqlite3.Connection, statement: str, keys: Collection[Any]) -> Iterable[Any]:
    return connection.execute(statement, (json_text(sorted(keys)),)) if keys else ()


def _orders(state: State, connection: sqlite3.Connection, statement: str, keys: Collection[Any]) -> None:
    for row in _each(connection, statement, keys):
        order = order_from(row)
        state.orders[order.account, order.source_id] = order


def _resolved(connection: sqlite3.Connection, keys: set[tuple[str, str]], memo: Memo) -> dict[tuple[str, str], str]:
    known = memo.resolved
    if missing := [key for key in keys if key not in known]:
        memo.remember(resolve(connection, missing))
        known = memo.resolved
    return {key: sku for key in keys if (sku := known.get(key)) is not None}


def _wanted(state: State, reads: ReadSet) -> set[str]:
    skus = set(reads.positions) | set(state.resolved.values()) | {sku for _, sku in reads.own_open}
    for order in state.orders.values():
        for line in order.allocations:
            skus.update(part[0] for part in line.parts)
    return skus


def _kits(connection: sqlite3.Connection, state: State, skus: set[str], memo: Memo) -> None:
    """Components of loaded kits join `skus`; kits around any loaded SKU are named."""
    if memo.any_kits is None:
        memo.any_kits = bool(connection.execute(sql.ANY_KITS).fetchone()[0])
    if not memo.any_kits:
        return
    for kit, component, quantity in _each(connection, sql.KIT_PARTS, skus):
        state.kits[kit] = (*state.kits.get(kit, ()), (component, quantity))
    skus.update(component for parts in state.kits.values() for component, _ in parts)
    for component, kit in _each(connection, sql.KITS_OF, skus):
        state.kits_of[component] = (*state.kits_of.get(component, ()), kit)


def _own_open(connection: sqlite3.Connection, state: State, keys: set[tuple[str, str]]) -> None:
    for account, sku, location, units in _each(connection, sql.OWN_RESERVED, keys):
        state.own_open[account, sku, location] = units
