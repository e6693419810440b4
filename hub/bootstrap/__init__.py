"""The composition root: configuration, connectors, store, engine and doors are put together here."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import config
from config.settings import Settings
from connectors.sdk.clock import SystemClock, SystemIds, SystemJitter
from connectors.sdk.contract import Checks
from hub.bootstrap import accounts as _accounts
from hub.bootstrap.hub import Hub
from hub.bootstrap.listening import socket_of

__all__ = ["Hub", "Settings", "checking", "connector_faults", "load", "opened", "socket_path"]


def load(path: Path) -> Settings:
    """The configuration at this path. Raises `config.ConfigurationInvalid` with every fault."""
    return config.load(path, os.environ)


def socket_path(path: Path) -> Path:
    """Where a hub with this configuration would listen for commands."""
    return socket_of(load(path))


@asynccontextmanager
async def opened(path: Path, *, readonly: bool) -> AsyncIterator[Hub]:
    """The hub's database and use cases for one command; nothing moves by itself."""
    hub = Hub(load(path))
    try:
        await hub.open(readonly=readonly)
        await hub.load_catalogue()
        yield hub
    finally:
        await hub.stop()


def connector_faults(settings: Settings) -> Iterator[config.Fault]:
    """What the connectors say about their sections, with file and line."""
    return _accounts.faults(settings, _accounts.NoTokens(), _around(settings))


@asynccontextmanager
async def checking(settings: Settings) -> AsyncIterator[Mapping[str, Checks]]:
    """Connectors that can check their credentials, opened without a database."""
    around = _around(settings)
    opened_now = {
        name: _accounts.open_connector(account, _accounts.NoTokens(), around)
        for name, account in settings.accounts.items()
        if not any(True for _ in _accounts.faults_of(settings, account, _accounts.NoTokens(), around))
    }
    try:
        yield {name: connector for name, connector in opened_now.items() if isinstance(connector, Checks)}
    finally:
        for connector in opened_now.values():
            await connector.close()


def _around(settings: Settings) -> _accounts.Surroundings:
    return _accounts.Surroundings(SystemClock(), SystemIds(), SystemJitter(), settings.hub.public_url, settings.root)
