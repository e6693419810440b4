"""Python statements under construction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

from mappings import familiar, shaping
from mappings.functions import money

_SURROUNDINGS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        **{name: getattr(familiar, name) for name in familiar.WRITTEN},
        "whole_money": shaping.money,
        "money": money,
        "free": shaping.free,
    }
)
"""What the statements may name besides their own names."""


class Code:
    """Statements being written, each name in them assigned once per way through.

    `objects`, `lists` and `flags` are the names known to hold one, never `MISSING`.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self.objects: set[str] = set()
        self.lists: set[str] = set()
        self.flags: set[str] = set()
        self._depth = 1
        self._names = 0
        self._known: list[dict[tuple[str, ...], str]] = [{}]

    def add(self, line: str) -> None:
        self.lines.append("    " * self._depth + line)

    def name(self) -> str:
        self._names += 1
        return f"v{self._names}"

    def put(self, value: str) -> str:
        """A new name for a value."""
        name = self.name()
        self.add(f"{name} = {value}")
        return name

    def put_list(self, items: str = "") -> str:
        """A new name for a new list."""
        name = self.put(f"[{items}]")
        self.lists.add(name)
        return name

    def put_flag(self, value: str) -> str:
        """A new name for true or false."""
        name = self.put(value)
        self.flags.add(name)
        return name

    def is_present(self, name: str) -> bool:
        """True where the value is known not to be `MISSING`."""
        return name in self.lists or name in self.flags or name in self.objects or name in ("True", "False", "None")

    def items(self, name: str) -> str:
        """The contexts a value stands for that is not `MISSING`."""
        return name if name in self.lists else f"({name} if {name}.__class__ is list else ({name},))"

    def add_flat(self, found: str, value: str) -> None:
        """A value's items onto a list."""
        if value in self.lists:
            self.add(f"{found}.extend({value})")
            return
        with self.block(f"if {value}.__class__ is list"):
            self.add(f"{found}.extend({value})")
        with self.block("else" if self.is_present(value) else f"elif {value} is not MISSING"):
            self.add(f"{found}.append({value})")

    @contextmanager
    def present(self, name: str) -> Iterator[None]:
        """Statements for when there is a value."""
        if self.is_present(name):
            yield
        else:
            with self.block(f"if {name} is not MISSING"):
                yield

    def constant(self, value: Any) -> str:
        """A name for an object that exists before the code runs."""
        for name, known in self.constants.items():
            if known is value:
                return name
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Statements under a head; what they work out is known to them alone."""
        self.add(f"{head}:")
        self._depth += 1
        self._known.append({})
        first = len(self.lines)
        try:
            yield
        finally:
            if len(self.lines) == first:
                self.add("pass")
            self._known.pop()
            self._depth -= 1

    def once(self, key: tuple[str, ...], value: Callable[[], str]) -> str:
        """The name of a value already worked out on the way here, or a new one."""
        for known in reversed(self._known):
            if key in known:
                return known[key]
        name = self._known[-1][key] = self.put(value())
        return name

    def written_once(self, key: tuple[str, ...], write: Callable[[], str]) -> str:
        """As `once`, for a value that takes statements of its own."""
        for known in reversed(self._known):
            if key in known:
                return known[key]
        name = write()
        self._known[-1][key] = name
        return name

    def mark(self) -> tuple[int, int, dict[tuple[str, ...], str]]:
        """Where to return to when what follows cannot be written."""
        return len(self.lines), len(self._known), dict(self._known[-1])

    def back_to(self, mark: tuple[int, int, dict[tuple[str, ...], str]]) -> None:
        del self.lines[mark[0] :]
        self._known[-1] = mark[2]

    def function(self, file: str, parameters: tuple[str, ...]) -> Callable[..., Any]:
        """The statements as a function. `file` is what tracebacks call it."""
        source = "\n".join([f"def direct({', '.join(parameters)}):", *self.lines, ""])
        scope = {**_SURROUNDINGS, **self.constants}
        # Written from parsed trees: no text of a mapping is in the source but as a Python literal.
        exec(compile(source, f"<{file}>", "exec"), scope)  # noqa: S102
        return scope["direct"]  # type: ignore[no-any-return]
