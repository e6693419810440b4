"""A hub that trades over a folder: files through its doors, its commands and its page."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hub.bootstrap import Hub
from hub.cli import parser
from hub.ports.store import Expectation, ReadSet, WriteSet
from hub.services.trading import outgoing
from tests.support.exchange import acknowledgement, answer, interchange, order
from tests.support.running_hub import running_hub, until

PROFILE = """
name: Retailer
identities: {us: {qualifier: ZZ, id: INVENTEDSELLER}, them: {qualifier: ZZ, id: INVENTEDBUYER}}
deadlines: {acknowledgement: 24h}
"""


@dataclass
class House:
    """The hub, the partner's folder, and somebody at the command line."""

    hub: Hub
    folder: Path

    def put(self, name: str, content: bytes) -> None:
        (self.folder / "in" / name).write_bytes(content)

    def sent(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / "out").iterdir() if path.suffix == ".edi"}

    async def run(self, *words: str) -> str:
        """A command's output; it ends well."""
        args = parser().parse_args([*words, "--config", str(self.folder / "config" / "hub.yaml")])
        said = io.StringIO()
        with redirect_stdout(said):
            assert await args.run(args) == 0
        return said.getvalue()

    async def json(self, *words: str) -> Any:
        return json.loads(await self.run(*words, "--json"))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    for name in ("in", "out", "done"):
        (tmp_path / name).mkdir()
    (tmp_path / "retailer.yaml").write_text(PROFILE)
    folder = {
        "inbox": str(tmp_path / "in"), "archive": str(tmp_path / "done"), "outbox": str(tmp_path / "out"),
        "quiet": "200ms",
    }  # fmt: skip
    section = {
        "connector": "edi", "poll": {"files": "1s"},
        "options": {"partner": str(tmp_path / "retailer.yaml"), "transport": {"folder": folder}},
    }  # fmt: skip
    async with running_hub(tmp_path, {"retailer": section}) as hub:
        yield House(hub, tmp_path)


async def test_a_partner_trades_with_a_running_hub(house: House) -> None:
    """850 in, 997 out; our 855 out, its 997 in; each step is seen by list, show, due, resend and the page."""
    house.put("po.edi", interchange(order()))

    async def acknowledged() -> bool:
        return bool(house.sent())

    await until(acknowledged, what="the acknowledgement of the order")
    assert b"AK1*PO*17~" in next(iter(house.sent().values()))
    store = house.hub.acts.store
    assert store is not None
    asked = outgoing("retailer", "855", answer(), about={"order": "ord_1"}, dedupe="1", at=1)
    await store.receive([asked])
    assert house.hub.acts.running is not None
    house.hub.acts.running.changed()

    async def ours() -> Any:
        return [row for row in await house.json("edi", "due", "--kind", "997") if row["subject"] == "ord_1"]

    (due,) = await until(ours, what="our answer to the order")
    assert (due["kind"], due["owed_by"], due["overdue"]) == ("997", "partner", False)
    assert 23 * 3600 < due["due_in_s"] <= 24 * 3600
    assert "  in " in await house.run("edi", "due", "--kind", "997")
    made = await house.json("edi", "show", due["detail"]["file"])
    assert (made["kinds"], made["contents"][0]["subject"]) == (["855"], "ord_1")

    async def delivered() -> bool:
        return made["name"] in house.sent()

    await until(delivered, what="the file at the partner's")
    raw = house.sent()[made["name"]]
    assert raw.startswith(b"ISA*")

    (house.folder / "out" / made["name"]).unlink()
    await house.run("edi", "resend", made["id"])

    async def again() -> bool:
        return house.sent().get(made["name"]) == raw

    await until(again, what="the same bytes again")

    async def over() -> bool:
        shown = await house.json("edi", "show", made["id"])
        return [one["state"] for one in shown["sendings"]] == ["done", "done"]

    await until(over, what="both sendings done")
    assert "855" in await house.run("edi", "show", made["id"])

    async with aiohttp.ClientSession() as http, http.get(house.hub.url + "/") as page:
        assert "Awaited from trading partners" in await page.text()
    group = int(due["reference"].split()[1])
    house.put("ack.edi", interchange(acknowledgement(group, ("0001", "A")), functional="FA", control=7, group=7))

    async def met() -> bool:
        return not await ours()

    await until(met, what="the acknowledgement of our answer")
    async with aiohttp.ClientSession() as http, http.get(house.hub.url + "/metrics") as page:
        assert 'trunkline_edi_awaited{account="retailer",connector="edi",kind="997"}' in await page.text()


async def test_what_is_overdue_counts_up(house: House) -> None:
    """A deadline that has passed is shown as such by the command and the metric."""
    store = house.hub.acts.store
    assert store is not None
    late = Expectation("retailer", "855", "4500001", "ord_1", True, 1, 2)
    await store.run(ReadSet(), lambda _: WriteSet(expectations=[late]))
    (due,) = await house.json("edi", "due", "--overdue", "--kind", "855")
    assert (due["owed_by"], due["overdue"]) == ("us", True)
    assert "overdue by" in await house.run("edi", "due")
    async with aiohttp.ClientSession() as http, http.get(house.hub.url + "/metrics") as page:
        assert 'trunkline_edi_overdue{account="retailer",connector="edi",kind="855"} 1.0' in await page.text()


async def test_what_cannot_be_sent_again_says_why(house: House) -> None:
    """A file that was received, and one there is not."""
    house.put("po.edi", interchange(order()))

    async def taken() -> Any:
        return [row for row in await house.json("edi", "list", "--state", "taken") if row["direction"] == "in"]

    (received,) = await until(taken)
    assert received["name"] == "po.edi"
    api = f"{house.hub.url}/api/v1/edi/files"
    operations = {each.id: each for each in house.hub.operations()}
    assert {"listFiles", "getFile", "getFileContent", "resendFile", "listExpectations"} <= operations.keys()
    for id_, words in ((received["id"], "was received"), ("file_none", "there is no file")):
        with pytest.raises(Exception, match=words):
            await house.run("edi", "resend", id_)
    async with aiohttp.ClientSession() as http, http.get(api) as page:
        assert page.status == 401
