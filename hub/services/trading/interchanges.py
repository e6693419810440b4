"""Taking partners' files: surveyed in a thread where they are large, then taken part by part in short units."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import islice
from typing import Any, Final

import structlog

from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import (
    FileRow,
    FileSet,
    InboxItem,
    InboxResult,
    InboxState,
    ReadSet,
    SeenNumber,
    State,
    Store,
    WriteSet,
)
from hub.trading import taking
from hub.trading.naming import file_id, sent_key, storable
from hub.trading.parking import parked
from hub.trading.replies import Reply
from hub.trading.settling import Looked
from hub.trading.survey import Survey, SurveyedGroup, SurveyedInterchange, SurveyedSet, contents_of, survey
from hub.trading.taking import PARKED, TAKEN, TAKING, Part, Surroundings
from mappings.edi import grammar_for
from mappings.edi.partners import PartnerProfile

ON_LOOP_MAX: Final = 256 * 1024
"""Bytes that may be worked on between two turns of the loop."""
_NAMES: Final = ("file", "name", "message_id")
"""What transports call a file, in their words; the best first."""
SETS_MAX: Final = 200
BYTES_MAX: Final = 4 << 20
"""Of payloads in one unit: a large file neither holds the database long nor stands in memory twice."""

_log = structlog.get_logger(__name__)


class Interchanges:
    """Takes files of one store. Two files of one partner are never taken side by side: their lane is one."""

    def __init__(self, store: Store, queries: Queries) -> None:
        self._store = store
        self._queries = queries

    async def take(self, item: InboxItem, plan: AccountPlan, partner: PartnerProfile) -> None:
        """Deal with one file and finish its input. Killed anywhere, it goes on where it was.

        Raises `StoreUnavailable` and `StoreConflict` like any unit of work.
        """
        id_ = file_id(item.received_at, item.account, "in", str(item.seq))
        known = await self._queries.file(id_)
        if known is not None and known.state == TAKEN:
            # Run again by hand: what it said was taken in, and nothing of it is taken twice.
            await self._finish(item)
            return
        found = await _apart(len(item.payload), lambda: survey(item.payload, partner))
        over = _over(item, known)
        topics = frozenset(topic.name for topic in plan.manifest.topics if not topic.ignored)
        around = Surroundings(item, id_, partner, topics, over)
        row = _row(item, id_, found, known, over=over)
        if not found.interchanges:
            await self._empty(item, row)
            return
        await self._parts(around, found, row)

    async def _parts(self, around: Surroundings, found: Survey, row: FileRow) -> None:
        closed = int(json.loads(row.detail).get("closed", 0))
        effects = 0
        async for parts, last in _slices(around, found, row.done, closed):
            for part in parts:
                part.looked = await self._looked(around.item.account, part)
                part.subjects = await self._subjects(around.item.account, part)
            written = await self._store.run(
                taking.reads_of(around, parts),
                lambda state, now=parts, end=last, before=row: taking.take(state, around, now, before, last=end),  # type: ignore[misc]
            )
            # As it is stored now: a process that was taken for dead meanwhile finds another one's and stops.
            row = next(replace(each, rev=each.rev + 1) for each in written.files if each.id == row.id)
            effects += len(written.effects)
        _log.info(
            "file.taken",
            account=row.account,
            file=row.id,
            state=row.state,
            sets=row.sets,
            answers=effects,
            size=row.size,
        )

    async def _empty(self, item: InboxItem, row: FileRow) -> None:
        reason = "there is no interchange in it; one begins with ISA, UNA or UNB"
        failure = parked(item, row.id, row.name, [reason], 1)
        result = InboxResult(item.seq, InboxState.FAILED, attempts=item.attempts + 1)

        def decide(state: State) -> WriteSet:
            known = state.files.get(row.id)
            kept = replace(row, state=PARKED, rev=known.rev if known is not None else 0)
            return WriteSet(files=[kept], failures=[failure], inbox=[result])

        await self._store.run(ReadSet(files={row.id}), decide)

    async def _finish(self, item: InboxItem) -> None:
        await self._store.run(ReadSet(), lambda _: WriteSet(inbox=[InboxResult(item.seq, InboxState.DONE)]))

    # --- what replies are about --------------------------------------------------------------

    async def _looked(self, account: str, part: Part) -> Mapping[int, Sequence[Looked]]:
        found: dict[int, list[Looked]] = {}
        for _, each, _ in part.sets:
            if each.replies:
                found[each.place] = [Looked(reply, await self._sent(account, reply)) for reply in each.replies]
        if part.closes and part.interchange.replies:
            found[0] = [Looked(reply, await self._sent(account, reply)) for reply in part.interchange.replies]
        return found

    async def _sent(self, account: str, reply: Reply) -> tuple[FileSet, ...]:
        """The sets of ours a reply names; of numbers used twice, the latest file's."""
        if reply.interchange is not None:
            return _latest(await self._queries.sent_sets(account, interchange=reply.interchange.strip()))
        if reply.functional_id:
            group = reply.functional_id, reply.group
            return _latest(await self._queries.sent_sets(account, functional_id=group[0], group=group[1]))
        if found := await self._by_numbers(account, reply):
            return found
        named = {sent_key(kind, one.reference) for one in reply.sets if one.reference for kind in one.kinds}
        numbers = await self._numbers({(account, key) for key in named})
        sets: list[FileSet] = []
        for number in numbers:
            sets += [row for row in await self._queries.file_sets(number.file) if row.place == number.place]
        return tuple(sets)

    async def _by_numbers(self, account: str, reply: Reply) -> tuple[FileSet, ...]:
        """The set an advice names by group and set number; what kind it is says under which functional id it went."""
        one = next(iter(reply.sets), None)
        grammar = grammar_for(one.kind, "004010") if one is not None and one.control and reply.group else None
        if one is None or grammar is None:
            return ()
        rows = await self._queries.sent_sets(account, functional_id=grammar.group, group=reply.group)
        return tuple(row for row in _latest(rows) if (row.kind, row.control) == (one.kind, one.control))

    async def _subjects(self, account: str, part: Part) -> Mapping[int, str]:
        """Whose goods an advice is about: by the number under which we had asked for it."""
        named = {each.place: sent_key(*each.naming.answers) for _, each, _ in part.sets if each.naming.answers}
        if not named:
            return {}
        numbers = await self._numbers({(account, key) for key in named.values()})
        places = {number.key: (number.file, number.place) for number in numbers}
        sets: dict[tuple[str, int], FileSet] = {}

        def look(state: State) -> WriteSet:
            sets.update(state.file_sets)
            return WriteSet()

        await self._store.run(ReadSet(file_sets=set(places.values())), look)
        found = {place: sets.get(places[key]) for place, key in named.items() if key in places}
        return {place: row.subject for place, row in found.items() if row is not None}

    async def _numbers(self, keys: set[tuple[str, str]]) -> list[SeenNumber]:
        seen: list[SeenNumber] = []

        def look(state: State) -> WriteSet:
            seen[:] = state.numbers.values()
            return WriteSet()

        if keys:
            await self._store.run(ReadSet(numbers=keys), look)
        return seen


