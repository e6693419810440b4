"""One run of the demo from start to verdict."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors import registry
from connectors.sdk.sandbox import Faults, Sandbox
from hub import bootstrap
from hub.bootstrap import Hub
from hub.delivery.verification import DRIFT_AGE_S
from hub.demo import partners
from hub.demo.carrying import INTERVALS, Carriers
from hub.demo.catalogue import BUFFER_UNITS, GOODS, catalogue_csv
from hub.demo.packing import Packing
from hub.demo.trade import Trade
from hub.demo.traffic import Traffic
from hub.demo.verdict import Verdict, differences, doubt, is_under_way, judge, known_orders, opening_stock, sold_orders
from hub.ports.telemetry import Silence

Json = dict[str, Any]
_QUIET_WITHIN_S = 60.0
_OPENING_WITHIN_S = 60.0
_PATIENCE_S = 4 * DRIFT_AGE_S
"""How long numbers under way keep the demo waiting in all: time for three writes in a row that came to nothing."""
_PATIENCE_STEP_S = 15.0


@dataclass(frozen=True, slots=True)
class Options:
    """`seconds` None runs until told to stop; `fault` is a profile of the sandbox kit."""

    port: int
    seconds: float | None
    fault: str
    seed: int
    rate_per_s: float
    say: Callable[[str], None]


@dataclass(slots=True)
class Lags(Silence):
    """Every outbound lag of the session, in seconds."""

    seconds: list[float] = field(default_factory=list)

    def lag(self, account: str, direction: str, seconds: float) -> None:  # noqa: ARG002 - the port names it
        if direction == "out":
            self.seconds.append(seconds)

    def percentile(self, share: float) -> float | None:
        """Nearest rank; None when nothing was published."""
        if not self.seconds:
            return None
        ranked = sorted(self.seconds)
        return round(ranked[min(len(ranked) - 1, int(share * len(ranked)))], 3)


async def run(options: Options, stop: asyncio.Event) -> tuple[Verdict, Json]:
    """Run the demo; returns the verdict and the summary (SURFACE: `trunkline demo --json`)."""
    folder = Path(tempfile.mkdtemp(prefix="trunkline-demo-"))
    try:
        return await _run(options, stop, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _run(options: Options, stop: asyncio.Event, folder: Path) -> tuple[Verdict, Json]:
    async with AsyncExitStack() as stack:
        sandboxes = await _sandboxes(options, stack)
        trading = await partners.opened(stack, seed=options.seed, faults=options.fault)
        for account, partner in trading.items():
            options.say(f"partner   {partner.role:<10} {account}")
        carriers = await Carriers.started(options.seed, options.fault, stack, options.say)
        lags = Lags()
        config = _configure(folder, options, sandboxes, trading, carriers.sections())
        hub = Hub.build(bootstrap.load(config), telemetry=lags)
        hub.intervals = INTERVALS
        await hub.start()
        stack.push_async_callback(hub.stop)
        carriers.deliver_to(hub.url)
        options.say(f"console   {hub.url}")
        await hub.acts.report(opening_stock(), key="demo-opening", actor="demo")
        await _until(lambda: _opened(hub, sandboxes), _OPENING_WITHIN_S, stop)
        trade = Trade(trading, hub, random.Random(options.seed + 1), max(0.25, options.rate_per_s / 8))  # noqa: S311 - shoppers, not secrets
        await trade.open()
        opening = len(lags.seconds)
        options.say("opening stock is published and read back; shoppers come in")
        shoppers = random.Random(options.seed)  # noqa: S311 - shoppers, not secrets
        traffic = Traffic(sandboxes, hub.acts, shoppers, options.rate_per_s, Packing(carriers))
        await _traffic(options, stop, hub, traffic, trade)
        options.say("the shop is closed; waiting until everything has settled")
        await _settle(hub, sandboxes, traffic, trade, options.say)
        verdict = await judge(hub.queries, sandboxes, traffic, trade)
        lags.seconds = lags.seconds[opening:]
        summary = await _summary(hub, sandboxes, lags, verdict, trade)
        return verdict, summary | {"parcels": await carriers.heard(hub.queries)}


async def _sandboxes(options: Options, stack: AsyncExitStack) -> dict[str, Sandbox]:
    """A sandbox of every channel, listening, with every good listed; nothing is in stock there yet."""
    sandboxes: dict[str, Sandbox] = {}
    for name in registry.names():
        kind = registry.get(name)
        # No shopper buys at a carrier, a trading partner or another side of a channel.
        if kind.sandbox is None or not kind.manifest.is_channel:
            continue
        build = kind.sandbox
        sandbox: Sandbox = build(seed=options.seed, faults=Faults.parse(options.fault, seed=options.seed))
        url = await sandbox.start()
        stack.push_async_callback(sandbox.stop)
        options.say(f"sandbox   {name:<10} {url}")
        for good in GOODS:
            sandbox.stock(good.sku, 0, title=good.title)
        sandboxes[f"{name}-demo"] = sandbox
    return sandboxes


def _port(wanted: int) -> int:
    """The port to listen on; 0 takes a free one, whose number the sandboxes must know before the hub listens."""
    if wanted:
        return wanted
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _configure(
    folder: Path, options: Options, sandboxes: Mapping[str, Sandbox], trading: Mapping[str, Any], carriers: Json
) -> Path:
    """Write the demo's configuration as an operator would; JSON is YAML."""
    port = _port(options.port)
    accounts = {}
    for account, sandbox in sandboxes.items():
        accounts[account] = sandbox.account_section() | {
            "poll": {"orders": "1s"},
            "availability": {"locations": ["main"], "buffer": BUFFER_UNITS},
        }
    document = {
        "hub": {
            "database": f"sqlite:///{folder}/data/hub.db",
            "listen": f"127.0.0.1:{port}",
            "public_url": f"http://127.0.0.1:{port}",
            "encryption_key": {"file": f"{folder}/data/hub.key"},
            "log": {"level": "error"},
        },
        "locations": {
            "main": {"name": "Main warehouse", "time_zone": "America/New_York"},
            **partners.locations(trading),
        },
        "accounts": accounts | carriers | partners.sections(trading, f"http://127.0.0.1:{port}"),
        "skus": "skus.csv",
    }
    path = folder / "config" / "hub.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document, indent=2))
    (folder / "skus.csv").write_text(catalogue_csv())
    (folder / "data").mkdir()
    return path


