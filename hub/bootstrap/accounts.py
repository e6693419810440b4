"""Configured accounts become plans, mappings and opened connectors."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from config.faults import Fault
from config.settings import AccountSettings, Settings
from connectors import registry
from connectors.sdk.contract import AccountContext, CallRecord, Connector
from connectors.sdk.ports import Clock, Ids, Jitter, TokenStore
from hub.ports.accounts import AccountPlan, AvailabilityPolicy, Mode
from hub.ports.store import Store
from mappings import MapContext, MappingSet, MappingSetInvalid
from mappings.edi.grammar.profile import ProfileInvalid
from mappings.edi.partners import PartnerProfile, find_partner

Stamp = tuple[tuple[str, int, int], ...]
"""(name, changed at, size) of every file of an overlay"""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every connector is given beside its own section."""

    clock: Clock
    ids: Ids
    jitter: Jitter
    public_url: str | None
    root: Path | None = None


@dataclass(frozen=True, slots=True)
class StoredTokens:
    """Vendor tokens of one account, kept encrypted in the hub's database."""

    store: Store
    account: str

    async def load(self, name: str) -> Mapping[str, str] | None:
        stored = await self.store.load_token(self.account, name)
        return None if stored is None else json.loads(stored)

    async def save(self, name: str, token: Mapping[str, str]) -> None:
        await self.store.save_token(self.account, name, json.dumps(dict(token)))


def plan(
    settings: AccountSettings, root: Path | None = None, warehouses: Mapping[str, str] | None = None
) -> AccountPlan:
    """The account as the engine sees it. A trading partner's zone and currency stand in where the account has none.

    Args:
        warehouses: our locations that somebody else runs, with the account of each (`warehouses_of`).

    Raises:
        ProfileInvalid: the partner's profile, with every fault of it.
    """
    availability = settings.availability
    partner = partner_of(settings, root)
    agreed = partner.agreed if partner is not None else None
    return AccountPlan(
        account=settings.name,
        connector=settings.connector,
        manifest=registry.get(settings.connector).manifest,
        mode=Mode(settings.mode),
        policy=AvailabilityPolicy(
            availability.locations,
            availability.buffer,
            availability.share,
            availability.cap,
            availability.minimum,
            availability.fixed,
            availability.incoming_within_s,
        ),
        locations=settings.locations,
        routing=settings.routing or availability.locations,
        time_zone=settings.time_zone or (agreed.time_zone if agreed else None),
        currency=settings.currency or (agreed.currency if agreed else None),
        stock_source=settings.stock_source,
        poll_s=settings.poll_s,
        partner=partner,
        warehouses=warehouses or {},
    )


def warehouses_of(settings: Settings) -> dict[str, str]:
    """Our locations that somebody else runs -> the account orders to ship from there are sent to."""
    return {name: place.warehouse for name, place in settings.locations.items() if place.warehouse is not None}


def partner_of(settings: AccountSettings, root: Path | None) -> PartnerProfile | None:
    """The profile an account trades by; None where it trades with nobody.

    Raises:
        ProfileInvalid: with every fault of the profile.
    """
    if not registry.get(settings.connector).manifest.trades:
        return None
    named = settings.options.get("partner")
    if not isinstance(named, str) or not named.strip():
        raise ProfileInvalid(["options.partner: missing; the file or the shipped example that describes the partner"])
    return find_partner(named.strip(), root)


class MappingSets(Mapping[str, MappingSet]):
    """Mapping sets by account, each loaded when first asked for: most commands need none.

    Accounts of one connector without an overlay share one.
    """

    def __init__(self, accounts: Mapping[str, AccountSettings]) -> None:
        self._accounts = accounts
        self._loaded: dict[tuple[str, Path | None], MappingSet] = {}
        self._stamps: dict[Path, Stamp] = {}

    def __getitem__(self, account: str) -> MappingSet:
        """Raises `MappingSetInvalid` with every fault of the files."""
        settings = self._accounts[account]
        key = (settings.connector, settings.mappings)
        if key not in self._loaded:
            self._look(settings.mappings)
            self._loaded[key] = MappingSet.load(settings.connector, overlay=settings.mappings)
        return self._loaded[key]

    def load_overlays_again(self) -> None:
        """Take corrected overlays into use, all of them or, with a fault in any, none. Raises `MappingSetInvalid`."""
        overlaid = [key for key in self._loaded if key[1] is not None]
        for _, overlay in overlaid:
            self._look(overlay)
        self._loaded |= {key: MappingSet.load(key[0], overlay=key[1]) for key in overlaid}

    def take_corrected(self, account: str) -> None:
        """Take an account's overlay into use where its files have changed, whichever process was told of it.

        A faulty one is logged once and leaves everything as it is.
        """
        settings = self._accounts[account]
        if settings.mappings is None or not self._look(settings.mappings):
            return
        try:
            loaded = MappingSet.load(settings.connector, overlay=settings.mappings)
        except MappingSetInvalid as error:
            _log.error("mapping.refused", account=account, reason=str(error.faults[0]), count=len(error.faults))
            return
        self._loaded[settings.connector, settings.mappings] = loaded
        _log.info("mapping.loaded", account=account, mapping=f"{loaded.name}@{loaded.digest}")

    def _look(self, overlay: Path | None) -> bool:
        """Whether the overlay's files are others than when last looked at."""
        if overlay is None:
            return False
        stamp = tuple(_stamps(overlay))
        changed = self._stamps.get(overlay) != stamp
        self._stamps[overlay] = stamp
        return changed

    def __iter__(self) -> Iterator[str]:
        return iter(self._accounts)

    def __len__(self) -> int:
        return len(self._accounts)


