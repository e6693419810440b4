"""SQL of the hot path, written for SQLite. Sets of keys go in as one JSON parameter."""

# ruff: noqa: S608 - only names of our own columns are put into statements, values are always bound

from __future__ import annotations

from typing import Final

from hub.storage.rows import DOCUMENT, LEVEL, ORDER, OUTBOX, POSITION, columns


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _pairs(alias: str, *names: str) -> str:
    """Conditions matching a row against the elements of one JSON array `j`."""
    return " AND ".join(f"{alias}.{name} = json_extract(j.value, '$[{place}]')" for place, name in enumerate(names))


# --- intake and claims -----------------------------------------------------------------------


_UNCLAIMED = "state = 'pending' AND holder IS NULL"
_AT_HEAD = (
    "NOT EXISTS (SELECT 1 FROM inbox_work e WHERE e.state = 'pending' AND e.account = w.account"
    " AND e.ordering_key = w.ordering_key AND e.seq < w.seq)"
    " AND NOT EXISTS (SELECT 1 FROM inbox_work h WHERE h.holder IS NOT NULL AND h.account = w.account"
    " AND h.ordering_key = w.ordering_key)"
)
WAITING_ACCOUNTS: Final = (
    f"WITH RECURSIVE a (x) AS (SELECT min(account) FROM inbox_work WHERE {_UNCLAIMED} UNION ALL"
    f" SELECT (SELECT min(account) FROM inbox_work WHERE {_UNCLAIMED} AND account > a.x) FROM a WHERE a.x IS NOT NULL)"
    " SELECT x FROM a WHERE x IS NOT NULL"
)
CRASHED_HEAD: Final = (
    "SELECT w.seq FROM inbox_work w WHERE w.crashes > 0 AND w.state = 'pending' AND w.holder IS NULL AND w.due_at <= ?"
    f" AND w.account NOT IN (SELECT value FROM json_each(?)) AND {_AT_HEAD} ORDER BY w.seq LIMIT 1"
)
DUE_HEADS: Final = (
    "SELECT w.due_at, w.seq FROM inbox_work w WHERE w.state = 'pending' AND w.holder IS NULL AND w.account = ?"
    f" AND w.due_at <= ? AND {_AT_HEAD} ORDER BY w.due_at, w.seq LIMIT ?"
)
CLAIM: Final = "UPDATE inbox_work SET holder = 1 WHERE seq IN (SELECT value FROM json_each(?))"
CLAIMED: Final = (
    "SELECT i.seq, i.account, i.connector, i.origin, i.topic, i.ordering_key, i.digest, i.received_at, i.occurred_at,"
    " i.headers, w.attempts, w.crashes, i.dedupe_key, p.key_id, p.body"
    " FROM json_each(?) j CROSS JOIN inbox i ON i.seq = j.value JOIN inbox_work w ON w.seq = i.seq"
    " LEFT JOIN payloads p ON p.seq = i.seq ORDER BY i.seq"
)
RELEASE: Final = "UPDATE inbox_work SET holder = NULL WHERE seq = ?"
FINISH_INPUT: Final = "DELETE FROM inbox_work WHERE seq = ?"
KEEP_INPUT: Final = (
    "INSERT INTO inbox_work (seq, account, ordering_key, state, due_at, received_at, attempts, crashes, holder)"
    " SELECT seq, account, ordering_key, ?2, coalesce(?3, ?5), received_at, coalesce(?4, 0), coalesce(?6, 0), NULL"
    " FROM inbox WHERE seq = ?1 ON CONFLICT (seq) DO UPDATE SET state = excluded.state,"
    " due_at = coalesce(?3, inbox_work.due_at), attempts = coalesce(?4, inbox_work.attempts), holder = NULL,"
    " crashes = coalesce(?6, CASE WHEN inbox_work.state = 'pending' THEN inbox_work.crashes ELSE 0 END)"
)
CALL_UP: Final = (
    "UPDATE inbox_work SET state = ?2, due_at = coalesce(?3, due_at), attempts = coalesce(?4, attempts), crashes = 0"
    " WHERE seq = ?1 AND state = 'failed'"
)
RECOVER: Final = (
    "UPDATE inbox_work SET crashes = crashes + 1, holder = NULL WHERE holder IS NOT NULL",
    "UPDATE outbox SET state = 'in_doubt', holder = NULL, sending_since = NULL WHERE state = 'sending'",
)
RELEASE_ALL: Final = "UPDATE inbox_work SET holder = NULL WHERE holder IS NOT NULL"

