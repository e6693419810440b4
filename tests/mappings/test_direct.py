"""Direct functions give what the evaluator gives, or leave it to the evaluator: never anything else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from canonical import dump
from canonical.errors import MappingError
from connectors.sdk import exact
from connectors.shopify.fake import rest
from mappings import SHIPPED, MapContext, MappingSet
from mappings import payload as payloads
from mappings.direct import UNUSUAL
from mappings.expression import EvaluationFailed, Expression
from mappings.functions import FUNCTIONS
from mappings.grammar import Unfamiliar, parse
from mappings.program import TopicProgram
from mappings.translation import Scope, Translator
from mappings.writing import Code
from tests.mappings.test_jsonata_pinned import TABLE
from tests.support import shopify_payloads, walmart_payloads
from tests.support.mutation import mutated

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ROUNDS = 700
SAMPLES = Path(__file__).resolve().parents[2] / ".." / "shared" / "samples"
BINDINGS: tuple[dict[str, Any], ...] = (
    {
        "account": "a", "currency": "USD", "time_zone": "Europe/Berlin", "occurred_at": "2026-11-20T12:00:00Z",
        "received_at": "2026-11-20T12:00:00Z", "locations": {"gid://shopify/Location/1": "main", "48752903": "x"},
    },
    {
        "account": None, "currency": None, "time_zone": None, "occurred_at": None,
        "received_at": "2026-11-20T12:00:00Z", "locations": {},
    },
)  # fmt: skip


def base_payloads(connector: str) -> Iterator[Any]:
    """What the vendor sends: bodies of the product's own fake, and samples where there are any."""
    if connector == "shopify":
        body = shopify_payloads.order_body()
        yield from (body, {"order": body}, {"orders": [body, body]})
        yield from (json.loads(sample.body) for sample in shopify_payloads.webhook_samples())
    elif connector == "walmart":
        order = walmart_payloads.split_order()
        yield from (json.loads(walmart_payloads.single(order)), walmart_payloads.page(order, order))
        yield from (walmart_payloads.returned(), walmart_payloads.nodes(), walmart_payloads.errors("X", "y"))
    for path in sorted([*SAMPLES.glob(f"{connector}/*.json"), *SHIPPED.glob(f"{connector}/fixtures/*.json")]):
        text = path.read_text(encoding="utf-8")
        if len(text) < 60_000:
            yield json.loads(text)


@pytest.fixture(scope="module", params=["shopify", "walmart", "ebay"])
def shipped(request: pytest.FixtureRequest) -> MappingSet:
    return MappingSet.load(request.param)


def programs(maps: MappingSet) -> list[TopicProgram]:
    return [maps.program(topic) for topic in sorted(maps.sources.parts)]


@pytest.mark.parametrize("seed", range(4))
def test_direct_functions_agree_with_the_evaluator(shipped: MappingSet, seed: int) -> None:
    """Whatever happens to a payload, a direct function's documents are the evaluator's, shaped."""
    random = Random(seed)
    bases, choices = list(base_payloads(shipped.name)), programs(shipped)
    alone: dict[tuple[str, int], Expression] = {}
    decided: Counter[str] = Counter()
    for number in range(ROUNDS):
        base = bases[number % len(bases)]
        changed = base if number < len(bases) else mutated(random, base)
        value, bindings = payloads.decode(json.dumps(changed).encode()), random.choice(BINDINGS)
        program = random.choice(choices)
        for part in program.parts:
            try:
                found = part.direct(value, bindings)
            except UNUSUAL:
                continue
            decided[part.part.file] += 1
            source = f"[{part.emitted.source}]"
            expression = alone.get((source, 0)) or alone.setdefault((source, 0), Expression(source, program.functions))
            evaluated = expression.evaluate(value, {name: bindings[name] for name in program.used})
            items = evaluated[0] if len(evaluated) == 1 and isinstance(evaluated[0], list) else evaluated
            assert found == [part.emitted.shaper(item) for item in items]
    assert sum(decided.values()) > ROUNDS // 4


