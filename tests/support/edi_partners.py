"""What a hub does for its transports, in memory."""

from __future__ import annotations

from connectors.edi.transport.arrival import Arrival, Keeping


class Kept:
    """A store: the first of each key, told apart by content. `failing` is raised instead."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.failing: Exception | None = None

    async def __call__(self, arrival: Arrival) -> Keeping:
        if self.failing is not None:
            raise self.failing
        before = next((kept for kept in self.arrivals if kept.key == arrival.key), None)
        if before is None:
            self.arrivals.append(arrival)
            return Keeping.NEW
        return Keeping.KNOWN if before.body == arrival.body else Keeping.CONFLICT
