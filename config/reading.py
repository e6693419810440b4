"""One pass over a configuration: what every kind of value is read through.

A kind that finds a fault records it and returns `BAD`; reading goes on, so that one run shows every
fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from config.document import Node, Scalar, Table
from config.faults import Fault

SECRET_BYTES_MAX: Final = 64 * 1024


class Bad:
    """A value that could not be read; its fault is recorded."""

    def __repr__(self) -> str:
        return "BAD"


BAD: Final = Bad()


@dataclass(slots=True)
class Reading:
    """One pass over a configuration. `lines` fills with the line of every key met."""

    file: str
    root: Path
    faults: list[Fault]
    lines: dict[str, int] = field(default_factory=dict)

    def fault(self, line: int, key: str, problem: str, remedy: str) -> Bad:
        self.faults.append(Fault(self.file, line, key, problem, remedy))
        return BAD

    def scalar(self, node: Node, key: str) -> Scalar | Bad:
        """A single value, `{file: PATH}` being read. Null counts as a missing value."""
        if isinstance(node, Table) and set(node.entries) == {"file"}:
            return self._from_file(node, key)
        if not isinstance(node, Scalar):
            return self.fault(node.line, key, "must be a single value", "remove the brackets or the indented block")
        if node.kind == "null" or not node.text.strip():
            if node.hidden:
                return BAD
            return self.fault(node.line, key, "has no value", "give it one or remove the key")
        return node

    def path(self, text: str) -> Path:
        """A path of the configuration, from `root` when relative; `~` is the home folder."""
        return self.root / Path(text).expanduser()

    def _from_file(self, node: Table, key: str) -> Scalar | Bad:
        name = self.scalar(node.entries["file"], f"{key}.file")
        if isinstance(name, Bad):
            return BAD
        where = "the file" if name.hidden else f"the file {name.text!r}"
        try:
            raw = self.path(name.text).read_bytes()
            text = raw.decode("utf-8").strip("\r\n")
        except FileNotFoundError:
            return self.fault(node.line, key, f"{where} does not exist", f"create it; paths start from {self.root}")
        except UnicodeDecodeError:
            return self.fault(node.line, key, f"{where} is not UTF-8 text", "name the right file")
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or "no usable path"
            return self.fault(node.line, key, f"{where} cannot be read ({reason})", "check its path and permissions")
        if not text.strip() or len(raw) > SECRET_BYTES_MAX:
            problem = "is empty" if not text.strip() else f"is larger than {SECRET_BYTES_MAX} bytes"
            return self.fault(node.line, key, f"{where} {problem}", "name the right file")
        return Scalar(text, "str", node.line, hidden=True)


def shown(value: Scalar) -> str:
    """The value for a message; what came from the environment or a file stays out of it."""
    return "the value" if value.hidden else repr(value.text)


class Kind(Protocol):
    def read(self, node: Node, key: str, reading: Reading) -> Any:
        """The value, or `BAD` with a fault recorded."""
        ...

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the value as written in YAML."""
        ...


_REFERENCE_SCHEMA: Final = {"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"}
_FILE_SCHEMA: Final = {
    "type": "object",
    "properties": {"file": {"type": "string"}},
    "required": ["file"],
    "additionalProperties": False,
}


def or_reference(schema: dict[str, Any]) -> dict[str, Any]:
    """Every single value may also be `${NAME}` or `{file: PATH}`."""
    return {"anyOf": [schema, _REFERENCE_SCHEMA, _FILE_SCHEMA]}
