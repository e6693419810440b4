"""Rules written as one JSONata source per document, with the shaper of what it gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mappings.arithmetic import BadArgument
from mappings.deferral import Deferred, defer
from mappings.expression import BadExpression, Expression
from mappings.faults import FaultLog
from mappings.merging import Part
from mappings.rules import HoldRule, Rule
from mappings.shaping import ListShaper, Misfit, ObjectShaper, Shaper, moment, money, shaper_for
from mappings.syntax import BUILT_INS, IMPURE, closed, free_variables, is_plain_path, tokens, used_variables
from mappings.targets import Kind, fields_of
from mappings.tree import Node

CONTEXT: Final = ("account", "currency", "time_zone", "locations", "occurred_at", "received_at")
"""Variables every inward expression has."""
ID_AT: Final = "~id_at"
"""Member of a document that carries the instant its id sorts by."""

Functions = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """A rule as it was written into the source, for finding out which one failed.

    `contexts` are expressions, each over the items of the one before, whose items the rule sees as
    `$`. `guarded` steps are evaluated only where the part's `when` holds.
    """

    rule: Rule
    contexts: tuple[str, ...]
    expression: str
    guarded: bool = True


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object: null `source` means a constant."""

    name: str
    source: str | None
    shaper: Shaper
    constant: Any = None


@dataclass(frozen=True, slots=True)
class Emitted:
    """The source of an array of documents, the shaper of one, and the rules in the order of evaluation."""

    source: str
    shaper: Shaper
    steps: tuple[Step, ...]


class Emitter:
    """Writes sources, collecting faults and the context variables that are used.

    `$outer` is the item around a list's item (the whole payload where there is none), `$index` the
    position of the item, from 0. Both get the number of their level, because an expression inside a
    list may itself stand in a list.
    """

    def __init__(self, functions: Functions, variables: Sequence[str], log: FaultLog) -> None:
        self.functions = functions
        self.known = {*functions, *variables, "outer", "index", *BUILT_INS, *IMPURE}
        self.context = frozenset(variables)
        self.log = log
        self.steps: list[Step] = []
        self.used: set[str] = set()

    def rule(self, rule: Rule, contexts: tuple[str, ...] = (), *, guarded: bool = True) -> str:
        """The rule's expression as it stands in the source; `null` after a fault."""
        try:
            Expression(rule.expression, self.functions)
        except BadExpression as problem:
            self.log.add(rule.file, rule.line, rule.target, f"bad expression: {problem}")
            return "null"
        for name in sorted(free_variables(rule.expression)):
            if name not in self.known:
                self.log.add(rule.file, rule.line, rule.target, f"there is no function or variable ${name}")
            elif name in IMPURE:
                self.log.add(rule.file, rule.line, rule.target, f"${name} is not available: a mapping is pure")
        self.used |= used_variables(rule.expression) & self.context
        level = len(contexts)
        outer = f"$outer_{level - 1}" if level > 1 else "$$"
        written = renamed(rule.expression, {"$outer": outer, "$index": f"$index_{level}"})
        self.steps.append(Step(rule, contexts, written, guarded))
        return written

    def object_of(self, node: Node, contexts: tuple[str, ...], more: Sequence[Member] = ()) -> tuple[str, Shaper]:
        """An object filled part by part; a rule on it gives what is not filled singly."""
        members = _joined([*(self._member(child, contexts) for child in node.children.values()), *more])
        literal = ",".join(f"{json.dumps(member.name)}:{member.source}" for member in members if member.source)
        source = "{" + literal + "}"
        fields = {member.name: member.shaper for member in members if member.source}
        constants = {member.name: member.constant for member in members if member.constant is not None}
        if node.rule is not None and not node.many:
            source = f'$merge([({self.rule(node.rule, contexts)})[$type($)="object"],{source}])'
            fields = {**_whole_fields(node), **fields}
        optional = bool(node.name) and not node.many and not node.slot.required
        shaper: Shaper = ObjectShaper(fields, constants, optional=optional)
        return source, _money_from_parts(shaper) if node.item_slot.kind is Kind.MONEY else shaper

    def _member(self, node: Node, contexts: tuple[str, ...]) -> Member:
        if node.many:
            return Member(node.name, *self._list_of(node, contexts))
        if node.children:
            return Member(node.name, *self.object_of(node, contexts))
        shaper = shaper_for(node.slot)
        return Member(node.name, "null", shaper) if node.rule is None else self._leaf(node, node.rule, contexts, shaper)

    def _leaf(self, node: Node, rule: Rule, contexts: tuple[str, ...], shaper: Shaper) -> Member:
        expression = self.rule(rule, contexts)
        try:
            deferred = defer(expression, self.functions)
            if deferred is None:
                return Member(node.name, closed(expression), shaper)
            if deferred.constant:
                value = deferred.compute({})
                return Member(node.name, None, shaper, None if value is None else shaper(value))
        except (BadArgument, Misfit) as problem:
            self.log.add(rule.file, rule.line, rule.target, str(problem))
            return Member(node.name, None, shaper)
        return Member(node.name, _leaves(deferred), _after(deferred, node, shaper))

    def _list_of(self, node: Node, contexts: tuple[str, ...]) -> tuple[str, Shaper]:
        """A list: always an array, never a lone item, never null."""
        whole = shaper_for(node.slot) if node.slot.item is not None else ListShaper(shaper_for(node.slot))
        if node.rule is None:
            return "[]", whole
        items = self.rule(node.rule, contexts)
        if not node.children:
            return self._stated(node, items, f"[({items})]"), whole
        within = (*contexts, items)
        body, shaper = self.object_of(node, within)
        return self._stated(node, items, f"[{stream(items, body, len(within))}]"), ListShaper(shaper)

    def _stated(self, node: Node, items: str, source: str) -> str:
        """A required list whose plain path leads nowhere is absent, not empty: the payload has changed its shape.

        Filters and calculations say themselves what an empty result means.
        """
        return f"({items}!=null?{source})" if node.slot.required and is_plain_path(items) else source


