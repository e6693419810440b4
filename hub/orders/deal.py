"""What stands between us and a trading partner about one order: what it stated and changed, what we answered.

The order the hub works with is computed from this alone (`stated`), so that the same messages give the same order
whatever the order they arrive in. JSON without personal data; instants are microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from hub.orders.versions import compare

Json = dict[str, Any]

DEAL: Final = "trade_deal"
"""document type a deal is stored under, keyed by the order's source id"""

ACCEPTED: Final = "accepted"
TOO_LATE: Final = "too_late"
NO_SUCH_LINE: Final = "no_such_line"
LINE_THERE: Final = "line_there_already"
NOT_UNDERSTOOD: Final = "not_understood"
NO_QUANTITY: Final = "no_quantity"
REFUSED: Final = "refused_before"


@dataclass(frozen=True, slots=True)
class Amendment:
    """One change as the partner sent it, unique on `number` within the order.

    `verdicts` gives, once decided, what became of each of its lines in turn: `accepted` or the reason it was refused
    for. Undecided while the order itself has not come.
    """

    number: str
    version: str
    lines: tuple[Json, ...]
    verdicts: tuple[str, ...] = ()
    told: bool = False
    """the partner has been answered"""

    @property
    def decided(self) -> bool:
        return bool(self.verdicts) or not self.lines


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The partner takes the whole order back. `accepted` None while the order has not come."""

    version: str
    accepted: bool | None = None
    told: bool = False


@dataclass(frozen=True, slots=True)
class Deal:
    """All of it. `order` is the order as the partner stated it last, None while only changes to it have come.

    `received_at`: when it came first. `short`: units of a line that were not there when it was allocated first.
    `refused`: units of a line that our answer refused. `answer`: what the answer said of the order, at `answered_at`.
    `replacements`: how often the partner stated it anew. `over`: nothing of it is left to ship.
    """

    order: Json | None = None
    version: str = ""
    received_at: int = 0
    amendments: tuple[Amendment, ...] = ()
    withdrawal: Withdrawal | None = None
    short: Mapping[str, int] | None = None
    refused: Mapping[str, int] | None = None
    answered_at: int | None = None
    answer: str | None = None
    replacements: int = 0
    over: bool = False

    @property
    def withdrawn(self) -> bool:
        taken_back = self.withdrawal
        return bool(taken_back and taken_back.accepted and self.order and compare(taken_back.version, self.version) > 0)

    def standing(self) -> tuple[Amendment, ...]:
        """Changes that came after what the partner stated last, in the order in which it made them."""
        later = [each for each in self.amendments if compare(each.version, self.version) > 0]
        return tuple(sorted(later, key=lambda each: (each.version, each.number)))

    def latest(self) -> str:
        """The version of the last thing that counts."""
        versions = [self.version, *(each.version for each in self.standing())]
        if self.withdrawn and self.withdrawal is not None:
            versions.append(self.withdrawal.version)
        return max(versions)

    def amendment(self, number: str) -> Amendment | None:
        return next((each for each in self.amendments if each.number == number), None)

    def with_amendment(self, new: Amendment) -> Deal:
        others = [each for each in self.amendments if each.number != new.number]
        return replace(self, amendments=(*others, new))


EMPTY: Final = Deal()


def dump(deal: Deal) -> str:
    return json.dumps(asdict(deal), separators=(",", ":"))


def load(text: str) -> Deal:
    """The inverse of `dump`."""
    raw = json.loads(text)
    amendments = (
        Amendment(each["number"], each["version"], tuple(each["lines"]), tuple(each["verdicts"]), each["told"])
        for each in raw["amendments"]
    )
    withdrawal = Withdrawal(**raw["withdrawal"]) if raw["withdrawal"] else None
    return Deal(**{**raw, "amendments": tuple(amendments), "withdrawal": withdrawal})


def stated(deal: Deal) -> Json:
    """The order as it stands: what the partner stated, with its accepted changes, less what we refused."""
    if deal.order is None:
        raise ValueError("nothing has been ordered yet")
    order = json.loads(json.dumps(deal.order))
    lines: list[Json] = order["lines"]
    for amendment in deal.standing():
        for change, verdict in zip(amendment.lines, amendment.verdicts, strict=False):
            if verdict == ACCEPTED:
                _amend(lines, change)
    for line in lines:
        refused = (deal.refused or {}).get(line["id"], 0)
        if refused:
            line["cancelled_quantity"] = min(line["quantity"], line.get("cancelled_quantity", 0) + refused)
    if deal.withdrawn or (lines and all(line.get("cancelled_quantity", 0) >= line["quantity"] for line in lines)):
        order["state"] = "cancelled"
    elif deal.over:
        order["state"] = "closed"
    return order  # type: ignore[no-any-return]


def decide(deal: Deal, number: str, gone: Mapping[str, int], locked: Iterable[str]) -> Deal:
    """The deal with one of its changes decided, line by line: a later line of it may speak of an earlier one.

    Args:
        gone: units of each line that have left.
        locked: lines somebody else is picking already and cannot be told about.
    """
    amendment = deal.amendment(number)
    if amendment is None or amendment.decided:
        return deal
    lines: list[Json] = stated(deal)["lines"]
    kept = tuple(locked)
    verdicts: list[str] = []
    for change in amendment.lines:
        verdict = REFUSED if _is_refused(deal, lines, change) else judge(lines, change, gone, kept)
        if verdict == ACCEPTED:
            _amend(lines, change)
        verdicts.append(verdict)
    return deal.with_amendment(replace(amendment, verdicts=tuple(verdicts)))


def _is_refused(deal: Deal, lines: Sequence[Json], change: Mapping[str, Any]) -> bool:
    """Whether the change is about something we have refused to deliver, or the partner has taken back."""
    if deal.answer == "rejected" or deal.withdrawn:
        return True
    line = find_line(lines, change)
    return line is not None and change["change"] != "add" and line["id"] in (deal.refused or {})


def find_line(lines: Sequence[Json], change: Mapping[str, Any]) -> Json | None:
    """The line a change is about: by its number, else, where that names none, by the article if only one has it."""
    for line in lines:
        if line["id"] == change["id"]:
            return line
    for name in ("channel_sku", "gtin"):
        same = [line for line in lines if change.get(name) and line.get(name) == change[name]]
        if len(same) == 1:
            return same[0]
    return None


def judge(lines: Sequence[Json], change: Mapping[str, Any], gone: Mapping[str, int], locked: Iterable[str]) -> str:
    """Whether one line of a change can still be made: `accepted`, or why not.

    Args:
        lines: of the order as it stands.
        gone: units of each line that have left.
        locked: lines somebody else is picking already and cannot be told about.
    """
    kind = change["change"]
    line = find_line(lines, change)
    quantity = change.get("quantity")
    if kind == "add":
        if line is not None and line["id"] == change["id"]:
            return LINE_THERE
        return ACCEPTED if quantity else NO_QUANTITY
    if line is None:
        return NO_SUCH_LINE
    if kind == "unknown":
        return NOT_UNDERSTOOD
    if kind in {"quantity", "replace"} and quantity is None:
        return NO_QUANTITY
    left = gone.get(line["id"], 0)
    if kind in {"remove", "quantity", "replace", "date"} and line["id"] in set(locked):
        return TOO_LATE
    if (kind in {"remove", "replace", "date"} and left) or (kind == "quantity" and (quantity or 0) < left):
        return TOO_LATE
    return ACCEPTED


def _amend(lines: list[Json], change: Mapping[str, Any]) -> None:
    kind = change["change"]
    if kind == "add":
        lines.append(_line_of(change))
        return
    line = find_line(lines, change)
    if line is None:
        return
    if kind == "remove":
        line["cancelled_quantity"] = line["quantity"]
    elif kind == "quantity":
        line["quantity"] = change["quantity"]
        line["cancelled_quantity"] = 0
        _price(line, change)
    elif kind == "price":
        _price(line, change)
    elif kind == "date":
        line["properties"] = {**line.get("properties", {}), "requested_at": change.get("requested_at")}
    elif kind == "replace":
        new = {name: value for name, value in _line_of(change).items() if value not in (None, {})}
        merged = {**line, **new, "id": line["id"], "cancelled_quantity": 0}
        line.clear()
        line.update(merged)


def _price(line: Json, change: Mapping[str, Any]) -> None:
    if change.get("unit_price") is not None:
        line["unit_price"] = change["unit_price"]
        line["price_uom"] = change.get("price_uom") or line.get("price_uom")
        line["total"] = None


def _line_of(change: Mapping[str, Any]) -> Json:
    """An order line from a change that states it whole."""
    names = ("id", "channel_sku", "gtin", "title", "quantity", "uom", "unit_price", "price_uom")
    line: Json = {name: change.get(name) for name in names}
    properties = {name: value for name, value in (change.get("properties") or {}).items() if name != "left_to_receive"}
    if change.get("requested_at"):
        properties["requested_at"] = change["requested_at"]
    return line | {"properties": properties, "cancelled_quantity": 0, "fulfilled_quantity": 0, "returned_quantity": 0}
