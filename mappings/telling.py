"""Failures told so that someone can act: mapping file and line, target field, payload expression."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError

from canonical.errors import MappingError
from mappings.locating import Culprit
from mappings.merging import Part
from mappings.rules import Rule
from mappings.shaping import Misfit
from mappings.tree import Node

Path = Sequence[str | int]

_PLAIN: Final = re.compile(r"[\w.`$\-]+")
_MISSING: Final = "is required, and the mapping gives nothing for this payload"


def evaluation_error(culprit: Culprit) -> MappingError:
    """The expression itself failed."""
    rule, step = culprit.step.rule, culprit.step
    code = "limit" if culprit.failure.is_limit else "expression"
    target = _indexed(rule.target, culprit.indexes[-rule.target.count("[]") :] if "[]" in rule.target else ())
    path = _payload_path([*step.contexts, rule.expression], culprit.indexes)
    return MappingError(culprit.failure.message, target=target, path=path, file=rule.file, line=rule.line, code=code)


def misfit_error(part: Part, tree: Node, misfit: Misfit, index: int) -> MappingError:
    """The expression gave something the field does not take."""
    return _error(part, tree, misfit.path, misfit.message, "value", index)


def missing_error(part: Part, tree: Node, path: Path, index: int) -> MappingError:
    """A field the document cannot do without came out as nothing."""
    return _error(part, tree, path, _MISSING, "missing", index)


def validation_error(part: Part, tree: Node, problem: ValidationError, index: int) -> MappingError:
    """The model refuses the document. The first refusal is told, and how many follow."""
    found = problem.errors(include_url=False, include_input=False, include_context=False)
    path = [step for step in found[0]["loc"] if isinstance(step, int) or not step.startswith(("function-", "json-"))]
    missing = found[0]["type"] == "missing"
    message = _MISSING if missing else found[0]["msg"].removeprefix("Value error, ")
    if len(found) > 1:
        message += f" (and {len(found) - 1} more)"
    return _error(part, tree, path, message, "missing" if missing else "value", index)


def _error(part: Part, tree: Node, path: Path, message: str, code: str, index: int) -> MappingError:
    expressions, rule = _rules_on(tree, path)
    indexes = [step for step in path if isinstance(step, int)]
    if part.each is not None:
        expressions = [part.each.expression, *expressions]
        indexes = [index, *indexes]
    place = rule or part.each
    return MappingError(
        message,
        target=_joined(path),
        path=_payload_path(expressions, indexes),
        file=place.file if place else part.file,
        line=place.line if place else part.document_line,
        code=code,
    )


def _rules_on(tree: Node, path: Path) -> tuple[list[str], Rule | None]:
    """Expressions of the lists on the way, then of the field; and the rule nearest to the field."""
    node, nearest = tree, tree.rule
    expressions: list[str] = []
    last: str | None = None
    for step in path:
        if isinstance(step, int):
            continue
        child = node.children.get(step)
        if child is None:
            break
        node = child
        last = None
        if node.rule is not None:
            nearest = node.rule
            if node.many and node.children:
                expressions.append(node.rule.expression)
            else:
                last = node.rule.expression
    if last is None and nearest is None:
        nearest = next((below.rule for below in node.below() if below.rule is not None), None)
    return [*expressions, *([last] if last else [])], nearest


def _joined(path: Path) -> str:
    """`lines[2].quantity`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _indexed(target: str, indexes: Sequence[int]) -> str:
    for index in indexes:
        target = target.replace("[]", f"[{index}]", 1)
    return target


def _payload_path(expressions: Sequence[str], indexes: Sequence[int]) -> str:
    """`line_items[2].quantity` where the expressions are plain paths, else the innermost expression."""
    if not expressions:
        return ""
    outer, last = expressions[:-1], expressions[-1]
    numbers = list(indexes) + [None] * len(expressions)
    if not all(_PLAIN.fullmatch(expression) for expression in outer):
        return last
    steps = [
        expression if number is None else f"{expression}[{number}]"
        for expression, number in zip(outer, numbers, strict=False)
    ]
    if outer and not _PLAIN.fullmatch(last):
        return f"{last} in {'.'.join(steps)}"
    return ".".join([*steps, last])
