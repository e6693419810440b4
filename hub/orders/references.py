"""By which names others call an order: ours, the channel's, or one that went out in a paper of ours."""

from __future__ import annotations

import re
from typing import Final

ALIAS: Final = "order_alias"
"""Document type of a name given to an order by us (a warehouse order's number): account "", the folded name as
source id, and `{"account": …, "order": …}` (the vendor's order id) as its document."""
WAITING: Final = "shipments_waiting"
"""Document type of inputs that wait for an order: account "", the order's folded name, `{"inputs": [seq, …]}`."""

_NOISE: Final = re.compile(r"[\s#]+")
_LENGTH_MAX: Final = 200


def folded(reference: str) -> str:
    """A reference to compare by: people leave out the hash mark and the blanks, and letters change their case."""
    return _NOISE.sub("", reference).upper()[:_LENGTH_MAX]


def spellings(reference: str) -> tuple[str, ...]:
    """How a channel may write what somebody calls an order."""
    plain = reference.strip().lstrip("#")
    return tuple(dict.fromkeys((reference.strip(), plain, f"#{plain}", plain.upper(), f"#{plain.upper()}")))
