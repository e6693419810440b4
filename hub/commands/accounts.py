"""`trunkline accounts list|check|pause|resume|pull` and `trunkline status`."""

from __future__ import annotations

import argparse

from hub.commands.api import acting, reading, segment
from hub.commands.common import (
    CommandError,
    Json,
    Subparsers,
    command,
    group,
    instant,
    print_json,
    print_lines,
    print_table,
    wants_json,
)


def add(parsers: Subparsers) -> None:
    status = command(parsers, "status", "Lag, backlog and health per account and direction", _status)
    status.epilog = "Times are seconds. A lag is from the event to its effect in the hub (in) or at the channel (out)."
    verbs = group(parsers, "accounts", "The configured accounts")
    command(verbs, "list", "Accounts and their modes", _list)
    for verb, about in (
        ("check", "One read-only call with the account's credentials"),
        ("pause", "Stop all calls to this account; input is still taken"),
        ("resume", "Let calls go on"),
        ("pull", "Read again what changed since an instant"),
    ):
        parser = command(verbs, verb, about, _VERBS[verb])
        parser.add_argument("account", metavar="ACCOUNT")
        if verb == "pull":
            parser.add_argument("--since", type=instant, metavar="T", help="such as 2026-11-20 or 2026-11-20T08:00:00Z")


async def _status(args: argparse.Namespace) -> int:
    async with reading(args, prefer_hub=True) as api:
        status = await api.get("/status")
    if wants_json(args):
        print_json(status)
        return 0
    print_lines(
        [f"inbox {status['inbox_pending']}, outbox {status['outbox_pending']}, parked {status['failures']}", ""]
    )
    headings = [
        "account",
        "connector",
        "mode",
        "in lag",
        "pending",
        "last",
        "out lag",
        "pending",
        "last",
        "circuit",
        "budget",
    ]
    rows: list[list[object]] = [
        [
            a["account"], a["connector"], a["mode"], a["in"]["lag_s"], a["in"]["pending"], a["in"]["last_success"],
            a["out"]["lag_s"], a["out"]["pending"], a["out"]["last_success"], a["circuit"], _budget(a["budget"]),
        ]
        for a in status["accounts"]
    ]  # fmt: skip
    print_table(headings, rows, empty="no accounts are configured")
    for account in status["accounts"]:
        if account["held"]:
            print_lines([f"{account['account']} is held: {account['held']}"])
        if "parcels" in account:
            print_lines([_parcels(account["account"], account["parcels"])])
    parcels = status["parcels"]
    if parcels["unasked"]:
        print_lines([f"{parcels['unasked']} open parcels of carriers no account can ask about"])
    if parcels["orphans"]:
        print_lines([f"{parcels['orphans']} parcels that no shipment names: trunkline parcels list --orphans"])
    return 0


def _parcels(account: str, row: Json) -> str:
    """What the account asks about, and what it cannot afford to."""
    told = f"{account}: {row['open']} open parcels, {row['due']} due to be asked about"
    if row["affordable_calls_per_day"] is None:
        return told
    told += (
        f"; {row['wanted_calls_per_day']:.0f} calls a day wanted, {row['affordable_calls_per_day']:.0f} allowed"
        f" ({row['calls_left']} left now)"
    )
    short = row["unaffordable_calls_per_day"]
    return f"{told}; {short:.0f} a day cannot be afforded, the least urgent wait" if short else told


def _budget(budget: Json | None) -> str | None:
    """The limits that are drawn on or resting; a vendor may have twenty of which two matter."""
    told = []
    for name, one in (budget or {}).items():
        words = []
        if one["left"] is not None and one["left"] < one["burst"]:
            words.append(f"{one['left']:.0f}/{one['burst']:.0f}")
        if one["held_s"] > 0:
            words.append(f"rests {one['held_s']:.0f} s")
        if one["waiting"]:
            words.append(f"{one['waiting']} waiting")
        if words:
            told.append(f"{name} {' '.join(words)}")
    return ", ".join(told) or None


async def _list(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        accounts = (await api.get("/accounts"))["items"]
    if wants_json(args):
        print_json(accounts)
        return 0
    print_table(
        ["account", "connector", "mode", "held"],
        [[account["account"], account["connector"], account["mode"], account.get("held")] for account in accounts],
        empty="no accounts are configured",
    )
    return 0


async def _check(args: argparse.Namespace) -> int:
    # A login that works is kept, and a hold is lifted: so it acts, through the hub where one runs.
    async with acting(args) as api:
        answer = await api.get(f"/accounts/{segment(args.account)}/check")
    if wants_json(args):
        print_json(answer)
    elif answer["ok"]:
        print_lines([f"{args.account}: credentials work, as {answer['who']}", *answer["warnings"]])
    if not answer["ok"]:
        raise CommandError(f"checking {args.account}: {answer['problem']}")
    return 0


async def _pause(args: argparse.Namespace) -> int:
    return await _act(args, "pause", {}, "paused")


async def _resume(args: argparse.Namespace) -> int:
    return await _act(args, "resume", {}, "resumed")


async def _pull(args: argparse.Namespace) -> int:
    body: Json = {"since": args.since.isoformat()} if args.since else {}
    return await _act(args, "pull", body, "will be read again")


async def _act(args: argparse.Namespace, verb: str, body: Json, done: str) -> int:
    async with acting(args) as api:
        answer = await api.post(f"/accounts/{segment(args.account)}/{verb}", body)
    if wants_json(args):
        print_json(answer)
    else:
        print_lines([f"{args.account} {done}"])
    return 0


_VERBS = {"check": _check, "pause": _pause, "resume": _resume, "pull": _pull}
