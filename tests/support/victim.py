"""A hub's storage in a process of its own, for tests that kill it.

Run as a module: URL and what to do; says one line when it is done and then holds everything until
it is killed.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from connectors.sdk.clock import ManualClock
from hub.storage import open_store
from tests.support.stores import KEY, QUICK

ROOT = Path(__file__).resolve().parents[2]


async def main(url: str, act: str) -> None:
    store, _ = await open_store(url, key=KEY, clock=ManualClock(), postgres=QUICK)
    assert store is not None
    if act == "claim":
        items = await store.claim_inbox(10)
        effects = await store.claim_effects("shop", 10)
        say(f"{len(items)} {len(effects)}")
    elif act == "hold":
        say(str(await store.hold_account("shop")))  # type: ignore[attr-defined]
    await asyncio.sleep(600)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@asynccontextmanager
async def victim(url: str, act: str) -> AsyncIterator[tuple[subprocess.Popen[str], str]]:
    """The process and the line it said; killed at the latest on leaving."""
    command = [sys.executable, "-m", "tests.support.victim", url, act]
    process = await asyncio.to_thread(subprocess.Popen[str], command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = await asyncio.to_thread(process.stdout.readline)
        yield process, line.strip()
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
