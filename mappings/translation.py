"""Familiar expressions as Python statements.

The code is built from the parsed tree alone: names and texts of an expression enter it as literals
(`repr`), everything else is spelt here. A value is JSON or `MISSING`; where only "something or
nothing" counts, `loose` gives None for both null and nothing, which most payload paths need.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mappings import familiar
from mappings.emission import CONTEXT
from mappings.grammar import (
    Array,
    Binary,
    Block,
    Call,
    Condition,
    Literal,
    Name,
    Node,
    Object,
    Path,
    Step,
    Unfamiliar,
    Variable,
    Wildcard,
)
from mappings.knowing import COUNT_MAX, ORDERED, TRUTHS, always_says, cannot_fail, first_count, says_or_nothing
from mappings.writing import Code

_ARITHMETIC: Final = {"+": "plus", "-": "minus", "*": "times", "&": "joined_text"}
_VARIABLE: Final = re.compile(r"Variable\(name='(\w*)'\)")


@dataclass(frozen=True, slots=True)
class Scope:
    """Python names of what an expression sees. `item` and `root` are its `$` and `$$`."""

    item: str
    root: str
    variables: Mapping[str, str] = field(default_factory=dict)


class Translator:
    """Writes expressions into `code`.

    Args:
        code: Takes the statements.
        functions: Ours, callable as `$name(…)`; they take None for nothing.
    """

    def __init__(self, code: Code, functions: Mapping[str, Callable[..., Any]]) -> None:
        self.code = code
        self.functions = functions

    def value(self, node: Node, scope: Scope) -> str:
        """A Python name: the expression's value, `MISSING` for nothing. Raises `Unfamiliar`."""
        if isinstance(node, Call | Array | Path | Binary):
            return self.code.written_once(_key(node, scope), lambda: self._value(node, scope))
        return self._value(node, scope)

    def _value(self, node: Node, scope: Scope) -> str:
        match node:
            case Literal(value):
                # Python warns of identity with a literal, so texts and numbers get a name.
                return repr(value) if value is None or value.__class__ is bool else self.code.put(repr(value))
            case Variable(name):
                return self._variable(name, scope)
            case Name(name):
                return self._member(scope.item, name)
            case Path():
                return self._path(node, scope)
            case Block():
                return self.value(node.result, self._assigned(node, scope))
            case Condition():
                return self._condition(node, scope, self.value, "MISSING")
            case Array(items):
                return self._array(items, scope)
            case Object(members):
                return self._object(members, scope)
            case Call():
                return self._call(node, scope)
            case Binary():
                return self._binary(node, scope)
        raise Unfamiliar(type(node).__name__)

    def loose(self, node: Node, scope: Scope) -> str:
        """As `value`, None for nothing."""
        match node:
            case Literal() | Array() | Object():
                return self.value(node, scope)
            case Block():
                return self.loose(node.result, self._assigned(node, scope))
            case Condition():
                return self._condition(node, scope, self.loose, "None")
            case Name(name):
                return self._loose_member(scope.item, name)
            case Path(steps) if (names := _plain_names(steps[1:])) and _starts_plainly(steps[0]):
                found = self.loose(steps[0].node, scope)
                for name in names:
                    found = self._loose_member(found, name)
                return found
            case Call(name) if name in self.functions:
                return self.value(node, scope)
            case Variable(name) if name in CONTEXT:
                return self.value(node, scope)
        found = self.value(node, scope)
        return found if self.code.is_present(found) else self.code.put(f"None if {found} is MISSING else {found}")

    def collected(self, node: Node, scope: Scope) -> str:
        """The name of a new list with the items the value stands for."""
        found = self.code.put_list()
        self._collect(node, scope, found)
        return found

    def truth(self, node: Node, scope: Scope) -> str:
        """A Python condition without side effects, false for nothing."""
        match node:
            case Literal(value):
                return repr(bool(value))
            case Binary(operator, left, right) if operator in ("and", "or"):
                return self._either(operator, left, right, scope)
            case Binary() if node.operator in TRUTHS or node.operator in ORDERED:
                return self._comparison(node, scope)
            case Call("not", (argument,)):
                if always_says(argument):
                    return f"(not {self.truth(argument, scope)})"
                found = self.value(argument, scope)
                return f"({found} is not MISSING and not {_as_truth(found)})"
            case Call("boolean", (argument,)):
                return self.truth(argument, scope)
            case Call("exists", (argument,)):
                return self._exists(argument, scope)
        found = self.loose(node, scope)
        return found if found in self.code.flags else f"(holds({found}) if {found}.__class__ is list else {found})"

    def _variable(self, name: str, scope: Scope) -> str:
        if name == "":
            return scope.item
        if name == "$":
            return scope.root
        if name not in scope.variables:
            raise Unfamiliar(f"${name}")
        return scope.variables[name]

    def _member(self, base: str, name: str) -> str:
        if base in self.code.objects:
            given = f"{base}.get({name!r}, MISSING)"
        else:
            given = f"{base}.get({name!r}, MISSING) if {base}.__class__ is dict else mapped({base}, {name!r})"
        return self.code.once((base, name), lambda: given)

    def _loose_member(self, base: str, name: str) -> str:
        """A member of something that is not `MISSING`."""
        given = f"{base}.get({name!r})"
        if base not in self.code.objects:
            given += f" if {base}.__class__ is dict else None if {base} is None else mapped_or_none({base}, {name!r})"
        return self.code.once((base, name, "loose"), lambda: given)

    def _assigned(self, node: Block, scope: Scope) -> Scope:
        for assignment in node.assignments:
            value = self.value(assignment.value, scope)
            scope = replace(scope, variables={**scope.variables, assignment.name: value})
        return scope

    def _condition(self, node: Condition, scope: Scope, write: Callable[[Node, Scope], str], nothing: str) -> str:
        name = self.code.name()
        with self.code.block(f"if {self.truth(node.test, scope)}"):
            self.code.add(f"{name} = {_as_literal(node.then) or write(node.then, scope)}")
        with self.code.block("else"):
            otherwise = nothing if node.otherwise is None else _as_literal(node.otherwise)
            self.code.add(f"{name} = {otherwise or write(node.otherwise, scope)}")  # type: ignore[arg-type]
        return name

    def _array(self, items: tuple[Node, ...], scope: Scope) -> str:
        first = [literal for item in items[:1] if (literal := _as_literal(item))]
        found = self.code.put_list(", ".join(first))
        for item in items[len(first) :]:
            if isinstance(item, Array):
                self.code.add(f"{found}.append({self.value(item, scope)})")
            else:
                self._collect(item, scope, found)
        return found

    def _object(self, members: tuple[tuple[str, Node], ...], scope: Scope) -> str:
        found = self.code.put("{}")
        self.code.objects.add(found)
        for name, node in members:
            value = self.value(node, scope)
            with self.code.present(value):
                self.code.add(f"{found}[{name!r}] = {value}")
        return found

    def _call(self, node: Call, scope: Scope) -> str:
        name, arguments = node.name, node.arguments
        if name in self.functions:
            _check_arity(self.functions[name], len(arguments))
            given = [_as_literal(argument) or self.loose(argument, scope) for argument in arguments]
            return self.code.put(f"{self.code.constant(self.functions[name])}({', '.join(given)})")
        if name in ("exists", "not", "boolean") and len(arguments) == 1:
            if name == "exists" or always_says(arguments[0]):
                return self.code.put_flag(f"bool({self.truth(node, scope)})")
            found = self.value(arguments[0], scope)
            said = _as_truth(found) if name == "boolean" else f"not {_as_truth(found)}"
            return self.code.put(f"MISSING if {found} is MISSING else bool({said})")
        familiar_call = familiar.CALLS.get(name)
        if familiar_call is None or len(arguments) != familiar_call[1]:
            raise Unfamiliar(f"${name}")
        given = [_as_literal(argument) or self.value(argument, scope) for argument in arguments]
        called = f"{self.code.constant(familiar_call[0])}({', '.join(given)})"
        return self.code.put(_shortened(name, arguments, given[0], called) if given else called)

    def _binary(self, node: Binary, scope: Scope) -> str:
        if node.operator in TRUTHS:
            return self.code.put_flag(f"bool({self.truth(node, scope)})")
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        if node.operator in ORDERED:
            order = self.code.put(f"compared({left}, {right})")
            return self.code.put(f"MISSING if {order} is None else {order} {ORDERED[node.operator]}")
        if node.operator not in _ARITHMETIC:
            raise Unfamiliar(node.operator)
        return self.code.put(f"{_ARITHMETIC[node.operator]}({left}, {right})")

    def _either(self, operator: str, left: Node, right: Node, scope: Scope) -> str:
        """The right side's statements, where it takes any, run only where the left leaves it open."""
        first = self.truth(left, scope)
        mark = self.code.mark()
        second = self.truth(right, scope)
        if self.code.mark()[0] == mark[0]:
            return f"({first} {operator} {second})"
        self.code.back_to(mark)
        found = self.code.put(first)  # as good as true or false, and used as no more
        with self.code.block(f"if {found}" if operator == "and" else f"if not {found}"):
            self.code.add(f"{found} = {self.truth(right, scope)}")
        return found

    def _comparison(self, node: Binary, scope: Scope) -> str:
        left, right, operator = self.value(node.left, scope), node.right, node.operator
        if operator in ORDERED:
            order = self.code.put(f"compared({left}, {self.value(right, scope)})")
            return f"({order} is not None and {order} {ORDERED[operator]})"
        if operator in ("=", "!="):
            if isinstance(right, Literal):
                return _against_literal(operator, left, right.value)
            return f"{'equal' if operator == '=' else 'differs'}({left}, {self.value(right, scope)})"
        if isinstance(right, Array) and all(isinstance(item, Literal) for item in right.items):
            return f"within({left}, {[item.value for item in right.items if isinstance(item, Literal)]!r})"
        return f"within({left}, {self.value(right, scope)})"

    def _exists(self, node: Node, scope: Scope) -> str:
        if isinstance(node, Array | Object | Literal) or (isinstance(node, Call) and node.name in self.functions):
            self.value(node, scope)  # it may fail
            return "True"
        found = self.value(node, scope)
        return "True" if self.code.is_present(found) else f"({found} is not MISSING)"

    def _collect(self, node: Node, scope: Scope, found: str) -> None:
        if isinstance(node, Path):
            _PathWriter(self, node.steps, found, collects=True).write(scope)
        elif isinstance(node, Condition):
            self._collect_either(node, scope, found)
        else:
            self.code.add_flat(found, self.value(node, scope))

    def _collect_either(self, node: Condition, scope: Scope, found: str) -> None:
        with self.code.block(f"if {self.truth(node.test, scope)}"):
            self._collect(node.then, scope, found)
        if node.otherwise is not None:
            with self.code.block("else"):
                self._collect(node.otherwise, scope, found)

    def _path(self, node: Path, scope: Scope) -> str:
        names = _plain_names(node.steps[1:])
        if len(names) == len(node.steps) - 1 and _starts_plainly(node.steps[0]):
            found = self.value(node.steps[0].node, scope)
            for name in names:
                found = self._member(found, name)
            return found
        found = self.code.put_list()
        _PathWriter(self, node.steps, found, collects=False).write(scope)
        return self.code.put(f"({found}[0] if len({found}) == 1 else as_path({found})) if {found} else MISSING")