# --- reads of a unit of work -----------------------------------------------------------------

_FROM_KEYS = "FROM json_each(?) j CROSS JOIN"
ORDERS: Final = f"SELECT {columns(ORDER, 'o')} {_FROM_KEYS} orders o ON {_pairs('o', 'account', 'source_id')}"
HELD_ORDERS: Final = (
    f"SELECT DISTINCT {columns(ORDER, 'o')} {_FROM_KEYS} order_unresolved u ON {_pairs('u', 'account', 'channel_sku')}"
    " JOIN orders o ON o.id = u.order_id"
)
DOCUMENTS: Final = (
    f"SELECT {columns(DOCUMENT, 'd')} {_FROM_KEYS} documents d ON {_pairs('d', 'account', 'type', 'source_id')}"
)
RESOLVE: Final = (
    "SELECT json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]'), coalesce("
    f"(SELECT min(l.sku) FROM listings l WHERE {_pairs('l', 'account', 'channel_sku')}),"
    f" (SELECT a.sku FROM aliases a WHERE {_pairs('a', 'account', 'channel_sku')}),"
    " (SELECT s.sku FROM skus s WHERE s.sku = json_extract(j.value, '$[1]'))) FROM json_each(?) j"
)
KIT_PARTS: Final = (
    f"SELECT k.kit, k.component, k.quantity {_FROM_KEYS} kit_parts k ON k.kit = j.value ORDER BY k.kit, k.place"
)
KITS_OF: Final = f"SELECT k.component, k.kit {_FROM_KEYS} kit_parts k ON k.component = j.value ORDER BY k.kit"
ANY_KITS: Final = "SELECT EXISTS (SELECT 1 FROM kit_parts)"
POSITIONS: Final = f"SELECT {columns(POSITION, 'p')} {_FROM_KEYS} positions p ON p.sku = j.value"
ON_HAND_SINCE: Final = (
    "SELECT coalesce(sum(delta), 0) FROM postings WHERE bucket = 'on_hand' AND sku = ? AND location = ?"
    " AND effective_at > ?"
)
LEVELS: Final = (
    f"SELECT {columns(LEVEL, 'l')} {_FROM_KEYS} levels l ON {_pairs('l', 'account', 'listing_id', 'location')}"
)
OWN_RESERVED: Final = (
    "SELECT r.account, r.sku, r.location, r.units"
    f" {_FROM_KEYS} own_reserved r ON {_pairs('r', 'account', 'sku')} WHERE r.units <> 0"
)
PERSONAL: Final = (
    "SELECT p.subject, p.account, p.wrapped, p.body"
    f" {_FROM_KEYS} orders o ON {_pairs('o', 'account', 'source_id')} JOIN personal p ON p.subject = o.id"
)

# --- writes of a unit of work ----------------------------------------------------------------

