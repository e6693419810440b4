"""The trading service: whatever of an account that trades is no input for a mapping."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.sdk.ports import Clock
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import InboxItem, InboxResult, InboxState, NewFailure, ReadSet, Store, WriteSet
from hub.services import moments
from hub.services.interpret import Corrected, unchanging
from hub.services.trading.documents import Documents
from hub.services.trading.interchanges import Interchanges
from hub.services.trading.queueing import INTERCHANGE
from hub.trading.parking import INBOUND
from mappings import MappingSet


class Trading:
    """Takes `interchange` and `outgoing` inputs of accounts whose manifest says `trades`.

    Args:
        plans: By account.
        maps: The account's mapping set, by account.
        corrected: Told an account before a document of it is written again: its mapping may have been corrected.
    """

    def __init__(
        self,
        plans: Mapping[str, AccountPlan],
        maps: Mapping[str, MappingSet],
        store: Store,
        queries: Queries,
        clock: Clock,
        corrected: Corrected = unchanging,
    ) -> None:
        self._plans = plans
        self._store = store
        self._clock = clock
        self._interchanges = Interchanges(store, queries)
        self._documents = Documents(store, queries, maps, corrected)

    async def take(self, item: InboxItem) -> None:
        """Deal with one input and finish it. Raises `StoreUnavailable` and `StoreConflict` like any unit of work."""
        plan = self._plans[item.account]
        if plan.partner is None:
            await self._park(item)
        elif item.topic == INTERCHANGE:
            await self._interchanges.take(item, plan, plan.partner)
        else:
            await self._documents.send(item, plan.partner, moments.now(self._clock))

    async def _park(self, item: InboxItem) -> None:
        message = "the account names no partner profile (options.partner): nothing can be judged or written without one"
        failure = NewFailure(
            item.account, INBOUND, str(item.seq), "NoPartner", "no_partner", "options.partner", message,
            f"{item.account}:no_partner", item.attempts + 1, item.origin,
        )  # fmt: skip
        result = InboxResult(item.seq, InboxState.FAILED, attempts=item.attempts + 1)
        await self._store.run(ReadSet(), lambda _: WriteSet(inbox=[result], failures=[failure]))