class _PathWriter:
    """Writes a path as loops within loops, the innermost one adding to `found`.

    A value that is itself a list is added by its items where the path `collects` them, and whole
    where the path's own value is wanted, for `as_path` to decide.
    """

    def __init__(self, translator: Translator, steps: tuple[Step, ...], found: str, *, collects: bool) -> None:
        self.translator = translator
        self.code = translator.code
        self.steps = steps
        self.found = found
        self.collects = collects

    def write(self, scope: Scope) -> None:
        self._step(0, scope)

    def _step(self, index: int, scope: Scope) -> None:
        step = self.steps[index]
        if isinstance(step.node, Wildcard) and index < len(self.steps) - 1:
            value = self.code.put(f"bare(members({scope.item}))")
        else:
            value = self.translator.value(step.node, scope)
        if isinstance(step.node, Block | Call | Condition) and index:
            with self.code.block(f"if {value}.__class__ is list and len({value}) < 2"):
                self.code.add("raise Unsure")
        with self.code.present(value):
            self._filtered(index, value, step.filters, scope)
        if step.filters and not self.code.is_present(value) and not cannot_fail(step.filters[0]):
            # The evaluator tries a filter on nothing, too, where it gives nothing or fails.
            with self.code.block("else"):
                self.code.add("raise Unsure")

    def _filtered(self, index: int, value: str, filters: tuple[Node, ...], scope: Scope) -> None:
        if not filters:
            self._next(index, value, scope, single=False)
            return
        first, rest = filters[0], filters[1:]
        if isinstance(first, Literal) and first.value.__class__ is int:
            head = f"{value}[0] if {value}.__class__ is list and {value} else " if first.value == 0 else ""
            picked = self.code.put(f"{head}at({value}, {first.value})")
            with self.code.block(f"if {picked} is not MISSING"):
                self._filtered(index, picked, rest, scope)
            return
        item = self.code.name()
        if not rest:
            with self.code.block(f"for {item} in {self.code.items(value)}"):
                self._kept(first, item, scope, lambda: self._next(index, item, scope, single=True))
            return
        kept = self.code.put_list()
        with self.code.block(f"for {item} in {self.code.items(value)}"):
            self._kept(first, item, scope, lambda: self.code.add(f"{kept}.append({item})"))
        kept = self.code.put(f"bare({kept})")
        with self.code.block(f"if {kept} is not MISSING"):
            self._filtered(index, kept, rest, scope)

    def _kept(self, condition: Node, item: str, scope: Scope, then: Callable[[], None]) -> None:
        inner = replace(scope, item=item)
        if always_says(condition) or says_or_nothing(condition):
            test = self.translator.truth(condition, inner)
        else:
            test = f"selects({self.translator.value(condition, inner)})"
        with self.code.block(f"if {test}"):
            then()

    def _next(self, index: int, value: str, scope: Scope, *, single: bool) -> None:
        """On with the next step, over each of the value's items unless it is one of them already."""
        if index == len(self.steps) - 1:
            self._leaf(value, single=single)
            return
        if single:
            self._step(index + 1, replace(scope, item=value))
            return
        if value in self.code.objects:
            self._step(index + 1, replace(scope, item=value))
            return
        item = self.code.name()
        with self.code.block(f"for {item} in {self.code.items(value)}"):
            self._step(index + 1, replace(scope, item=item))

    def _leaf(self, value: str, *, single: bool) -> None:
        if single:
            with self.code.block(f"if {value}.__class__ is list"):
                self.code.add("raise Unsure")
        if self.collects and not single:
            self.code.add_flat(self.found, value)
        else:
            self.code.add(f"{self.found}.append({value})")


