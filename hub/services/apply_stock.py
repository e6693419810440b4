"""Stock stated by others: counts that correct the position, readings that only compare, movements."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.sdk.manifest import Capability, QuantityMeaning
from hub.inventory.availability import pool_of
from hub.inventory.postings import Change, count, postings
from hub.orders import content
from hub.orders.articles import key_of
from hub.orders.facts import LevelFacts, ReportFacts, StockFacts, StockLine
from hub.orders.versions import compare
from hub.ports.accounts import AccountPlan
from hub.ports.store import (
    Bucket,
    DocumentRow,
    LevelKey,
    LevelRow,
    LevelState,
    LevelUpdate,
    Micros,
    ReadSet,
    State,
    StoreConflict,
)
from hub.services.batch import Batch
from hub.services.interpreted import Refusal
from hub.services.places import channel_places, ours

READ_AGAIN_S = 10
"""A channel showing another number than it was sent has usually just sold: its order gets time to arrive."""

DRIFT_GRACE_S = 60
"""The same where the channel cannot be read back, before the number is sent again."""


CLOCKS_APART_S = 300
"""How far ahead of ours a counter's clock may be."""


class Refused(Exception):
    """A document that cannot be applied as it is: parked with the reason, replayable after a fix."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


# --- reports ---------------------------------------------------------------------------------


def reads_for_report(reads: ReadSet, plan: AccountPlan, facts: ReportFacts) -> None:
    for level in facts.levels:
        if level.sku:
            reads.skus.add(key_of(facts.account, level.sku))
        reads.levels.update(_level_keys(plan, facts, level))


def counted_keys(plan: AccountPlan, facts: ReportFacts, state: State) -> set[tuple[str, str, Micros]]:
    """(sku, location, as_of) of the counts a report states, once its SKUs are resolved."""
    location = ours(plan, facts.location, facts.location_raw)
    if not plan.stock_source or location is None:
        return set()
    named = {sku for level in facts.levels if (sku := _sku_of(plan, facts, level, state)) is not None}
    return {(sku, location, facts.as_of) for sku in named}


def _level_keys(plan: AccountPlan, facts: ReportFacts, level: LevelFacts) -> list[LevelKey]:
    """Published numbers a stated level may be about; a channel without items is addressed by its SKU."""
    named = level.item_id or level.sku
    places = channel_places(plan, facts.location, facts.location_raw)
    return [(facts.account, named, place) for place in places] if named else []


def _sku_of(plan: AccountPlan, facts: ReportFacts, level: LevelFacts, state: State) -> str | None:
    if level.sku and (found := state.resolved.get(key_of(facts.account, level.sku))) is not None:
        return found
    rows = (state.levels.get(key) for key in _level_keys(plan, facts, level))
    return next((row.sku for row in rows if row is not None), None)


def apply_report(batch: Batch, plan: AccountPlan, facts: ReportFacts, zeroed: Iterable[str] = ()) -> None:
    """Correct the position where this account counts stock; elsewhere compare with what was sent.

    Args:
        zeroed: SKUs a complete report does not list: there are none of them.
    """
    changed = False
    counts: dict[str, dict[str, int]] = {}
    location = ours(plan, facts.location, facts.location_raw)
    for level in facts.levels:
        rows = [row for key in _level_keys(plan, facts, level) if (row := batch.state.levels.get(key)) is not None]
        shown = _shown(plan, level)
        for row in rows:
            if shown != row.sent_quantity and _count_follows(batch, plan, level, row, location):
                continue
            changed |= _compare(batch, plan, row, shown, facts.as_of)
        if not plan.stock_source or location is None:
            continue
        sku = _sku_of(plan, facts, level, batch.state)
        if sku is None:
            continue
        if rows:
            on_hand = _counted_where_published(batch, plan, level, rows, sku, location, facts.as_of)
        else:
            on_hand = _counted(batch, level, sku, location)
        if on_hand is not None:
            _add_count(counts.setdefault(sku, {}), level.item_id, on_hand)
    if location is not None and plan.stock_source:
        for sku in zeroed:
            counts.setdefault(sku, {"": 0})
        changed |= _correct(batch, facts, location, counts)
    if changed:
        batch.outcome.applied += 1
    else:
        batch.outcome.unchanged += 1
    if plan.stock_source and facts.uncounted:
        # What could be counted stands; run again it changes nothing.
        raise _no_count(facts.uncounted)


def _no_count(uncounted: Iterable[str]) -> Refused:
    message = f"{'; '.join(uncounted)}: nobody knows how many that is; add the pack to the profile, then replay"
    return Refused(Refusal("UnknownUnit", "unknown_unit", "lines[].uom", message))


def _shown(plan: AccountPlan, level: LevelFacts) -> int | None:
    """The stated number that means what the channel is sent; like is compared with like."""
    if plan.quantity_meaning is QuantityMeaning.INPUT:
        return level.on_hand
    return level.available


def _counted(batch: Batch, level: LevelFacts, sku: str, location: str) -> int | None:
    """On-hand units a place we do not publish to states; reservations come on top of what it calls available."""
    if level.on_hand is not None or level.available is None:
        return level.on_hand
    reserved = level.reserved if level.reserved is not None else batch.state.position(sku, location).reserved
    return level.available + reserved


def _counted_where_published(
    batch: Batch, plan: AccountPlan, level: LevelFacts, rows: list[LevelRow], sku: str, location: str, as_of: Micros
) -> int | None:
    """On-hand units behind a number we set ourselves; None when it cannot be told from our own echo.

    What such a channel calls on hand is the number we sent plus its own open orders, so the units
    other channels hold come on top. That holds only while nothing is on its way and the policy
    keeps nothing back; otherwise the count would shrink by the buffer each time it went round.
    """
    if level.on_hand is None or not _plain(plan, location) or batch.state.kits_of.get(sku):
        return None
    for row in rows:
        settled = row.state is LevelState.VERIFIED and row.dirty_seq <= row.sent_seq and as_of > (row.sent_at or 0)
        if not settled or _shown(plan, level) == row.sent_quantity:
            return None
    own = batch.state.own_open.get((plan.account, sku, location), 0)
    return level.on_hand + max(0, batch.state.position(sku, location).reserved - own)


def _count_follows(batch: Batch, plan: AccountPlan, level: LevelFacts, row: LevelRow, location: str | None) -> bool:
    """True when another number may be the seller's new count, which the next reading tells with what is on hand.

    Taken for drift it would be overwritten before it was understood.
    """
    if not plan.stock_source or level.on_hand is not None or location is None:
        return False
    return _plain(plan, location) and not batch.state.kits_of.get(row.sku)


def _plain(plan: AccountPlan, location: str) -> bool:
    """True when the account publishes all there is at this one location."""
    policy = plan.policy
    whole = policy.buffer == 0 and policy.share == 1 and policy.cap is None and policy.fixed is None
    return whole and policy.minimum <= 1 and pool_of(plan) == (location,)


def _add_count(counts: dict[str, int], item_id: str, on_hand: int) -> None:
    """Lots of one item add up; two items selling the same SKU are two views of one pile."""
    counts[item_id] = counts.get(item_id, 0) + on_hand


def _correct(batch: Batch, facts: ReportFacts, location: str, counts: dict[str, dict[str, int]]) -> bool:
    event = batch.event(f"report:{facts.account}:{facts.source_id}:{facts.as_of}:{facts.digest}")
    now = batch.state.now
    # A clock or a time zone that is hours off: as a count of later it would swallow what leaves until then.
    as_of = facts.as_of if facts.as_of <= now + CLOCKS_APART_S * 1_000_000 else now
    changed = False
    for sku, stated in counts.items():
        key = (sku, location, facts.as_of)
        since = batch.state.on_hand_since.get(key)
        if since is None:
            raise StoreConflict(f"{sku} was resolved differently while its count was read")
        row = count(event, facts.id, batch.state.position(sku, location), min(stated.values()), as_of, since)
        if row is not None:
            batch.post([row], as_of)
            changed = True
    return changed


def _compare(batch: Batch, plan: AccountPlan, row: LevelRow, shown: int | None, as_of: Micros) -> bool:
    """Recognise our own number coming back by its value; send a stranger to be looked at again."""
    if shown is None or row.sent_quantity is None:
        return False
    if shown == row.sent_quantity and row.state is LevelState.VERIFIED and row.verified_quantity == shown:
        return False
    now = batch.state.now
    key = (row.account, row.listing_id, row.location)
    if shown == row.sent_quantity:
        verified = {
            "state": LevelState.VERIFIED,
            "shown_quantity": shown,
            "verified_quantity": shown,
            "verified_at": now,
        }
        cleared = {"attempts": 0, "error": None, "receipt": None}
        still_dirty = row.dirty_seq > row.sent_seq
        change = {"shown_quantity": shown} if still_dirty else {**verified, **cleared}
        batch.put_level(LevelUpdate(key, change, guard_seq=row.sent_seq))
        return True
    if row.dirty_seq > row.sent_seq or as_of <= (row.sent_at or 0) or row.state is not LevelState.VERIFIED:
        # A number is on its way, or the statement is older than what was sent: it proves nothing.
        return False
    batch.put_level(LevelUpdate(key, _look_again(plan, row, shown, now), guard_seq=row.sent_seq))
    if Capability.READ_BACK not in plan.manifest.capabilities:
        drifted = batch.outcome.drifted
        drifted[row.account] = drifted.get(row.account, 0) + abs(shown - row.sent_quantity)
    return True


def _look_again(plan: AccountPlan, row: LevelRow, shown: int, now: Micros) -> dict[str, object]:
    if Capability.READ_BACK in plan.manifest.capabilities:
        due = now + READ_AGAIN_S * 1_000_000
        return {"state": LevelState.ACCEPTED, "shown_quantity": shown, "due_at": due}
    return {
        "state": LevelState.DRIFTED,
        "shown_quantity": shown,
        "dirty_seq": row.dirty_seq + 1,
        "dirty_at": now,
        "due_at": now + DRIFT_GRACE_S * 1_000_000,
    }


# --- movements -------------------------------------------------------------------------------


def reads_for_stock(reads: ReadSet, facts: StockFacts) -> None:
    document = facts.document
    reads.documents.add((document.account, document.type, document.source_id))
    for line in facts.lines:
        reads.skus.add(key_of(document.account, line.sku))


def apply_stock(batch: Batch, plan: AccountPlan, facts: StockFacts, before: tuple[StockLine, ...]) -> None:
    """Post a document that moves stock; a newer version of it posts the difference only.

    Args:
        before: Lines of the stored version, () when this is the first.

    Raises:
        Refused: A line names a SKU or a location that is not ours; nothing of the document is posted.
    """
    document = facts.document
    key = (document.account, document.type, document.source_id)
    stored = batch.state.documents.get(key)
    if stored is not None:
        newer = compare(document.version, stored.version)
        if newer < 0 or (newer == 0 and content.same_document(stored.document, document.document)):
            batch.outcome.unchanged += 1
            return
    if facts.uncounted:
        raise _no_count(facts.uncounted)
    changes = [_change(batch, plan, document.account, line, 1) for line in facts.lines]
    changes += [_change(batch, plan, document.account, line, -1) for line in before]
    rev = stored.rev if stored else 0
    event = batch.event(f"{document.type}:{document.account}:{document.source_id}:{rev + 1}")
    batch.post(postings(event, document.id, document.occurred_at, changes, batch.state.position), document.occurred_at)
    batch.put_document(
        DocumentRow(
            stored.id if stored else document.id,
            document.type,
            document.account,
            document.source_id,
            document.version,
            document.order_source_id,
            document.occurred_at,
            document.document,
            rev,
        )
    )
    batch.outcome.applied += 1


def _change(batch: Batch, plan: AccountPlan, account: str, line: StockLine, sign: int) -> Change:
    sku = batch.state.resolved.get(key_of(account, line.sku))
    if sku is None:
        message = f"{line.sku or 'a line without SKU'}: no listing, alias or SKU of ours; add it, then replay"
        raise Refused(Refusal("UnknownSku", "unknown_sku", "lines[].sku", message))
    if (parts := batch.state.kits.get(sku)) is not None:
        named = ", ".join(part for part, _ in parts)
        message = f"{sku} is a kit and holds no stock of its own; name its components ({named}), then replay"
        raise Refused(Refusal("UnknownSku", "kit", "lines[].sku", message))
    location = ours(plan, line.location)
    if location is None:
        message = f"location {line.location!r} is not mapped for account {account}; map it, then replay"
        raise Refused(Refusal("UnknownLocation", "unknown_location", "location", message))
    return Change(line.reason, sku, location, Bucket(line.bucket), sign * line.delta)
