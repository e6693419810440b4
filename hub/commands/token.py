"""`trunkline token create|list|revoke`."""

from __future__ import annotations

import argparse

from hub.commands.api import acting, reading, segment
from hub.commands.common import Json, Subparsers, command, group, print_json, print_lines, print_table, wants_json


def add(parsers: Subparsers) -> None:
    verbs = group(parsers, "token", "Tokens of the operator API")
    create = command(verbs, "create", "A new token, shown once", _create)
    create.add_argument("--role", choices=["viewer", "operator", "admin"], required=True)
    create.add_argument("--label", default="", help="what it is for")
    create.add_argument("--days", type=int, default=90, help="lifetime, at most 90")
    command(verbs, "list", "Tokens, newest first", _list)
    command(verbs, "revoke", "End a token within seconds", _revoke).add_argument("id", metavar="ID")


async def _create(args: argparse.Namespace) -> int:
    body: Json = {"role": args.role, "label": args.label, "days": args.days}
    async with acting(args) as api:
        answer = await api.post("/tokens", body)
    if wants_json(args):
        print_json(answer)
    else:
        print_lines([answer["token"], f"role {answer['role']}, until {answer['expires_at']}; it is not shown again"])
    return 0


async def _list(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        rows = (await api.get("/tokens"))["items"]
    if wants_json(args):
        print_json(rows)
        return 0
    headings = ["id", "role", "label", "created_at", "expires_at", "revoked_at"]
    print_table(headings, [[row[name] for name in headings] for row in rows], empty="no tokens")
    return 0


async def _revoke(args: argparse.Namespace) -> int:
    async with acting(args) as api:
        answer = await api.post(f"/tokens/{segment(args.id)}/revoke")
    if wants_json(args):
        print_json(answer)
    else:
        print_lines([f"token {answer['id']} is revoked"])
    return 0
