"""From a file to `Settings`, or to every fault in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from config import shape
from config.document import Document
from config.faults import ConfigurationInvalid, Fault, suggestion
from config.reading import BAD, Reading
from config.settings import (
    AccountSettings,
    AvailabilitySettings,
    HubSettings,
    KeyFile,
    LocationSettings,
    LogSettings,
    RetentionSettings,
    Settings,
)

_DEFAULT_DATABASE: Final = "data/hub.db"
_DEFAULT_KEY: Final = "data/hub.key"


def root_of(path: Path) -> Path:
    """The folder relative paths start from: the one that holds the `config` folder.

    A file that does not stand in a folder named `config` counts from its own folder.
    """
    folder = path.absolute().parent
    return folder.parent if folder.name == "config" else folder


def load(path: Path | str, env: Mapping[str, str]) -> Settings:
    """Read a configuration.

    Args:
        path: The YAML file. All relative paths in it (database, key file, skus, mappings, secret
            files) start from the folder that contains the `config` folder the file is in.
        env: The environment that `${NAME}` reads from.

    Raises:
        ConfigurationInvalid: With every fault found; no fault shows a secret.
    """
    path = Path(path)
    reading = Reading(str(path), root_of(path), [])
    table = Document(path, reading.file, env, reading.faults).read()
    if table is None:
        raise ConfigurationInvalid(reading.faults)
    values = shape.ROOT.read(table, "", reading)
    _References(reading, values).check()
    if reading.faults:
        raise ConfigurationInvalid(reading.faults)
    return _settings(values, reading)


_TRADES: Final = "edi"
"""Warehouses are told by documents, which this connector carries."""


@dataclass(frozen=True, slots=True)
class _References:
    """Names that must name something, and numbers that must agree."""

    reading: Reading
    values: dict[str, Any]

    def check(self) -> None:
        accounts = self.values["accounts"]
        for name, account in (accounts or {}).items() if accounts is not BAD else ():
            self._account(f"accounts.{name}", account)
        locations = self.values["locations"]
        for name, location in (locations or {}).items() if locations is not BAD else ():
            self._warehouse(f"locations.{name}.warehouse", location["warehouse"])

    def _warehouse(self, key: str, named: Any) -> None:
        accounts = self.values["accounts"]
        if named is None or named is BAD or accounts is BAD:
            return
        account = (accounts or {}).get(named)
        if account is None:
            remedy = suggestion(named, accounts) if accounts else "add it under `accounts`"
            self._fault(key, f"{named!r} is no account of this hub", remedy)
        elif account["connector"] not in (BAD, _TRADES):
            self._fault(key, f"{named!r} is no account of the connector {_TRADES}", "name a warehouse that trades")

    def _account(self, key: str, account: dict[str, Any]) -> None:
        if account["locations"] is not BAD:
            for channel_location, location in account["locations"].items():
                self._location(f"{key}.locations.{channel_location}", location)
        self._list(f"{key}.routing", account["routing"])
        policy = account["availability"]
        if policy is BAD:
            return
        self._list(f"{key}.availability.locations", policy["locations"])
        cap, minimum = policy["cap"], policy["minimum"]
        if isinstance(cap, int) and isinstance(minimum, int) and cap < minimum:
            self._fault(f"{key}.availability.cap", f"{cap} is less than minimum {minimum}", "nothing would ever show")

    def _list(self, key: str, locations: Any) -> None:
        if isinstance(locations, tuple):
            for at, location in enumerate(locations):
                self._location(f"{key}[{at}]", location)
            if not locations:
                self._fault(key, "names no location", "name at least one, or remove the key")

    def _location(self, key: str, location: str) -> None:
        known = self.values["locations"]
        if known is not BAD and location not in known:
            remedy = suggestion(location, known) if known else "add it under `locations`"
            self._fault(key, f"{location!r} is no location of this hub", remedy)

    def _fault(self, key: str, problem: str, remedy: str) -> None:
        lines = self.reading.lines
        at = key
        while at and at not in lines:
            at = at.rpartition(".")[0]
        self.reading.fault(lines.get(at, 0), key, problem, remedy)


def _settings(values: dict[str, Any], reading: Reading) -> Settings:
    locations = {
        name: LocationSettings(name, given["name"] or name, given["time_zone"], given["warehouse"])
        for name, given in values["locations"].items()
    }
    accounts = {name: _account(name, given, tuple(locations)) for name, given in values["accounts"].items()}
    return Settings(
        file=reading.file,
        root=reading.root,
        hub=_hub(values["hub"] or shape.HUB.defaults(), reading.root),
        locations=locations,
        accounts=accounts,
        skus=values["skus"],
        lines=reading.lines,
        carriers={
            code: {column: word for column, word in given.items() if word is not None}
            for code, given in values["carriers"].items()
        },
    )


def _hub(given: dict[str, Any], root: Path) -> HubSettings:
    retention, log = given["retention"], given["log"]
    return HubSettings(
        database=given["database"] or f"sqlite:///{root / _DEFAULT_DATABASE}",
        listen=given["listen"],
        public_url=given["public_url"],
        encryption_key=given["encryption_key"] or KeyFile(root / _DEFAULT_KEY),
        mappers=given["mappers"],
        workers=given["workers"],
        webhook_max_bytes=given["webhook_max_bytes"],
        retention=RetentionSettings(retention["payloads"], retention["attempts"], retention["personal"]),
        log=LogSettings(log["format"], log["level"]),
    )


def _account(name: str, given: dict[str, Any], all_locations: tuple[str, ...]) -> AccountSettings:
    """An account without its own list sells from the locations it maps, else from all of them."""
    mapped = tuple(dict.fromkeys(given["locations"].values()))
    policy = given["availability"]
    pool = policy["locations"] or mapped or all_locations
    return AccountSettings(
        name=name,
        connector=given["connector"],
        base_url=given["base_url"],
        auth_url=given["auth_url"],
        credentials=given["credentials"],
        options=given["options"],
        locations=given["locations"],
        routing=given["routing"] or pool,
        availability=AvailabilitySettings(
            pool,
            policy["buffer"],
            policy["share"],
            policy["cap"],
            policy["minimum"],
            policy["fixed"],
            policy["incoming_within"],
        ),
        poll_s=given["poll"],
        mode=given["mode"],
        mappings=given["mappings"],
        time_zone=given["time_zone"],
        currency=given["currency"],
        stock_source=given["stock_source"],
    )


__all__ = ["ConfigurationInvalid", "Fault", "load", "root_of"]