@pytest.mark.parametrize("seed", range(2))
def test_a_payload_gives_the_same_documents_or_the_same_error_both_ways(shipped: MappingSet, seed: int) -> None:
    """Mapping and mapping by the evaluator alone differ in nothing, error texts included."""
    random = Random(seed)
    bases, choices = list(base_payloads(shipped.name)), programs(shipped)
    source = {"connector": shipped.name, "account": "a", "received_at": "2026-11-20T12:00:00Z"}
    for number in range(ROUNDS // 3):
        value = payloads.decode(json.dumps(mutated(random, bases[number % len(bases)])).encode())
        program, bindings = random.choice(choices), random.choice(BINDINGS)
        used = {name: bindings[name] for name in program.used}
        assert outcome(program.map, value, used, source) == outcome(program.map_evaluated, value, used, source)


def outcome(how: Any, value: Any, bindings: dict[str, Any], source: dict[str, Any]) -> Any:
    try:
        documents = how(value, bindings, source)
        return documents, [json.loads(dump(document)) for document in documents]
    except MappingError as error:
        return str(error), error.code, error.target, error.path, error.file, error.line


@pytest.mark.parametrize("source", [row[1] for row in TABLE["rows"] if "bad" not in row[2]])
def test_translated_expressions_agree_with_the_evaluator(source: str) -> None:
    """An expression of the pinned table is translated to the same result, or not at all."""
    code = Code()
    try:
        name = Translator(code, FUNCTIONS).value(parse(source), Scope("payload", "payload"))
    except Unfamiliar:
        return
    code.add(f"return {name}")
    function = code.function("translated", ("payload",))
    try:
        found = function(TABLE["input"])
    except UNUSUAL:
        return
    expected = Expression(f'{{"it": {source}}}', FUNCTIONS).evaluate(TABLE["input"], {})
    assert ({} if repr(found) == "missing" else {"it": found}) == expected


@pytest.mark.parametrize(
    "source",
    [
        "$max([0, a])", "$max([0, a - 2])", "$max([5, a, 1])", "$sum([0, a])", "$sum([0, a[b]])", "$sum([3, 4])",
        "$string(a)", "$string(a - 1)", "a[0]", "a[0].b", "a and b", "$exists(a) and a != null and b = 1",
        "$exists(a) or $contains(a, 'x')", "a = 5 or (b and $not(a))",
    ],
)  # fmt: skip
def test_spelt_out_cases_agree_with_the_evaluator(source: str) -> None:
    """What is written out before a call gives what the call gives, and what the evaluator gives, for any value."""
    code = Code()
    name = Translator(code, FUNCTIONS).value(parse(source), Scope("payload", "payload"))
    code.add(f"return {name}")
    function, evaluated = code.function("spelt", ("payload",)), Expression(f'{{"it": {source}}}', FUNCTIONS)
    values: list[Any] = [
        0, 1, 5, -7, True, False, None, "", "x", "5", [], [3], [2, 9], [[1]], {"b": 1}, [{"b": 1}, {"b": 2}],
        10**6, 10**6 - 1, 2**40, 2**53 - 1, -(2**53 - 1), "9007199254740993",
    ]  # fmt: skip
    for payload in [{}, {"b": 1}, *({"a": value} for value in values), *({"a": value, "b": 1} for value in values)]:
        try:
            found = function(payload)
        except UNUSUAL:
            continue
        expected = evaluated.evaluate(payload, {})
        assert ({} if repr(found) == "missing" else {"it": found}) == expected, payload


def test_the_usual_order_never_reaches_the_evaluator(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Shopify order as its webhook carries it is mapped by direct functions alone."""
    maps = MappingSet.load("shopify")
    shop, order, _ = shopify_payloads.small_shop()
    body = rest.order_body(shop, order)

    def refuse(*_: Any) -> Any:
        raise EvaluationFailed("the evaluator was asked")

    monkeypatch.setattr(Expression, "evaluate", refuse)
    context = MapContext("a", "shopify", AT, currency="USD", locations={})
    documents = maps.map("orders/create", exact.dumps(body), context)
    assert [document.type for document in documents] == ["order"]


def test_long_payloads_go_to_the_evaluator_and_its_limits() -> None:
    """Where a sequence may exceed the evaluator's limit, the evaluator decides."""
    maps = MappingSet.load("shopify")
    body = json.dumps({"id": 1, "line_items": [], "note": "," * 200_001}).encode()
    with pytest.raises(MappingError):
        maps.map("orders/create", body, MapContext("a", "shopify", AT))
