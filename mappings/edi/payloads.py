"""A set as mappings read it: its loops as JSON, with `_envelope` and `_partner` beside them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from mappings.edi.grammar import SetGrammar, loops
from mappings.edi.model import Group, Interchange, TransactionSet
from mappings.edi.partners.model import PartnerProfile
from mappings.edi.problems import Problem


def content_of(
    found: TransactionSet, grammar: SetGrammar, interchange: Interchange, group: Group, partner: PartnerProfile | None
) -> dict[str, Any]:
    """What a mapping of the topic `found.kind` reads, but for the problems: they are complete when the file ends.

    `_envelope.version` grows with every file of a partner, so it orders two states of one thing: the group's date and
    time, then the control numbers. `_partner` holds the profile's terms and is absent without a profile.
    """
    content = loops(found, grammar)
    content["_envelope"] = _envelope(found, interchange, group)
    if partner is not None:
        content["_partner"] = dict(partner.terms)
    return content


def payload_of(content: dict[str, Any], problems: Iterable[Problem] = ()) -> bytes:
    """The payload as JSON, `problems` being those a document tells of: what was accepted with errors."""
    content["_envelope"]["problems"] = [problem_json(problem) for problem in problems]
    return orjson.dumps(content)


def _envelope(found: TransactionSet, interchange: Interchange, group: Group) -> dict[str, Any]:
    date = group.date or interchange.date
    time = group.time or interchange.time
    full = date if len(date) == 8 else ("20" if date < "80" else "19") + date
    stated: dict[str, Any] = {
        "syntax": interchange.syntax,
        "sender": {"qualifier": interchange.sender.qualifier, "id": interchange.sender.id},
        "receiver": {"qualifier": interchange.receiver.qualifier, "id": interchange.receiver.id},
        "control": interchange.control,
        "functional_id": group.functional_id,
        "group": group.control,
        "set": found.control,
        "kind": found.kind,
        "standard": found.version or group.version,
        "version": f"{full}{time:0<6.6}.{interchange.control.strip():0>14}.{found.control:0>9}",
        "test": interchange.test,
    }
    if len(date) in (6, 8) and date.isdigit():
        stated |= {"date": date, "time": time}
    return stated


def code_of(problem: Problem) -> str:
    """The code an X12 acknowledgement tells it with, for people who read those; ours where X12 has none."""
    answer = problem.answer
    told = (
        ("AK403", answer.ak403), ("AK304", answer.ak304), ("AK502", answer.ak502), ("AK905", answer.ak905),
        ("TA105", answer.ta1),
    )  # fmt: skip
    return next((f"{name} {code}" for name, code in told if code is not None), problem.code.value)


def problem_json(problem: Problem) -> dict[str, str]:
    """A problem as a document's `source.problems` has it."""
    return {
        "level": "warning",
        "code": code_of(problem),
        "message": problem.message,
        "position": problem.place or problem.level.value,
    }
