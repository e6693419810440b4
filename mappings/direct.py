"""A document type of a topic as one Python function, from payload to shaped documents.

What the evaluator and the shapers do for a payload of the usual shape, without crossing between
languages for every one. Wherever a payload or a rule is out of the ordinary the function raises
`Unsure` (or the failure itself), and the evaluator does the part anew: it alone gives errors their
place and words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mappings import familiar, shaping
from mappings.arithmetic import BadArgument, dabs, dadd, ddiv_exact, dmul, dneg, dsub, dsum
from mappings.deferral import defer
from mappings.emission import CONTEXT, ID_AT, Functions
from mappings.grammar import Call, Node, Unfamiliar, parse
from mappings.merging import Part
from mappings.rules import HoldRule, Rule
from mappings.shaping import ListShaper, Misfit, Shaper, shaper_for
from mappings.syntax import is_plain_path
from mappings.targets import Kind, fields_of
from mappings.translation import Scope, Translator
from mappings.tree import Node as Field
from mappings.writing import Code

Direct = Callable[[Any, Mapping[str, Any]], list[dict[str, Any]]]
"""Shaped documents of a payload, by the context variables that rules use."""
UNUSUAL: Final = (familiar.Unsure, BadArgument, Misfit)
"""What a direct function raises where the evaluator must decide."""
_SAFE: Final = 2**53 - 1
_COMPUTING: Final = (dadd, dsub, dmul, dsum, ddiv_exact, dneg, dabs)
"""What these give is an amount's own text, or nothing."""


def direct_part(part: Part, tree: Field, functions: Functions, used: frozenset[str]) -> Direct:
    """The function for a part. `used` are the context variables it gets."""
    writer = _PartWriter(part, functions, used)
    writer.write(tree)
    return writer.function(part.file)


def direct_refusal(rules: Sequence[Rule], functions: Functions, used: frozenset[str]) -> Direct:
    """A function that raises `Unsure` where one of the conditions holds, or may."""
    code = Code()
    writer = _Writer(code, functions, used)
    for rule in rules:
        writer.refuse_if(rule)
    code.add("return []")
    return writer.function("errors")


class _Writer:
    """Rules as statements; one that cannot be written as such is left to the evaluator."""

    def __init__(self, code: Code, functions: Functions, used: frozenset[str]) -> None:
        self.code = code
        self.functions = functions
        self.translator = Translator(code, functions)
        with code.block("if payload.__class__ is not dict"):
            code.add("raise Unsure")
        code.objects.add("payload")
        context: dict[str, str] = {name: code.put(f"context[{name!r}]") for name in CONTEXT if name in used}
        self.root = Scope("payload", "payload", {**context, "outer": "payload"})

    def function(self, file: str) -> Direct:
        return self.code.function(file, ("payload", "context"))

    def attempt(self, rule: Rule, write: Callable[[Node], str]) -> str | None:
        """What `write` gives for the rule's tree; null after leaving the rule to the evaluator."""
        mark = self.code.mark()
        try:
            return write(parse(rule.expression))
        except Unfamiliar:
            self.code.back_to(mark)
            self.code.add("raise Unsure")
            return None

    def refuse_if(self, rule: Rule) -> None:
        test = self.attempt(rule, lambda tree: self.translator.truth(tree, self.root))
        if test is not None:
            with self.code.block(f"if {test}"):
                self.code.add("raise Unsure")


