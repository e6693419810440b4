"""`trunkline normalize CONNECTOR TOPIC FILE`: canonical documents of a payload, nothing stored."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

import canonical
from canonical.errors import MappingError
from hub import bootstrap
from hub.commands import normalize_edi
from hub.commands.common import EXIT_USAGE, CommandError, Subparsers, command, config_path, print_json, read_file
from hub.commands.edi_judging import profile_named
from mappings import MapContext, MappingSet, names


def add(parsers: Subparsers) -> None:
    parser = command(
        parsers,
        "normalize",
        "Canonical documents of a payload as a JSON array",
        _normalize,
        epilog="TOPIC is the vendor's webhook topic (orders/create) or the name of the read it answers\n"
        "(order, orders, inventory, listings, tracking, returns). FILE may be -.\n"
        "edi: TOPIC is the kind of set (850, ORDERS), or - for all in the file; sets that cannot be taken are told\n"
        "on standard error with the code an acknowledgement would give, the others are printed.",
    )
    parser.add_argument("connector", metavar="CONNECTOR", help=", ".join(names()))
    parser.add_argument("topic", metavar="TOPIC")
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--account", help="with this account's overlay, locations, time zone and currency")
    parser.add_argument("--partner", metavar="PROFILE", help="edi: the partner's profile, a file or an example's name")


async def _normalize(args: argparse.Namespace) -> int:
    mapping, context = _mapping(args)
    if args.connector == normalize_edi.CONNECTOR:
        partner = None if args.partner is None else profile_named(args.partner)
        return normalize_edi.normalize(args.topic, args.file, mapping, context, partner)
    if args.partner is not None:
        raise CommandError(f"--partner is for edi, not for {args.connector}", exit_code=EXIT_USAGE)
    try:
        documents = mapping.map(args.topic, read_file(args.file), context)
    except MappingError as error:
        sys.stderr.write(f"normalizing {args.connector} {args.topic} {args.file}: {_one_line(error)}\n")
        return EXIT_USAGE
    print_json([json.loads(canonical.dump(document)) for document in documents])
    return 0


def _one_line(error: MappingError) -> str:
    """An error may quote an expression of the mapping, which has as many lines as its author liked."""
    return " ".join((f"{error.code}: {error}" if error.code else str(error)).split())


def _mapping(args: argparse.Namespace) -> tuple[MappingSet, MapContext]:
    if args.connector not in names():
        known = ", ".join(names())
        raise CommandError(f"no connector {args.connector!r}; known: {known}", exit_code=EXIT_USAGE)
    now = datetime.now(UTC)
    if args.account is None:
        return MappingSet.load(args.connector), MapContext(None, args.connector, now)
    account = bootstrap.load(config_path(args)).accounts.get(args.account)
    if account is None or account.connector != args.connector:
        raise CommandError(f"no {args.connector} account {args.account!r} in the configuration", exit_code=EXIT_USAGE)
    context = MapContext(
        args.account,
        args.connector,
        now,
        currency=account.currency,
        time_zone=account.time_zone,
        locations=account.locations,
    )
    return MappingSet.load(args.connector, overlay=account.mappings), context
