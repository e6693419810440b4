"""Calls of our own functions, taken out of the evaluator.

A function of ours that spans a whole expression need not be called from inside the evaluator, where
every call crosses between languages: `$money($dsub(a, b), c)` becomes three plain paths for the
evaluator, and the calls follow here. The result is the same; an order has dozens of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mappings.arithmetic import BadArgument
from mappings.syntax import call, literal

Values = Mapping[str, Any]
"""What the evaluator gave for the leaves, by their number as text; missing ones are absent."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """An expression split into leaves for the evaluator and a computation on their values.

    `constant` holds when there is no leaf. `direct` means that there is exactly one leaf, which the
    evaluator may give bare, because nothing in gives nothing out.
    """

    leaves: tuple[str, ...]
    compute: Callable[[Values], Any]
    direct: bool
    outermost: str

    @property
    def constant(self) -> bool:
        return not self.leaves

    def of_one(self, value: Any) -> Any:
        """The result where the single leaf came bare."""
        return self.compute({"0": value})


def defer(expression: str, functions: Mapping[str, Callable[..., Any]]) -> Deferred | None:
    """The split expression, or null when it is neither a literal nor one call of `functions`.

    Raises:
        BadArgument: A function is called with a number of arguments it does not take.
    """
    leaves: list[str] = []
    is_literal, value = literal(expression)
    if is_literal:
        return Deferred((), lambda _: value, direct=False, outermost="")
    split = call(expression)
    if split is None or split[0] not in functions:
        return None
    compute = _split(expression, functions, leaves)
    return Deferred(tuple(leaves), compute, len(leaves) == 1 and _nothing_from_nothing(compute), split[0])


def _nothing_from_nothing(compute: Callable[[Values], Any]) -> bool:
    try:
        return compute({}) is None
    except BadArgument:
        return False


def _split(text: str, functions: Mapping[str, Callable[..., Any]], leaves: list[str]) -> Callable[[Values], Any]:
    is_literal, value = literal(text)
    if is_literal:
        return lambda _: value
    found = call(text)
    if found is None or found[0] not in functions:
        key = str(leaves.index(text)) if text in leaves else str(len(leaves))
        if text not in leaves:
            leaves.append(text)
        return lambda values: values.get(key)
    _check_arity(found[0], functions[found[0]], len(found[1]))
    return _applied(functions[found[0]], [_split(argument, functions, leaves) for argument in found[1]])


def _check_arity(name: str, function: Callable[..., Any], count: int) -> None:
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        raise BadArgument(f"${name} cannot be called with {count} arguments") from None


def _applied(function: Callable[..., Any], parts: list[Callable[[Values], Any]]) -> Callable[[Values], Any]:
    """Spelt out for one and two arguments, which is nearly always, because these run for every field."""
    if len(parts) == 1:
        only = parts[0]
        return lambda values: function(only(values))
    if len(parts) == 2:
        first, second = parts
        return lambda values: function(first(values), second(values))
    return lambda values: function(*[part(values) for part in parts])
