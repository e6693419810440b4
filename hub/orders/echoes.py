"""One parcel told twice: by whoever shipped it, and by the channel that was told of it.

The hub confirms a shipment to its channel, and the channel's own fulfilment comes back as a document. Both are
about the same units, which left once. A channel's document that bears a number of a shipment brought home is its
echo; one without a number is, where it holds the very units of a numberless one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.orders.facts import Move


class Parcels(NamedTuple):
    """What a shipment is known by. `ours`: brought home from elsewhere. `numbers`: every one it ever bore."""

    ours: bool
    numbers: tuple[str, ...]


NONE = Parcels(False, ())


def echoes(told: Mapping[str, tuple[Move, ...]], parcels: Mapping[str, Parcels]) -> frozenset[str]:
    """Keys of documents whose units are counted by another one.

    A shipment of ours that moves nothing, a mere label or one taken back, stands in for nobody's word.
    """
    ours = [key for key in sorted(parcels) if parcels[key].ours and told.get(key)]
    if not ours:
        return frozenset()
    # Of parcels that two sources tell of, the first by name counts.
    found = {key for place, key in enumerate(ours) if any(_twins(one, key, told, parcels) for one in ours[:place])}
    seen = {number for key in ours for number in parcels[key].numbers}
    silent = [units_of(told.get(key, ())) for key in ours if not parcels[key].numbers]
    for key in sorted(told):
        if not key.startswith("shipment/") or parcels.get(key, NONE).ours:
            continue
        numbers = set(parcels.get(key, NONE).numbers)
        if numbers:
            if numbers & seen:
                found.add(key)
            continue
        units = units_of(told[key])
        if units and units in silent:
            silent.remove(units)
            found.add(key)
    return frozenset(found)


def has_twin(key: str, told: Mapping[str, tuple[Move, ...]], parcels: Mapping[str, Parcels]) -> bool:
    """Whether another source has told of the very same parcels."""
    return any(_twins(one, key, told, parcels) for one in parcels if parcels[one].ours and told.get(one))


def shown_units(
    told: Mapping[str, tuple[Move, ...]], parcels: Mapping[str, Parcels], numbers: Sequence[str]
) -> dict[str, int]:
    """Units by line that the channel itself shows in the parcels of these numbers; nothing unless it shows all."""
    found: dict[str, int] = {}
    seen: set[str] = set()
    for key, known in parcels.items():
        if known.ours or not set(known.numbers) & set(numbers):
            continue
        seen.update(known.numbers)
        for line, units in units_of(told.get(key, ())).items():
            found[line] = found.get(line, 0) + units
    return found if seen.issuperset(numbers) else {}


def _twins(one: str, other: str, told: Mapping[str, tuple[Move, ...]], parcels: Mapping[str, Parcels]) -> bool:
    """Two sources, one number, the same units. One source that uses a number twice means two things by it."""
    if one.partition(":")[0] == other.partition(":")[0] or not parcels[other].numbers:
        return False
    shared = set(parcels[one].numbers) & set(parcels[other].numbers)
    return bool(shared) and units_of(told.get(one, ())) == units_of(told.get(other, ()))


def units_of(moves: tuple[Move, ...]) -> dict[str, int]:
    """Units by line, wherever they left from."""
    found: dict[str, int] = {}
    for move in moves:
        found[move.line] = found.get(move.line, 0) + move.quantity
    return found
