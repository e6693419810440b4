"""JSONata expressions, with the evaluator's sharp edges taken off.

The evaluator is jsonatapy. What this wrapper closes, each pinned by a test:

- A compiled expression works only on the thread that compiled it; elsewhere it panics. Every thread
  compiles its own, once.
- A panic is a `BaseException` that no ordinary handler sees; here it is an `EvaluationFailed`.
- Time, depth and the length of sequences are limited, because operators write expressions too.
- Impure functions fail, since the same bytes must always give the same documents.
- Regular expressions with look-around compile silently and fail later; they are refused at once.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import jsonatapy

from mappings.syntax import IMPURE, regexes

TIMEOUT_MS: Final = 2_000
STACK_DEPTH_MAX: Final = 300
SEQUENCE_LENGTH_MAX: Final = 200_000

_CODE: Final = re.compile(r"(?:Parse error: )?(?:[A-Za-z ]+: )?([A-Z]\d{4}): (.*)", re.DOTALL)
_HOST: Final = re.compile(r"host function raised \w+: (.*)", re.DOTALL)
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")
_AUTHORS_OWN: Final = frozenset({"D3137", "D3141"})
"""`$error` and `$assert`: the text is the mapping author's."""


class BadExpression(ValueError):
    """The expression itself cannot be used, whatever the payload."""


class EvaluationFailed(ValueError):
    """This payload made the expression fail. `code` is JSONata's, "" when it has none.

    The message names no value of the payload.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code

    @property
    def is_limit(self) -> bool:
        """True when time, depth or length ran out."""
        return self.code in ("D1011", "D1012", "D2014", "D2015", "U1001")


class Expression:
    """One expression, usable from any thread.

    Args:
        source: JSONata.
        functions: Callable as `$name(…)`. They must be pure and thread-safe.

    Raises:
        BadExpression: Not JSONata, or a regular expression that does not work here.
    """

    __slots__ = ("__weakref__", "_functions", "source")

    def __init__(self, source: str, functions: Mapping[str, Callable[..., Any]]) -> None:
        self.source = source
        self._functions = functions
        _check_regexes(source)
        _compiled_here(self)

    def evaluate(self, payload: Any, bindings: Mapping[str, Any]) -> Any:
        """The result as Python values; None for null and for nothing at all.

        Raises:
            EvaluationFailed: The evaluation failed or met a limit.
        """
        try:
            return _compiled_here(self).evaluate(
                payload,
                dict(bindings) if bindings else None,
                timeout=TIMEOUT_MS,
                max_stack_depth=STACK_DEPTH_MAX,
                max_sequence_length=SEQUENCE_LENGTH_MAX,
            )
        except (ValueError, TypeError, OverflowError, RecursionError) as problem:
            raise _failure(problem) from None
        except BaseException as panic:
            if type(panic).__name__ != "PanicException":
                raise
            _compiled.expressions.pop(id(self), None)
        # Raised outside the handler: the panic's traceback would keep the compiled copy alive elsewhere.
        raise EvaluationFailed("the evaluator stopped unexpectedly on this payload", "panic")

    def compile(self) -> jsonatapy.JsonataExpression:
        """A compiled copy for the calling thread alone."""
        try:
            compiled = jsonatapy.compile(self.source)
            for name, function in self._functions.items():
                compiled.register(name, function)
            for name in IMPURE:
                compiled.register_override(name, _refuse)
        except ValueError as problem:
            raise BadExpression(_failure(problem).message) from None
        return compiled


class _PerThread(threading.local):
    """This thread's compiled expressions by `id`; a dead expression's entry goes when another one is compiled.

    They must be released on their own thread too, hence no shared table and no weak-key dictionary,
    whose entries vanish on whichever thread drops the last reference.
    """

    def __init__(self) -> None:
        self.expressions: dict[int, tuple[weakref.ref[Expression], jsonatapy.JsonataExpression]] = {}


_compiled: Final = _PerThread()


def _compiled_here(expression: Expression) -> jsonatapy.JsonataExpression:
    table = _compiled.expressions
    entry = table.get(id(expression))
    if entry is not None and entry[0]() is expression:
        return entry[1]
    for key in [key for key, (owner, _) in table.items() if owner() is None]:
        del table[key]
    compiled = expression.compile()
    table[id(expression)] = (weakref.ref(expression), compiled)
    return compiled


def _refuse(*_: Any) -> NoReturn:
    raise EvaluationFailed("$eval, $now, $millis, $random and $shuffle are not available: a mapping is pure")


def _check_regexes(source: str) -> None:
    """Tries every regular expression once: the evaluator itself looks at them only when they are used."""
    for regex in regexes(source):
        try:
            jsonatapy.evaluate(f'$contains("", {regex})', None)
        except ValueError as problem:
            reason = "look-around and back-references are not supported" if "look-around" in str(problem) else ""
            raise BadExpression(f"the regular expression {regex} cannot be used" + (reason and f": {reason}")) from None


def _failure(problem: BaseException) -> EvaluationFailed:
    text = str(problem)
    if host := _HOST.fullmatch(text):
        return EvaluationFailed(host[1])
    if coded := _CODE.fullmatch(text):
        code, message = coded[1], coded[2]
        return EvaluationFailed(f"{code}: {message if code in _AUTHORS_OWN else _QUOTED.sub('…', message)}", code)
    return EvaluationFailed(_QUOTED.sub("…", text))
