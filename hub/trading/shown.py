"""What is kept of a received interchange and its sets for people: verdicts, problems, reasons; no values."""

from __future__ import annotations

import json
from typing import Any, Final

from hub.ports.store import FileSet
from hub.trading.duplicates import Seen
from hub.trading.naming import storable
from hub.trading.survey import SurveyedGroup, SurveyedInterchange, SurveyedSet
from mappings.edi.payloads import problem_json

_PROBLEMS_MAX: Final = 50


def file_set(interchange: SurveyedInterchange, group: SurveyedGroup, found: SurveyedSet, state: str) -> FileSet:
    """A set as it is kept, but for its file and account."""
    problems = [*found.verdict.told, *(group.verdict.told if not found.taken else ())]
    return FileSet(
        file="",
        place=found.place,
        account="",
        direction="in",
        interchange=storable(interchange.verdict.control.strip()),
        functional_id=storable(group.verdict.functional_id),
        group=storable(group.verdict.control),
        kind=storable(found.verdict.kind),
        control=storable(found.verdict.control),
        digest=found.digest,
        state=state,
        lane=found.naming.lane,
        problems=json.dumps([problem_json(problem) for problem in problems[:_PROBLEMS_MAX]]),
    )


def told_of(interchange: SurveyedInterchange, fate: str) -> dict[str, Any]:
    """An interchange as a file's detail has it."""
    verdict = interchange.verdict
    return {
        "control": verdict.control.strip(),
        "parties": interchange.parties,
        "syntax": verdict.syntax,
        "test": verdict.test,
        "status": verdict.status.value,
        "fate": fate,
        "problems": [problem_json(problem) for problem in [*verdict.told][:_PROBLEMS_MAX]],
    }


def why_parked(interchange: SurveyedInterchange, seen: Seen) -> str:
    control = storable(interchange.verdict.control.strip())
    if not interchange.addressed:
        return f"interchange {control} is from {storable(interchange.parties)}, which the profile does not know"
    return f"interchange {control} came before with other content" if seen is Seen.CONFLICT else "parked"
