"""One wrapper closes the evaluator's hazards: threads, panics, limits, impure functions, regular expressions."""

from __future__ import annotations

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mappings import expression as module
from mappings.expression import BadExpression, EvaluationFailed, Expression


def test_eight_threads_share_an_expression_and_agree() -> None:
    """An expression made on one thread gives the right result on every other."""
    shared = Expression("$twice(a) + $sum(b)", {"twice": lambda value: value * 2})

    def work(number: int) -> list[Any]:
        return [shared.evaluate({"a": number, "b": [1, index]}, {}) for index in range(200)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(8)))
    assert found == [[number * 2 + 1 + index for index in range(200)] for number in range(8)]


def test_an_expression_may_be_dropped_while_other_threads_live() -> None:
    """Releasing an expression on one thread leaves other threads' compiled copies to those threads."""
    shared: Expression | None = Expression("a + 1", {})
    evaluated, dropped, results = threading.Event(), threading.Event(), []

    def work(first: Expression) -> None:
        results.append(first.evaluate({"a": 1}, {}))
        del first
        evaluated.set()
        dropped.wait(10)
        results.append(Expression("a + 2", {}).evaluate({"a": 1}, {}))

    thread = threading.Thread(target=work, args=(shared,))
    thread.start()
    evaluated.wait(10)
    shared = None
    gc.collect()
    dropped.set()
    thread.join(10)
    assert results == [2, 3]
    assert shared is None


def test_compiled_copies_of_dropped_expressions_do_not_pile_up() -> None:
    """A thread keeps compiled copies only of expressions that are alive."""
    kept = Expression("1", {})
    kept.evaluate(None, {})
    for number in range(50):
        Expression(f"{number}", {}).evaluate(None, {})
    gc.collect()
    last = Expression("2", {})
    last.evaluate(None, {})
    alive = {id(kept), id(last)}
    assert alive <= set(module._compiled.expressions)
    assert all(owner() is not None for owner, _ in module._compiled.expressions.values())


def test_a_panic_becomes_an_ordinary_error() -> None:
    """A panic of the evaluator, which no `except Exception` sees, is a failed evaluation; the next one works."""
    shared = Expression("a", {})
    elsewhere: list[Any] = []
    compiled, done = threading.Event(), threading.Event()

    def work() -> None:
        elsewhere.append(shared.compile())
        compiled.set()
        done.wait(10)
        elsewhere.clear()  # a compiled expression may only be released on its own thread

    thread = threading.Thread(target=work)
    thread.start()
    compiled.wait(10)
    shared.evaluate(None, {})
    owner, _ = module._compiled.expressions[id(shared)]
    module._compiled.expressions[id(shared)] = (owner, elsewhere[0])
    with pytest.raises(EvaluationFailed) as failure:
        shared.evaluate({"a": 1}, {})
    assert failure.value.code == "panic"
    assert shared.evaluate({"a": 1}, {}) == 1
    done.set()
    thread.join(10)


@pytest.mark.parametrize("call", ["$now()", "$millis()", "$random()", "$shuffle([1,2])", "$eval('1')"])
def test_impure_functions_fail(call: str) -> None:
    """What depends on the clock or on chance, or runs text as code, is not available."""
    with pytest.raises(EvaluationFailed, match="a mapping is pure"):
        Expression(call, {}).evaluate({}, {})


@pytest.mark.parametrize(
    "source",
    [
        "($f := function(){$f()}; $f())",
        "($f := function($n){1 + $f($n)}; $f(1))",
        "[1..1000000].($ * 2)",
        "[1..99999999]",
    ],
)
def test_endless_expressions_end(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time, depth and the length of sequences are limited, and the failure says that it was a limit."""
    monkeypatch.setattr(module, "TIMEOUT_MS", 300)
    started = time.monotonic()
    with pytest.raises(EvaluationFailed) as failure:
        Expression(source, {}).evaluate({}, {})
    assert failure.value.is_limit
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("regex", ["/(?<=a)b/", "/(?<!a)b/", "/a(?=b)/", r"/(a)\1/", "/[/"])
def test_regular_expressions_that_cannot_work_are_refused_at_once(regex: str) -> None:
    """Look-around and back-references fail when the mapping is loaded, not when an order comes."""
    with pytest.raises(BadExpression, match="regular expression"):
        Expression(f'$contains(a, {regex}) and "/not(?=this)/" = b', {})


def test_a_slash_in_a_text_or_a_division_is_no_regular_expression() -> None:
    """Only real regular expressions are looked at."""
    assert Expression('a / 2 & "/(?=x)/" & (4) / 2', {}).evaluate({"a": 4}, {}) == "2/(?=x)/2"


def test_messages_name_no_value_of_the_payload() -> None:
    """A failure's text is safe to log: values are personal, codes and the author's own words are not."""
    with pytest.raises(EvaluationFailed) as failure:
        Expression("$number(name)", {}).evaluate({"name": "Nora Quill"}, {})
    assert "Nora" not in str(failure.value)
    assert failure.value.code == "D3030"
    with pytest.raises(EvaluationFailed, match="D3137: no such plan"):
        Expression('$error("no such plan")', {}).evaluate({}, {})


def test_a_failing_function_of_ours_tells_its_reason() -> None:
    """The reason given by a Python function arrives as the failure's text."""

    def refuse(_: Any) -> None:
        raise ValueError("the unit is not known")

    with pytest.raises(EvaluationFailed, match=r"^the unit is not known$"):
        Expression("$f(a)", {"f": refuse}).evaluate({"a": 1}, {})


def test_interrupts_pass_through() -> None:
    """Ctrl-C in a function is not turned into a mapping error."""

    class Stop(BaseException):
        pass

    class Compiled:
        def evaluate(self, *_: Any, **__: Any) -> None:
            raise Stop

    shared = Expression("a", {})
    shared.evaluate(None, {})
    owner, _ = module._compiled.expressions[id(shared)]
    module._compiled.expressions[id(shared)] = (owner, Compiled())  # type: ignore[assignment]
    with pytest.raises(Stop):
        shared.evaluate({}, {})