INSERT_ORDER: Final = f"INSERT INTO orders ({columns(ORDER)}) VALUES ({_marks(len(ORDER))})"
UPDATE_ORDER: Final = (
    f"UPDATE orders SET ({columns(ORDER)}) = ({_marks(len(ORDER))}) WHERE account = ? AND source_id = ? AND rev = ?"
)
FORGET_UNRESOLVED: Final = "DELETE FROM order_unresolved WHERE order_id = ?"
INSERT_UNRESOLVED: Final = (
    "INSERT INTO order_unresolved (account, channel_sku, order_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
)
ADD_OWN: Final = (
    "INSERT INTO own_reserved (account, sku, location, units) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (account, sku, location) DO UPDATE SET units = units + excluded.units"
)
INSERT_DOCUMENT: Final = f"INSERT INTO documents ({columns(DOCUMENT)}) VALUES ({_marks(len(DOCUMENT))})"
UPDATE_DOCUMENT: Final = (
    f"UPDATE documents SET ({columns(DOCUMENT)}) = ({_marks(len(DOCUMENT))})"
    " WHERE account = ? AND type = ? AND source_id = ? AND rev = ?"
)
PUT_PERSONAL: Final = (
    "INSERT INTO personal (subject, account, wrapped, body, delete_after, buyer) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (subject) DO UPDATE SET account = excluded.account, wrapped = excluded.wrapped,"
    " body = excluded.body, delete_after = excluded.delete_after, buyer = excluded.buyer"
)
SHRED: Final = "DELETE FROM personal WHERE subject = ?"
_STILL_DUE: Final = "EXISTS (SELECT 1 FROM inbox_work w WHERE w.seq = payloads.seq AND w.state = 'pending')"
FORGET_INPUT: Final = f"DELETE FROM payloads WHERE seq = ? AND NOT {_STILL_DUE}"
FORGET_LANE: Final = (
    "DELETE FROM payloads WHERE seq IN (SELECT i.seq FROM inbox i WHERE i.account = ? AND i.ordering_key = ?)"
    f" AND NOT {_STILL_DUE}"
)
INSERT_POSTING: Final = (
    "INSERT INTO postings (event, sku, location, bucket, delta, reason, effective_at, recorded_at, reference, counted)"
    f" VALUES ({_marks(10)})"
)
ADD_POSITION: Final = (
    "INSERT INTO positions (sku, location, on_hand, reserved, incoming, quarantine, version, counted_at)"
    " VALUES (?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT (sku, location) DO UPDATE SET on_hand = on_hand + excluded.on_hand,"
    " reserved = reserved + excluded.reserved, incoming = incoming + excluded.incoming,"
    " quarantine = quarantine + excluded.quarantine, version = version + 1,"
    " counted_at = max(coalesce(counted_at, excluded.counted_at), coalesce(excluded.counted_at, counted_at))"
)
RANK: Final = (
    "SELECT 2 * CASE WHEN EXISTS (SELECT 1 FROM kit_parts WHERE kit = ?1) THEN NOT EXISTS (SELECT 1 FROM kit_parts k"
    " WHERE k.kit = ?1 AND coalesce((SELECT sum(p.on_hand - p.reserved) FROM positions p WHERE p.sku = k.component), 0)"
    " < k.quantity) ELSE coalesce((SELECT sum(on_hand - reserved) FROM positions WHERE sku = ?1), 0) > 0 END"
)
PUT_LISTING: Final = (
    "INSERT INTO listings (account, listing_id, location, channel_sku, sku, variant_id, title, state, fulfilled_by)"
    f" VALUES ({_marks(9)}) ON CONFLICT (account, listing_id, location) DO UPDATE SET"
    " channel_sku = excluded.channel_sku, sku = excluded.sku, variant_id = excluded.variant_id,"
    " title = excluded.title, state = excluded.state, fulfilled_by = excluded.fulfilled_by"
)
LISTED_AS: Final = "SELECT channel_sku FROM listings WHERE account = ? AND listing_id = ? AND location = ?"
LEVEL_OF: Final = (
    "SELECT sku, channel_sku, variant_id FROM levels WHERE account = ? AND listing_id = ? AND location = ?"
)
INSERT_LEVEL: Final = (
    "INSERT INTO levels (account, listing_id, location, channel_sku, sku, variant_id, state, dirty_seq, sent_seq,"
    " dirty_at, due_at, rank, attempts, dirty) VALUES (?, ?, ?, ?, ?, ?, 'new', 1, 0, ?, ?, ?, 0, 1)"
)
RENAME_LEVEL: Final = (
    "UPDATE levels SET channel_sku = ?, variant_id = ? WHERE account = ? AND listing_id = ? AND location = ?"
)
REPOINT_LEVEL: Final = (
    "UPDATE levels SET channel_sku = ?, sku = ?, variant_id = ?, state = 'new', dirty = 1, dirty_at = ?, due_at = ?,"
    " dirty_seq = max(dirty_seq, sent_seq) + 1, rank = ?, attempts = 0, sent_quantity = NULL, sent_version = NULL,"
    " receipt = NULL, push_key = NULL, verified_quantity = NULL, verified_at = NULL, error = NULL"
    " WHERE account = ? AND listing_id = ? AND location = ?"
)
END_LEVEL: Final = "DELETE FROM levels WHERE account = ? AND listing_id = ? AND location = ?"
_STAYS_PUT: Final = "dirty = 1 AND dirty_at <= ?1 AND rank <= ?3"
_STILL_DIRTY: Final = f"UPDATE levels SET dirty_seq = dirty_seq + 1, due_at = ?2 WHERE sku = ?4 AND {_STAYS_PUT}"
_TURNS_DIRTY: Final = (
    "UPDATE levels SET dirty_at = CASE WHEN dirty = 1 AND dirty_at < ?1 THEN dirty_at ELSE ?1 END,"
    " rank = CASE WHEN dirty = 1 AND rank < ?3 THEN rank ELSE ?3 END,"
    " dirty_seq = max(dirty_seq, sent_seq) + 1, dirty = 1, due_at = ?2"
    f" WHERE sku = ?4 AND ({_STAYS_PUT}) IS NOT TRUE"
)
DIRTY: Final = (_STILL_DIRTY, _TURNS_DIRTY)
"""First what is dirty already, touching no index (an index is rewritten with any column it names, changed or
not); then what turns dirty, more urgent or older, which the first one left alone."""


