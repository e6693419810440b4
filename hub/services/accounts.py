"""What the engine may do with each account: pause, resume, hold, release, check."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace

import structlog

from connectors.sdk.contract import CheckReport, Checks, Connector
from connectors.sdk.errors import AuthFailed
from connectors.sdk.ports import Clock
from hub.delivery.breaker import Circuit
from hub.ports.accounts import AccountPlan, Mode
from hub.ports.store import AccountRow, AuditEntry, ReadSet, Store, WriteSet
from hub.services import moments

_log = structlog.get_logger(__name__)


class UnknownAccount(LookupError):
    """No account of this name is configured."""


_Wish = dict[str, str | None]
"""Fields of an account's row that memory already follows and the store does not know yet."""


class Accounts:
    """The state of every configured account, read from memory and kept in the store.

    Decisions of the engine (a hold, an opened circuit) take effect at once and are written by the
    next `flush`, so that a store which is away never blocks them. Decisions of operators are
    written first. For one event loop; other processes' changes arrive with `refresh`.
    """

    def __init__(self, plans: Mapping[str, AccountPlan], store: Store, clock: Clock) -> None:
        self._plans = plans
        self._store = store
        self._clock = clock
        self._rows: dict[str, AccountRow] = {account: AccountRow(account) for account in plans}
        self._wishes: dict[str, _Wish] = {}
        self._lock = asyncio.Lock()

    async def refresh(self) -> None:
        """Read what other processes, or input (an uninstalled app), have changed."""
        async with self._lock:
            for account in self._plans:
                row = await self._store.account(account)
                if row is not None:
                    self._rows[account] = _merged(row, self._wishes.get(account, {}))

    def row(self, account: str) -> AccountRow:
        try:
            return self._rows[account]
        except KeyError:
            known = ", ".join(sorted(self._plans)) or "none"
            raise UnknownAccount(f"no account is called {account!r}; configured: {known}") from None

    def mode(self, account: str) -> Mode:
        """The operator's word where there is one, else the configuration's."""
        override = self.row(account).mode
        return Mode(override) if override else self._plans[account].mode

    def may_call(self, account: str) -> bool:
        """Whether the vendor may be called at all, for reading or writing."""
        return self.row(account).held is None and self.mode(account) is not Mode.PAUSED

    def may_send(self, account: str) -> bool:
        """Whether anything at the vendor may be changed."""
        return self.row(account).held is None and self.mode(account) is Mode.LIVE

    def hold(self, account: str, reason: str) -> bool:
        """Stop calling until the credentials work again; True the first time, which is the one alert."""
        row = self.row(account)
        if row.held is not None:
            return False
        self._note(row, {"held": reason})
        _log.error("account.held", account=account, reason=reason)
        return True

    def release(self, account: str) -> bool:
        """The credentials work again; True when it was held."""
        row = self.row(account)
        if row.held is None:
            return False
        self._note(row, {"held": None})
        _log.info("account.released", account=account)
        return True

    def note_circuit(self, account: str, circuit: Circuit) -> None:
        row = self.row(account)
        if row.circuit == circuit.value:
            return
        self._note(row, {"circuit": circuit.value})
        _log.warning("circuit.changed", account=account, circuit=circuit.value)

    async def flush(self) -> None:
        """Write what memory already follows. Raises `StoreUnavailable`; nothing is forgotten then."""
        async with self._lock:
            for account, wish in list(self._wishes.items()):
                stored = await self._store.account(account) or AccountRow(account)
                await self._write(_merged(stored, wish))
                if self._wishes.get(account) is wish:
                    del self._wishes[account]

    async def pause(self, account: str, actor: str) -> AccountRow:
        """Stop all calls; input is still taken."""
        return await self._set(account, actor, "account.paused", mode=Mode.PAUSED.value, release=False)

    async def resume(self, account: str, actor: str) -> AccountRow:
        """Back to the configured mode, and a hold is lifted: the operator says it is mended."""
        return await self._set(account, actor, "account.resumed", mode=None, release=True)

    async def check(self, account: str, connector: Connector) -> CheckReport:
        """One read-only call. Success lifts a hold, `AuthFailed` sets it.

        Raises the connector's error; `AuthFailed` says what is wrong with the login.
        """
        self.row(account)
        if not isinstance(connector, Checks):
            return CheckReport(who=account, warnings=("this connector has no check",))
        try:
            report = await connector.check()
        except AuthFailed as error:
            self.hold(account, f"{error.reason.value}: {error.message}")
            raise
        self.release(account)
        return report

    async def _set(self, account: str, actor: str, action: str, *, mode: str | None, release: bool) -> AccountRow:
        async with self._lock:
            current = self.row(account)
            noted = self._wishes.pop(account, {})
            stored = await self._store.account(account) or AccountRow(account)
            held = None if release else current.held
            row = replace(stored, mode=mode, held=held, circuit=current.circuit)
            entry = AuditEntry(actor, action, account, json.dumps({"was": {"mode": stored.mode, "held": stored.held}}))
            try:
                row = await self._write(row, entry)
            except BaseException:
                self._wishes[account] = noted | self._wishes.get(account, {})
                raise
            # What the engine has decided while this was written (a hold) is newer than the operator's word.
            self._rows[account] = _merged(row, self._wishes.get(account, {}))
        _log.info(action, account=account, actor=actor)
        return row

    def _note(self, row: AccountRow, wish: _Wish) -> None:
        self._rows[row.account] = _merged(row, wish)
        self._wishes[row.account] = self._wishes.get(row.account, {}) | wish

    async def _write(self, row: AccountRow, *audit: AuditEntry) -> AccountRow:
        row = replace(row, updated_at=moments.now(self._clock))
        await self._store.run(ReadSet(), lambda _: WriteSet(accounts=[row], audit=list(audit)))
        return row


def _merged(row: AccountRow, wish: _Wish) -> AccountRow:
    circuit = wish.get("circuit") or row.circuit
    return replace(row, circuit=circuit, held=wish.get("held", row.held))
