"""What a connector says of itself, as data: the engine reads it and docs are generated from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Capability(StrEnum):
    """What a connector can do. Each names a protocol in `connectors.sdk.contract`."""

    WEBHOOKS = "webhooks"
    PULL = "pull"
    RESOLVE = "resolve"
    PUBLISH = "publish"
    READ_BACK = "read_back"
    EFFECTS = "effects"
    SUBSCRIBE = "subscribe"
    CHECK = "check"
    TRACK = "track"
    WATCH = "watch"
    FILES = "files"


PARCELS: Final = frozenset({Capability.TRACK, Capability.WATCH})
"""What carriers and aggregators of carriers do; see `connectors.sdk.tracking`."""
CHANNEL: Final = frozenset(Capability) - PARCELS - {Capability.FILES}
"""All that a channel can do."""


TRADED: Final = ("interchange", "outgoing")
"""Topics of a connector that trades; see `Manifest.trades`."""


class QuantityMeaning(StrEnum):
    """What the channel understands by the number it is sent.

    `AVAILABLE`: the number shoppers may still buy. `INPUT`: the channel subtracts its own
    open orders itself, so those units are added back before sending.
    """

    AVAILABLE = "available"
    INPUT = "input"


class Control(StrEnum):
    """Inputs that instruct the hub itself and give no documents.

    `REDACT_ORDERS`: forget the people of the orders named in the payload. `DATA_REQUEST`: a
    person asks what is held; recorded for the operator. `REDACT_ACCOUNT`: forget the people of
    every order of the account. `REDACT_BUYER`: forget one person in all of the account's orders.
    `UNINSTALLED`: access is gone; the account is held.
    """

    REDACT_ORDERS = "redact_orders"
    DATA_REQUEST = "data_request"
    REDACT_ACCOUNT = "redact_account"
    REDACT_BUYER = "redact_buyer"
    UNINSTALLED = "uninstalled"


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of input.

    `hint` means the payload only says that something changed: the engine calls `resolve` and
    the envelopes that come back are mapped instead. `ignored` topics are known and give no
    documents. `control` topics are acted on by the hub and never mapped; `orders` is the payload's
    top-level field listing the vendor's order ids they concern, `people` the dotted paths of fields
    that name the buyer they concern as orders do in `buyer.channel_id`; one of them at least is there.
    """

    name: str
    hint: bool = False
    ignored: bool = False
    control: Control | None = None
    orders: str = ""
    people: tuple[str, ...] = ()
    parked: str = ""
    """inputs of this topic are kept and parked for a person, with this sentence saying why and what to do"""


@dataclass(frozen=True, slots=True)
class Stream:
    """One thing that can be pulled, `overlap_s` being re-read on every poll."""

    name: str
    interval_s: float
    overlap_s: float = 0.0
    page_max: int = 100
    backfill_days_max: float | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """A published rate limit: `rate` units a second into a bucket of `burst`.

    Only a starting point: the vendor's own headers correct it at run time.
    """

    name: str
    rate: float
    burst: float
    source: str = ""


@dataclass(frozen=True, slots=True)
class EffectKind:
    """One kind of edge work this connector sends.

    `keyed`: the vendor honours an idempotency key, so a repeat is harmless. Otherwise a call
    without a trustworthy answer is in doubt and `settle` reads before anything is sent again.
    `alone`: one that is refused holds up nothing behind it, because each says something of its own.
    """

    name: str
    keyed: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Confirms:
    """How this channel is told of shipments that were not made there.

    Its effects take the canonical shipment with one package, or the packages that hold the same goods. Each package
    has `told` beside its own fields: `code` and `name` of the carrier as the channel knows it, `other` where it is
    the channel's form for carriers it has no name for, `url` of the page that shows the parcel, `service`. Beside the
    packages stands `told_before`: the numbers under which a corrected or cancelled package was told.

    Args:
        effect: kind that says a package left.
        channel: the channel's column in the crosswalk of carriers.
        correct: kind that changes number and carrier of a package already told, "" where there is no such call.
        cancel: kind that takes a told package back, "" where there is no such call.
        corrects_lines: `correct` also changes what is in the package.
        whole_shipments: one effect holds all packages of a shipment.
        several_numbers: one statement takes several numbers for the same goods; else the first is told.
        source: the vendor's page and its date.
    """

    effect: str
    channel: str
    correct: str = ""
    cancel: str = ""
    corrects_lines: bool = False
    several_numbers: bool = False
    whole_shipments: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class TrackQuota:
    """How many calls asking about parcels a vendor allows in any `window_s` seconds."""

    calls: int
    window_s: float
    source: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The connector's declaration. A manifest that disagrees with the code fails the contract suite."""

    name: str
    title: str
    capabilities: frozenset[Capability]
    topics: tuple[Topic, ...]
    streams: tuple[Stream, ...] = ()
    effects: tuple[EffectKind, ...] = ()
    budgets: tuple[Budget, ...] = ()
    replay_budgets: tuple[str, ...] = ()
    """names of the budgets that pace replays; all when empty (a scarce one that replays never spend would stop them)"""
    publish_batch_max: int = 1
    read_back_batch_max: int = 1
    quantity_meaning: QuantityMeaning = QuantityMeaning.AVAILABLE
    receipt_poll_s: tuple[float, ...] = (15.0, 60.0, 300.0, 900.0)
    """waits before each `poll_receipt` of a queued batch; the last one repeats"""
    acknowledges_orders: bool = False
    acknowledge_within_s: float | None = None
    replay_window_s: float | None = None
    confirms: Confirms | None = None
    ships_for_others: bool = False
    """its shipments are of orders that other accounts took: they are brought home by what they call the order"""
    flavour_of: str = ""
    """the connector this one is another side of (retail beside marketplace); lists of channels leave it out"""
    trades: bool = False
    """its topics `interchange` and `outgoing` are files and documents of a trading partner: the hub judges and writes
    them by the partner's profile before anything is mapped"""
    track_batch_max: int = 1
    """numbers per call of `track`"""
    track_carriers: tuple[str, ...] = ()
    """the carriers, in our words, whose parcels this connector can be asked about; every one when empty"""
    track_quota: TrackQuota | None = None
    """as published; an account may have another one, which the opened connector states"""
    watch_batch_max: int = 1
    watch_life_s: float | None = None
    """how long the vendor tells of a parcel once asked to; None for the parcel's life"""
    watch_renew_s: float = 0.0
    """how long before that end a watch is asked for again"""
    dedupe_by: str = ""
    clock_quirks: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    docs: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_channel(self) -> bool:
        """Something is sold there; a side of a channel is no channel of its own."""
        return Capability.PUBLISH in self.capabilities and not self.flavour_of

    def topic(self, name: str) -> Topic | None:
        return next((topic for topic in self.topics if topic.name == name), None)

    def stream(self, name: str) -> Stream:
        return next(stream for stream in self.streams if stream.name == name)

    def effect(self, name: str) -> EffectKind:
        return next(effect for effect in self.effects if effect.name == name)
