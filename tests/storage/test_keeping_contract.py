"""Catalogue, retention, the audit chain and the key: what is kept, for how long, and that it is unchanged."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest

from connectors.sdk.clock import ManualClock
from hub.ports.queries import CursorUnknown
from hub.ports.store import Attempt, AuditEntry, ListingRow, PersonalRow, ReadSet, SkuRow, StoredReply, WriteSet
from hub.storage import WrongKey, open_store
from tests.support.stores import KEY, Bench, execute, given, listing, opened

DAY = 86_400_000_000


async def test_the_catalogue_becomes_what_the_file_says(bench: Bench) -> None:
    """Added, changed and removed rows; the same digest is not loaded twice."""
    rows = [SkuRow(f"S{n:04}", title="one", tags=("t",), packs={"case": 12, "box": 4}) for n in range(2500)]
    assert await bench.store.replace_catalogue(rows, "d1") is True
    assert await bench.store.replace_catalogue([], "d1") is False
    assert await bench.queries.sku("S0007") == rows[7]
    changed = [SkuRow("S0007", title="two", components=(("S0001", 3),), aliases=(("shop", "x"),)), *rows[8:1500]]
    assert await bench.store.replace_catalogue(changed, "d2") is True
    assert await bench.queries.sku("S0007") == changed[0]
    assert await bench.queries.sku("S0001") is None
    assert await bench.queries.sku("S2000") is None
    assert await bench.queries.sku("S1499") == rows[1499]
    assert await bench.store.replace_catalogue([], "d3") is True
    assert await bench.queries.sku("S0007") is None


async def test_an_alias_moves_from_one_sku_to_another(bench: Bench) -> None:
    """Whichever of the two is written first."""
    first = [SkuRow("A", aliases=(("shop", "x"),)), SkuRow("B", aliases=(("shop", "y"),))]
    second = [SkuRow("A", aliases=(("shop", "y"),)), SkuRow("B", aliases=(("shop", "x"),))]
    await bench.store.replace_catalogue(first, "d1")
    await bench.store.replace_catalogue(second, "d2")
    state = await bench.read(ReadSet(skus={("shop", "x"), ("shop", "y")}))
    assert state.resolved == {("shop", "x"): "B", ("shop", "y"): "A"}


async def test_a_late_sku_finds_its_listing(bench: Bench) -> None:
    """A listing nobody could match gets its level when the catalogue learns the SKU."""
    rows = [ListingRow("shop", f"L{n}", "", f"C{n}", None) for n in range(3)]
    await bench.write(WriteSet(listings=rows))
    assert (await bench.queries.levels())[0] == []
    await bench.store.replace_catalogue([SkuRow("C1"), SkuRow("S", aliases=(("shop", "C2"), ("other", "C0")))], "d1")
    levels = (await bench.queries.levels())[0]
    assert [(level.listing_id, level.sku) for level in levels] == [("L1", "C1"), ("L2", "S")]


async def test_a_changed_kit_is_published_again(bench: Bench) -> None:
    """Its number follows from its components, so a change of them makes its levels due."""
    await bench.store.replace_catalogue([SkuRow("A"), SkuRow("K", components=(("A", 1),))], "d1")
    await bench.write(WriteSet(listings=[listing("L", "K")]))
    ((level, _),) = await bench.store.dirty_levels("shop", 5)
    await bench.store.replace_catalogue([SkuRow("A"), SkuRow("K", components=(("A", 2),))], "d2")
    ((after, _),) = await bench.store.dirty_levels("shop", 5)
    assert after.dirty_seq == level.dirty_seq + 1


async def test_retention_forgets_what_is_due_and_nothing_else(bench: Bench) -> None:
    """Payloads by age, people by their date, attempts by age, replies after 30 days; rows stay for dedupe."""
    await bench.store.receive([given(1, at=bench.now, body=b"old")])
    attempt = Attempt("shop", "out", "set", "t", bench.now, 1, "ok")
    people = [PersonalRow("p1", "shop", "{}", delete_after=5), PersonalRow("p2", "shop", "{}", delete_after=50)]
    reply = StoredReply("k", "f", 200, "{}", bench.now)
    await bench.write(
        WriteSet(personal=[*people, PersonalRow("p3", "shop", "{}")], attempts=[attempt], replies=[reply])
    )
    bench.clock.advance(40 * 86_400)
    await bench.store.receive([given(2, at=bench.now, body=b"new")])
    counts = await bench.store.prune(payloads_before=bench.now - DAY, attempts_before=bench.now - DAY, personal_due=10)
    assert dict(counts) == {"payloads": 1, "personal": 1, "files": 0, "attempts": 1, "replies": 1}
    old, new = sorted((await bench.queries.inputs(account="shop"))[0], key=lambda item: item.seq)
    assert (old.payload, new.payload) == (b"", b"new")
    assert [await bench.queries.personal(name) for name in ("p1", "p2", "p3")] == [None, "{}", "{}"]
    assert list(await bench.store.receive([given(1), given(3)])) == [False, True]


async def test_a_shredded_day_cannot_be_read_from_a_copy(bench: Bench) -> None:
    """With the day's key gone, a payload row put back from a copy stays shut."""
    await bench.store.receive([given(1, at=bench.now, body=b"secret")])
    item = (await bench.queries.inputs(account="shop"))[0][0]
    await execute(bench, "CREATE TABLE copied AS SELECT * FROM payloads")
    bench.clock.advance(3 * 86_400)
    await bench.store.prune(payloads_before=bench.now, attempts_before=0, personal_due=0)
    await execute(bench, "INSERT INTO payloads SELECT * FROM copied")
    found = await bench.queries.input(item.seq)
    assert found is not None
    assert found.payload == b""
    (claimed,) = await bench.store.claim_inbox(1)
    assert claimed.payload == b""


