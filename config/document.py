"""The YAML file as a tree that remembers lines, with `${NAME}` already read from the environment.

The tree is made from the YAML parser's nodes, not from its Python objects: a value keeps the text it
was written with (`0123` stays `0123`), every node keeps its line, and a key given twice is seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from config.faults import Fault

FILE_BYTES_MAX: Final = 4 * 1024 * 1024
NODES_MAX: Final = 50_000
"""Aliases can multiply a small file without end."""

# `${NAME}` may stand unquoted inside `{…}`, where YAML would take its braces for its own. It is
# carried through the parser between two characters that no configuration has a use for.
_OPEN, _CLOSE = "\ue000", "\ue001"
_REFERENCE: Final = re.compile(r"(\$?)\$\{([^}\n]*)\}")
_CARRIED: Final = re.compile(f"{_OPEN}(.*?){_CLOSE}")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPED: Final = "$"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `kind` is YAML's reading of the text: null, bool, int, float or str.

    `hidden`: the text came from the environment or a file and is never shown.
    """

    text: str
    kind: str
    line: int
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    entries: Mapping[str, Node]
    key_lines: Mapping[str, int]
    line: int


@dataclass(frozen=True, slots=True)
class Items:
    nodes: tuple[Node, ...]
    line: int


Node = Scalar | Table | Items


class _TooLarge(Exception):
    pass


class Document:
    """Reads one file; `faults` collects what is wrong with it."""

    def __init__(self, path: Path, shown: str, env: Mapping[str, str], faults: list[Fault]) -> None:
        self._path = path
        self._shown = shown
        self._env = env
        self._faults = faults
        self._nodes = 0

    def read(self) -> Table | None:
        """The root table, or None when there is none; faults found so far are recorded either way."""
        text = self._text()
        if text is None or not self._tabs_absent(text):
            return None
        try:
            root = YAML(typ="rt", pure=True).compose(_REFERENCE.sub(_carry, text))
            node = None if root is None else self._convert(root, "", ())
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._fault(mark.line + 1 if mark else 0, "", *_explain(error))
            return None
        except (YAMLError, RecursionError):
            self._fault(0, "", "cannot be read as YAML", "check it with a YAML editor")
            return None
        except _TooLarge:
            self._fault(0, "", f"has more than {NODES_MAX} values", "remove aliases that repeat one another")
            return None
        return self._root(node)

    def _root(self, node: Node | None) -> Table | None:
        if isinstance(node, Table):
            return node
        if node is None or (isinstance(node, Scalar) and node.kind == "null"):
            self._fault(0, "", "is empty", "write a starter configuration with `trunkline init`")
        else:
            self._fault(node.line, "", "must be a table of keys", "start with `hub:`")
        return None

    def _text(self) -> str | None:
        try:
            if self._path.stat().st_size > FILE_BYTES_MAX:
                self._fault(0, "", f"is larger than {FILE_BYTES_MAX} bytes", "name the right file with --config")
                return None
            text = self._path.read_bytes().decode("utf-8-sig")
        except FileNotFoundError:
            self._fault(0, "", "does not exist", "write one with `trunkline init`, or name yours with --config")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            self._fault(line, "", "is not UTF-8 text", "save it as UTF-8")
        except OSError as error:
            self._fault(0, "", f"cannot be read ({error.strerror})", "check its path and permissions")
        else:
            if _OPEN not in text and _CLOSE not in text:
                return text
            self._fault(0, "", "contains characters U+E000 or U+E001", "remove them")
        return None

    def _tabs_absent(self, text: str) -> bool:
        """YAML forbids tabs in indentation and explains it badly, so every such line is named."""
        tabs = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r" *\t\s*\S", line)]
        for number in tabs:
            self._fault(number, "", "is indented with a tab", "indent with spaces")
        return not tabs

    def _convert(self, node: Any, key: str, above: tuple[int, ...]) -> Node:
        self._nodes += 1
        if self._nodes > NODES_MAX or id(node) in above:
            raise _TooLarge
        line = node.start_mark.line + 1
        above = (*above, id(node))
        if isinstance(node, MappingNode):
            return self._table(node, key, line, above)
        if isinstance(node, SequenceNode):
            items = (self._convert(item, f"{key}[{at}]", above) for at, item in enumerate(node.value))
            return Items(tuple(items), line)
        return self._scalar(node, key, line)

    def _table(self, node: MappingNode, key: str, line: int, above: tuple[int, ...]) -> Table:
        entries: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            at = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode) or _OPEN in key_node.value:
                self._fault(at, key, "has a key that is not plain text", "${NAME} and tables stand in values only")
                continue
            name = key_node.value
            inner = f"{key}.{name}" if key else name
            if name == "<<":
                self._fault(at, inner, "merge keys are not supported", "repeat the keys")
            elif name in entries:
                self._fault(at, inner, f"is given twice, first in line {lines[name]}", "keep one of them")
            else:
                entries[name] = self._convert(value_node, inner, above)
                lines[name] = at
        return Table(entries, lines, line)

    def _scalar(self, node: ScalarNode, key: str, line: int) -> Scalar:
        tag = str(node.tag).rpartition(":")[2]
        kind = tag if tag in ("null", "bool", "int", "float") else "str"
        if _OPEN not in node.value:
            return Scalar(node.value, kind, line)
        hidden = False

        def replaced(match: re.Match[str]) -> str:
            nonlocal hidden
            name = match[1]
            if name.startswith(_ESCAPED):
                return "${" + name[1:] + "}"
            hidden = True
            return self._from_environment(name, key, line)

        return Scalar(_CARRIED.sub(replaced, node.value), "str", line, hidden)

    def _from_environment(self, name: str, key: str, line: int) -> str:
        if not _NAME.fullmatch(name):
            self._fault(line, key, "has a `${…}` that names no variable", "write ${NAME}, or $${…} for the text itself")
            return ""
        value = self._env.get(name)
        if value is None:
            self._fault(line, key, f"needs the environment variable {name}, which is not set", f"set {name}")
        elif not value:
            self._fault(line, key, f"needs the environment variable {name}, which is empty", f"give {name} a value")
        return value or ""

    def _fault(self, line: int, key: str, problem: str, remedy: str) -> None:
        self._faults.append(Fault(self._shown, line, key, problem, remedy))


def _carry(match: re.Match[str]) -> str:
    return f"{_OPEN}{match[1]}{match[2]}{_CLOSE}"


def _explain(error: MarkedYAMLError) -> tuple[str, str]:
    """The parser's complaint, unless it quotes more than a sign: that may be part of a secret."""
    problem = str(error.problem or error.context or "is not valid YAML")
    if "\\t" in problem or "\t" in problem:
        return "contains a tab where YAML allows none", "use spaces"
    if "another document" in problem or "single document" in str(error.context):
        return "holds more than one YAML document", "remove the second `---`"
    if "mapping values are not allowed" in problem:
        return "has a colon where none is allowed", "quote the value, or check the indentation above"
    if "undefined alias" in problem:
        return "uses an alias (*name) that no anchor (&name) defines", "define it above, or quote the value"
    quoted = re.findall(r"'([^']*)'", problem)
    harmless = problem.count("'") % 2 == 0 and all(len(text) <= 1 or text.startswith("<") for text in quoted)
    detail = f" ({problem})" if harmless else ""
    return f"is not valid YAML{detail}", "check indentation, brackets and quotes in and above this line"
