"""Asking carriers about parcels, and asking them to tell: what carriers and aggregators can do.

`track` is the poll, `watch` the push. Both are about parcels the hub already knows. What comes back
is raw, as everything that comes in: envelopes of mapped topics, which the inbox takes like a webhook.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from connectors.sdk.contract import Envelope
from connectors.sdk.errors import ConnectorError
from connectors.sdk.manifest import TrackQuota

__all__ = ["TrackQuota", "TrackedNumber", "Tracks", "Watched", "Watches", "parcel_ordering_key"]


@dataclass(frozen=True, slots=True)
class TrackedNumber:
    """A parcel to ask about.

    `number` is upper-case without blanks and dashes. `carrier` is our word (`ups`, `dhl_express`), which
    an aggregator turns into the vendor's; `carrier_raw` and `parcel` are what this vendor itself called
    the carrier and the parcel, where it has told: numbers are used again, and these tell parcels apart.
    """

    number: str
    carrier: str | None = None
    carrier_raw: str | None = None
    parcel: str | None = None
    shipped_on: date | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """What became of one wish to be told. `error` is set when the vendor refused this number.

    `until` is when the vendor stops telling; None where it tells for the parcel's life. `vendor_id` is
    the id of what was made there.
    """

    number: TrackedNumber
    until: datetime | None = None
    error: ConnectorError | None = None
    vendor_id: str | None = None


@runtime_checkable
class Tracks(Protocol):
    """One call of the vendor per call of `track`, logins aside; `track_quota` is this account's allowance."""

    track_quota: TrackQuota | None

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        """Where at most `Manifest.track_batch_max` parcels are now.

        A number the vendor knows nothing of gives an envelope too, whose document says `unknown`; one that
        the answer passes over gives none, and is to be asked about again.
        Envelopes are ordered by `parcel_ordering_key`; an answer that says nothing new has the dedupe
        key of the last one, so a duplicate in the inbox means "no news".

        Raises:
            Rejected: The vendor refuses the request; with several numbers, ask one at a time to find
                out whose fault it is.
            RateLimited, Transient, AuthFailed: Nothing was learnt.
        """
        ...


@runtime_checkable
class Watches(Protocol):
    async def watch(self, numbers: Sequence[TrackedNumber]) -> Sequence[Watched]:
        """Have the vendor push what happens to at most `Manifest.watch_batch_max` parcels.

        One result per number, in order. Harmless to repeat: that is how a watch is renewed
        (`Manifest.watch_renew_s` before it ends). A vendor that cannot watch a number says so in `error`.

        Raises:
            RateLimited, Transient, AuthFailed: Nothing is known to be watched; ask again.
        """
        ...


def parcel_ordering_key(number: str) -> str:
    """One parcel's inputs are applied in order, whichever topic brings them."""
    return f"parcel:{''.join(number.split()).replace('-', '').upper()}"
