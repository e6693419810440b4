"""A webhook is answered only after its row is written and the log synced, seen from outside the process.

The whole hub runs under strace; for every webhook the write of its row to the log, the sync after it
and the 200 on the socket must come in that order. A planted bug must be seen.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from bench import payloads
from connectors import registry
from tests.rig import strace
from tests.rig.hub_process import HubProcess
from tests.support.waiting import until

WEBHOOKS = 25
SENDING = ("write", "writev", "sendto", "sendmsg")


@dataclass
class TracedHub(HubProcess):
    """A hub under strace. `inject` breaks calls as strace's own option says."""

    inject: list[str] = field(default_factory=list)

    @property
    def calls(self) -> Path:
        return self.folder / "strace.log"

    def spawn(self) -> None:
        module = ["tests.rig.planted", self.plant] if self.plant else ["hub"]
        traced = strace.command(
            self.calls, ("pwrite64", "fdatasync", *SENDING), inject=self.inject, contents=not self.inject
        )
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*traced, *strace.python(module[0], *module[1:], "run", "--config", str(self.config))],
                cwd=strace.ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(strace.ROOT)},
            )


async def sent(hub: TracedHub, section: dict[str, object], count: int) -> int:
    """Send webhooks one after the other; how many were answered 200."""
    credentials, options = section["credentials"], section["options"]
    assert isinstance(credentials, dict)
    assert isinstance(options, dict)
    answered = 0
    async with aiohttp.ClientSession() as session:
        for number in range(1, count + 1):
            body = payloads.body(number, [("SKU-1", 1)], version=0, cancelled=False)
            headers = payloads.headers(
                "orders/create", body, f"event-{number}-", secret=credentials["webhook_secret"], shop=options["shop"]
            )
            try:
                async with session.post(f"{hub.url}/webhooks/shop", data=body, headers=headers) as answer:
                    answered += answer.status == 200
            except (aiohttp.ClientError, OSError):
                break
    return answered


def answers(log: Path) -> int:
    """How many 200s the log shows so far."""
    return sum(edge == "enter" and _is_answer(call) for edge, call in strace.read(log))


def _is_answer(call: strace.Call) -> bool:
    return call.name in SENDING and b"stored" in call.content and b'"status"' in call.content


def too_early(log: Path, count: int) -> list[int]:
    """Numbers of the webhooks whose 200 went out before the sync of their row."""
    written: dict[int, int] = {}
    synced: list[tuple[int, int]] = []
    began: dict[int, int] = {}
    answered: list[int] = []
    for moment, (edge, call) in enumerate(strace.read(log)):
        if call.path.endswith("-wal"):
            if edge == "enter" and call.name == "pwrite64":
                for number in range(1, count + 1):
                    if number not in written and b"event-%d-" % number in call.content:
                        written[number] = moment
            elif edge == "enter":
                began[call.thread] = moment
            elif call.name == "fdatasync" and call.result == 0:
                synced.append((began[call.thread], moment))
        elif edge == "enter" and _is_answer(call):
            answered.append(moment)
    assert len(answered) == count, f"{len(answered)} answers in the log, {count} were received"
    return [
        number
        for number, told in enumerate(answered, 1)
        if not any(written.get(number, told) < start and end < told for start, end in synced)
    ]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("plant", ["", "ack-before-commit"])
async def test_no_webhook_is_answered_before_its_row_is_synced(tmp_path: Path, plant: str) -> None:
    """Row written, log synced, 200 sent: in this order for every webhook, and never so with the planted bug."""
    strace.require_strace()
    build = registry.get("shopify").sandbox
    assert build is not None
    sandbox = build(seed=1)
    await sandbox.start()
    section = sandbox.account_section()
    hub = TracedHub(tmp_path, {"shop": section}, "sku\nSKU-1\n", plant=plant)
    hub.configure()
    try:
        await hub.start()
        assert await sent(hub, section, WEBHOOKS) == WEBHOOKS
        await until(lambda: answers(hub.calls) == WEBHOOKS)
    finally:
        if hub.running:
            hub.kill()
        await sandbox.stop()
    early = too_early(hub.calls, WEBHOOKS)
    if plant:
        assert len(early) == WEBHOOKS, f"the planted bug went unseen: {early}"
    else:
        assert early == []


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_hub_whose_disk_fails_a_sync_ends_with_status_74(tmp_path: Path) -> None:
    """The whole hub ends at once, and every webhook it had answered is there."""
    strace.require_strace()
    build = registry.get("shopify").sandbox
    assert build is not None
    sandbox = build(seed=1)
    await sandbox.start()
    section = sandbox.account_section()
    hub = TracedHub(tmp_path, {"shop": section}, "sku\nSKU-1\n", inject=["fdatasync:error=EIO:when=40"])
    hub.configure()
    try:
        await hub.start()
        answered = await sent(hub, section, 400)
        assert await asyncio.to_thread(hub.wait) == 74
        assert 0 < answered < 400
    finally:
        if hub.running:
            hub.kill()
        await sandbox.stop()
    with closing(sqlite3.connect(hub.database)) as database:
        stored = {key for (key,) in database.execute("SELECT dedupe_key FROM inbox WHERE origin = 'webhook'")}
    lost = [number for number in range(1, answered + 1) if not any(f"event-{number}-" in key for key in stored)]
    assert lost == []
    assert answered <= len(stored) <= answered + 1