def _plain_names(steps: tuple[Step, ...]) -> tuple[str, ...]:
    """The names of steps that are names and nothing more; none where one is more."""
    names = [step.node.name for step in steps if isinstance(step.node, Name) and not step.filters]
    return tuple(names) if len(names) == len(steps) else ()


def _starts_plainly(step: Step) -> bool:
    return isinstance(step.node, Name | Variable) and not step.filters


def _as_literal(node: Node) -> str:
    return repr(node.value) if isinstance(node, Literal) else ""


def _shortened(name: str, arguments: tuple[Node, ...], given: str, called: str) -> str:
    """A familiar call with its commonest case spelt out before it."""
    first = first_count(arguments[0])
    if name == "string" and not isinstance(arguments[0], Literal):
        return f"str({given}) if {given}.__class__ is int else {called}"
    if name == "sum" and first:
        return f"{first} if len({given}) == 1 else {called}"
    if name == "max" and first:
        usual = f"len({given}) == 2 and {given}[1].__class__ is int and {first} <= {given}[1] < {COUNT_MAX}"
        return f"{given}[1] if {usual} else {called}"
    return called


def _key(node: Node, scope: Scope) -> tuple[str, ...]:
    """What the value depends on: the tree, and the names behind the variables in it."""
    tree = repr(node)
    seen = [f"{name}={scope.variables.get(name)}" for name in sorted(set(_VARIABLE.findall(tree)))]
    return (scope.item, scope.root, tree, *seen)


def _as_truth(value: str) -> str:
    return f"(holds({value}) if {value}.__class__ is list else {value} is not MISSING and bool({value}))"


def _against_literal(operator: str, left: str, value: Any) -> str:
    is_same = f"{left} is {value!r}" if value is None or value.__class__ is bool else f"{left} == {value!r}"
    if value.__class__ is int:
        is_same = f"({left}.__class__ is int and {is_same})"
    if operator == "=":
        return f"({is_same})"
    return f"({left} is not MISSING and not {is_same})"


def _check_arity(function: Callable[..., Any], count: int) -> None:
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        raise Unfamiliar("a number of arguments the function does not take") from None
