"""The familiar part of JSONata as a tree, for `mappings.translation`.

Only what mappings mostly consist of is parsed: paths, filters, conditions, comparisons, calls,
blocks with variables, and constructors. Everything else (functions of one's own, regular
expressions, ordering, ranges, parents, …) is `Unfamiliar`, and the evaluator's alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from mappings.syntax import Token, tokens


class Unfamiliar(ValueError):
    """Outside the part of the language that is parsed here. Says nothing about being right or wrong."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Text, whole number, true, false or null."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """A member of the context."""

    name: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Every member of the context."""


@dataclass(frozen=True, slots=True)
class Variable:
    """`name` without its `$`: "" is the context, "$" the whole input."""

    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a path. Filters apply to what the step gives for one context."""

    node: Node
    filters: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """Steps, each over the items of the one before; a single step stands here only for its filters."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Assign:
    """`$name := value`, in a block."""

    name: str
    value: Node


@dataclass(frozen=True, slots=True)
class Block:
    """Parentheses: assignments in order, then the result."""

    assignments: tuple[Assign, ...]
    result: Node


@dataclass(frozen=True, slots=True)
class Condition:
    """`test ? then : otherwise`."""

    test: Node
    then: Node
    otherwise: Node | None


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two operands."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    """`$name(arguments)`."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Object:
    """`{"a": b}` with literal names, none of them twice."""

    members: tuple[tuple[str, Node], ...]


Node = Literal | Name | Wildcard | Variable | Path | Block | Condition | Binary | Call | Array | Object

_POWER: Final = {
    "[": 80, ".": 75, "*": 60, "+": 50, "-": 50, "&": 50, "=": 40, "!=": 40, "<": 40, "<=": 40, ">": 40, ">=": 40,
    "in": 40, "and": 30, "or": 25, "?": 20,
}  # fmt: skip
"""How tightly an operator binds what is left of it."""
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_INTEGER_MAX: Final = 2**53 - 1


def parse(expression: str) -> Node:
    """The tree of an expression that the evaluator accepts. Raises `Unfamiliar`."""
    parser = _Parser(list(tokens(expression)))
    node = parser.expression(0)
    if parser.here is not None:
        raise Unfamiliar(expression)
    return node


class _Parser:
    """Operators by their power, as in JSONata's own parser (Pratt)."""

    def __init__(self, found: list[Token]) -> None:
        self.found = found
        self.at = 0

    @property
    def here(self) -> Token | None:
        return self.found[self.at] if self.at < len(self.found) else None

    def take(self, sign: str = "") -> Token:
        token = self.here
        if token is None or (sign and not _is(token, sign)):
            raise Unfamiliar(sign or "an operand")
        self.at += 1
        return token

    def taken(self, sign: str) -> bool:
        if self.here is None or not _is(self.here, sign):
            return False
        self.at += 1
        return True

    def expression(self, power: int) -> Node:
        left = self.operand()
        while (token := self.here) is not None and _operator_power(token) > power:
            left = self.operation(left, token.text)
        return left

    def operation(self, left: Node, operator: str) -> Node:
        self.at += 1
        if operator == "[":
            inside = self.expression(0)
            self.take("]")
            return _filtered(left, inside)
        if operator == ".":
            return Path((*_steps(left), *_steps(self.expression(_POWER["."]), inner=True)))
        if operator == "?":
            then = self.expression(0)
            return Condition(left, then, self.expression(0) if self.taken(":") else None)
        return Binary(operator, left, self.expression(_POWER[operator]))

    def operand(self) -> Node:
        token = self.take()
        if token.kind == "string":
            return Literal(_text(token.text))
        if token.kind == "number":
            return Literal(_integer(token.text))
        if token.kind == "quoted":
            return Name(token.text[1:-1])
        if token.kind == "name":
            return self.word(token.text)
        if token.kind == "variable":
            return self.variable(token.text[1:])
        return self.sign(token)

    def word(self, text: str) -> Node:
        if text in _CONSTANTS:
            return Literal(_CONSTANTS[text])
        if text in ("function", "λ", "and", "or", "in"):
            raise Unfamiliar(text)
        return Name(text)

    def variable(self, name: str) -> Node:
        if not self.taken("("):
            return Variable(name)
        return Call(name, self.listed(")"))

    def sign(self, token: Token) -> Node:
        if token.kind != "sign":
            raise Unfamiliar(token.text)
        if token.text == "(":
            return self.block()
        if token.text == "[":
            return Array(self.listed("]"))
        if token.text == "{":
            return self.object()
        if token.text == "*":
            return Wildcard()
        if token.text == "-" and self.here is not None and self.here.kind == "number":
            return Literal(-_integer(self.take().text))
        raise Unfamiliar(token.text)

    def listed(self, end: str) -> tuple[Node, ...]:
        if self.taken(end):
            return ()
        found = [self.expression(0)]
        while self.taken(","):
            found.append(self.expression(0))
        self.take(end)
        return tuple(found)

    def block(self) -> Node:
        assignments: list[Assign] = []
        while self.assigns():
            name = self.take().text[1:]
            self.take(":=")
            assignments.append(Assign(name, self.expression(0)))
            self.take(";")
        result = self.expression(0)
        self.take(")")
        return Block(tuple(assignments), result)

    def assigns(self) -> bool:
        following = self.found[self.at + 1 : self.at + 2]
        is_variable = self.here is not None and self.here.kind == "variable"
        return is_variable and bool(following) and _is(following[0], ":=")

    def object(self) -> Node:
        members: dict[str, Node] = {}
        if self.taken("}"):
            return Object(())
        while True:
            token = self.take()
            if token.kind != "string" or _text(token.text) in members:
                raise Unfamiliar(token.text)
            self.take(":")
            members[_text(token.text)] = self.expression(0)
            if not self.taken(","):
                break
        self.take("}")
        return Object(tuple(members.items()))


def _is(token: Token, sign: str) -> bool:
    return token.kind == "sign" and token.text == sign


def _operator_power(token: Token) -> int:
    """0 for what ends an operand; an operator that is not known here ends it too, and fails there."""
    return _POWER.get(token.text, 0) if token.kind in ("sign", "name") else 0


def _steps(node: Node, *, inner: bool = False) -> tuple[Step, ...]:
    if isinstance(node, Path):
        return node.steps
    if isinstance(node, Literal) or (inner and isinstance(node, Variable | Array)):
        raise Unfamiliar("a step that is no name, call, block or object")
    return (Step(node),)


def _filtered(node: Node, inside: Node) -> Node:
    steps = _steps(node)
    last = steps[-1]
    return Path((*steps[:-1], Step(last.node, (*last.filters, inside))))


def _text(token: str) -> str:
    if token.startswith("'"):
        if "\\" in token:
            raise Unfamiliar(token)
        return token[1:-1]
    try:
        return str(json.loads(token))
    except ValueError:
        raise Unfamiliar(token) from None


def _integer(token: str) -> int:
    if not token.isdigit() or int(token) > _INTEGER_MAX:
        raise Unfamiliar(token)
    return int(token)
