"""A file of interchanges as a tree for people, or as JSON, with every problem where it belongs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO

from mappings.edi.model import Group, Interchange, Segment, Separators, Syntax, TransactionSet
from mappings.edi.problems import Problem
from mappings.edi.reading import read

_MARK = "  !! "
_NAMES = (("ta1", "TA1"), ("ak905", "AK905"), ("ak502", "AK502"), ("ak304", "AK304"), ("ak403", "AK403"))


def tree(source: bytes | BinaryIO, *, segments: bool = True) -> Iterator[str]:
    """Lines as reading goes on; none when there is no interchange. Control characters are shown as escapes."""
    held: Interchange | None = None
    for number, interchange in enumerate(read(source), 1):
        if held is not None:
            yield from _end_of_interchange(held)
        yield from _interchange(number, interchange)
        for group in interchange.groups:
            yield from _group(group, interchange, segments)
        held = interchange
    # Bytes behind an interchange are known when the next one was looked for.
    if held is not None:
        yield from _end_of_interchange(held)


def json_lines(source: bytes | BinaryIO, *, segments: bool = True) -> Iterator[str]:
    """A JSON array in pieces, one interchange at a time; nothing when there is none."""
    held: dict[str, object] | None = None
    last: Interchange | None = None
    for interchange in read(source):
        yield "[" if held is None or last is None else _dumped(held, last) + ","
        held, last = _interchange_json(interchange, segments), interchange
    if held is not None and last is not None:
        yield _dumped(held, last)
        yield "]"


# --- for people ----------------------------------------------------------------------------------


def _interchange(number: int, found: Interchange) -> Iterator[str]:
    parties = (
        f"{_party(found.sender.qualifier, found.sender.id)} → {_party(found.receiver.qualifier, found.receiver.id)}"
    )
    kind = "TEST" if found.test else "production"
    yield _shown(
        f"interchange {number}: {found.syntax} {found.version}, control {found.control}, {parties}, "
        f"{found.date} {found.time}, {kind}"
    )
    yield f"  separators: {_separators(found.separators)}"


def _end_of_interchange(found: Interchange) -> Iterator[str]:
    for row in found.acknowledgements:
        yield _shown("  " + "  ".join(row))
    for problem in found.problems:
        yield "" + _told(problem, found.syntax)


def _group(found: Group, interchange: Interchange, segments: bool) -> Iterator[str]:
    indent = "  "
    if not found.implicit:
        text = f"{indent}group {found.functional_id} {found.control}, version {found.version}, "
        yield _shown(text + f"{found.sender} → {found.receiver}, {found.date} {found.time}")
        indent = "    "
    for each in found.sets:
        yield from _set(each, indent, interchange.syntax, segments)
    for problem in found.problems:
        yield indent[2:] + _told(problem, interchange.syntax)


def _set(found: TransactionSet, indent: str, syntax: Syntax, segments: bool) -> Iterator[str]:
    count = len(found.problems)
    state = "no problem" if not count else f"{count} problem{'s' if count > 1 else ''}"
    release = " ".join(filter(None, (found.version, found.implementation)))
    yield _shown(f"{indent}set {found.kind} {found.control}, {release}, {len(found.segments)} segments, {state}")
    placed: dict[int, list[Problem]] = {}
    for problem in found.problems:
        placed.setdefault(problem.segment_position or 0, []).append(problem)
    for segment in found.segments if segments else ():
        yield f"{indent}  {_segment(segment)}"
        for problem in placed.pop(segment.position, ()):
            yield indent + "  " + _told(problem, syntax)
    for rest in placed.values():
        for problem in rest:
            yield indent + _told(problem, syntax)


def _segment(segment: Segment) -> str:
    given = (f"{at:02d}={text}" for at, text in enumerate(segment.elements, 1) if text)
    return _shown(f"{segment.position:>4} {segment.tag:<3} {'  '.join(given)}".rstrip())


def _told(problem: Problem, syntax: Syntax) -> str:
    codes = ", ".join(told(problem, syntax))
    place = f" at {problem.place}" if problem.place else ""
    value = f" (is {problem.value!r})" if problem.value is not None else ""
    return _shown(f"{_MARK}{problem.code}{place}: {problem.message}{value}{f' [{codes}]' if codes else ''}")


def told(problem: Problem, syntax: Syntax) -> list[str]:
    """The standard's codes for a problem: `AK502 4`, `CONTRL 29`."""
    answer = problem.answer
    if syntax == "edifact":
        return [f"CONTRL {answer.contrl}"] if answer.contrl else []
    return [f"{name} {code}" for field, name in _NAMES if (code := getattr(answer, field))]


def _party(qualifier: str, name: str) -> str:
    return f"{qualifier}:{name}" if qualifier else name


def _separators(found: Separators) -> str:
    names = ("element", "component", "segment", "repetition", "release")
    given = ((name, getattr(found, name)) for name in names)
    return "  ".join(f"{name} {_mark(mark)}" for name, mark in given if mark)


def _mark(mark: str) -> str:
    return {"\n": "LF", "\r": "CR", "\t": "TAB"}.get(mark, mark if mark.isprintable() else f"0x{ord(mark[0]):02X}")


def _shown(text: str) -> str:
    """Nothing in a file may steer the terminal it is shown on."""
    return (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    )


# --- for programs --------------------------------------------------------------------------------


def _dumped(held: dict[str, object], found: Interchange) -> str:
    held["problems"] = _problems(found.problems, found.syntax)
    held["acknowledgements"] = found.acknowledgements
    return json.dumps(held, ensure_ascii=False)


def _interchange_json(found: Interchange, segments: bool) -> dict[str, object]:
    marks = found.separators
    shape: dict[str, object] = {
        "syntax": found.syntax,
        "version": found.version,
        "control": found.control,
        "sender": {"qualifier": found.sender.qualifier, "id": found.sender.id},
        "receiver": {"qualifier": found.receiver.qualifier, "id": found.receiver.id},
        "date": found.date,
        "time": found.time,
        "test": found.test,
        "acknowledgement_requested": found.acknowledgement_requested,
        "separators": {
            name: getattr(marks, name) for name in ("element", "component", "segment", "repetition", "release")
        },
    }
    shape["groups"] = [_group_json(group, found.syntax, segments) for group in found.groups]
    return shape | {"offset": found.raw_start, "end": found.raw_end}


def _group_json(found: Group, syntax: Syntax, segments: bool) -> dict[str, object]:
    sets = [_set_json(each, syntax, segments) for each in found.sets]
    return {
        "functional_id": found.functional_id,
        "control": found.control,
        "version": found.version,
        "sender": found.sender,
        "receiver": found.receiver,
        "implicit": found.implicit,
        "sets": sets,
        "problems": _problems(found.problems, syntax),
    }


def _set_json(found: TransactionSet, syntax: Syntax, segments: bool) -> dict[str, object]:
    shape: dict[str, object] = {
        "kind": found.kind,
        "control": found.control,
        "version": found.version,
        "implementation": found.implementation,
        "segment_count": len(found.segments),
        "offset": found.offset,
        "problems": _problems(found.problems, syntax),
    }
    if segments:
        shape["segments"] = [
            {"position": each.position, "offset": each.offset, "tag": each.tag, "elements": each.elements}
            for each in found.segments
        ]
    return shape


def _problems(found: list[Problem], syntax: Syntax) -> list[dict[str, object]]:
    return [problem.as_json() | {"told_as": told(problem, syntax)} for problem in found]
