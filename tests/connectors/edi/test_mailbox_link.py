"""Over a mailbox every file is taken once and sent once, wherever the process is killed in between."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.edi.connector import EdiConnector
from connectors.edi.transport import folder as folder_module
from connectors.sdk.clock import ManualClock, MemoryTokens
from connectors.sdk.contract import AccountContext, CallRecord, Envelope, Page, Settlement
from connectors.sdk.errors import AuthFailed, Rejected, Transient
from tests.support.edi_accounts import ORDER, context, file_effect, folders, opened


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def ctx(tmp_path: Path) -> AccountContext:
    return context(tmp_path, options=folders(tmp_path), clock=ManualClock(), tokens=MemoryTokens())


async def settled(connector: EdiConnector, cursor: Any = None) -> Page:
    """A file counts as quiet at the second look."""
    await connector.fetch("files", cursor, 50)
    return await connector.fetch("files", cursor, 50)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def payloads(envelopes: Iterable[Envelope]) -> list[bytes]:
    return [envelope.payload for envelope in envelopes]


async def test_a_page_takes_nothing_away_until_the_next_is_asked_for(ctx: AccountContext, tmp_path: Path) -> None:
    """The store keeps the page between the two, so nothing is archived that is not durable."""
    (tmp_path / "in" / "po.edi").write_bytes(ORDER)
    connector = opened(ctx)
    page = await settled(connector)
    assert payloads(page.envelopes) == [ORDER]
    assert (page.more, names(tmp_path / "archive")) == (True, [])
    last = await connector.fetch("files", json.loads(json.dumps(page.cursor)), 50)
    assert (list(last.envelopes), last.more, last.cursor) == ([], False, {})
    assert (names(tmp_path / "in"), names(tmp_path / "archive")) == ([], ["po.edi"])


async def test_killed_before_the_page_was_stored_it_comes_again(ctx: AccountContext, tmp_path: Path) -> None:
    """Under the same key: the store that had it after all says known."""
    (tmp_path / "in" / "po.edi").write_bytes(ORDER)
    first = await settled(opened(ctx))
    again = await settled(opened(ctx))
    assert [e.dedupe_key for e in first.envelopes] == [e.dedupe_key for e in again.envelopes]
    assert again.envelopes[0].topic == "interchange"
    assert again.envelopes[0].headers == {"file": "po.edi"}


async def test_killed_after_the_page_was_stored_it_is_put_away_at_the_next_start(
    ctx: AccountContext, tmp_path: Path
) -> None:
    """The cursor names it; nothing is handed over twice."""
    (tmp_path / "in" / "po.edi").write_bytes(ORDER)
    page = await settled(opened(ctx))
    after = await settled(opened(ctx), page.cursor)
    assert list(after.envelopes) == []
    assert names(tmp_path / "archive") == ["po.edi"]


async def test_another_file_of_the_name_is_not_put_away_unread(ctx: AccountContext, tmp_path: Path) -> None:
    """What the partner wrote over a file that was kept is taken as a file of its own."""
    path = tmp_path / "in" / "po.edi"
    path.write_bytes(ORDER)
    connector = opened(ctx)
    page = await settled(connector)
    path.unlink()
    path.write_bytes(ORDER + b"2")
    after = await settled(connector, page.cursor)
    assert payloads(after.envelopes) == [ORDER + b"2"]
    assert names(tmp_path / "archive") == []


async def test_a_cursor_of_another_kind_names_nothing(ctx: AccountContext, tmp_path: Path) -> None:
    """A path in it least of all."""
    (tmp_path / "po.edi").write_bytes(ORDER)
    connector = opened(ctx)
    for kept in ("x", [["../po.edi", 1, 1, "d"]], [["po.edi"]], [None]):
        await connector.fetch("files", {"kept": kept}, 50)
    assert names(tmp_path) == ["po.edi"]


async def test_what_cannot_be_taken_is_named_after_the_others(ctx: AccountContext, tmp_path: Path) -> None:
    """One file too large: the other is handed over first, then the walk ends with the file's name."""
    connector = opened(replace(ctx, options=folders(tmp_path, bytes_max=1024)))
    (tmp_path / "in" / "large.edi").write_bytes(b"x" * 2000)
    (tmp_path / "in" / "po.edi").write_bytes(ORDER)
    page = await settled(connector)
    assert payloads(page.envelopes) == [ORDER]
    with pytest.raises(Rejected, match=r"large\.edi.*stays"):
        await connector.fetch("files", page.cursor, 50)