def _stamps(overlay: Path) -> Iterator[tuple[str, int, int]]:
    for path in sorted(overlay.rglob("*")):
        # A file taken away this moment is looked for no more; the next look sees it gone.
        with contextlib.suppress(OSError):
            found = path.stat()
            yield str(path), found.st_mtime_ns, found.st_size


def map_context(settings: AccountSettings, received_at: datetime) -> MapContext:
    return MapContext(
        settings.name,
        settings.connector,
        received_at,
        currency=settings.currency,
        time_zone=settings.time_zone,
        locations=settings.locations,
    )


def open_connector(
    settings: AccountSettings,
    tokens: TokenStore,
    around: Surroundings,
    on_call: Callable[[CallRecord], None] | None = None,
) -> Connector:
    """The account's connector; opens no connection. `ValueError` names the key that is wrong."""
    context = AccountContext(
        account=settings.name,
        base_url=settings.base_url,
        auth_url=settings.auth_url,
        credentials=settings.credentials,
        options=settings.options,
        locations=settings.locations,
        public_url=around.public_url,
        clock=around.clock,
        ids=around.ids,
        jitter=around.jitter,
        tokens=tokens,
        on_call=on_call,
        root=around.root,
    )
    return registry.get(settings.connector).open(context)


def faults(settings: Settings, tokens: TokenStore, around: Surroundings) -> Iterator[Fault]:
    """What the connectors say about their sections, with file and line."""
    for account in settings.accounts.values():
        yield from faults_of(settings, account, tokens, around)


def faults_of(
    settings: Settings, account: AccountSettings, tokens: TokenStore, around: Surroundings
) -> Iterator[Fault]:
    """The same for one account."""
    unknown = unknown_connector(settings, account)
    if unknown is not None:
        yield unknown
        return
    yield from (found := list(profile_faults(settings, account)))
    if found:
        return
    try:
        open_connector(account, tokens, around)
    except ValueError as error:
        yield section_fault(settings, account, error)


def profile_faults(settings: Settings, account: AccountSettings) -> Iterator[Fault]:
    """What is wrong with the profile of an account's trading partner; each names the profile's own file and line."""
    try:
        partner_of(account, settings.root)
    except ProfileInvalid as invalid:
        key = f"accounts.{account.name}.options.partner"
        for said in invalid.faults:
            yield Fault(settings.file, settings.line_of(key), key, said, "")


def unknown_connector(settings: Settings, account: AccountSettings) -> Fault | None:
    """The fault of an account whose connector does not exist."""
    if account.connector in registry.names():
        return None
    key = f"accounts.{account.name}.connector"
    remedy = f"known: {', '.join(registry.names())}"
    return Fault(settings.file, settings.line_of(key), key, f"no connector {account.connector!r}", remedy)


def section_fault(settings: Settings, account: AccountSettings, error: ValueError) -> Fault:
    """What a connector refuses of its section; its message starts with the key it is about."""
    key = f"accounts.{account.name}"
    named = str(error).split(":", 1)[0].strip()
    return Fault(settings.file, settings.line_of(f"{key}.{named}"), key, str(error), "")


class NoTokens:
    """Keeps nothing: for commands that only read, which ask the vendor for a token of their own."""

    async def load(self, name: str) -> Mapping[str, str] | None:  # noqa: ARG002 - named by the port
        return None

    async def save(self, name: str, token: Mapping[str, str]) -> None: ...