def update_level(fields: tuple[str, ...]) -> str:
    """Set these fields of one level, unless its guard (null is none) says a newer answer was there."""
    sets = ", ".join(f"{name} = ?{place}" for place, name in enumerate(fields, 1))
    if {"dirty_seq", "sent_seq"} & set(fields):
        made = {name: f"?{place}" for place, name in enumerate(fields, 1)}
        sets += f", dirty = {made.get('dirty_seq', 'dirty_seq')} > {made.get('sent_seq', 'sent_seq')}"
    key = len(fields)
    place = key + 4
    return (
        f"UPDATE levels SET {sets} WHERE account = ?{key + 1} AND listing_id = ?{key + 2} AND location = ?{key + 3}"
        f" AND (?{place} IS NULL OR sent_seq <= ?{place})"
    )


INSERT_EFFECT: Final = (
    "INSERT INTO outbox (account, kind, key, idempotency_key, body, refs, state, attempts, due_at, occurred_at,"
    " created_at, deadline_at) VALUES (?, ?, ?, ?, ?, ?, 'pending', 0, ?, ?, ?, ?)"
)
_OVER = "state = 'done' OR (state = 'cancelled' AND ?1 <> 'done')"
UPDATE_EFFECT: Final = (
    f"UPDATE outbox SET state = CASE WHEN {_OVER} THEN state ELSE ?1 END,"
    f" attempts = CASE WHEN {_OVER} THEN attempts ELSE ?2 END, due_at = coalesce(?3, due_at),"
    " result = coalesce(?4, result), holder = NULL, sending_since = NULL WHERE id = ?5"
)
PUT_FAILURE: Final = (
    "INSERT INTO failures (account, kind, reference, error, code, path, message, fingerprint, attempts, origin, state,"
    " created_at, updated_at, replays) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'open', ?11, ?11, 0)"
    " ON CONFLICT (account, kind, reference) WHERE state = 'open' DO UPDATE SET error = excluded.error,"
    " code = excluded.code, path = excluded.path, message = excluded.message, fingerprint = excluded.fingerprint,"
    " attempts = excluded.attempts, origin = excluded.origin, updated_at = excluded.updated_at"
)
SET_FAILURE: Final = (
    "UPDATE failures SET state = ?1, updated_at = ?2, replays = replays + (?1 = 'replayed') WHERE id = ?3"
)
RESOLVE_FAILURE: Final = (
    "UPDATE failures SET state = 'resolved', updated_at = ?"
    " WHERE state = 'open' AND account = ? AND kind = ? AND reference = ?"
)
INSERT_ATTEMPT: Final = (
    "INSERT INTO attempts (account, direction, kind, target, started_at, duration_us, outcome, code, status,"
    f" correlation_id, reference) VALUES ({_marks(11)})"
)
PUT_CURSOR: Final = (
    "INSERT INTO cursors (account, stream, cursor, watermark, updated_at, last_success_at) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (account, stream) DO UPDATE SET cursor = excluded.cursor, watermark = excluded.watermark,"
    " updated_at = excluded.updated_at, last_success_at = excluded.last_success_at"
)
PUT_ACCOUNT: Final = (
    "INSERT INTO accounts (account, mode, held, circuit, detail, updated_at) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (account) DO UPDATE SET mode = excluded.mode, held = excluded.held, circuit = excluded.circuit,"
    " detail = excluded.detail, updated_at = excluded.updated_at"
)
PUT_API_TOKEN: Final = (
    "INSERT INTO api_tokens (id, sha256, role, label, created_at, expires_at, last_used_at, revoked_at)"
    f" VALUES ({_marks(8)}) ON CONFLICT (id) DO UPDATE SET sha256 = excluded.sha256, role = excluded.role,"
    " label = excluded.label, expires_at = excluded.expires_at, last_used_at = excluded.last_used_at,"
    " revoked_at = excluded.revoked_at"
)
PUT_REPLY: Final = (
    "INSERT INTO replies (key, fingerprint, status, body, created_at) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,"
    " body = excluded.body, created_at = excluded.created_at"
)
LAST_AUDIT: Final = "SELECT seq, mac FROM audit ORDER BY seq DESC LIMIT 1"
INSERT_AUDIT: Final = "INSERT INTO audit (seq, at, actor, action, target, detail, mac) VALUES (?, ?, ?, ?, ?, ?, ?)"
PUT_AUDIT_HEAD: Final = (
    "INSERT INTO meta (name, value) VALUES ('audit_head', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
PUT_FLOW: Final = {
    side: f"INSERT INTO flows (account, {side}_at, {side}_lag) VALUES (?, ?, ?)"
    f" ON CONFLICT (account) DO UPDATE SET {side}_at = max(coalesce({side}_at, 0), excluded.{side}_at),"
    f" {side}_lag = coalesce(excluded.{side}_lag, {side}_lag)"
    for side in ("inward", "outward")
}

# --- levels and effects going out ------------------------------------------------------------

DUE_LEVELS: Final = (
    f"SELECT {columns(LEVEL, 'l')} FROM levels l WHERE l.dirty = 1 AND l.account = ? AND l.due_at <= ?"
    " ORDER BY l.rank, l.dirty_at LIMIT ?"
)
LEVELS_TO_VERIFY: Final = (
    f"SELECT {columns(LEVEL, 'l')} FROM levels l WHERE l.state IN ('sent', 'accepted') AND l.account = ?"
    " AND l.sent_at <= ? AND (l.state = 'accepted' OR l.receipt IS NULL) ORDER BY l.sent_at LIMIT ?"
)
PENDING_RECEIPTS: Final = (
    "SELECT l.receipt, min(l.due_at) FROM levels l WHERE l.state IN ('sent', 'accepted') AND l.account = ?"
    " AND l.state = 'sent' AND l.receipt IS NOT NULL AND l.dirty_seq <= l.sent_seq GROUP BY 1 ORDER BY 2"
)
RECEIPT_LEVELS: Final = (
    f"SELECT {columns(LEVEL, 'l')} FROM levels l WHERE l.state IN ('sent', 'accepted') AND l.account = ?"
    " AND l.state = 'sent' AND l.receipt = ? AND l.dirty_seq <= l.sent_seq ORDER BY l.due_at, l.sent_at LIMIT ?"
)
STUCK_EFFECTS: Final = (
    "UPDATE outbox SET state = 'in_doubt', holder = NULL, sending_since = NULL"
    " WHERE state = 'sending' AND account = ? AND sending_since < ?"
)
DUE_EFFECTS: Final = (
    f"SELECT {columns(OUTBOX, 'o')} FROM outbox o WHERE o.state IN ('pending', 'in_doubt') AND o.account = ?"
    " AND o.due_at <= ? AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.state NOT IN ('done', 'cancelled')"
    " AND e.state <> 'parked' AND e.account = o.account AND e.key = o.key AND e.id < o.id)"
    " ORDER BY o.due_at, o.id LIMIT ?"
)
NAMED_EFFECTS: Final = (
    f"SELECT {columns(OUTBOX, 'o')} FROM json_each(?) j CROSS JOIN outbox o ON o.idempotency_key = j.value"
)
SEND_EFFECT: Final = "UPDATE outbox SET state = 'sending', holder = 1, sending_since = ? WHERE id = ?"
UNSEND_EFFECT: Final = (
    "UPDATE outbox SET state = 'pending', holder = NULL, sending_since = NULL WHERE id = ? AND state = 'sending'"
)
