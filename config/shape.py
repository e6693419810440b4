"""Every key of the configuration, declared once: how it is read, its default, what editors say about it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from config.kinds import Choice, Duration, ExistingPath, Flag, Fraction, ParcelPage, Text, Url, Whole, Zone
from config.settings import Listen
from config.tables import Key, ListOf, MapOf, Section
from config.wiring import DatabaseUrl, EncryptionKey, Free, ListenAddress, SecretText
from mappings.carriers import CHANNELS

_DAY_S: Final = 86400.0
_PAYLOADS_MIN_S: Final = 30 * 86400
"""As long as vendors redeliver what they have sent; the hub's own pruning refuses less."""
_UNITS_MAX: Final = 10**9
_NAME: Final = Text(
    r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}",
    "a name that fits into a URL",
    "use letters, digits, - and _, a letter or digit first, at most 64 of them",
)
_CURRENCY: Final = Text(r"[A-Z]{3}", "an ISO 4217 code", "write three capitals such as USD")
_CARRIER: Final = Text(r"[a-z0-9][a-z0-9_]*", "a carrier's code", "write it in lower case, for example dhl_express")
_CONNECTOR: Final = Text(r"[a-z][a-z0-9_]*", "a connector's name", "write it in lower case, for example shopify")

RETENTION: Final = Section(
    {
        "payloads": Key(
            Duration(_PAYLOADS_MIN_S), "how long raw payloads are kept for replay, at least 30d", 30 * _DAY_S
        ),
        "attempts": Key(Duration(3600), "how long records of outbound calls are kept", 90 * _DAY_S),
        "personal": Key(Duration(3600), "how long personal data is kept after its order", 365 * _DAY_S),
    }
)
LOG: Final = Section(
    {
        "format": Key(Choice(("json", "console")), "one JSON object per line, or text for people", "json"),
        "level": Key(Choice(("debug", "info", "warning", "error")), "the least serious event shown", "info"),
    }
)
HUB: Final = Section(
    {
        "database": Key(DatabaseUrl(), "sqlite:///data/hub.db or postgresql://user@host/name"),
        "listen": Key(ListenAddress(), "host:port of webhooks, API and console", Listen("127.0.0.1", 8700)),
        "public_url": Key(Url(), "the address vendors reach the hub at; needed for webhook subscriptions"),
        "encryption_key": Key(EncryptionKey(), "{file: PATH}, made on first start, or 64 hexadecimal digits"),
        "mappers": Key(Whole(0, 64), "extra processes that map payloads; 0 maps in the hub's own", 0),
        "workers": Key(Whole(1, 64), "inbox workers in one process", 1),
        "webhook_max_bytes": Key(Whole(1024, 1 << 30), "larger webhook bodies are refused with 413", 5 * 1024 * 1024),
        "retention": Key(RETENTION, "how long things are kept", RETENTION.defaults()),
        "log": Key(LOG, "what the log looks like", LOG.defaults()),
    }
)
LOCATION: Final = Section(
    {
        "name": Key(Text(), "what people call it; its id when absent"),
        "time_zone": Key(Zone(), "IANA time zone of its clocks"),
        "warehouse": Key(_NAME, "the edi account of the warehouse that ships from here; its orders are sent there"),
    }
)
AVAILABILITY: Final = Section(
    {
        "locations": Key(ListOf(_NAME), "our locations whose stock this account may sell"),
        "buffer": Key(Whole(0, _UNITS_MAX), "units held back", 0),
        "share": Key(Fraction(), "part of the rest that is shown, 0 to 1", Decimal(1)),
        "cap": Key(Whole(0, _UNITS_MAX), "never show more than this"),
        "minimum": Key(Whole(0, _UNITS_MAX), "show 0 when there would be fewer than this", 0),
        "fixed": Key(Whole(0, _UNITS_MAX), "always show exactly this"),
        "incoming_within": Key(Duration(60), "sell what suppliers have promised to deliver within this time, too"),
    }
)
ACCOUNT: Final = Section(
    {
        "connector": Key(_CONNECTOR, "which vendor, for example shopify", required=True),
        "base_url": Key(Url(), "point the connector elsewhere (sandbox, proxy)"),
        "auth_url": Key(Url(), "the same for tokens, where they come from another host"),
        "credentials": Key(MapOf(SecretText()), "as the connector names them; best as ${NAME} or {file: PATH}", {}),
        "options": Key(MapOf(Free()), "as the connector names them", {}),
        "locations": Key(MapOf(_NAME), "the channel's location id to our location", {}),
        "poll": Key(MapOf(Duration()), "how often each stream is polled", {}),
        "availability": Key(AVAILABILITY, "how stock becomes the number shown", AVAILABILITY.defaults()),
        "routing": Key(ListOf(_NAME), "our locations its orders may ship from, best first"),
        "mode": Key(Choice(("live", "shadow", "paused")), "shadow computes and records but sends nothing", "live"),
        "mappings": Key(ExistingPath(folder=True), "folder of this account's mapping overlay"),
        "time_zone": Key(Zone(), "zone of times that state none"),
        "currency": Key(_CURRENCY, "currency of amounts that state none"),
        "stock_source": Key(
            Flag(),
            "this account counts stock: its reports correct the position; a number we set ourselves counts only "
            "where `availability` keeps nothing back",
            default=False,
        ),
    }
)
CARRIER: Final = Section(
    {
        "name": Key(Text(), "what people call the carrier"),
        "tracking_url": Key(ParcelPage(), "the page that shows a parcel, {number} standing for its number"),
        **{channel: Key(Text(), f"what {channel} calls it") for channel in CHANNELS},
    }
)
ROOT: Final = Section(
    {
        "hub": Key(HUB, "the hub itself"),
        "locations": Key(MapOf(LOCATION, _NAME), "our locations by id", {}),
        "accounts": Key(MapOf(ACCOUNT, _NAME), "sellers' logins by name", {}),
        "skus": Key(ExistingPath(folder=False), "the catalogue, CSV or JSONL"),
        "carriers": Key(MapOf(CARRIER, _CARRIER), "carriers of your own, and other names for known ones", {}),
    }
)


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Trunkline configuration",
        **ROOT.schema(),
        "type": "object",
    }
