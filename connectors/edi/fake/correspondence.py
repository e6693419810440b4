"""What a partner has sent and is not acknowledged for: numbered, sent again, corrected, and sometimes spoiled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from connectors.edi.fake.x12 import Identity, Interchange, Row, acknowledged, at, write
from connectors.sdk.errors import ConnectorError
from connectors.sdk.faults import Faults

Put = Callable[[str, bytes], Awaitable[None]]
CHASE_EVERY_S: Final = 0.25
SAME_BYTES_MAX: Final = 2
"""Unanswered this often, a file is written anew under other numbers: a person at the partner's has looked."""


@dataclass(slots=True)
class Letter:
    """Sets that went out together. `due` is when the partner looks again; `open` are places not yet accepted."""

    sets: list[tuple[str, Sequence[Row]]]
    interchange: int
    group: int
    content: bytes
    due: float
    name: str
    open: set[int] = field(default_factory=set)
    tries: int = 0
    first: bytes | None = None
    """what went out first, spoiled or not"""


class Correspondence:
    """For one event loop. `start` begins chasing, `stop` ends it.

    Args:
        put: Hands a file to the transport; what it raises is tried again.
        patience_s: How long a partner waits for a 997 before it sends again.
    """

    def __init__(
        self,
        us: Identity,
        hub: Identity,
        faults: Faults,
        put: Put,
        now: Callable[[], datetime],
        record: Callable[..., None],
        *,
        patience_s: float = 8.0,
    ) -> None:
        self._us, self._hub = us, hub
        self._faults = faults
        self._put = put
        self._now = now
        self._record = record
        self.patience_s = patience_s
        self._interchange = self._highest = 0
        self._group = 0
        self._letters: list[Letter] = []
        self._chasing: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._chasing = asyncio.create_task(self._chase(), name="partner-chasing")

    async def stop(self) -> None:
        tasks = [task for task in (self._chasing, *self._under_way) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def waiting(self) -> int:
        """Letters that are not, or not wholly, accepted."""
        return len(self._letters) + len(self._under_way)

    def tell(self, sets: Sequence[tuple[str, Sequence[Row]]]) -> None:
        """Send sets as one interchange, until each has been accepted. 997s are sent and forgotten."""
        if not sets:
            return
        letter = self._numbered(list(sets))
        if all(kind == "997" for kind, _ in sets):
            self._begin(self._acknowledge(letter))
            return
        self._letters.append(letter)
        self._wake.set()

    def _numbered(self, sets: list[tuple[str, Sequence[Row]]]) -> Letter:
        if self._interchange and self._faults.hit("control_reset"):
            self._record("control.reset", was=self._interchange)
            self._interchange = 0
        self._interchange += 1
        self._highest = max(self._highest, self._interchange)
        self._group += 1
        content = write(sets, self._us, self._hub, interchange=self._interchange, group=self._group, moment=self._now())
        name = f"{sets[0][0]}_{self._interchange:09d}_{self._group}"
        # Only the first run of sets has the first group's number, so letters are of one kind each.
        return Letter(sets, self._interchange, self._group, content, 0.0, name, set(range(len(sets))))

    async def _acknowledge(self, letter: Letter) -> None:
        if self._faults.hit("missing_ack"):
            self._record("ack.left_out", group=letter.group)
            return
        if self._faults.hit("late_ack"):
            await asyncio.sleep(self.patience_s / 2)
        for _ in range(20):
            try:
                await self._put(f"{letter.name}.edi", letter.content)
            except ConnectorError:
                await asyncio.sleep(CHASE_EVERY_S)
            else:
                return

    def answered(self, interchange: Interchange) -> None:
        """Take the hub's TA1 and 997 rows into account; what was rejected is written anew."""
        for row in interchange.answers:
            if at(row, 4) == "R":
                self._renew([each for each in self._letters if each.interchange == int(at(row, 1) or 0)])
        for each in interchange.sets:
            if each.kind in ("997", "999"):
                for _, group, control, verdict in acknowledged(each):
                    self._settle(group, control, verdict)

    def _settle(self, group: str, control: str, verdict: str) -> None:
        letter = next((each for each in self._letters if str(each.group) == group), None)
        if letter is None:
            return
        places = {int(control) - 1} if control.isdigit() else set(letter.open)
        if verdict in ("A", "E"):
            letter.open -= places
            if not letter.open:
                self._letters.remove(letter)
        elif verdict == "R":
            self._renew([letter])

    def _renew(self, letters: Iterable[Letter]) -> None:
        """The sets that are open, under numbers that were never used."""
        for letter in list(letters):
            self._letters.remove(letter)
            self._interchange = self._highest
            fresh = self._numbered([body for place, body in enumerate(letter.sets) if place in letter.open])
            self._record("letter.renewed", was=letter.interchange, now=fresh.interchange)
            fresh.tries = 1
            self._letters.append(fresh)
        self._wake.set()

    async def _chase(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for letter in [each for each in self._letters if each.due <= loop.time()]:
                letter.due = loop.time() + self.patience_s
                if letter.tries > SAME_BYTES_MAX:
                    self._renew([letter])
                    continue
                self._begin(self._post(letter))
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), CHASE_EVERY_S)

    async def _post(self, letter: Letter) -> None:
        if letter.first is None:
            letter.first = self._spoiled(letter) if letter.tries == 0 else letter.content
        content = letter.content if letter.tries else letter.first
        copies = 2 if letter.tries == 0 and self._faults.hit("duplicate_interchange") else 1
        for number in range(copies):
            # Each is a file of its own at the hub's; only what was not taken over is tried again under its name.
            try:
                await self._put(f"{letter.name}.{letter.tries}{number}.edi", content)
            except ConnectorError:
                letter.due = asyncio.get_running_loop().time() + CHASE_EVERY_S
                return
        letter.tries += 1
        self._record("letter.sent", interchange=letter.interchange, what=letter.sets[0][0], tries=letter.tries)

    def _spoiled(self, letter: Letter) -> bytes:
        if self._faults.hit("damaged_file"):
            return letter.content[: len(letter.content) * 2 // 3]
        if self._faults.hit("wrong_count"):
            head, mark, tail = letter.content.partition(b"~\nSE*")
            count, star, rest = tail.partition(b"*")
            return head + mark + str(int(count) + 1).encode() + star + rest
        return letter.content

    def _begin(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        task = asyncio.create_task(run(), name="partner-sending")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
