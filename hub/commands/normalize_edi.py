"""`trunkline normalize edi KIND FILE`: documents of every set that was good enough, problems on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import canonical
from hub.commands.common import EXIT_OK, EXIT_USAGE, CommandError, Json, print_json
from hub.commands.opening import opened
from mappings import MapContext, MappingSet
from mappings.edi.documents import MappedInterchange, MappedSet, documents_of
from mappings.edi.partners import PartnerProfile
from mappings.edi.payloads import code_of

CONNECTOR = "edi"
ANY = "-"


def normalize(
    kind: str, file: str, mapping: MappingSet, context: MapContext, partner: PartnerProfile | None = None
) -> int:
    """Prints the documents of a file's sets as one JSON array.

    Args:
        kind: only sets of this kind (`850`); `-` for all.
        file: a path, or `-`.
        mapping: of the connector edi.
        context: of the account.
        partner: whose file it is; without one, a tolerant profile judges.
    """
    if kind != ANY and kind not in mapping.topics:
        known = ", ".join(sorted(mapping.topics))
        raise CommandError(f"no mapping reads {kind!r}; known are {known}, and - for all", exit_code=EXIT_USAGE)
    documents: list[Json] = []
    rejected, empty = False, True
    with opened(file) as source:
        for found in documents_of(source, mapping, context, partner):
            empty = False
            rejected = rejected or found.rejected
            for line in _told(found, kind):
                sys.stderr.write(line + "\n")
            for each in _wanted(found, kind):
                documents += [json.loads(canonical.dump(document)) for document in each.documents]
    if empty:
        raise CommandError(f"{file} holds no interchange: neither ISA nor UNB was found", exit_code=EXIT_USAGE)
    print_json(documents)
    return EXIT_USAGE if rejected else EXIT_OK


def _wanted(found: MappedInterchange, kind: str) -> Iterator[MappedSet]:
    return (each for each in found.sets if kind in (ANY, each.kind))


def _told(found: MappedInterchange, kind: str) -> Iterator[str]:
    """One line per problem: where, its code, and what is wrong; values only where they are codes of the standard."""
    for place, problem in found.verdict.problems:
        at = f" {problem.place}:" if problem.place else ""
        yield f"{place}: [{code_of(problem)}]{at} {problem.message}"
    for each in _wanted(found, kind):
        if each.error is not None:
            code = f"[{each.error.code}] " if each.error.code else ""
            yield f"{each.place}: {code}{' '.join(str(each.error).split())}"
