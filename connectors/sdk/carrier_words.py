"""What an aggregator calls a carrier, for questions that must name one."""

from __future__ import annotations

from functools import cache
from typing import Final

from connectors.sdk.errors import Rejected
from connectors.sdk.tracking import TrackedNumber
from mappings.carriers import Crosswalk

UNNAMED: Final = "carrier_unnamed"


def carrier_word(channel: str, number: TrackedNumber) -> str | None:
    """The word of `channel`'s column in the crosswalk; None where it has none for this carrier.

    What the carrier was called in an answer goes first where it is one of the column's words, because several
    of them may mean one carrier: an answer found under a word is found there again.
    """
    table = _table()
    raw = number.carrier_raw
    if raw is not None and raw in _words(channel):
        return raw
    carrier = table.carrier(number.carrier) if number.carrier else None
    return None if carrier is None else carrier.names.get(channel)


def named_carrier(channel: str, vendor: str, number: TrackedNumber) -> str:
    """As `carrier_word`.

    Raises:
        Rejected: There is no word, so the vendor cannot be asked; it is named as `vendor`.
    """
    word = carrier_word(channel, number)
    if word is None:
        carrier = number.carrier or "a carrier nobody has named"
        raise Rejected(f"{vendor} has no name for {carrier}, and cannot be asked without one", code=UNNAMED)
    return word


@cache
def _table() -> Crosswalk:
    return Crosswalk()


@cache
def _words(channel: str) -> frozenset[str]:
    return frozenset(carrier.names[channel] for carrier in _table().carriers if channel in carrier.names)