async def test_pages_keep_the_limit(ctx: AccountContext, tmp_path: Path) -> None:
    """Three files, one to a page."""
    for number in range(3):
        (tmp_path / "in" / f"{number}.edi").write_bytes(ORDER + b"%d" % number)
    connector = opened(ctx)
    await connector.fetch("files", None, 1)
    cursor, seen = None, []
    while True:
        page = await connector.fetch("files", cursor, 1)
        seen += payloads(page.envelopes)
        if not page.more:
            break
        assert len(page.envelopes) == 1
        cursor = page.cursor
    assert sorted(seen) == [ORDER + b"%d" % number for number in range(3)]


async def test_a_file_is_delivered_once_however_often_it_is_sent(ctx: AccountContext, tmp_path: Path) -> None:
    """The partner has taken it; another try of the same effect writes nothing, an operator's resend does."""
    connector = opened(ctx)
    assert await connector.settle(file_effect()) is Settlement.NOT_APPLIED
    result = await connector.send(file_effect())
    assert result.vendor_id == "850_1.edi"
    assert (tmp_path / "out" / "850_1.edi").read_bytes() == ORDER
    (tmp_path / "out" / "850_1.edi").unlink()
    assert await connector.settle(file_effect()) is Settlement.APPLIED
    await opened(ctx).send(file_effect())
    assert names(tmp_path / "out") == []
    await connector.send(file_effect(key="file:1:again"))
    assert names(tmp_path / "out") == ["850_1.edi"]


@pytest.mark.parametrize("at", ["before staging", "before it appears", "after it appeared", "after it was noted"])
@pytest.mark.parametrize("collected", [False, True])
async def test_killed_at_any_step_of_sending(
    at: str, collected: bool, ctx: AccountContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the next start the partner has had the file exactly once, whether it had collected it or not."""
    out = tmp_path / "out"

    def killed(*_: object) -> None:
        raise Killed

    saves = 0
    tokens = ctx.tokens

    class Tokens:
        load = staticmethod(tokens.load)

        @staticmethod
        async def save(name: str, token: Any) -> None:
            nonlocal saves
            saves += 1
            if (at, saves) == ("after it appeared", 2):
                raise Killed
            await tokens.save(name, token)
            if (at, saves) == ("after it was noted", 2):
                raise Killed

    with monkeypatch.context() as patched:
        if at == "before staging":
            patched.setattr(folder_module, "_written", killed)
        if at == "before it appears":
            patched.setattr(folder_module, "_appear", killed)
        with pytest.raises(Killed):
            await opened(replace(ctx, tokens=Tokens())).send(file_effect())
    appeared = at.startswith("after")
    assert (out / "850_1.edi").exists() == appeared
    had = 0
    if collected and appeared:
        (out / "850_1.edi").unlink()
        had += 1
    connector = opened(ctx)
    assert (await connector.settle(file_effect()) is Settlement.APPLIED) == appeared
    await connector.send(file_effect())
    had += (out / "850_1.edi").exists()
    assert had == 1
    assert names(out) in ([], ["850_1.edi"])


async def test_a_done_file_left_out_by_a_crash_is_made_up_for(
    ctx: AccountContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the partner would never take the file."""
    ctx = replace(ctx, options=folders(tmp_path, done_suffix=".done"))
    place = folder_module._place

    def killed(folder: Path, name: str, body: bytes) -> object:
        if name.endswith(".done"):
            raise Killed
        return place(folder, name, body)

    with monkeypatch.context() as patched:
        patched.setattr(folder_module, "_place", killed)
        with pytest.raises(Killed):
            await opened(ctx).send(file_effect())
    await opened(ctx).send(file_effect())
    assert names(tmp_path / "out") == ["850_1.edi", "850_1.edi.done"]


async def test_effects_without_a_file_are_refused(ctx: AccountContext) -> None:
    """Nothing to send is said so, and never sent as an empty file."""
    connector = opened(ctx)
    for body in ({}, {"name": "x.edi"}, {"name": "x.edi", "content": "%%"}, {"content": "eA=="}):
        with pytest.raises(Rejected):
            await connector.send(replace(file_effect(), body=body))
    with pytest.raises(Rejected, match="receipts"):
        await connector.send(replace(file_effect(), kind="send_receipt"))


async def test_every_exchange_is_recorded_and_a_check_says_what_is_wrong(ctx: AccountContext, tmp_path: Path) -> None:
    """Calls are told as they end; a folder that is gone is weather, one without rights is for the operator."""
    calls: list[CallRecord] = []
    connector = opened(replace(ctx, on_call=calls.append))
    report = await connector.check()
    assert "Big Box" in report.who
    (tmp_path / "out").rmdir()
    with pytest.raises(Transient):
        await connector.check()
    (tmp_path / "out").write_text("a file")
    with pytest.raises((Rejected, AuthFailed)):
        await connector.check()
    assert [(call.kind, call.outcome) for call in calls] == [
        ("folder.check", "ok"),
        ("folder.check", "transient"),
        ("folder.check", "rejected"),
    ]
