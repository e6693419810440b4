"""Envelopes of answers about parcels: one parcel each, so that each waits for nobody else's."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Final

from connectors.sdk import exact
from connectors.sdk.contract import Envelope
from connectors.sdk.tracking import parcel_ordering_key

NUMBER_LENGTH_MAX: Final = 64
UNNAMED: Final = "parcel:unnamed:"
"""What the lane of a push without a usable number starts with; numbers in lanes are in capitals."""


def told(topic: str, number: str, said: Any, payload: bytes | None = None) -> Envelope:
    """What an answer says of one parcel.

    Args:
        said: The part that is news when it differs, without ids and times of the answer itself; its digest
            makes the dedupe key, so that an answer without news is recognised as a duplicate.
        payload: The bytes to map; `said` written as JSON where the answer was about several parcels.
    """
    mark = hashlib.sha256(exact.canonical(said)).hexdigest()[:32]
    body = exact.dumps(said) if payload is None else payload
    return Envelope(topic, f"{topic}:{number}:{mark}", parcel_ordering_key(number), body)


def pushed(
    topic: str, body: bytes, number: object, *, occurred_at: datetime | None = None, event: str | None = None
) -> Envelope:
    """What a webhook says. Where the vendor gives no id of the `event`, the same bytes are the same event.

    A body that names no usable number has a lane of its own.
    """
    mark = hashlib.sha256(body).hexdigest()[:32]
    known = isinstance(number, str) and 0 < len(number.strip()) <= NUMBER_LENGTH_MAX
    lane = parcel_ordering_key(str(number)) if known else f"{UNNAMED}{mark}"
    return Envelope(topic, f"{topic}:{event or mark}", lane, body, occurred_at)
