"""Whatever lies in a partner's folder is taken or parked with a reason; nothing of it ends the hub."""

from __future__ import annotations

import asyncio
import json
import random
import string
import tempfile
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.edi.documents import TOLERANT
from mappings.edi.partners import PartnerProfile
from tests.support.exchange import Desk, acknowledgement, interchange, order
from tests.support.interchanges import samples
from tests.support.stores import opened

PARTS = [order(), order("4500002", control="0002"), acknowledgement(1, ("0001", "R"))]
WHOLE = interchange(*PARTS)


async def taken(desk: Desk, content: bytes) -> None:
    """Taken by the service itself: nothing is raised for any content."""
    await desk.trade(content)
    row = (await desk.files("in"))[-1]
    assert row.state in {"taken", "parked"}
    assert len(await desk.states(row)) == row.sets == row.done or row.state == "parked"
    json.loads(row.detail)


@pytest.mark.skipif(not samples(), reason="the published samples are not beside the repository")
async def test_published_samples_are_taken_or_parked(quick: Desk) -> None:
    """Every one of them, one after the other in one database, from partners that nobody has a profile of."""
    quick.partner = PartnerProfile(judging=replace(TOLERANT, name="anybody"))
    for path in samples():
        await taken(quick, path.read_bytes())
    received = await quick.files("in")
    assert len(received) == len(samples())
    assert sum(row.state == "taken" for row in received) > len(received) // 2
    for failure in await quick.failures():
        assert failure.error in {"Parked", "Unmatched"}, failure.message


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    cut=st.integers(0, len(WHOLE)),
    noise=st.binary(max_size=40),
    swaps=st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=1)), max_size=6),
)
def test_damaged_files_are_taken_or_parked(cut: int, noise: bytes, swaps: list[tuple[int, bytes]]) -> None:
    """An interchange with bytes changed, something put in, or broken off."""
    content = bytearray(WHOLE)
    for place, byte in swaps:
        content[place : place + 1] = byte
    damaged = bytes(content[:cut]) + noise + bytes(content[cut:])

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with opened(f"sqlite:///{folder}/hub.db") as bench:
                desk = Desk(bench)
                await taken(desk, damaged)
                await taken(desk, damaged[:cut])

    asyncio.run(run())


async def test_a_character_no_database_takes_ends_nothing(desk: Desk) -> None:
    """NUL in every number of a file, in the order's and in what an answer is about: taken, refused or parked."""
    for place, what in (
        (b"*17*X", b"*1\x007*X"),
        (b"*0001~", b"*0\x0001~"),
        (b"4500001", b"45\x00001"),
        (b"000000001", b"0000\x00001"),
    ):
        await taken(desk, WHOLE.replace(place, what))
    told = interchange(acknowledgement(9, ("0001", "R")), functional="FA", control=7, group=7)
    await taken(desk, told.replace(b"AK1*PR*9", b"AK1*P\x00R*9").replace(b"INVENTEDBUYER ", b"INVENTED\x00BUYER"))
    assert {failure.error for failure in await desk.failures()} <= {"Parked", "Unmatched"}


async def test_a_name_of_any_length_ends_nothing(desk: Desk) -> None:
    """Kilobytes in place of an order's number, a set's and a group's: the orders beside it are taken."""
    endless = "".join(random.Random(1).choices(string.ascii_uppercase + string.digits, k=9000))
    sets = [order(), order(endless, control="0002"), order("4500003", control=endless)]
    await taken(desk, interchange(*sets))
    assert (await desk.states((await desk.files("in"))[0]))[0] == "taken"
    told = acknowledgement(1, ("0001", "R"), functional=endless, state="R").replace("BAK", endless)
    await taken(desk, interchange(told, functional="FA", control=7, group=7))
    assert {failure.error for failure in await desk.failures()} <= {"Parked", "Unmatched"}