TAMPERINGS = (
    ("UPDATE audit SET detail = 'other' WHERE seq = 2",),
    ("UPDATE audit SET at = at + 1 WHERE seq = 3",),
    ("DELETE FROM audit WHERE seq = 2",),
    ("DELETE FROM audit WHERE seq = 3",),
    ("DELETE FROM audit",),
    (
        "UPDATE audit SET seq = 9 WHERE seq = 1",
        "UPDATE audit SET seq = 1 WHERE seq = 2",
        "UPDATE audit SET seq = 2 WHERE seq = 9",
    ),
)


@pytest.mark.parametrize("tampering", TAMPERINGS)
async def test_a_changed_audit_is_found(bench: Bench, tampering: tuple[str, ...]) -> None:
    """Edited, removed (the last one too) or reordered entries break the chain; untouched it holds."""
    assert await bench.queries.audit_intact() is True
    for number in range(3):
        await bench.write(WriteSet(audit=[AuditEntry("ada", "stock.adjust", f"S{number}")]))
    assert await bench.queries.audit_intact() is True
    entries, _ = await bench.queries.audit()
    assert [entry["target"] for entry in entries] == ["S2", "S1", "S0"]
    if bench.sqlite:
        await execute(bench, "DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete")
    else:
        await execute(bench, "ALTER TABLE audit DISABLE TRIGGER ALL")
    await execute(bench, *tampering)
    assert await bench.queries.audit_intact() is False


async def test_another_key_is_refused_before_anything_is_written(url: str) -> None:
    """The message says so, for the hub and for readers, and the right key still opens."""
    async with opened(url) as bench:
        await bench.store.save_token("shop", "t", "v")
    for readonly in (False, True):
        with pytest.raises(WrongKey, match="not the one"):
            await open_store(url, key=b"another key of decent length", clock=ManualClock(), readonly=readonly)
    with pytest.raises(WrongKey, match="at least"):
        await open_store(url, key=b"short", clock=ManualClock())
    async with opened(url) as bench:
        assert await bench.store.load_token("shop", "t") == "v"


async def test_a_sealed_value_does_not_open_in_another_row(bench: Bench) -> None:
    """Two people's ciphertexts exchanged are refused, not shown to the wrong one."""
    await bench.write(WriteSet(personal=[PersonalRow("p1", "shop", "one"), PersonalRow("p2", "shop", "two")]))
    await execute(
        bench,
        "UPDATE personal SET wrapped = (SELECT o.wrapped FROM personal o WHERE o.subject = 'p2'),"
        " body = (SELECT o.body FROM personal o WHERE o.subject = 'p2') WHERE subject = 'p1'",
    )
    with pytest.raises(Exception, match="does not open"):
        await bench.queries.personal("p1")
    assert await bench.queries.personal("p2") == "two"


async def test_readers_work_beside_the_hub_and_cannot_write(bench: Bench) -> None:
    """A second, read-only opening sees what is committed and gets no store."""
    await bench.store.receive([given(1)])
    store, queries = await open_store(bench.url, key=KEY, clock=bench.clock, readonly=True)
    assert store is None
    assert len((await queries.inputs(account="shop"))[0]) == 1
    await queries.close()


@pytest.mark.parametrize("values", [[1], ["a"], ["a\0"], [[]], [True], [2**63], ["a", "b"], ["a", 1], {"a": 1}])
async def test_a_cursor_that_does_not_fit_its_list_is_refused(bench: Bench, values: object) -> None:
    """Told as such on both engines, never as a database that cannot be read."""
    cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
    for ask in (bench.queries.orders, bench.queries.positions, bench.queries.failures, bench.queries.attempts):
        with contextlib.suppress(CursorUnknown):
            await ask(cursor=cursor)
