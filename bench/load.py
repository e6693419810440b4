"""Load: many connections posting signed deliveries, each with an event id nobody has used before.

`wrk` where it is installed, since it takes little of a small machine; else a client of our own on
raw sockets. Both sides of a bench always get the same one.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

from bench import payloads
from bench.cell import run_cell

BODY_BYTES = 4096
BODIES = 64
_SLACK_S: Final = 30.0
_SCRIPT = """
local heads, bodies, made = {}, {}, 0
%(tables)s
local seed = "%(seed)s-" .. tostring(math.random(1, 1000000000)) .. "-"
function request()
  made = made + 1
  local which = made %% #heads + 1
  return heads[which] .. seed .. made .. "\\r\\n\\r\\n" .. bodies[which]
end
local refused = 0
function response(status) if status ~= 200 then refused = refused + 1 end end
function done(summary, latency)
  io.write(string.format("RESULT %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
      + summary.errors.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What came back. `bad` are answers other than 2xx and broken connections."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    bad: int

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def drive(url: str, *, connections: int, seconds: float, seed: str, folder: Path) -> Load:
    """Closed loop: every connection sends the next request when it has its answer."""
    wrk = shutil.which("wrk")
    if wrk is None:
        return Load(**run_cell("bench.load:own", url=url, connections=connections, seconds=seconds, seed=seed))
    script = folder / f"load-{seed}.lua"
    script.write_text(_lua(url, seed), encoding="latin-1")
    done = subprocess.run(
        [wrk, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "-s", str(script), url],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", done.stdout)
    if found is None:
        raise RuntimeError(f"wrk said: {done.stdout[-500:]}{done.stderr[-500:]}")
    requests, duration_us, p50_us, p99_us, bad = map(int, found.groups())
    return Load(requests, duration_us / 1e6, p50_us / 1000, p99_us / 1000, bad)


def requests(url: str, bodies: int = BODIES) -> list[tuple[bytes, bytes]]:
    """(head up to the event id, body) of deliveries; the event id and an empty line come between."""
    parts = urlsplit(url)
    made = []
    for number in range(1, bodies + 1):
        body = payloads.body_of(BODY_BYTES, number)
        headers = payloads.headers("orders/create", body, "") | {"Host": parts.netloc, "Content-Length": str(len(body))}
        del headers["X-Shopify-Event-Id"]
        lines = [f"POST {parts.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        made.append(("\r\n".join([*lines, "X-Shopify-Event-Id: "]).encode(), body))
    return made


def _lua(url: str, seed: str) -> str:
    rows = []
    for place, (head, body) in enumerate(requests(url), 1):
        rows.append(f"heads[{place}] = {_quoted(head)}\nbodies[{place}] = {_quoted(body)}")
    return _SCRIPT % {"tables": "\n".join(rows), "seed": seed}


def _quoted(raw: bytes) -> str:
    text = raw.decode("ascii").replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\n", "\\n")
    return f'"{text}"'


# --- our own client ------------------------------------------------------------------------------


class _Connection(asyncio.Protocol):
    """One connection; sends, waits for the answer, sends again until the time is over."""

    def __init__(self, made: list[tuple[bytes, bytes]], name: str, until: float, taken: list[float]) -> None:
        self._made = made
        self._name = name
        self._until = until
        self._taken = taken
        self._sent = 0
        self._began = 0.0
        self._buffer = b""
        self.bad = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio's, but not their base class.
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        self._began = time.perf_counter()
        if self._began >= self._until:
            self._transport.close()
            if not self.over.done():
                self.over.set_result(None)
            return
        self._sent += 1
        head, body = self._made[self._sent % len(self._made)]
        self._transport.write(b"%b%b-%d\r\n\r\n%b" % (head, self._name.encode(), self._sent, body))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = re.search(rb"(?i)content-length: (\d+)", self._buffer[:end])
        if length is None or len(self._buffer) < end + 4 + int(length[1]):
            return
        self._taken.append(time.perf_counter() - self._began)
        self.bad += self._buffer[9:12] != b"200"
        self._buffer = b""
        self._send()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.over.done():
            self.bad += 1
            self.over.set_result(None)


def _same(protocol: _Connection) -> _Connection:
    return protocol


async def own(url: str, connections: int, seconds: float, seed: str) -> dict[str, float]:
    """A cell: the same load without wrk."""
    parts = urlsplit(url)
    made = requests(url)
    taken: list[float] = []
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    opened = []
    for number in range(connections):
        protocol = _Connection(made, f"{seed}-{time.time_ns()}-{number}", began + seconds, taken)
        await loop.create_connection(partial(_same, protocol), parts.hostname or "", parts.port or 80)
        opened.append(protocol)
    # A client that waits for ever would hold up the whole run instead of failing it.
    await asyncio.wait_for(asyncio.gather(*[each.over for each in opened]), seconds + _SLACK_S)
    ranked = sorted(taken)
    return {
        "requests": len(ranked),
        "seconds": time.perf_counter() - began,
        "p50_ms": percentile(ranked, 0.50) * 1000,
        "p99_ms": percentile(ranked, 0.99) * 1000,
        "bad": sum(each.bad for each in opened),
    }


async def steady(url: str, rate: float, seconds: float, skus: int, first: int) -> dict[str, float]:
    """A cell: open loop, one new signed order every 1/rate seconds whether or not others are answered.

    Acknowledgement times count from when a request was due, so a stall is not hidden.
    """
    import aiohttp

    from bench import world

    count = round(rate * seconds)
    given = list(world.deliveries(count, skus, first=first, seed=first))
    taken: list[float] = []
    bad = 0

    async def one(session: aiohttp.ClientSession, due: float, body: bytes, headers: dict[str, str]) -> None:
        nonlocal bad
        async with session.post(url, data=body, headers=headers) as response:
            await response.read()
            bad += response.status != 200
        taken.append(time.perf_counter() - due)

    tasks = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256)) as session:
        began = time.perf_counter() + 0.1
        for number, (body, headers) in enumerate(given):
            due = began + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            tasks.append(asyncio.create_task(one(session, due, body, headers)))
        await asyncio.gather(*tasks)
    ranked = sorted(taken)
    return {
        "requests": count,
        "bad": bad,
        "p50_ms": percentile(ranked, 0.5) * 1e3,
        "p99_ms": percentile(ranked, 0.99) * 1e3,
    }


def percentile(ranked: list[float], share: float) -> float:
    """Nearest rank of sorted values; 0 of nothing."""
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0
