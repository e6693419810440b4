"""The hub of one process, put together: opened for a command, or started as the daemon."""

from __future__ import annotations

import platform
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from config import ConfigurationInvalid, Fault
from config.settings import Settings
from connectors.sdk.clock import SystemClock, SystemIds, SystemJitter
from connectors.sdk.contract import Connector
from hub import __version__
from hub.api.spec import Operation
from hub.bootstrap import accounts as parts
from hub.bootstrap import keys
from hub.bootstrap.catalogue import Catalogue
from hub.bootstrap.desk import Desk, Running
from hub.bootstrap.listening import Doors, Face, operations
from hub.bootstrap.tap import Tap
from hub.bootstrap.telling import Both
from hub.ports.accounts import AccountPlan, Mode
from hub.ports.queries import Queries
from hub.ports.store import InboxItem, Store
from hub.ports.telemetry import Silence, Telemetry
from hub.runtime import logs
from hub.runtime.board import Board
from hub.runtime.metrics import Build, Metrics
from hub.services.accounts import Accounts
from hub.services.interpret import InProcess, Interpreter
from hub.services.mappers import MapperProcesses, MappingSpec
from hub.services.moments import micros
from hub.services.parcel_figures import ParcelFigures, quotas_of
from hub.services.receive import Receive
from hub.services.retention import DAY_S, Keep
from hub.services.shipments import Tellers
from hub.services.trading import Trading
from hub.storage import FatalStoreError, StorageError, migrate, open_store
from hub.workers.duties import Intervals
from hub.workers.engine import Engine, Surroundings
from mappings import MapContext

_log = structlog.get_logger(__name__)
_PAGE = 500


