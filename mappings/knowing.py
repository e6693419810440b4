"""What can be known of an expression from its tree alone, whatever the payload."""

from __future__ import annotations

from typing import Final

from mappings.grammar import Array, Binary, Call, Literal, Name, Node, Path, Variable

ORDERED: Final = {"<": "< 0", "<=": "<= 0", ">": "> 0", ">=": ">= 0"}
"""Comparisons of size, and what they say of the sign of a difference."""
TRUTHS: Final = frozenset({"=", "!=", "in", "and", "or"})
"""Operators that always give true or false."""
COUNT_MAX: Final = 1_000_000
"""Numbers below are added and compared exactly by anyone."""


def first_count(node: Node) -> str:
    """The small whole number an array starts with, as in `$sum([0, …])`; "" where it starts with none."""
    first = node.items[0] if isinstance(node, Array) and node.items else None
    is_count = isinstance(first, Literal) and first.value.__class__ is int and abs(first.value) < COUNT_MAX
    return repr(first.value) if isinstance(first, Literal) and is_count else ""


def always_says(node: Node) -> bool:
    """True for expressions that give true or false, never nothing."""
    if isinstance(node, Binary):
        return node.operator in TRUTHS
    if isinstance(node, Call):
        return node.name == "exists" or (
            node.name == "not" and len(node.arguments) == 1 and always_says(node.arguments[0])
        )
    return isinstance(node, Literal) and node.value.__class__ is bool


def cannot_fail(node: Node) -> bool:
    """True for conditions that no value makes fail, nothing included."""
    match node:
        case Literal() | Name() | Variable():
            return True
        case Path(steps):
            return all(isinstance(step.node, Name | Variable) and not step.filters for step in steps)
        case Binary(operator, left, right) if operator in TRUTHS:
            return cannot_fail(left) and cannot_fail(right)
        case Binary(operator, left, right) if operator in ORDERED:
            return all(isinstance(side, Name) or _is_scalar(side) for side in (left, right))
        case Array(items):
            return all(isinstance(item, Literal) for item in items)
        case Call(name, arguments) if name in ("not", "exists", "boolean", "contains"):
            return all(cannot_fail(argument) for argument in arguments)
    return False


def _is_scalar(node: Node) -> bool:
    return isinstance(node, Literal) and node.value.__class__ in (str, int)


def says_or_nothing(node: Node) -> bool:
    """True for expressions that give true or false, or nothing."""
    if isinstance(node, Binary):
        return node.operator in ORDERED
    return isinstance(node, Call) and node.name in ("not", "boolean", "contains")