class _PartWriter(_Writer):
    def __init__(self, part: Part, functions: Functions, used: frozenset[str]) -> None:
        super().__init__(Code(), functions, used)
        self.part = part

    def write(self, tree: Field) -> None:
        each = self.part.each
        found = self.code.put("[]")
        if each is None:
            self._document(tree, self.root, found)
        else:
            items = self.attempt(each, lambda parsed: self.translator.collected(parsed, self.root))
            if items is not None:
                self._over(items, self.root, lambda scope: self._document(tree, scope, found))
        self.code.add(f"return {found}")

    def _over(self, items: str, scope: Scope, body: Callable[[Scope], None]) -> None:
        """`body` for every item that is not null; an item that is no object is the evaluator's."""
        item, index = self.code.name(), self.code.name()
        with self.code.block(f"for {index}, {item} in enumerate({items})"):
            with self.code.block(f"if {item}.__class__ is not dict"):
                self.code.add("raise Unsure")
            self.code.objects.add(item)
            variables = {**scope.variables, "outer": scope.item, "index": index}
            body(replace(scope, item=item, variables=variables))

    def _document(self, tree: Field, scope: Scope, found: str) -> None:
        if self.part.when is None:
            self._filled_document(tree, scope, found)
            return
        test = self.attempt(self.part.when, lambda parsed: self.translator.truth(parsed, scope))
        if test is not None:
            with self.code.block(f"if {test}"):
                self._filled_document(tree, scope, found)

    def _filled_document(self, tree: Field, scope: Scope, found: str) -> None:
        document, constants = self._fields(tree, scope)
        if self.part.id_at is not None:
            self._shaped(self.part.id_at, scope, document, ID_AT, Kind.TIME, shaping.moment)
        if self.part.holds:
            self._holds(tree, scope, document)
        self._add_constants(document, constants)
        self.code.add(f"{found}.append({document})")

    def _holds(self, tree: Field, scope: Scope, document: str) -> None:
        model = tree.slot.model
        slot = None if model is None else fields_of(model).get("holds")
        if slot is None or "holds" in tree.children:
            self.code.add("raise Unsure")
            return
        found = self.code.put("[]")
        for hold in self.part.holds:
            self._hold(hold, scope, found)
        self.code.add(f"{document}['holds'] = {self.code.constant(shaper_for(slot))}({found})")

    def _hold(self, hold: HoldRule, scope: Scope, found: str) -> None:
        test = self.attempt(hold.when, lambda parsed: self.translator.truth(parsed, scope))
        if test is not None:
            with self.code.block(f"if {test}"):
                self.code.add(f"{found}.append({ {'name': hold.name, 'reason': hold.reason}!r})")

    def _fields(self, node: Field, scope: Scope) -> tuple[str, dict[str, Any]]:
        """The name of a new object with what the payload gives, and what goes in besides."""
        filled = self.code.put("{}")
        constants: dict[str, Any] = {}
        for child in node.children.values():
            if child.many:
                self._list(child, scope, filled)
            elif child.children:
                self._object(child, scope, filled)
            elif child.rule is not None:
                self._leaf(child, child.rule, scope, filled, constants)
        return filled, constants

    def _add_constants(self, filled: str, constants: Mapping[str, Any]) -> None:
        for name, value in constants.items():
            held = value if isinstance(value, str | int) else None
            given = repr(held) if held is not None else f"free({self.code.constant(value)})"
            self.code.add(f"{filled}[{name!r}] = {given}")

    def _object(self, node: Field, scope: Scope, filled: str) -> None:
        if node.rule is not None:
            self.code.add("raise Unsure")
            return
        inner, constants = self._fields(node, scope)
        only_constants = bool(constants) and len(constants) == len(node.children)
        optional = not node.slot.required and not only_constants
        with self.code.block(f"if {inner}" if optional else "if True"):
            self._add_constants(inner, constants)
            if node.item_slot.kind is Kind.MONEY:
                inner = self.code.put(f"whole_money({inner})")
                with self.code.block(f"if {inner} is not None"):
                    self.code.add(f"{filled}[{node.name!r}] = {inner}")
            else:
                self.code.add(f"{filled}[{node.name!r}] = {inner}")

    def _list(self, node: Field, scope: Scope, filled: str) -> None:
        rule = node.rule
        if rule is None:
            self.code.add(f"{filled}[{node.name!r}] = []")
            return
        if node.slot.required and is_plain_path(rule.expression):
            stated = self.attempt(rule, lambda parsed: self.translator.loose(parsed, scope))
            with self.code.block(f"if {stated} is None"):
                self.code.add("raise Unsure")
        items = self.attempt(rule, lambda parsed: self.translator.collected(parsed, scope))
        if items is None:
            return
        if node.children:
            self._objects(node, items, scope, filled)
            return
        whole = shaper_for(node.slot) if node.slot.item is not None else ListShaper(shaper_for(node.slot))
        self.code.add(f"{filled}[{node.name!r}] = {self.code.constant(whole)}({items})")

    def _objects(self, node: Field, items: str, scope: Scope, filled: str) -> None:
        found = self.code.put("[]")

        def item(inner: Scope) -> None:
            one, constants = self._fields(node, inner)
            self._add_constants(one, constants)
            if node.item_slot.kind is Kind.MONEY:
                self.code.add("raise Unsure")
            self.code.add(f"{found}.append({one})")

        self._over(items, scope, item)
        self.code.add(f"{filled}[{node.name!r}] = {found}")

    def _leaf(self, node: Field, rule: Rule, scope: Scope, filled: str, constants: dict[str, Any]) -> None:
        shaper = shaper_for(node.slot)
        deferred = defer(rule.expression, self.functions)
        if deferred is not None and deferred.constant:
            value = deferred.compute({})
            value = None if value is None else shaper(value)
            if value is not None:
                constants[node.name] = value
            return
        self._shaped(rule, scope, filled, node.name, node.slot.kind, shaper)

    def _shaped(self, rule: Rule, scope: Scope, filled: str, name: str, kind: Kind, shaper: Shaper) -> None:
        if kind is Kind.MONEY and self.attempt_money(rule, scope, filled, name):
            return
        value = self.attempt(rule, lambda parsed: self.translator.loose(parsed, scope))
        if value is None:
            return
        place = f"{filled}[{name!r}]"
        if kind in (Kind.TEXT, Kind.TIME):
            with (
                self.code.block(f"if {value}.__class__ is str"),
                self.code.block(f"if {value} and not {value}.isspace()"),
            ):
                self.code.add(f"{place} = {value}")
            if kind is Kind.TEXT:  # an id that is a number
                with self.code.block(f"elif {value}.__class__ is int and {-_SAFE} <= {value} <= {_SAFE}"):
                    self.code.add(f"{place} = str({value})")
            head = f"elif {value} is not None"
        elif kind in (Kind.FLAG, Kind.FREE, Kind.INTEGER, Kind.MEASURED):
            ready = {Kind.FLAG: "bool", Kind.FREE: "str"}.get(kind, "int")
            with self.code.block(f"if {value}.__class__ is {ready}"):
                self.code.add(f"{place} = {value}")
            head = f"elif {value} is not None"
        else:
            head = f"if {value} is not None"
        with self.code.block(head):
            shaped = self.code.put(f"{self.code.constant(shaper)}({value})")
            with self.code.block(f"if {shaped} is not None"):
                self.code.add(f"{place} = {shaped}")

    def attempt_money(self, rule: Rule, scope: Scope, filled: str, name: str) -> bool:
        """`$money(amount, currency)` spelt out, the commonest call of all."""
        mark = self.code.mark()
        try:
            parsed = parse(rule.expression)
            if not isinstance(parsed, Call) or parsed.name != "money" or len(parsed.arguments) != 2:
                return False
            amount, currency = [self.translator.loose(argument, scope) for argument in parsed.arguments]
        except Unfamiliar:
            self.code.back_to(mark)
            return False
        computed = isinstance(parsed.arguments[0], Call) and self.functions.get(parsed.arguments[0].name) in _COMPUTING
        plain = f"{amount}.__class__ is str and {amount} and 'e' not in {amount} and 'E' not in {amount}"
        with self.code.block(f"if {amount} is not None" if computed else f"if {plain}"):
            self.code.add(f"{filled}[{name!r}] = {{'amount': {amount}, 'currency': {currency} or None}}")
        if computed:
            return True
        with self.code.block(f"elif {amount} is not None"):
            made = self.code.put(f"money({amount}, {currency})")
            with self.code.block(f"if {made} is not None"):
                self.code.add(f"{filled}[{name!r}] = {made}")
        return True
