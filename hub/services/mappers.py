"""Interpreting in processes of their own: mapping is most of the cost, and the loop stays free.

Mapper processes hold nothing worth keeping. They end with the hub, however it ends: each watches a
pipe whose other end only the hub holds. An input that kills its mapper is tried again alone and
parked after `CRASHES_MAX` mappers, so that it takes no neighbour with it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import structlog

from hub.ports.accounts import AccountPlan
from hub.ports.store import InboxItem
from hub.services.interpret import (
    CRASHES_MAX,
    Corrected,
    Maps,
    map_item,
    route,
    run_again,
    unchanging,
    unknown_account,
)
from hub.services.interpreted import Interpreted, Refusal
from hub.services.moments import moment
from mappings import MapContext, MappingSet

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class MappingSpec:
    """Which mapping set an account uses, so that a mapper process can load it itself."""

    connector: str
    overlay: Path | None = None

    def load(self) -> Maps:
        return MappingSet.load(self.connector, overlay=self.overlay)


class _Task(NamedTuple):
    """One input on its way to a mapper: only what mapping needs."""

    item: InboxItem
    connector: str
    currency: str | None
    time_zone: str | None
    locations: dict[str, str]
    digest: str


class MapperProcesses:
    """`Interpreter` over a pool of `count` processes, started by the first batch.

    Args:
        specs: By account; each process loads a set when it first needs it.
        corrected: Told before an input is run again.
        digest: Names the mapping set an account uses now; where it changes, mappers load the set again.
    """

    def __init__(
        self,
        plans: Mapping[str, AccountPlan],
        specs: Mapping[str, MappingSpec],
        count: int,
        corrected: Corrected = unchanging,
        digest: Callable[[str], str] = lambda _account: "",
    ) -> None:
        if count < 1:
            raise ValueError("a pool needs at least one process")
        self._plans = plans
        self._specs = dict(specs)
        self._count = count
        self._corrected = corrected
        self._digest = digest
        self._pool: ProcessPoolExecutor | None = None
        self._pipe: tuple[Connection, Connection] | None = None

    async def interpret(self, items: Sequence[InboxItem]) -> Sequence[Interpreted]:
        """One answer per item, in order; the share of each process travels in one message."""
        for account in run_again(items) & self._plans.keys():
            self._corrected(account)
        done: dict[int, Interpreted] = {}
        tasks: list[_Task] = []
        for item in items:
            plan = self._plans.get(item.account)
            routed = unknown_account(item) if plan is None else route(item, plan)
            if routed is not None or plan is None:
                done[item.seq] = routed or unknown_account(item)
            else:
                digest = self._digest(item.account)
                tasks.append(_Task(item, plan.connector, plan.currency, plan.time_zone, dict(plan.locations), digest))
        share = -(-len(tasks) // self._count)
        parts = [tasks[start : start + share] for start in range(0, len(tasks), share)] if tasks else []
        for results in await asyncio.gather(*[self._part(part) for part in parts]):
            done.update((one.seq, one) for one in results)
        return [done[item.seq] for item in items]

    async def _part(self, tasks: Sequence[_Task]) -> Sequence[Interpreted]:
        try:
            return await self._run(tasks)
        except BrokenProcessPool:
            _log.warning("mapper.died", items=len(tasks))
        return [await self._alone(task) for task in tasks]

    async def _alone(self, task: _Task) -> Interpreted:
        """An input that may be the one that kills: nothing else is in flight with it here."""
        for _ in range(CRASHES_MAX):
            try:
                (result,) = await self._run([task])
            except BrokenProcessPool:
                _log.warning("mapper.died", items=1, account=task.item.account, seq=task.item.seq)
            else:
                return result
        message = f"mapping this input killed {CRASHES_MAX} mapper processes; it is not run again by itself"
        return Interpreted(task.item.seq, refusal=Refusal("Poison", "crashed", "", message))

    async def _run(self, tasks: Sequence[_Task]) -> Sequence[Interpreted]:
        pool = self._open()
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, _map_tasks, list(tasks))
        except BrokenProcessPool:
            if self._pool is pool:
                self._drop()
            raise

    def _open(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Spawned, not forked: the hub has threads, and a fork would copy their locks.
            context = multiprocessing.get_context("spawn")
            self._pipe = context.Pipe(duplex=False)
            self._pool = ProcessPoolExecutor(
                self._count, mp_context=context, initializer=_start, initargs=(self._pipe[0], self._specs)
            )
        return self._pool

    def _drop(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
        pipe, self._pipe = self._pipe, None
        for end in pipe or ():
            end.close()

    async def close(self) -> None:
        """End the processes; their pipe closing is enough even where asking is not."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)
        self._drop()


_specs: dict[str, MappingSpec] = {}
_sets: dict[MappingSpec, tuple[str, Maps]] = {}
"""The digest that was asked for, and the set that was then on the disk; accounts that use the same share it."""


def _start(watched: Connection, specs: dict[str, MappingSpec]) -> None:
    """Runs once in each mapper process."""
    # Ctrl-C reaches the whole group; the hub decides when its mappers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(watched,), daemon=True).start()
    _specs.update(specs)


def _end_with_parent(watched: Connection) -> None:
    try:
        watched.recv_bytes()
    except (EOFError, OSError):
        os._exit(0)


def _map_tasks(tasks: Sequence[_Task]) -> list[Interpreted]:
    return [_map_task(task) for task in tasks]


def _map_task(task: _Task) -> Interpreted:
    item = task.item
    occurred = None if item.occurred_at is None else moment(item.occurred_at)
    context = MapContext(
        item.account, task.connector, moment(item.received_at), task.currency, task.time_zone, task.locations, occurred
    )
    return map_item(item, context, _set_of(item.account, task.digest))


def _set_of(account: str, digest: str) -> Maps:
    spec = _specs[account]
    known = _sets.get(spec)
    if known is None or known[0] != digest:
        known = _sets[spec] = (digest, spec.load())
    return known[1]
