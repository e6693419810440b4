"""The status page: is the hub well, is each channel in step, what is parked, what does stock say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.console.html import Markup, Piece, joined, table, tag
from hub.console.parcels import late, parcels
from hub.console.purchases import purchases

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the page shows, in the public JSON shapes of the API."""

    version: str
    unready: Sequence[str]
    status: Json
    stock: Sequence[Json]
    failures: Sequence[Json]
    orders: Sequence[Json]
    awaited: Sequence[Json] = ()
    purchases: Sequence[Json] = ()
    late: Sequence[Json] = ()


def page(overview: Overview) -> bytes:
    body = joined(
        [
            _headline(overview),
            _accounts(overview.status.get("accounts", [])),
            _stock(overview.stock),
            _failures(overview.failures),
            _awaited(overview.awaited),
            parcels(overview.status),
            late(overview.late),
            _orders(overview.orders),
            purchases(overview.purchases),
        ]
    )
    return _document(body, refresh=True)


def login(problem: str = "") -> bytes:
    """Asks for an API token; shown where the hub listens to more than this machine."""
    form = tag(
        "form",
        tag("h1", "Trunkline"),
        tag("p", problem, class_="bad") if problem else Markup(""),
        tag("label", "API token", for_="token"),
        Markup('<input id="token" name="token" type="password" autocomplete="current-password" required>'),
        tag("button", "Sign in", type="submit"),
        tag("p", "Make one with ", tag("code", "trunkline token create --role viewer"), class_="quiet"),
        method="post",
        action="/login",
        class_="login",
    )
    return _document(form, refresh=False)


def _document(body: Markup, *, refresh: bool) -> bytes:
    head = joined(
        [
            Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
            Markup('<meta http-equiv="refresh" content="3">') if refresh else Markup(""),
            tag("title", "Trunkline"),
            Markup('<link rel="stylesheet" href="/console.css"><link rel="icon" href="data:,">'),
        ]
    )
    return f'<!doctype html><html lang="en"><head>{head}</head><body><main>{body}</main></body></html>'.encode()


def _headline(overview: Overview) -> Markup:
    status = overview.status
    well = not overview.unready
    state = tag("span", "ready" if well else "not ready", class_="badge good" if well else "badge bad")
    reasons = tag("p", "; ".join(overview.unready), class_="bad") if overview.unready else Markup("")
    figures = [
        ("waiting to be applied", status.get("inbox_pending")),
        ("waiting to be sent", status.get("outbox_pending")),
        ("parked", status.get("failures")),
    ]
    return tag(
        "header",
        tag("h1", "Trunkline ", state),
        reasons,
        tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in figures)),
        tag("p", f"Version {overview.version}. Renews itself every three seconds.", class_="quiet"),
    )


def _accounts(accounts: Sequence[Json]) -> Markup:
    return table(
        "Channels",
        ["Account", "Connector", "Mode", "In: lag", "waiting", "last success", "Out: lag", "waiting", "last success",
         "Breaker", "Held"],
        [_account(account) for account in accounts],
        empty="No accounts are configured yet. Add one under `accounts:` in hub.yaml.",
    )  # fmt: skip


def _account(account: Json) -> list[Piece]:
    inward, outward = account["in"], account["out"]
    circuit = account.get("circuit", "closed")
    return [
        tag("strong", account["account"]),
        account["connector"],
        account["mode"],
        _seconds(inward["lag_s"]),
        inward["pending"],
        _time(inward["last_success"]),
        _seconds(outward["lag_s"]),
        outward["pending"],
        _time(outward["last_success"]),
        tag("span", circuit, class_="badge good" if circuit == "closed" else "badge bad"),
        account.get("held"),
    ]


def _stock(rows: Sequence[Json]) -> Markup:
    accounts = sorted({channel["account"] for row in rows for channel in row["channels"]})
    return table(
        "Stock",
        ["SKU", "On hand", "Reserved", "Available", *accounts],
        [
            [
                tag("strong", row["sku"]),
                row["total"]["on_hand"],
                row["total"]["reserved"],
                row["total"]["available"],
                *(_shown(row["channels"], account) for account in accounts),
            ]
            for row in rows
        ],
        empty="No stock yet. `trunkline stock import FILE` states it.",
    )


def _shown(channels: Sequence[Json], account: str) -> Piece:
    """What the account was told, ticked once it was read back from the channel."""
    mine = [channel for channel in channels if channel["account"] == account]
    if not mine:
        return None
    told = sum(channel["published"] or 0 for channel in mine)
    proven = all(channel["state"] == "verified" for channel in mine)
    return tag("span", f"{told} {'✓' if proven else '…'}", title=", ".join(sorted({c["state"] for c in mine})))


_FAILURE = ("id", "account", "kind", "error", "path", "message")


def _failures(failures: Sequence[Json]) -> Markup:
    return table(
        "Parked, newest first",
        ["Id", "Account", "Kind", "Reason", "Where", "Message", "Age", "Tries"],
        [[row[name] or None for name in _FAILURE] + [_seconds(row["age_s"]), row["attempts"]] for row in failures],
        empty="Nothing is parked.",
    )


def _awaited(rows: Sequence[Json]) -> Markup:
    """Nothing at all where nobody trades: most hubs have no partner to wait for."""
    if not rows:
        return Markup("")
    return table(
        "Awaited from trading partners, and owed to them",
        ["Account", "Awaited", "Owed by", "For", "About", "Due", "By"],
        [
            [
                tag("strong", row["account"]),
                row["kind"],
                row["owed_by"],
                row["reference"],
                row["subject"],
                _countdown(row),
                _time(row["due_at"]),
            ]
            for row in rows
        ],
        empty="Nothing is awaited.",
    )


def _countdown(row: Json) -> Piece:
    """How long is left; marked once the deadline has passed."""
    left = row["due_in_s"]
    if left is None:
        return None
    span = _seconds(abs(left))
    return tag("span", "overdue by ", span, class_="badge bad") if row["overdue"] else tag("span", "in ", span)


def _orders(orders: Sequence[Json]) -> Markup:
    return table(
        "Orders, newest first",
        ["Number", "Account", "State", "Placed", "Lines", "Holds"],
        [
            [
                tag("strong", order["number"]),
                order["account"],
                order["state"],
                _time(order["placed_at"]),
                order["lines"],
                ", ".join(order["holds"]) or None,
            ]
            for order in orders
        ],
        empty="No orders yet.",
    )


def _time(instant: str | None) -> Piece:
    """The time of day, the full instant on hover."""
    if instant is None:
        return None
    return tag("time", instant[11:19], datetime=instant, title=instant)


def _seconds(value: float | None) -> Piece:
    """A duration in the largest unit that keeps it readable."""
    if value is None:
        return None
    for limit, unit, size in ((1, "ms", 0.001), (120, "s", 1), (7200, "min", 60), (172_800, "h", 3600)):
        if value < limit:
            return tag("span", f"{value / size:.0f} {unit}" if size != 1 else f"{value:.1f} s")
    return tag("span", f"{value / 86_400:.0f} d")
