"""YAML files with the line of every key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from mappings.faults import FaultLog

FILE_BYTES_MAX: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of a YAML mapping or list, and where it stands. `line` is 1-based."""

    key: str
    value: Any
    line: int


def read_yaml(path: Path, name: str, log: FaultLog) -> CommentedMap | None:
    """The file's top-level mapping, or null after adding a fault to `log`.

    Args:
        path: The file.
        name: How faults name it.
    """
    text = read_text(path, name, log)
    if text is None:
        return None
    try:
        found = YAML(typ="rt", pure=True).load(text)
    except DuplicateKeyError as problem:
        log.add(name, _line_of(problem), _duplicate_key(problem), "is given twice; the second would hide the first")
        return None
    except MarkedYAMLError as problem:
        log.add(name, _line_of(problem), "", f"not YAML: {problem.problem or problem.context}")
        return None
    except (YAMLError, ValueError, RecursionError) as problem:
        log.add(name, None, "", f"not YAML: {str(problem).splitlines()[0] if str(problem) else 'nested too deeply'}")
        return None
    if not isinstance(found, CommentedMap):
        log.add(name, 1, "", "the file must hold a mapping of keys to values")
        return None
    return found


def read_text(path: Path, name: str, log: FaultLog) -> str | None:
    """The file as text, or null after adding a fault to `log`."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            log.add(name, None, "", f"the file is larger than {FILE_BYTES_MAX} bytes")
            return None
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        log.add(name, None, "", "the file is not UTF-8")
    except OSError as problem:
        log.add(name, None, "", f"cannot be read: {problem.strerror}")
    return None


def entries(block: CommentedMap) -> Iterator[Entry]:
    """Keys and values in order. Keys that YAML reads as numbers or booleans become their text."""
    for key, value in block.items():
        yield Entry(str(key), value, block.lc.key(key)[0] + 1)


def items(block: CommentedSeq) -> Iterator[Entry]:
    """Items in order; the key is the position."""
    for index, value in enumerate(block):
        yield Entry(str(index), value, block.lc.item(index)[0] + 1)


def plain(value: Any) -> Any:
    """A YAML value as dicts, lists and scalars."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else str(value)


def _line_of(problem: MarkedYAMLError) -> int | None:
    mark = problem.problem_mark or problem.context_mark
    return None if mark is None else int(mark.line) + 1


def _duplicate_key(problem: MarkedYAMLError) -> str:
    parts = str(problem.problem or "").split('"')
    return parts[1] if len(parts) > 2 else "a key"