def _latest(rows: Sequence[FileSet]) -> tuple[FileSet, ...]:
    return tuple(row for row in rows if row.file == rows[0].file)


def _over(item: InboxItem, known: FileRow | None) -> bool:
    """Whether an operator was told what in the file contradicts earlier ones, and had it run again.

    Once begun, that holds to the file's end, whoever goes on with it.
    """
    if known is None:
        return False
    told = json.loads(known.detail)
    return bool(told.get("over") if known.state == TAKING else item.attempts > 0 and told.get("shown"))


def _row(item: InboxItem, id_: str, found: Survey, known: FileRow | None, *, over: bool) -> FileRow:
    """The file as it stands before its next part: where it was left, or at its beginning."""
    if known is not None and known.state == TAKING:
        return known
    earlier: dict[str, Any] = json.loads(known.detail) if known is not None else {}
    kept: dict[str, Any] = {name: earlier[name] for name in ("answered", "answers") if name in earlier}
    if found.outside and not over:
        # What is whole is taken; a person hears of the rest, once.
        kept |= {"parked": found.outside, "parked_count": len(found.outside), "shown": True}
    headers: dict[str, Any] = json.loads(item.headers)
    controls = list(islice((one.verdict.control.strip() for one in found.interchanges), 20))
    return FileRow(
        id=id_,
        account=item.account,
        direction="in",
        name=next((str(headers[key]) for key in _NAMES if headers.get(key)), f"input {item.seq}"),
        control=storable(" ".join(controls)),
        digest=blake2b(item.payload, digest_size=16).hexdigest(),
        size=len(item.payload),
        at=item.received_at,
        state=TAKING,
        test=any(one.verdict.test for one in found.interchanges),
        sets=found.count,
        input=item.seq,
        detail=json.dumps({"kinds": sorted({each.verdict.kind for each in found.sets}), "over": over, **kept}),
        rev=known.rev if known is not None else 0,
    )


async def _slices(
    around: Surroundings, found: Survey, done: int, closed: int
) -> AsyncIterator[tuple[list[Part], bool]]:
    """What is left of a file, in bounded slices; the last one is marked."""
    content = around.item.payload
    steps = _steps(found, contents_of(content, found, around.partner, after=done), done, closed)
    following = await _apart(len(content), lambda: _slice(steps))
    while following is not None:
        now, following = following, await _apart(len(content), lambda: _slice(steps))
        yield now, following is None


Step = tuple[SurveyedInterchange, SurveyedGroup | None, SurveyedSet | None, bytes | None]


def _steps(found: Survey, payloads: Iterator[bytes | None], done: int, closed: int) -> Iterator[Step]:
    """Sets in order, and after those of an interchange its end (no set)."""
    for interchange in found.interchanges:
        for group in interchange.groups:
            for each in group.sets:
                if each.place > done:
                    yield interchange, group, each, next(payloads)
        if interchange.number >= closed:
            yield interchange, None, None, None


def _slice(steps: Iterator[Step]) -> list[Part] | None:
    """As many steps as one unit may deal with; None when there are no more."""
    parts: list[Part] = []
    size = 0
    for count, (interchange, group, each, payload) in enumerate(steps, 1):
        if not parts or parts[-1].interchange is not interchange:
            parts.append(Part(interchange))
        if group is None or each is None:
            parts[-1].closes = True
        else:
            parts[-1].sets.append((group, each, payload))
            size += len(payload or b"")
        if count >= SETS_MAX or size >= BYTES_MAX:
            break
    return parts or None


async def _apart(size: int, work: Any) -> Any:
    """Small work at once, larger in a thread, so that the loop goes on."""
    return work() if size <= ON_LOOP_MAX else await asyncio.to_thread(work)
