"""A topic compiled: one expression over the payload, and what is done with its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import orjson
from pydantic import ValidationError

from canonical import DOCUMENT_TYPES, Document, Order, with_residual
from canonical.documents import DocumentBase
from canonical.errors import MappingError
from mappings.direct import UNUSUAL, Direct, direct_part, direct_refusal
from mappings.emission import CONTEXT, ID_AT, Emitted, Emitter, Functions, Step, emit_part
from mappings.expression import BadExpression, EvaluationFailed, Expression
from mappings.familiar import Unsure
from mappings.faults import FaultLog
from mappings.identity import identify
from mappings.locating import culprit_of
from mappings.merging import Part
from mappings.rules import ErrorRule, Rule
from mappings.shaping import Misfit
from mappings.telling import evaluation_error, misfit_error, missing_error, validation_error
from mappings.tree import Node, document_tree, names_its_fields


@dataclass(frozen=True, slots=True)
class PartProgram:
    """One document type of a topic, compiled."""

    part: Part
    model: type[DocumentBase]
    tree: Node
    emitted: Emitted
    direct: Direct
    extra: Literal["ignore", "forbid"]
    """Fields the model does not have. None can come where each was mapped by its name, and looking costs time."""

    @property
    def when(self) -> str | None:
        """The condition as it stands in the source."""
        return next((step.expression for step in self.emitted.steps if step.rule is self.part.when), None)


class TopicProgram:
    """Maps the payloads of one topic. Safe to use from any thread.

    A payload of the usual shape is mapped by the parts' direct functions. Parts that those leave
    undecided go to the evaluator together; and whenever anything at all is wrong the evaluator maps
    the whole payload anew, so that every failure is found in one way and told in one way.

    Raises:
        BadExpression: The rules are each in order, but not together (too large for the compiler).
    """

    def __init__(
        self, parts: Sequence[PartProgram], errors: Sequence[tuple[ErrorRule, Step]], chain: str, used: frozenset[str],
        functions: Functions,
    ) -> None:  # fmt: skip
        self.parts = tuple(parts)
        self.errors = tuple(errors)
        self.used = used
        self.functions = functions
        whole = _source_of(dict(enumerate(self.parts)))
        if chain:
            whole = f'($vendor_fault:={chain};$exists($vendor_fault)?{{"fault":$vendor_fault}}:{whole})'
        self.expression = Expression(whole, functions)
        self._refusal = direct_refusal([rule.when for rule, _ in errors], functions, used)
        self._rest: dict[tuple[int, ...], Expression] = {}

    def map(
        self, payload: Any, bindings: Mapping[str, Any], source: Mapping[str, Any], *, is_long: bool = False
    ) -> list[Document]:
        """Documents of an exact payload, in order.

        Args:
            payload: As `mappings.payload.decode` gives it.
            bindings: Values of the context variables in `used`.
            source: What every document's `source` has, whatever the mapping adds.
            is_long: The payload may reach the evaluator's limit on the length of sequences.

        Raises:
            MappingError: Also when the payload is a vendor's error.
        """
        if not is_long:
            try:
                shaped = self.shaped_directly(payload, bindings)
                return [
                    _validated(program, _identified(program, found, index, source))
                    for program, all_found in zip(self.parts, shaped, strict=True)
                    for index, found in enumerate(all_found)
                ]
            except (*UNUSUAL, EvaluationFailed, MappingError, ValidationError):
                pass  # mapped anew, which says what is wrong if anything is
        return self.map_evaluated(payload, bindings, source)

    def map_evaluated(self, payload: Any, bindings: Mapping[str, Any], source: Mapping[str, Any]) -> list[Document]:
        """As `map`, by the evaluator alone."""
        try:
            result = self.expression.evaluate(payload, bindings)
        except EvaluationFailed as failure:
            raise self._located(failure, payload, bindings) from None
        fault = result.get("fault")
        if fault is not None:
            raise self._vendor_error(fault)
        return [
            _document(program, found, index, source)
            for number, program in enumerate(self.parts)
            for index, found in enumerate(result.get(str(number)) or ())
        ]

    def shaped_directly(self, payload: Any, bindings: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
        """The shaped documents of every part; the evaluator gives those of parts that are undecided.

        Raises:
            Unsure: The evaluator must map the whole payload.
            BadArgument, Misfit, EvaluationFailed: A rule fails.
        """
        self._refusal(payload, bindings)
        found: list[list[dict[str, Any]]] = []
        left: list[int] = []
        for number, program in enumerate(self.parts):
            try:
                found.append(program.direct(payload, bindings))
            except Unsure:
                found.append([])
                left.append(number)
        if left:
            self._evaluate_rest(tuple(left), found, payload, bindings)
        return found

    def _evaluate_rest(
        self, left: tuple[int, ...], found: list[list[dict[str, Any]]], payload: Any, bindings: Mapping[str, Any]
    ) -> None:
        if len(left) == len(self.parts):
            raise Unsure
        expression = self._rest.get(left)
        if expression is None:
            source = _source_of({number: self.parts[number] for number in left})
            expression = self._rest.setdefault(left, Expression(source, self.functions))
        result = expression.evaluate(payload, bindings)
        for number in left:
            shaper = self.parts[number].emitted.shaper
            found[number] = [shaper(item) for item in result.get(str(number)) or ()]

    def _vendor_error(self, fault: Mapping[str, Any]) -> MappingError:
        rule = self.errors[int(fault["rule"])][0].when
        code, message = (_first_text(fault.get(name)) for name in ("code", "message"))
        return MappingError(
            f"the vendor answered with an error: {message or code or 'without a message'}",
            path=rule.expression, file=rule.file, line=rule.line, code=code or "vendor_error",
        )  # fmt: skip

    def _located(self, failure: EvaluationFailed, payload: Any, bindings: Mapping[str, Any]) -> MappingError:
        culprit = culprit_of([step for _, step in self.errors], None, payload, bindings, self.functions)
        for program in self.parts:
            if culprit is None:
                culprit = culprit_of(program.emitted.steps, program.when, payload, bindings, self.functions)
        if culprit is not None:
            return evaluation_error(culprit)
        files = ", ".join(program.part.file for program in self.parts)
        code = "limit" if failure.is_limit else "expression"
        return MappingError(failure.message, file=files, code=code)


def _source_of(parts: Mapping[int, PartProgram]) -> str:
    return "{" + ",".join(f'"{number}":{program.emitted.source}' for number, program in parts.items()) + "}"


def _document(program: PartProgram, found: Any, index: int, source: Mapping[str, Any]) -> Document:
    try:
        shaped = program.emitted.shaper(found)
    except Misfit as misfit:
        raise misfit_error(program.part, program.tree, misfit, index) from None
    whole = _identified(program, shaped, index, source)
    try:
        document = program.model.model_validate_json(orjson.dumps(whole))
    except ValidationError as problem:
        raise validation_error(program.part, program.tree, problem, index) from None
    return _with_what_follows(document)


def _identified(program: PartProgram, shaped: dict[str, Any], index: int, source: Mapping[str, Any]) -> dict[str, Any]:
    """The document's fields with what the engine adds. Changes `shaped`."""
    id_at = shaped.pop(ID_AT, None)
    type_ = program.part.document
    own = {"kind": type_, **source, **shaped.get("source", {})}
    if own.get("occurred_at") is None:
        own.pop("occurred_at", None)
    if not isinstance(own.get("id"), str) or not isinstance(own["kind"], str):
        raise missing_error(program.part, program.tree, ["source", "id"], index)
    identify(shaped, type_, own, id_at)
    return shaped


