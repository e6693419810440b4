"""What the three partners' sandboxes share: an address, a book of what came, answers in 997s, and complaints."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import tempfile
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from aiohttp import web

from connectors.edi.fake.correspondence import Correspondence
from connectors.edi.fake.ends import End
from connectors.edi.fake.x12 import Identity, Interchange, Row, Set, acknowledge, read
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock
from connectors.sdk.sandbox import Sandbox

SETTLE_WITHIN_S: Final = 90.0
LOOK_S: Final = 0.1


class PartnerSandbox(Sandbox):
    """A trading partner with manners of its own. Beside the kit's faults it spoils, doubles and forgets files.

    `complaints` are what it finds wrong with the hub's files; a run that ends with one has found a fault of the hub.
    """

    role: ClassVar[str]
    us: ClassVar[Identity]
    hub: ClassVar[Identity]
    profile: ClassVar[str]
    has_scopes: ClassVar[bool] = False

    def __init__(self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None) -> None:
        super().__init__(seed=seed, faults=faults, clock=clock)
        self.complaints: list[str] = []
        self.end = self.make_end()
        self.letters = Correspondence(
            self.us, self.hub, self.faults, self.end.send, self.clock.now, self.record, patience_s=8.0
        )
        self._seen: dict[str, str] = {}
        self._known_files: set[str] = set()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._later: set[asyncio.Task[None]] = set()
        self.counts: dict[str, int] = {}
        """sets taken, by kind; a repetition is not counted"""

    # --- a partner's part ------------------------------------------------------------------------

    @abstractmethod
    def make_end(self) -> End:
        """Its side of the transport agreed."""

    @abstractmethod
    def take(self, found: Set) -> None:
        """One sound set of the hub's, the first time it comes."""

    # --- the kit's -------------------------------------------------------------------------------

    def introduce(self, hub_url: str) -> None:
        """The address the hub is reached at, where the transport needs one: `…/as2/ACCOUNT`."""

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return self.end.routes()

    async def started(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="trunkline-profile-")
        await self.end.start(self.arrived)
        self.letters.start()

    async def stopped(self) -> None:
        for task in list(self._later):
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        await self.letters.stop()
        await self.end.stop()
        if self._folder is not None:
            self._folder.cleanup()

    def profile_path(self) -> Path:
        """The profile by which the hub trades with this partner, as a file."""
        if self._folder is None:
            raise RuntimeError(f"the {self.role} sandbox is not started")
        path = Path(self._folder.name) / f"{self.role}.yaml"
        path.write_text(self.profile)
        return path

    def account_section(self) -> dict[str, Any]:
        return {
            "connector": "edi",
            "credentials": self.end.credentials(),
            "options": {"partner": str(self.profile_path()), "transport": self.end.transport()},
            "locations": {"MAIN": "main"},
        }

    async def settle(self) -> None:
        """Return once everything sent was accepted, or after a minute and a half."""
        for _ in range(int(SETTLE_WITHIN_S / LOOK_S)):
            if not self.letters.waiting and not self._later:
                return
            # Ended by stopping too, so that nobody waits for a partner that is gone.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), LOOK_S)

    def stock(self, sku: str, quantity: int, *, title: str = "") -> None:  # noqa: ARG002 - shops have titles
        raise LookupError(f"a {self.role} lists nothing; {sku} cannot be set to {quantity}")

    def shown(self, sku: str) -> int:
        raise LookupError(f"a {self.role} shows no number of {sku}")

    async def sell(self, lines: Sequence[tuple[str, int]]) -> str | None:  # noqa: ARG002 - the kit's shape
        return None

    async def cancel(self, order_id: str) -> None:
        raise LookupError(f"a {self.role} cancels nothing of {order_id}")

    async def ship(self, order_id: str) -> None:
        raise LookupError(f"a {self.role} has nothing of {order_id} to ship")

    def orders(self) -> Sequence[Mapping[str, Any]]:
        return ()

    # --- files -----------------------------------------------------------------------------------

    async def arrived(self, content: bytes) -> None:
        """A file of the hub's: read, acknowledged, and taken up once."""
        try:
            interchanges = read(content)
        except ValueError as error:
            self.complain(f"a file of {len(content)} bytes: {error}")
            return
        for interchange in interchanges:
            self._take_up(interchange, content)

    def _take_up(self, found: Interchange, content: bytes) -> None:
        if (found.sender, found.receiver) != (self.hub, self.us):
            self.complain(f"interchange {found.control} is from {found.sender.id} to {found.receiver.id}")
        for fault in found.faults:
            self.complain(f"interchange {found.control}: {fault}")
        digest = hashlib.sha256(content).hexdigest()
        before = self._seen.setdefault(found.control, digest)
        if before != digest:
            self.complain(f"interchange {found.control} came before with other content")
        again = digest in self._known_files
        self._known_files.add(digest)
        self.letters.tell(acknowledge(found.sets))
        self.letters.answered(found)
        for each in found.sets:
            for fault in each.faults:
                self.complain(f"{each.kind} {each.control} of interchange {found.control}: {fault}")
            if again or each.faults or each.kind in ("997", "999"):
                continue
            self.counts[each.kind] = self.counts.get(each.kind, 0) + 1
            self.record("set.taken", what=each.kind, interchange=found.control)
            self.take(each)

    def complain(self, sentence: str) -> None:
        self.complaints.append(sentence)
        self.record("complaint", about=sentence)

    def say(self, kind: str, rows: Sequence[Row]) -> None:
        """Send a set of one's own."""
        self.letters.tell([(kind, rows)])

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        """Do something when some time has passed; `settle` waits for it."""

        async def later() -> None:
            await asyncio.sleep(seconds)
            work()

        task = asyncio.create_task(later(), name="partner-work")
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def today(self) -> str:
        return f"{self.clock.now():%Y%m%d}"
