"""Which rule failed, and on which item. Runs only after a failure, so it may take its time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mappings.emission import Functions, Step, renamed
from mappings.expression import EvaluationFailed, Expression

_ITEMS_MAX: Final = 5_000
"""Items tried before the search ends without an index."""


@dataclass(frozen=True, slots=True)
class Culprit:
    """The step that failed, why, and the index at each of its contexts."""

    step: Step
    indexes: tuple[int, ...]
    failure: EvaluationFailed


def culprit_of(
    steps: Iterable[Step], when: str | None, payload: Any, bindings: Mapping[str, Any], functions: Functions
) -> Culprit | None:
    """The first step, in order, that fails by itself; null when none does (a limit met only by all together).

    Args:
        steps: Of one part, in order of evaluation.
        when: The part's condition, over the items of its `each`.
        payload: The exact payload.
        bindings: Context variables.
        functions: As in the failed expression.
    """
    search = _Search(payload, bindings, functions, when)
    for step in steps:
        found = search.try_step(step)
        if found is not None:
            return found
    return None


class _Search:
    def __init__(self, payload: Any, bindings: Mapping[str, Any], functions: Functions, when: str | None) -> None:
        self.payload = payload
        self.bindings = {**bindings, "root_": payload}
        self.functions = functions
        self.when = when
        self.left = _ITEMS_MAX
        self.compiled: dict[str, Expression] = {}

    def try_step(self, step: Step) -> Culprit | None:
        indexes: tuple[int, ...] = ()
        try:
            for place, item, scope in self.items(step.contexts, self.payload, {}, ()):
                indexes = place
                if step.guarded and self.when is not None and not self.value(self.when, item, scope):
                    continue
                self.value(step.expression, item, scope)
        except EvaluationFailed as failure:
            return Culprit(step, indexes, failure)
        return None

    def items(
        self, contexts: tuple[str, ...], item: Any, scope: dict[str, Any], indexes: tuple[int, ...]
    ) -> Iterator[tuple[tuple[int, ...], Any, dict[str, Any]]]:
        if not contexts:
            yield indexes, item, scope
            return
        try:
            found = self.value(contexts[0], item, scope)
        except EvaluationFailed:
            return  # the context is a step of its own, reported there
        level = len(indexes) + 1
        for index, inner in enumerate(found if isinstance(found, list) else [found]):
            if inner is not None and self.left > 0:
                self.left -= 1
                deeper = {**scope, f"outer_{level}": inner, f"index_{level}": index}
                yield from self.items(contexts[1:], inner, deeper, (*indexes, index))

    def value(self, expression: str, item: Any, scope: Mapping[str, Any]) -> Any:
        source = renamed(expression, {"$$": "$root_"})
        if source not in self.compiled:
            self.compiled[source] = Expression(source, self.functions)
        return self.compiled[source].evaluate(item, {**self.bindings, **scope})
