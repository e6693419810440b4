"""`trunkline edi validate` and `trunkline edi ack`: what is wrong with a file, and what its sender would be told."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import BinaryIO

from hub.commands.common import (
    EXIT_OK,
    EXIT_USAGE,
    CommandError,
    Json,
    Subparsers,
    command,
    print_json,
    print_lines,
    wants_json,
)
from hub.commands.opening import opened
from mappings.edi.acknowledge import GroupVerdict, InterchangeVerdict, SetVerdict, Stamp, Status, acknowledge, judge_all
from mappings.edi.grammar.profile import Profile, ProfileInvalid
from mappings.edi.grammar.strictness import class_of
from mappings.edi.partners import PartnerProfile, find_partner
from mappings.edi.problems import Problem
from mappings.edi.reading import read

_PARTNER_HELP = "the partner's profile: a YAML file, or the name of an example; without it, the standard one"


def add_verbs(verbs: Subparsers) -> None:
    """Adds `validate` and `ack` to the `edi` commands."""
    validate = command(
        verbs,
        "validate",
        "What is wrong with a file, and whether it would be taken",
        _validate,
        epilog="FILE may be -. Exit code 2 when anything in it is rejected or it holds no interchange.",
    )
    ack = command(
        verbs,
        "ack",
        "The TA1, 997, 999 or CONTRL that answers a file, on standard output",
        _ack,
        epilog="FILE may be -. Nothing is stored: control numbers are those given here.",
    )
    for parser in (validate, ack):
        parser.add_argument("--partner", metavar="PROFILE", help=_PARTNER_HELP)
        parser.add_argument("file", metavar="FILE")
    ack.add_argument("--control", type=_control, default=1, metavar="N", help="first interchange number (default 1)")
    ack.add_argument("--group", type=_control, default=1, metavar="N", help="first group number (default 1)")


def _control(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= 999_999_999:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 999999999")
    return number


async def _validate(args: argparse.Namespace) -> int:
    profile = profile_named(args.partner).judging
    with opened(args.file) as source:
        verdicts = list(_verdicts(source, profile, args.file))
    if wants_json(args):
        print_json([_interchange_json(verdict, profile) for verdict in verdicts])
    else:
        for verdict in verdicts:
            print_lines(list(_lines(verdict, profile)))
    rejected = any(
        verdict.status is Status.REJECTED
        or any(group.status in {Status.REJECTED, Status.PARTIAL} for group in verdict.groups)
        for verdict in verdicts
    )
    return EXIT_USAGE if rejected else EXIT_OK


async def _ack(args: argparse.Namespace) -> int:
    profile = profile_named(args.partner).judging
    number, group, at = args.control, args.group, datetime.now(UTC)
    answered = False
    with opened(args.file) as source:
        for verdict in _verdicts(source, profile, args.file):
            answer = acknowledge(verdict, Stamp(number, group, at), profile)
            if answer is None:
                continue
            answered = True
            sys.stdout.buffer.write(answer)
            number, group = _next(number, 1), _next(group, max(1, len(verdict.groups)))
    sys.stdout.buffer.flush()
    if not answered:
        sys.stderr.write(f"{args.file}: nothing in it is to be acknowledged\n")
    return EXIT_OK


def _next(number: int, used: int) -> int:
    """Control numbers start again at 1 after the last one."""
    return (number + used - 1) % 999_999_999 + 1


def _verdicts(source: BinaryIO, profile: Profile, name: str) -> Iterator[InterchangeVerdict]:
    found = False
    for verdict in judge_all(read(source), profile):
        found = True
        yield verdict
    if not found:
        raise CommandError(f"{name} holds no interchange: neither ISA nor UNB was found", exit_code=EXIT_USAGE)


def profile_named(partner: str | None) -> PartnerProfile:
    """The partner profile of a `--partner` option; the standard one without it."""
    if partner is None:
        return PartnerProfile()
    try:
        return find_partner(partner)
    except ProfileInvalid as error:
        raise CommandError("; ".join(error.faults), exit_code=EXIT_USAGE) from None


def _lines(verdict: InterchangeVerdict, profile: Profile) -> Iterator[str]:
    test = ", test data" if verdict.test else ""
    parties = f"from {verdict.sender.id} to {verdict.receiver.id}"
    yield f"interchange {verdict.control} {parties}{test}: {_said(verdict.status)}"
    yield from _told("  ", [*verdict.told, *verdict.kept], profile)
    for group in verdict.groups:
        indent = "  "
        if not group.implicit:
            taken = f"{group.accepted} of {group.received} sets taken"
            yield f"  group {group.control} {group.functional_id} {group.version}: {_said(group.status)}, {taken}"
            indent = "    "
        yield from _told(indent, [*group.told, *group.kept], profile)
        for each in group.sets:
            along = group.status is Status.REJECTED and each.status is not Status.REJECTED
            said = "rejected with its group" if along else _said(each.status)
            yield f"{indent}{each.kind} {each.control}: {said}"
            yield from _told(f"{indent}  ", [*each.told, *each.kept], profile)


def _told(indent: str, problems: Sequence[Problem], profile: Profile) -> Iterator[str]:
    for problem in problems:
        action = profile.actions[class_of(problem)]
        place = f" {problem.place}:" if problem.place else ""
        value = f" ({problem.value!r})" if problem.value is not None else ""
        yield f"{indent}{action.value}{_standard_code(problem)}{place} {problem.message}{value}"


def _standard_code(problem: Problem) -> str:
    """The X12 code that tells it, for people who read acknowledgements."""
    answer = problem.answer
    for name, code in (
        ("TA105", answer.ta1),
        ("AK905", answer.ak905),
        ("AK403", answer.ak403),
        ("AK304", answer.ak304),
        ("AK502", answer.ak502),
    ):
        if code is not None:
            return f" [{name} {code}]"
    return ""


def _said(status: Status) -> str:
    return status.value.replace("_", " ")


def _problems_json(problems: Sequence[Problem], profile: Profile) -> list[Json]:
    return [
        problem.as_json() | {"class": class_of(problem).value, "action": profile.actions[class_of(problem)].value}
        for problem in problems
    ]


def _interchange_json(verdict: InterchangeVerdict, profile: Profile) -> Json:
    return {
        "syntax": verdict.syntax,
        "control": verdict.control,
        "sender": verdict.sender.id,
        "receiver": verdict.receiver.id,
        "test": verdict.test,
        "status": verdict.status.value,
        "problems": _problems_json([*verdict.told, *verdict.kept], profile),
        "groups": [_group_json(group, profile) for group in verdict.groups],
    }


def _group_json(group: GroupVerdict, profile: Profile) -> Json:
    return {
        "functional_id": group.functional_id,
        "control": group.control,
        "version": group.version,
        "status": group.status.value,
        "declared": group.declared,
        "received": group.received,
        "accepted": group.accepted,
        "problems": _problems_json([*group.told, *group.kept], profile),
        "sets": [_set_json(each, profile) | {"taken": group.takes(each)} for each in group.sets],
    }


def _set_json(each: SetVerdict, profile: Profile) -> Json:
    return {
        "kind": each.kind,
        "control": each.control,
        "version": each.version,
        "status": each.status.value,
        "problems": _problems_json([*each.told, *each.kept], profile),
    }
