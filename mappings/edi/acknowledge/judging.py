"""Judging an interchange: every set validated, every problem weighed by the partner's profile.

One pass, set by set; what is kept of a set is its verdict, so memory grows with the problems, not with the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mappings.edi.acknowledge.verdicts import GroupVerdict, InterchangeVerdict, SetVerdict, Status
from mappings.edi.grammar import grammar_for
from mappings.edi.grammar.profile import STANDARD, Profile
from mappings.edi.grammar.releases import RELEASES, release
from mappings.edi.grammar.strictness import Action, class_of, weigh
from mappings.edi.grammar.validation import validate
from mappings.edi.model import Group, Interchange, TransactionSet
from mappings.edi.problems import Code, Level, Problem

OnSet = Callable[[Group, TransactionSet, SetVerdict], None]


def judge(interchange: Interchange, profile: Profile = STANDARD, on_set: OnSet | None = None) -> InterchangeVerdict:
    """Read an interchange to its end and decide about it.

    Args:
        interchange: as `mappings.edi.read` gives it, not yet iterated.
        profile: what the partner's problems mean.
        on_set: called with each set and its verdict while its segments are at hand. A group or interchange
            whose trailer turns out wrong rejects sets that were handed over before: act on none until it ended.
    """
    groups = [_judge_group(group, interchange, profile, on_set) for group in interchange.groups]
    told, kept = _apart(interchange.problems, profile)
    kept = (*kept, *_flaws_of_acknowledgements(interchange))
    status = Status.after(weigh(told, profile.actions))
    if status is Status.REJECTED:
        for group in groups:
            group.status = Status.REJECTED
    return InterchangeVerdict(
        syntax=interchange.syntax,
        separators=interchange.separators,
        control=interchange.control,
        sender=interchange.sender,
        receiver=interchange.receiver,
        version=interchange.version,
        test=interchange.test,
        date=interchange.date,
        time=interchange.time,
        header=interchange.header,
        acknowledgement_requested=interchange.acknowledgement_requested,
        acknowledges_only=bool(interchange.acknowledgements) and not groups,
        status=status,
        groups=groups,
        told=told,
        kept=kept,
        rejected_for=next((one for one in told if profile.actions[class_of(one)] is Action.REJECT), None),
    )


def judge_all(interchanges: Iterable[Interchange], profile: Profile = STANDARD) -> Iterator[InterchangeVerdict]:
    """A verdict for each interchange of a file, as the next one begins: what lies between them is its problem too."""
    held: tuple[Interchange, int, InterchangeVerdict] | None = None
    for interchange in interchanges:
        if held is not None:
            yield _with_what_follows(*held)
        verdict = judge(interchange, profile)
        held = interchange, len(interchange.problems), verdict
    if held is not None:
        yield _with_what_follows(*held)


def _with_what_follows(interchange: Interchange, known: int, verdict: InterchangeVerdict) -> InterchangeVerdict:
    """Problems met behind the trailer belong to no sender's envelope: they are kept, and told to nobody."""
    verdict.kept = (*verdict.kept, *interchange.problems[known:])
    return verdict


def _judge_group(group: Group, interchange: Interchange, profile: Profile, on_set: OnSet | None) -> GroupVerdict:
    spoken = _version_problems(group, interchange, profile)
    verdict = GroupVerdict(group.functional_id, group.control, group.version, group.implicit, Status.ACCEPTED)
    verdict.sender, verdict.receiver = group.sender, group.receiver
    for transaction in group.sets:
        decided = judge_set(transaction, group, profile)
        verdict.sets.append(decided)
        if on_set is not None:
            on_set(group, transaction, decided)
    verdict.received, verdict.declared = len(verdict.sets), group.declared
    verdict.told, verdict.kept = _apart([*spoken, *group.problems], profile)
    verdict.status = _status_of_group(verdict, profile)
    return verdict


def judge_set(transaction: TransactionSet, group: Group, profile: Profile = STANDARD) -> SetVerdict:
    """Validate one set and decide about it; the group's trailer may still reject it."""
    grammar = grammar_for(transaction.kind, transaction.version or group.version)
    problems = list(transaction.problems)
    if grammar is None or (profile.sets and transaction.kind not in profile.sets):
        # A set identifier that is missing or garbled has been told by the codec, more exactly.
        if not any(problem.code is Code.SET_KIND for problem in problems):
            problems.append(_unsupported(transaction, grammar is not None))
    else:
        if grammar.group and group.functional_id and grammar.group != group.functional_id:
            problems.append(_under_wrong_group(transaction, grammar.group, group))
        problems += validate(transaction, grammar, profile.codes.get(transaction.kind))
    if not problems:
        return SetVerdict(
            transaction.kind, transaction.control, transaction.version, transaction.implementation, Status.ACCEPTED
        )
    told, kept = _apart(problems, profile)
    status = Status.after(weigh(told, profile.actions))
    return SetVerdict(
        transaction.kind, transaction.control, transaction.version, transaction.implementation, status, told, kept
    )


def _flaws_of_acknowledgements(interchange: Interchange) -> list[Problem]:
    """What is wrong with the TA1 segments met. It is never told: acknowledgements are not answered."""
    rule = release(RELEASES[0]).segments["TA1"]
    flaws = [
        flaw
        for row in interchange.acknowledgements
        if rule is not None
        for flaw in rule.check(row[1:], interchange.separators)
    ]
    return [
        Problem(
            flaw.code,
            Level.INTERCHANGE,
            f"TA1{flaw.element:02d} {flaw.message}",
            tag="TA1",
            element_position=flaw.element,
            value=flaw.value,
            element_reference=flaw.reference,
        )
        for flaw in flaws
    ]


def _status_of_group(verdict: GroupVerdict, profile: Profile) -> Status:
    own = weigh(verdict.told, profile.actions)
    statuses = {each.status for each in verdict.sets}
    if own is Action.REJECT or statuses == {Status.REJECTED}:
        return Status.REJECTED
    if Status.REJECTED in statuses:
        return Status.PARTIAL
    return Status.WITH_ERRORS if own is Action.ACCEPT or Status.WITH_ERRORS in statuses else Status.ACCEPTED


def _apart(problems: Iterable[Problem], profile: Profile) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Problems to tell, and problems to keep; most sets have neither, and empty tuples cost nothing."""
    told: list[Problem] = []
    kept: list[Problem] = []
    for problem in problems:
        (kept if profile.actions[class_of(problem)] is Action.IGNORE else told).append(problem)
    return tuple(told), tuple(kept)


def _version_problems(group: Group, interchange: Interchange, profile: Profile) -> list[Problem]:
    if interchange.syntax != "x12" or profile.speaks(group.version):
        return []
    agreed = ", ".join(profile.versions or RELEASES)
    message = f"version {group.version[:12]!r} is none of those agreed: {agreed}"
    return [Problem(Code.GROUP_VERSION, Level.GROUP, message, tag="GS", element_position=8, value=group.version[:99])]


def _unsupported(transaction: TransactionSet, known: bool) -> Problem:
    why = "not agreed with the partner" if known else "not known here"
    message = f"{transaction.kind or 'a set without identifier'} is {why}"
    return Problem(Code.SET_UNSUPPORTED, Level.SET, message, segment_position=1, value=transaction.kind[:99])


def _under_wrong_group(transaction: TransactionSet, expected: str, group: Group) -> Problem:
    message = f"{transaction.kind} belongs under {expected}, not {group.functional_id}"
    return Problem(Code.SET_UNDER_GROUP, Level.SET, message, value=group.functional_id[:99])
