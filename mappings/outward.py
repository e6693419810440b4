"""The same language outwards: a canonical document in, a vendor's payload out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import orjson
from ruamel.yaml.comments import CommentedMap

from canonical import instant_text
from canonical.errors import MappingError
from mappings import payload as payloads
from mappings.emission import Emitter, Functions, Step, stream
from mappings.expression import BadExpression, EvaluationFailed, Expression
from mappings.faults import FaultLog
from mappings.locating import culprit_of
from mappings.reading import Entry, entries, plain, read_yaml
from mappings.rules import Rule
from mappings.shaping import Misfit, Shaper
from mappings.syntax import free_variables
from mappings.telling import evaluation_error
from mappings.tree import free_tree

_AS_OURS: Final = orjson.OPT_PASSTHROUGH_DATETIME
_KEYS: Final = ("document", "variables", "each", "fields", "description")


class Outward:
    """One outward mapping, compiled. With `each`, the result is a list, one object per item."""

    def __init__(self, file: str, expression: Expression, shaper: Shaper, steps: tuple[Step, ...], functions: Functions,
                 variables: frozenset[str], many: bool) -> None:  # fmt: skip
        self.file = file
        self._expression = expression
        self._shaper = shaper
        self._steps = steps
        self._functions = functions
        self._variables = variables
        self._many = many

    def render(self, document: Any, extra: Mapping[str, Any]) -> Any:
        """See `MappingSet.render`. Members that come out as nothing are absent."""
        missing = sorted(self._variables - set(extra) - {"extra"})
        if missing:
            raise MappingError(f"needs the variable ${missing[0]}", file=self.file, code="missing")
        value = payloads.decode(orjson.dumps(document, default=_json, option=_AS_OURS))
        stated = payloads.decode(orjson.dumps(dict(extra), default=_json, option=_AS_OURS))
        bindings = {**stated, "extra": stated}
        try:
            found = self._expression.evaluate(value, bindings)
        except EvaluationFailed as failure:
            culprit = culprit_of(self._steps, None, value, bindings, self._functions)
            if culprit is not None:
                raise evaluation_error(culprit) from None
            raise MappingError(failure.message, file=self.file, code="expression") from None
        try:
            shaped = [self._shaper(item) for item in found]
        except Misfit as misfit:
            target = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in misfit.path)
            raise MappingError(misfit.message, target=target.lstrip("."), file=self.file, code="value") from None
        return shaped if self._many else shaped[0]


def _json(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON value")


def load_outward(folder: Path, name: str, functions: Functions, log: FaultLog) -> tuple[dict[str, Outward], bytes]:
    """The outward mappings of a folder, which may be absent, by kind; and a digest of their bytes."""
    found: dict[str, Outward] = {}
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.yaml")):
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
        block = read_yaml(path, f"{name}/{path.name}", log)
        outward = None if block is None else _compiled(block, f"{name}/{path.name}", functions, log)
        if outward is not None:
            found[path.stem] = outward
    return found, digest.digest()


def _compiled(block: CommentedMap, file: str, functions: Functions, log: FaultLog) -> Outward | None:
    before = len(log.faults)
    given = {entry.key: entry for entry in entries(block)}
    for entry in given.values():
        if entry.key not in _KEYS:
            log.add(file, entry.line, entry.key, f"unknown key; known are {', '.join(_KEYS)}")
    fields = given["fields"].value if "fields" in given else None
    if not isinstance(fields, CommentedMap):
        log.add(
            file, given["fields"].line if "fields" in given else 1, "fields", "must map target paths to expressions"
        )
        return None
    variables = _variables(given.get("variables"), file, log)
    rules = {entry.key: Rule(entry.key, _expression(entry, file, log), file, entry.line) for entry in entries(fields)}
    emitter = Emitter(functions, [*variables, "extra"], log)
    tree = free_tree(rules, log)
    each = _each(given.get("each"), emitter, file, log)
    body, shaper = emitter.object_of(tree, () if each is None else (each,))
    if len(log.faults) > before:
        return None
    source = f"[{body}]" if each is None else f"[{stream(each, body, 1)}]"
    try:
        compiled = Expression(source, functions)
    except BadExpression as problem:
        log.add(file, None, "", f"the expressions do not compile together: {problem}")
        return None
    used = frozenset(name for rule in rules.values() for name in free_variables(rule.expression)) & set(variables)
    return Outward(file, compiled, shaper, tuple(emitter.steps), functions, used, each is not None)


def _variables(entry: Entry | None, file: str, log: FaultLog) -> list[str]:
    """Names of `extra` that the expressions use as variables."""
    if entry is None:
        return []
    value = plain(entry.value)
    if not isinstance(value, list) or not all(isinstance(name, str) and name.isidentifier() for name in value):
        log.add(file, entry.line, "variables", "must list names of `extra`")
        return []
    return value


def _each(entry: Entry | None, emitter: Emitter, file: str, log: FaultLog) -> str | None:
    if entry is None:
        return None
    return emitter.rule(Rule("each", _expression(entry, file, log), file, entry.line))


def _expression(entry: Entry, file: str, log: FaultLog) -> str:
    value = plain(entry.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and value.strip():
        return value.strip()
    log.add(file, entry.line, entry.key, "must be an expression (a text constant is written '\"text\"')")
    return "null"