class Hub:
    """One process's hub. `open` gives what commands need; `start` makes it the daemon.

    Args:
        role: all | intake | worker | scheduler.
        listener: Told all telemetry beside the metrics (the demo counts lags with it).
    """

    def __init__(self, settings: Settings, *, role: str = "all", listener: Telemetry | None = None) -> None:
        self.settings = settings
        self.role = role
        self.clock = SystemClock()
        self.fatal: BaseException | None = None
        self._listener = listener or Silence()
        self._store: Store | None = None
        self._queries: Queries | None = None
        self._desk: Desk | None = None
        self._engine: Engine | None = None
        self._doors: Doors | None = None
        self._catalogue: Catalogue | None = None
        self._tap = Tap()
        self.plans: Mapping[str, AccountPlan] = {}
        self.intervals = Intervals()
        """How often the engine looks again; to be changed before the start."""

    @classmethod
    def build(cls, settings: Settings, *, role: str = "all", telemetry: Telemetry | None = None) -> Hub:
        return cls(settings, role=role, listener=telemetry)

    # --- opening ---------------------------------------------------------------------------------

    async def open(self, *, readonly: bool) -> None:
        """Open the database and everything that is asked without anything moving by itself.

        Raises: `ConfigurationInvalid`, `KeyUnusable`, `StorageError`.
        """
        settings = self.settings
        unknown = [parts.unknown_connector(settings, account) for account in settings.accounts.values()]
        if any(unknown):
            raise ConfigurationInvalid(fault for fault in unknown if fault is not None)
        profiles = [
            fault for account in settings.accounts.values() for fault in parts.profile_faults(settings, account)
        ]
        if profiles:
            raise ConfigurationInvalid(profiles)
        key = keys.load(settings.hub.encryption_key, make=not readonly)
        if not readonly:
            await migrate.upgrade(settings.hub.database)
        self._store, self._queries = await open_store(
            settings.hub.database, key=key, clock=self.clock, readonly=readonly
        )
        around = parts.Surroundings(self.clock, SystemIds(), SystemJitter(), settings.hub.public_url, settings.root)
        warehouses = parts.warehouses_of(settings)
        self.plans = {
            name: parts.plan(account, settings.root, warehouses) for name, account in settings.accounts.items()
        }
        maps = parts.MappingSets(settings.accounts)
        connectors = self._connectors(around)
        metrics = Metrics(
            {name: plan.connector for name, plan in self.plans.items()},
            Build(__version__, platform.python_version(), settings.hub.database.split(":")[0]),
        )
        telemetry = Both((metrics, self._listener))
        modes = await self._modes()
        self._desk = Desk(
            settings, self.plans, maps, connectors, self._store, self.queries,
            Board(
                self.plans, self.queries, self.clock, mode=modes.__getitem__,
                parcels=ParcelFigures(self.plans, self.queries, self.clock, quotas_of(connectors)),
            ),
            self.clock, telemetry, self._tap,
        )  # fmt: skip
        if self._store is not None:
            self._desk.accounts_state = Accounts(self.plans, self._store, self.clock)
        self._metrics, self._around, self._maps, self._telemetry = metrics, around, maps, telemetry

    def _connectors(self, around: parts.Surroundings) -> dict[str, Connector]:
        connectors: dict[str, Connector] = {}
        faults: list[Fault] = []
        for name, account in self.settings.accounts.items():
            tokens: Any = parts.StoredTokens(self._store, name) if self._store is not None else parts.NoTokens()
            try:
                connectors[name] = parts.open_connector(account, tokens, around)
            except ValueError as error:
                faults.append(parts.section_fault(self.settings, account, error))
        if faults:
            raise ConfigurationInvalid(faults)
        return connectors

    async def _modes(self) -> dict[str, Mode]:
        """The mode in force per account, the operator's word included."""
        modes = {name: plan.mode for name, plan in self.plans.items()}
        for row in await self.queries.status():
            if row.account in modes and row.state is not None and row.state.mode:
                modes[row.account] = Mode(row.state.mode)
        return modes

    @property
    def queries(self) -> Queries:
        if self._queries is None:
            raise RuntimeError("the hub is not open")
        return self._queries

    @property
    def acts(self) -> Desk:
        if self._desk is None:
            raise RuntimeError("the hub is not open")
        return self._desk

    @property
    def url(self) -> str:
        return self._doors.url if self._doors is not None else ""

    def operations(self) -> list[Operation]:
        return operations(self.acts, self._store, self.queries, self.clock)

    # --- running ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open, catch up with the catalogue, begin working, and last of all listen.

        Raises: `AddressTaken`, `ConfigurationInvalid`, `StorageError` and their kin, each with one sentence for the
        operator.
        """
        hub = self.settings.hub
        if self.role != "all" and hub.database.startswith("sqlite"):
            raise StorageError(f"role {self.role} needs PostgreSQL: SQLite is for one process, run with --role all")
        logs.configure(json_lines=hub.log.format == "json", level=hub.log.level)
        self._tap.into(level=hub.log.level)
        try:
            await self.open(readonly=False)
            await self._run()
        except BaseException:
            await self.stop()
            raise

    async def _run(self) -> None:
        store = self._store
        if store is None:
            raise RuntimeError("the hub is not open")
        await self.load_catalogue()
        engine = self._engine = Engine(self.plans, self.acts.connectors, self._surroundings(store))
        self.acts.accounts_state = engine.accounts
        self.acts.running = Running(engine.wakes.everything, engine.pull, engine.replayer)
        self.acts.board = Board(
            self.plans,
            self.queries,
            self.clock,
            mode=engine.accounts.mode,
            budget=self.acts.budget,
            metrics=self._metrics,
            parcels=self.acts.board.parcels,
        )
        face = Face(
            settings=self.settings,
            desk=self.acts,
            store=store,
            receive=Receive(store, self.plans),
            stored=engine.wakes.received,
            counters=self._metrics,
            health=engine.health,
        )
        self._doors = await Doors.open(face)
        await engine.start()
        if self.role in {"all", "worker"}:
            await engine.resolve_held()
            await engine.seek_orders()
            self._follow_catalogue(engine)
        _log.info("hub.started", url=self.url, role=self.role, version=__version__)

    def _surroundings(self, store: Store) -> Surroundings:
        retention = self.settings.hub.retention
        around = self._around
        return Surroundings(
            store, self.queries, self._interpreter(), self.clock, around.ids, around.jitter, self._telemetry,
            role=self.role,
            public_url=self.settings.hub.public_url,
            keep=Keep(retention.payloads_s / DAY_S, retention.attempts_s / DAY_S),
            personal_kept_s=retention.personal_s,
            intervals=self.intervals,
            inbox_workers=self.settings.hub.workers,
            fatal=(FatalStoreError,),
            shared_store=not self.settings.hub.database.startswith("sqlite"),
            tellers=Tellers(self.acts.crosswalk),
            trading=Trading(
                self.plans, self._maps, store, self.queries, self.clock, self._maps.take_corrected
            ),
        )  # fmt: skip

    def _interpreter(self) -> Interpreter:
        for account in self._maps:
            # A faulty file ends the start, not the first payload.
            self._maps[account]
        if self.settings.hub.mappers:
            specs = {
                name: MappingSpec(account.connector, account.mappings)
                for name, account in self.settings.accounts.items()
            }
            maps = self._maps
            return MapperProcesses(
                self.plans, specs, self.settings.hub.mappers, maps.take_corrected, lambda account: maps[account].digest
            )
        return InProcess(self.plans, self._maps, self._maps.take_corrected)

    async def load_catalogue(self) -> None:
        """Bring the SKU table up to the catalogue file, where there is one and the database takes writes."""
        path, store = self.settings.skus, self._store
        if path is not None and store is not None:
            self._catalogue = Catalogue(path, store)
            await self._catalogue.load()

    def _follow_catalogue(self, engine: Engine) -> None:
        """A SKU added to the file frees what waits for it without a restart."""
        catalogue = self._catalogue
        if catalogue is not None:
            run = partial(catalogue.follow, engine.resolve_held, engine.drain)
            engine.supervisor.start("catalogue", run)

    async def failed(self) -> BaseException:
        """Until something happens after which this process must end."""
        if self._engine is None:
            raise RuntimeError("the hub has not started")
        self.fatal = await self._engine.failed()
        return self.fatal

    async def stop(self) -> None:
        """Drain and close; safe in any state and twice."""
        self._tap.close()
        doors, engine = self._doors, self._engine
        self._doors = self._engine = None
        if engine is not None:
            engine.drain.begin()
        if doors is not None:
            await doors.close()
        if engine is not None:
            await engine.stop()
        elif self._desk is not None:
            for connector in self._desk.connectors.values():
                await connector.close()
        store, queries = self._store, self._queries
        self._store = self._queries = None
        if queries is not None:
            await queries.close()
        if store is not None:
            await store.close()

    # --- for commands ----------------------------------------------------------------------------

    def map_context(self, account: str, received_at: datetime) -> MapContext:
        return parts.map_context(self.settings.accounts[account], received_at)

    async def recorded(self, account: str, age_s: float, limit: int) -> AsyncIterator[Sequence[InboxItem]]:
        """Stored inputs of an account, newest first, in pages."""
        since = micros(self.clock.now() - timedelta(seconds=age_s))
        cursor: str | None = None
        left = limit
        while left > 0:
            rows, cursor = await self.queries.inputs(
                account=account, since=since, limit=min(_PAGE, left), cursor=cursor
            )
            yield [row for row in rows if row.payload]
            left -= len(rows)
            if cursor is None:
                return