async def _opened(hub: Hub, sandboxes: Mapping[str, Sandbox]) -> bool:
    """Every channel shows every listing's number as read back."""
    levels, _ = await hub.queries.levels(limit=500)
    wanted = sum(len(sandbox.skus()) for sandbox in sandboxes.values())
    return len(levels) >= wanted and all(level.state.value == "verified" for level in levels)


async def _traffic(options: Options, stop: asyncio.Event, hub: Hub, traffic: Traffic, trade: Trade) -> None:
    closing = asyncio.Event()
    shoppers = asyncio.create_task(_side_by_side(traffic, trade, closing))
    began = time.monotonic()
    try:
        while not stop.is_set() and not shoppers.done():
            elapsed = time.monotonic() - began
            if options.seconds is not None and elapsed >= options.seconds:
                break
            options.say(await _line(hub, traffic, elapsed))
            try:
                await asyncio.wait_for(stop.wait(), min(2.0, (options.seconds or 1e9) - elapsed + 0.01))
            except TimeoutError:
                continue
    finally:
        closing.set()
        await shoppers


async def _side_by_side(traffic: Traffic, trade: Trade, closing: asyncio.Event) -> None:
    """Shoppers and the retailer; where one fails the other is not left buying."""
    async with asyncio.TaskGroup() as both:
        both.create_task(traffic.run(closing))
        both.create_task(trade.run(closing))


async def _line(hub: Hub, traffic: Traffic, elapsed_s: float) -> str:
    status = await hub.acts.status()
    channels = "  ".join(
        f"{account['account']} in {_ms(account['in']['lag_s'])} out {_ms(account['out']['lag_s'])}"
        for account in status["accounts"]
        if account["account"] in traffic.sandboxes
    )
    tally = f"sales {traffic.sales:<5} cancelled {traffic.cancelled:<4} parked {status['failures']:<3}"
    return f"{elapsed_s:6.0f} s  {tally} {channels}"


def _ms(seconds: float | None) -> str:
    return "     –" if seconds is None else f"{seconds * 1000:4.0f}ms"


async def _settle(
    hub: Hub, sandboxes: Mapping[str, Sandbox], traffic: Traffic, trade: Trade, say: Callable[[str], None]
) -> None:
    """Wait until every sale is known, every unit accounted for and every number read back, or give up.

    A number that the hub itself will look at again is waited for beyond the usual time: a write that a
    vendor took and never carried out is found out by its last reading.
    """
    for sandbox in sandboxes.values():
        await sandbox.settle()

    async def settled() -> bool:
        if (sold_orders(sandboxes) | trade.orders()) - await known_orders(hub.queries):
            return False
        if not await trade.is_settled():
            return False
        if traffic.packing.unconfirmed(sandboxes):
            return False
        return not await differences(hub.queries, traffic) and await _opened(hub, sandboxes)

    began, never = time.monotonic(), asyncio.Event()
    quiet = await _until(settled, _QUIET_WITHIN_S, never)
    while not quiet and time.monotonic() < began + _PATIENCE_S:
        levels, _ = await hub.queries.levels(limit=500)
        waiting = sum(is_under_way(level) for level in levels) + trade.letters_waiting
        untold = len(traffic.packing.unconfirmed(sandboxes))
        if not waiting and not untold:
            return
        say(f"{waiting} numbers are not proven and {untold} parcels not confirmed yet; the hub is at it; waiting")
        quiet = await _until(settled, _PATIENCE_STEP_S, never)


async def _until(condition: Callable[[], Any], within_s: float, stop: asyncio.Event) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and not stop.is_set():
        if await condition():
            return True
        await asyncio.sleep(0.1)
    return False


async def _summary(hub: Hub, sandboxes: Mapping[str, Sandbox], lags: Lags, verdict: Verdict, trade: Trade) -> Json:
    status = {account["account"]: account for account in (await hub.acts.status())["accounts"]}
    accounts = {
        account: {
            "orders": len(sandbox.orders()),
            "faults": dict(sandbox.faults.counts),
            "failures": status[account].get("failures", 0),
            "in_lag_s": status[account]["in"]["lag_s"],
            "out_lag_s": status[account]["out"]["lag_s"],
        }
        for account, sandbox in {**sandboxes, **trade.partners}.items()
    }
    return {
        "orders_in": verdict.orders_in,
        "pushes_out": len(lags.seconds),
        "lag_p50_s": lags.percentile(0.50),
        "lag_p99_s": lags.percentile(0.99),
        "oversold": verdict.oversold,
        "lost": verdict.lost,
        "duplicated": verdict.duplicated,
        "unproven": len(verdict.unproven),
        "unproven_listings": [doubt(level) for level in verdict.unproven],
        "confirmed": verdict.confirmed,
        "unconfirmed": len(verdict.unconfirmed),
        "unconfirmed_parcels": [[one.account, one.order, one.number] for one in verdict.unconfirmed],
        "accounts": accounts,
        "trade": trade.summary(),
    }
