"""The configuration as typed values. Instances are frozen; secrets do not show in their repr.

Tables are plain dicts, because settings travel to mapper processes and a read-only view cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from connectors.sdk.ports import Secret

Mode = Literal["live", "shadow", "paused"]


@dataclass(frozen=True, slots=True)
class KeyFile:
    """Where the encryption key lives. The hub makes the file on its first start, mode 0600."""

    path: Path


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the hub answers. Port 0 takes any free port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How long raw payloads, attempts and personal data are kept, in seconds.

    Personal data counts from the end of its order.
    """

    payloads_s: float
    attempts_s: float
    personal_s: float


@dataclass(frozen=True, slots=True)
class LogSettings:
    format: Literal["json", "console"]
    level: Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class HubSettings:
    """`database` is a URL whose SQLite path is absolute; it may hold a password and is not shown.

    `mappers` is the number of extra processes that map payloads, `workers` the number of inbox
    workers in one process.
    """

    database: str = field(repr=False)
    listen: Listen
    public_url: str | None
    encryption_key: KeyFile | Secret
    mappers: int
    workers: int
    webhook_max_bytes: int
    retention: RetentionSettings
    log: LogSettings


@dataclass(frozen=True, slots=True)
class LocationSettings:
    id: str
    name: str
    time_zone: str | None
    warehouse: str | None = None
    """the account of the warehouse that runs it"""


@dataclass(frozen=True, slots=True)
class AvailabilitySettings:
    """How positions become published numbers, in eaches. `share` is between 0 and 1."""

    locations: tuple[str, ...]
    buffer: int
    share: Decimal
    cap: int | None
    minimum: int
    fixed: int | None
    incoming_within_s: float | None = None
    """stock on order that is due within this many seconds may be sold; None sells what is here"""


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One seller's login. `credentials` and `options` are the connector's to judge.

    `locations` maps the channel's location id to ours, in the order written; `routing` are our
    locations an order may ship from, best first; `poll_s` is seconds between polls per stream.
    """

    name: str
    connector: str
    base_url: str | None
    auth_url: str | None
    credentials: Mapping[str, Secret]
    options: Mapping[str, Any] = field(repr=False)
    locations: Mapping[str, str]
    routing: tuple[str, ...]
    availability: AvailabilitySettings
    poll_s: Mapping[str, float]
    mode: Mode
    mappings: Path | None
    time_zone: str | None
    currency: str | None
    stock_source: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole configuration. `root` is the folder all of its relative paths start from."""

    file: str
    root: Path
    hub: HubSettings
    locations: Mapping[str, LocationSettings]
    accounts: Mapping[str, AccountSettings]
    skus: Path | None
    lines: Mapping[str, int] = field(repr=False)
    carriers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """by carrier code: its name, its tracking page, and what each channel calls it, over the shipped table"""

    def line_of(self, key: str) -> int:
        """Line of a dotted key (`accounts.shop-us.options.shop`), else of its nearest parent, else 1."""
        while key:
            if key in self.lines:
                return self.lines[key]
            key = key.rpartition(".")[0]
        return 1

    def where(self, key: str) -> str:
        """`file:line` of a key, for messages about sections that others judge."""
        return f"{self.file}:{self.line_of(key)}"