def _validated(program: PartProgram, whole: dict[str, Any]) -> Document:
    """The document, validated without a detour over JSON. Its errors are not told: they send for the evaluator."""
    return _with_what_follows(program.model.__pydantic_validator__.validate_python(whole, extra=program.extra))


def _with_what_follows(document: Any) -> Document:
    return with_residual(document) if document.__class__ is Order else cast("Document", document)


def _first_text(value: Any) -> str:
    if isinstance(value, list):
        value = next((item for item in value if item is not None), None)
    return "" if value is None or isinstance(value, dict) else str(value)[:500]


def compile_topic(
    topic: str, parts: Sequence[Part], error_rules: Sequence[ErrorRule], functions: Functions, log: FaultLog
) -> TopicProgram | None:
    """The topic's program, or null after adding faults to `log`."""
    emitter = Emitter(functions, CONTEXT, log)
    before = len(log.faults)
    errors = [rule for rule in error_rules if rule.topics is None or topic in rule.topics]
    chain, steps = _error_chain(errors, emitter)
    written = [_written(part, emitter, log) for part in parts]
    if len(log.faults) > before:
        return None
    used = frozenset(emitter.used)
    programs = [
        PartProgram(
            part,
            DOCUMENT_TYPES[part.document],
            tree,
            emitted,
            direct_part(part, tree, functions, used),
            "ignore" if names_its_fields(tree) else "forbid",
        )
        for part, (tree, emitted) in zip(parts, written, strict=True)
    ]
    try:
        return TopicProgram(programs, list(zip(errors, steps, strict=True)), chain, used, functions)
    except BadExpression as problem:
        log.add(parts[0].file, None, "", f"the expressions of topic {topic} do not compile together: {problem}")
        return None


def _written(part: Part, emitter: Emitter, log: FaultLog) -> tuple[Node, Emitted]:
    tree = document_tree(DOCUMENT_TYPES[part.document], part.fields, part.file, part.document_line, log)
    return tree, emit_part(part, tree, emitter)


def _error_chain(rules: Sequence[ErrorRule], emitter: Emitter) -> tuple[str, list[Step]]:
    chain = ""
    steps: list[Step] = []
    for number in range(len(rules) - 1, -1, -1):
        rule = rules[number]
        when = emitter.rule(rule.when, guarded=False)
        steps.insert(0, emitter.steps[-1])
        members = [f'"rule":{number}']
        members += [f'"code":({emitter.rule(rule.code, guarded=False)})'] if rule.code else []
        members += [f'"message":({emitter.rule(rule.message, guarded=False)})'] if rule.message else []
        chain = f"(({when})?{{{','.join(members)}}}{':' + chain if chain else ''})"
    return chain, steps


def rules_of(part: Part) -> list[Rule]:
    """Every rule of a part, for looking at."""
    single = [rule for rule in (part.each, part.when, part.id_at) if rule is not None]
    return [*single, *part.fields.values(), *(hold.when for hold in part.holds)]