def stream(items: str, body: str, level: int) -> str:
    """`body` for every item that is not null."""
    index = f"#$index_{level}" if f"$index_{level}" in body else ""
    bound = f"($outer_{level}:=$;{body})" if f"$outer_{level}" in body else body
    return f"{closed(items)}[$!=null]{index}.{bound}"


def renamed(expression: str, names: Mapping[str, str]) -> str:
    """The expression with variables renamed; texts and comments stay."""
    parts, at = [], 0
    for token in tokens(expression):
        if token.kind == "variable" and token.text in names:
            parts += [expression[at : token.start], names[token.text]]
            at = token.end
    return "".join([*parts, expression[at:]])


def emit_part(part: Part, tree: Node, emitter: Emitter) -> Emitted:
    """The source that gives the part's documents as an array."""
    first = len(emitter.steps)
    each = emitter.rule(part.each, guarded=False) if part.each else None
    contexts = () if each is None else (each,)
    when = emitter.rule(part.when, contexts, guarded=False) if part.when else None
    body, shaper = emitter.object_of(tree, contexts, _engine_members(part, tree, emitter, contexts))
    if when is not None:
        body = f"(({when})?{body})"
    source = f"[{body}]" if each is None else f"[{stream(each, body, 1)}]"
    return Emitted(source, shaper, tuple(emitter.steps[first:]))


def _engine_members(part: Part, tree: Node, emitter: Emitter, contexts: tuple[str, ...]) -> list[Member]:
    members: list[Member] = []
    if part.id_at is not None:
        members.append(Member(ID_AT, f"({emitter.rule(part.id_at, contexts)})", moment))
    model = tree.slot.model
    if part.holds and model is not None:
        slot = fields_of(model).get("holds")
        if slot is None:
            rule = part.holds[0].when
            emitter.log.add(rule.file, rule.line, "hold_when", f"a document of type {part.document} cannot be held")
        else:
            members.append(Member("holds", _holds(part.holds, emitter, contexts), shaper_for(slot)))
    return members


def _holds(holds: Sequence[HoldRule], emitter: Emitter, contexts: tuple[str, ...]) -> str:
    entries = [
        f"(({emitter.rule(hold.when, contexts)})?{json.dumps({'name': hold.name, 'reason': hold.reason})})"
        for hold in holds
    ]
    return f"[{','.join(entries)}]"


def _joined(members: Sequence[Member]) -> list[Member]:
    """Two members of one name are two lists; they follow one another."""
    found: dict[str, Member] = {}
    for member in members:
        earlier = found.get(member.name)
        if earlier is None:
            found[member.name] = member
        else:
            found[member.name] = Member(member.name, f"[$append({earlier.source},{member.source})]", earlier.shaper)
    return list(found.values())


def _leaves(deferred: Deferred) -> str:
    if deferred.direct:
        return closed(deferred.leaves[0])
    return "{" + ",".join(f'"{number}":{closed(leaf)}' for number, leaf in enumerate(deferred.leaves)) + "}"


def _after(deferred: Deferred, node: Node, shaper: Shaper) -> Shaper:
    compute = deferred.of_one if deferred.direct else deferred.compute
    if deferred.outermost == "money" and node.slot.kind is Kind.MONEY:
        return compute  # $money gives exactly what such a field takes

    def computed(value: Any) -> Any:
        found = compute(value)
        return None if found is None else shaper(found)

    return computed


def _whole_fields(node: Node) -> dict[str, Shaper]:
    model = node.item_slot.model
    return {} if model is None else {name: shaper_for(slot) for name, slot in fields_of(model).items()}


def _money_from_parts(shaper: Shaper) -> Shaper:
    def shaped(value: Any) -> Any:
        found = shaper(value)
        return None if found is None else money(found)

    return shaped
