"""Who asks about whose parcels: a carrier's own account first, then one that asks all carriers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from connectors.sdk.manifest import Capability
from connectors.sdk.ports import Clock
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.tracking.parcels import family


def askers(
    plans: Mapping[str, AccountPlan],
    carriers: Iterable[str],
    capability: Capability = Capability.TRACK,
    *,
    able: Callable[[str], bool] = lambda _account: True,
) -> dict[str, str]:
    """Account by carrier; a carrier nobody can be asked about, or whose name nobody knows, is left out.

    Args:
        able: False for accounts that may not call now, so that another one takes over.
    """
    known = [plan for plan in plans.values() if capability in plan.manifest.capabilities and able(plan.account)]
    found: dict[str, str] = {}
    for carrier in carriers:
        ranked = sorted((_nearness(plan, carrier), plan.account) for plan in known)
        if carrier and ranked and ranked[0][0] < _STRANGER:
            found[carrier] = ranked[0][1]
    return found


class Shares:
    """Whose parcels each account asks about now. An account that is held or paused leaves its carriers to others."""

    def __init__(
        self, plans: Mapping[str, AccountPlan], queries: Queries, able: Callable[[str], bool], clock: Clock
    ) -> None:
        self._plans = plans
        self._queries = queries
        self._able = able
        self._clock = clock
        self._carriers: tuple[str, ...] = ()
        self._read_at: float | None = None

    async def of(self, account: str, capability: Capability) -> tuple[str, ...]:
        """Carriers of open parcels that this account is asked for. Raises `StoreUnavailable`."""
        found = askers(self._plans, await self._open_carriers(), capability, able=self._able)
        return tuple(carrier for carrier, asker in found.items() if asker == account)

    async def _open_carriers(self) -> tuple[str, ...]:
        now = self._clock.monotonic()
        if not self._carriers or self._read_at is None or now - self._read_at >= FRESH_S:
            self._carriers = tuple(row.carrier for row in await self._queries.parcel_counts())
            self._read_at = now
        return self._carriers


FRESH_S = 5.0
"""How long a list of carriers is good for; a carrier whose first parcel came since is asked in the next round."""
_STRANGER = 3


def _nearness(plan: AccountPlan, carrier: str) -> int:
    """0 names the carrier, 1 its company, 2 asks everybody."""
    asked = plan.manifest.track_carriers
    if carrier in asked:
        return 0
    if family(carrier) in {family(one) for one in asked}:
        return 1
    return _STRANGER if asked else 2
