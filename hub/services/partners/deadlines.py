"""What we owe partners in time: orders answered before it is too late, what was acknowledged struck off."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import Expectation, Micros, OrderKey, ReadSet, State, Store, WriteSet
from hub.services.apply import Apply
from hub.services.batch import Outcome
from hub.services.partners.answers import ANSWER, MARGIN
from hub.services.partners.notices import INVOICE, NOTICE

OWED: Final = (ANSWER, NOTICE, INVOICE)
_PAGE: Final = 200
_ANSWERED: Final = frozenset({"met", "failed"})

_log = structlog.get_logger()


class Deadlines:
    """Looks at what is owed. Several processes may look at once; each thing is done once.

    Args:
        apply: Settles an order again, which answers it when it is time.
    """

    def __init__(self, plans: Mapping[str, AccountPlan], store: Store, queries: Queries, apply: Apply) -> None:
        self._plans = plans
        self._store = store
        self._queries = queries
        self._apply = apply

    async def look(self, now: Micros) -> Outcome:
        """Answer what is due, strike off what the partner has acknowledged. Raises `StoreUnavailable`."""
        outcome = Outcome()
        for kind in OWED:
            cursor: str | None = None
            while True:
                rows, cursor = await self._queries.expectations(kind=kind, limit=_PAGE, cursor=cursor)
                owed = [row for row in rows if row.ours and row.account in self._plans]
                due = [(row.account, row.reference) for row in owed if kind == ANSWER and _is_due(row, now)]
                if due:
                    outcome.take(await self._answer(due))
                await self._strike_off([row for row in owed if kind != ANSWER or _is_sent(row)], kind)
                if cursor is None:
                    break
        return outcome

    async def _answer(self, keys: Sequence[OrderKey]) -> Outcome:
        _log.info("orders.answer_due", count=len(keys))
        return await self._apply.resolve_held(keys)

    async def _strike_off(self, owed: Sequence[Expectation], kind: str) -> None:
        found: dict[tuple[str, str, str], Expectation] = {}
        for account, subject in sorted({(row.account, row.subject) for row in owed if row.subject}):
            partner = self._plans[account].partner
            if partner is None:
                continue
            rows, _ = await self._queries.expectations(account=account, state=None, subject=subject, limit=_PAGE)
            ours = sorted((row for row in rows if row.ours and row.kind == kind), key=_opened)
            theirs = sorted(
                (row for row in rows if not row.ours and _set_of(row) == partner.set_named(kind)), key=_opened
            )
            found |= {_key(row): row for row in answered(ours, theirs) if row.state != "open"}
        if found:
            await self._write({key: row for key, row in found.items() if key in {_key(each) for each in owed}})

    async def _write(self, ended: Mapping[tuple[str, str, str], Expectation]) -> None:
        def decide(state: State) -> WriteSet:
            standing = {key: row.opened_at for key, row in state.expectations.items() if row.state == "open"}
            # One opened again since it was looked at waits for something else.
            return WriteSet(expectations=[row for key, row in ended.items() if standing.get(key) == row.opened_at])

        await self._store.run(ReadSet(expectations=set(ended)), decide)


def answered(ours: Iterable[Expectation], theirs: Iterable[Expectation]) -> Iterator[Expectation]:
    """What we owed of one kind about one thing, each ended by the acknowledgement of the set sent for it.

    Both oldest first: the first set sent after something was owed is the one sent for it.
    """
    left = list(theirs)
    for row in ours:
        match = next((each for each in left if each.opened_at >= row.opened_at), None)
        if match is not None:
            left.remove(match)
        if match is not None and match.state in _ANSWERED and row.state == "open":
            yield replace(row, state=match.state, settled_at=match.settled_at)
        else:
            yield row


def _is_due(row: Expectation, now: Micros) -> bool:
    if _is_sent(row):
        return False
    return row.due_at is None or now >= row.due_at - (row.due_at - row.opened_at) // MARGIN


def _is_sent(row: Expectation) -> bool:
    return bool(json.loads(row.detail).get("answered"))


def _set_of(row: Expectation) -> str:
    stated = json.loads(row.detail).get("set")
    return stated if isinstance(stated, str) else ""


def _key(row: Expectation) -> tuple[str, str, str]:
    return (row.account, row.kind, row.reference)


def _opened(row: Expectation) -> Micros:
    return row.opened_at
