"""The door for partners' files: nothing is answered that is not durable, and nobody fills the memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest

from connectors.sdk.clock import ManualClock, SystemClock
from connectors.sdk.contract import Envelope, WebhookReply, WebhookRequest
from connectors.sdk.files import Keeper, Kept
from connectors.sdk.manifest import Capability, Manifest, Topic
from hub.api import files
from hub.api.files import FileIntake
from hub.api.server import application, listen
from hub.ports.accounts import AccountPlan, AvailabilityPolicy, Mode
from hub.ports.store import StoreUnavailable
from hub.services.receive import FileKeeper
from tests.support.memory_store import MemoryStore

MAX = 1000


class Receiver:
    """Keeps the body under the name in a header, and says what became of it."""

    async def receive(self, request: WebhookRequest, keeper: Keeper) -> WebhookReply:
        if request.headers.get("as2-from") != "Partner":
            return WebhookReply(403, b"no", "text/plain")
        (kept,) = await keeper.keep([Envelope("interchange", request.headers["message-id"], "in", request.body)])
        await keeper.owe("send_receipt", "receipt", {"about": request.headers["message-id"]})
        return WebhookReply(200, kept.value.encode(), headers={"Content-Type": "multipart/report", "X-Said": "yes"})


@dataclass
class Counters:
    refused: list[tuple[str, str]] = field(default_factory=list)

    def rejected(self, account: str, reason: str) -> None:
        self.refused.append((account, reason))

    def duplicates(self, account: str, count: int) -> None:
        raise AssertionError("receipts tell of duplicates, not this counter")


@dataclass
class World:
    url: str
    store: MemoryStore
    counters: Counters
    woken: list[bool]

    async def post(self, body: bytes | aiohttp.Payload, **headers: str) -> tuple[int, bytes, str]:
        given = {"AS2-From": "Partner", "Message-ID": "<1@p>"} | {k.replace("_", "-"): v for k, v in headers.items()}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/as2/partner", data=body, headers=given) as answer,
        ):
            return answer.status, await answer.read(), answer.headers["Content-Type"]


def plan() -> AccountPlan:
    manifest = Manifest("edi", "EDI", frozenset({Capability.FILES}), (Topic("interchange"),), trades=True)
    return AccountPlan("partner", "edi", manifest, Mode.LIVE, AvailabilityPolicy(("main",)))


@asynccontextmanager
async def opened() -> AsyncIterator[World]:
    store, counters, woken = MemoryStore(lambda: 1_800_000_000_000_000), Counters(), []  # type: ignore[var-annotated]
    keeper = FileKeeper(store, plan(), ManualClock(), lambda: woken.append(True))
    intake = FileIntake({"partner": Receiver()}, lambda _: keeper, counters, SystemClock(), MAX)
    listener = await listen(application(intake.routes(), max_bytes=100), "127.0.0.1", 0)
    try:
        yield World(listener.address, store, counters, woken)
    finally:
        await listener.stop()


async def test_a_file_is_stored_before_it_is_answered() -> None:
    """The connector's own answer goes back, headers and all; the same again is known, other content is told apart."""
    async with opened() as world:
        assert await world.post(b"one") == (200, Kept.NEW.value.encode(), "multipart/report")
        assert world.woken == [True]
        assert (await world.post(b"one"))[1] == b"known"
        assert (await world.post(b"two"))[1] == b"conflict"
        items = await world.store.claim_inbox(10)
        assert [(item.topic, item.payload) for item in items] == [("interchange", b"one")]
        effects = await world.store.claim_effects("partner", 10)
        assert [effect.kind for effect in effects] == ["send_receipt"], "owed thrice with one body, it is sent once"


async def test_what_cannot_be_stored_is_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with Retry-After, never a receipt."""

    async def full(_: object) -> None:
        raise StoreUnavailable("the disk is full")

    async with opened() as world:
        monkeypatch.setattr(world.store, "receive", full)
        status, _, kind = await world.post(b"one")
        assert (status, kind) == (503, "application/problem+json")
        assert world.counters.refused == [("partner", "unavailable")]


async def test_large_bodies_are_refused_with_and_without_a_length() -> None:
    """A file over the limit gets 413, before it is in memory; one over other doors' limit is taken."""

    async def trickling() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 100

    async with opened() as world:
        assert (await world.post(b"x" * 500))[0] == 200
        assert (await world.post(b"x" * (MAX + 1)))[0] == 413
        assert (await world.post(trickling()))[0] == 413  # type: ignore[arg-type]
        assert {reason for _, reason in world.counters.refused} == {"size"}


async def test_a_hub_with_its_hands_full_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with Retry-After once the memory for bodies is taken, and all of it is given back."""
    monkeypatch.setattr(files, "HELD_BYTES_MAX", 600)
    async with opened() as world:
        assert (await world.post(b"x" * 700))[0] == 503
        for _ in range(3):
            assert (await world.post(b"x" * 500))[0] == 200
        assert {reason for _, reason in world.counters.refused} == {"busy"}


async def test_who_sends_slowly_takes_nobodys_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of bodies may be on their way; a message that is there is answered."""
    monkeypatch.setattr(files, "WAITING_MAX", 1)
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        await go_on.wait()

    async with opened() as world:
        strangers = [asyncio.create_task(world.post(slow(), Message_ID=f"<{n}@s>")) for n in range(3)]  # type: ignore[arg-type]
        await asyncio.sleep(0.1)
        assert (await world.post(b"one"))[0] == 200
        go_on.set()
        assert {(await one)[0] for one in strangers} <= {200, 503}


async def test_strangers_and_wrong_doors_are_told_so() -> None:
    """An unknown account, a browser, and a sender the connector refuses."""
    async with opened() as world, aiohttp.ClientSession() as session:
        assert (await session.post(f"{world.url}/as2/nobody")).status == 404
        assert (await session.get(f"{world.url}/as2/partner")).status == 405
        assert (await world.post(b"x", AS2_From="Stranger"))[0] == 403
        assert world.counters.refused == [("", "unknown-account"), ("partner", "refused")]
