"""The status page's blocks about parcels: what is under way, what quotas do not cover, what is late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.console.html import Markup, Piece, table, tag

Json = Mapping[str, Any]


def parcels(status: Json) -> Markup:
    """Nothing at all where no parcel was ever heard of and nobody asks."""
    asking = [account for account in status.get("accounts", []) if "parcels" in account]
    counts = status.get("parcels") or {"open": 0, "orphans": 0, "unasked": 0}
    if not asking and not any(counts.values()):
        return Markup("")
    rows: list[list[Piece]] = [_asked(account["account"], account["parcels"]) for account in asking]
    rows += [
        [tag("em", about), counts[name], None, None, None, None]
        for name, about in (("unasked", "no account can ask"), ("orphans", "nobody shipped"))
        if counts[name]
    ]
    return table(
        f"Parcels: {counts['open']} open",
        ["Asked by", "Parcels", "Due now", "Calls left", "Wanted a day", "Not affordable"],
        rows,
        empty="No account asks carriers.",
    )


def _asked(account: str, row: Json) -> list[Piece]:
    short = row["unaffordable_calls_per_day"]
    return [
        tag("strong", account),
        row["open"],
        row["due"],
        row["calls_left"],
        row["wanted_calls_per_day"],
        tag("span", short, class_="badge bad") if short else None,
    ]


def late(rows: Sequence[Json]) -> Markup:
    """Accounts with something to ship, or late."""
    names = ("to_ship", "unshipped", "due_within_a_day", "unscanned", "delivered_late")
    shown = [row for row in rows if any(row[name] for name in names)]
    if not shown:
        return Markup("")
    return table(
        "To ship, and late",
        ["Account", "To ship", "Oldest placed", "Past ship-by", "Due in a day", "Shipped, no scan", "Delivered late"],
        [_late(row) for row in shown],
        empty="Nothing is late.",
    )


def _late(row: Json) -> list[Piece]:
    oldest = row["oldest_at"]
    return [
        tag("strong", row["account"]),
        row["to_ship"],
        None if oldest is None else tag("time", oldest[:10], datetime=oldest, title=oldest),
        _bad(row["unshipped"]),
        row["due_within_a_day"],
        _bad(row["unscanned"]),
        _bad(row["delivered_late"]),
    ]


def _bad(count: int) -> Piece:
    return tag("span", count, class_="badge bad") if count else 0
