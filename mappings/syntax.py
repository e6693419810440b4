"""Just enough of JSONata's grammar to look at an expression without evaluating it.

Parsing proper is the evaluator's; this module finds variables, regular expressions, literals, and
whole-expression calls, all of which are decided by tokens alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|/\*.*?\*/)
      | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | (?P<quoted>`[^`]*`)
      | (?P<variable>\$\$|\$[A-Za-z0-9_]*)
      | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)
      | (?P<name>[^\W0-9]\w*)
      | (?P<sign>:=|!=|<=|>=|~>|\.\.|\*\*|\?\?|\?:|.)""",
    re.VERBOSE | re.DOTALL,
)
_VALUE_KINDS: Final = frozenset({"string", "quoted", "variable", "number", "name"})
_WORD_OPERATORS: Final = frozenset({"and", "or", "in"})
_OPENING: Final = frozenset("([{")
_CLOSING: Final = frozenset(")]}")

BUILT_INS: Final = frozenset(
    {
        "sum", "count", "max", "min", "average", "string", "substring", "substringBefore", "substringAfter",
        "lowercase", "uppercase", "length", "trim", "pad", "match", "contains", "replace", "split", "join",
        "formatNumber", "formatBase", "formatInteger", "parseInteger", "number", "floor", "ceil", "round",
        "abs", "sqrt", "power", "boolean", "not", "map", "zip", "filter", "single", "reduce", "sift", "keys",
        "lookup", "append", "exists", "spread", "merge", "reverse", "each", "error", "assert", "type", "sort",
        "distinct", "base64encode", "base64decode", "encodeUrlComponent", "encodeUrl", "decodeUrlComponent",
        "decodeUrl", "toMillis", "fromMillis",
    }
)  # fmt: skip
"""JSONata's own functions a mapping may call."""

IMPURE: Final = frozenset({"eval", "now", "millis", "random", "shuffle"})
"""Functions a mapping may not call: equal bytes must give equal documents."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression; `kind` is a group name of `_TOKEN`, or "regex"."""

    kind: str
    text: str
    start: int
    end: int


def tokens(expression: str) -> Iterator[Token]:
    """Tokens in order, without white space and comments. Never fails: what it does not know is a sign."""
    at, previous = 0, None
    while at < len(expression):
        found = _TOKEN.match(expression, at)
        if found is None:  # only for an empty rest
            return
        kind, end = str(found.lastgroup), found.end()
        if kind == "sign" and found.group() == "/" and not _ends_value(previous):
            kind, end = "regex", _regex_end(expression, at)
        if kind != "space":
            previous = Token(kind, expression[at:end], at, end)
            yield previous
        at = end


def _ends_value(token: Token | None) -> bool:
    if token is None:
        return False
    if token.kind == "name":
        return token.text not in _WORD_OPERATORS
    return token.kind in _VALUE_KINDS or token.kind == "regex" or token.text in _CLOSING


def _regex_end(expression: str, start: int) -> int:
    """Where the regular expression that starts at `start` ends, its flags included."""
    depth, at = 0, start + 1
    while at < len(expression):
        char = expression[at]
        if char == "\\":
            at += 1
        elif char in _OPENING:
            depth += 1
        elif char in _CLOSING:
            depth -= 1
        elif char == "/" and depth <= 0:
            at += 1
            while at < len(expression) and expression[at] in "im":
                at += 1
            return at
        at += 1
    return len(expression)


def regexes(expression: str) -> list[str]:
    """The regular expression literals, with slashes and flags."""
    return [token.text for token in tokens(expression) if token.kind == "regex"]


def used_variables(expression: str) -> set[str]:
    """Names after `$`, own ones included; "" is `$` itself and "$" is the whole input."""
    return {token.text[1:] for token in tokens(expression) if token.kind == "variable"}


def free_variables(expression: str) -> set[str]:
    """Names after `$` that the expression uses and does not define itself."""
    found = list(tokens(expression))
    defined = _parameters(found)
    for index, token in enumerate(found):
        if token.kind != "variable":
            continue
        following = found[index + 1].text if index + 1 < len(found) else ""
        before = found[index - 1].text if index else ""
        if following == ":=" or before in ("#", "@"):
            defined.add(token.text[1:])
    return {token.text[1:] for token in found if token.kind == "variable"} - defined - {"", "$"}


def _parameters(found: list[Token]) -> set[str]:
    names: set[str] = set()
    for index, token in enumerate(found):
        if token.text not in ("function", "λ"):
            continue
        for parameter in found[index + 2 :]:
            if parameter.text == ")":
                break
            if parameter.kind == "variable":
                names.add(parameter.text[1:])
    return names


def literal(expression: str) -> tuple[bool, Any]:
    """`(True, value)` when the expression is a string, whole number, true, false or null; else `(False, None)`."""
    found = list(tokens(expression))
    text = "".join(token.text for token in found)
    whole = len(found) == 1 or (len(found) == 2 and text.startswith("-") and found[1].kind == "number")
    if not whole or (found[0].kind == "string" and text.startswith("'")):
        return False, None
    try:
        value = json.loads(text)
    except ValueError:
        return False, None
    return not isinstance(value, float), value


def call(expression: str) -> tuple[str, list[str]] | None:
    """Function name and argument texts when the whole expression is one call `$name(a, b)`."""
    found = list(tokens(expression))
    if len(found) < 3 or found[0].kind != "variable" or found[1].text != "(" or found[-1].text != ")":
        return None
    cuts, depth = [found[1].end], 0
    for index, token in enumerate(found[1:], start=1):
        if token.text in _OPENING and token.kind == "sign":
            depth += 1
        elif token.text in _CLOSING and token.kind == "sign":
            depth -= 1
            if depth == 0 and index != len(found) - 1:
                return None
        elif depth == 1 and token.text == "," and token.kind == "sign":
            cuts += [token.start, token.end]
    cuts.append(found[-1].start)
    arguments = [expression[cuts[i] : cuts[i + 1]].strip() for i in range(0, len(cuts), 2)]
    if arguments == [""]:
        return found[0].text[1:], []
    if "" in arguments or "?" in arguments:  # a mistake, or a partial application: the evaluator's business
        return None
    return found[0].text[1:], arguments


_PATH: Final = re.compile(r"(?:\$\$\.)?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_RESERVED: Final = frozenset({"and", "or", "in", "function", "true", "false", "null"})


def is_plain_path(expression: str) -> bool:
    """True for names joined by dots, from the item (`a.b`) or from the whole input (`$$.a.b`)."""
    return _PATH.fullmatch(expression) is not None and not _RESERVED & set(expression.split("."))


def closed(expression: str) -> str:
    """The expression fit to stand anywhere; parentheses cost time, so plain paths go without."""
    return expression if is_plain_path(expression) else f"({expression})"
