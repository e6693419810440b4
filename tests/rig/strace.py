"""Watching and breaking system calls with strace: is it usable here, run under it, read its log."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_START = re.compile(r"^(\d+)\s+(\w+)\((.*)$", re.DOTALL)
_RESUMED = re.compile(r"^(\d+)\s+<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
_RESULT = re.compile(r"\)\s+= (-?\d+|\?)([^)]*(?:\([^)]*\))?.*)$", re.DOTALL)
_PLACE = re.compile(r"<((?:\\x[0-9a-f]{2})*)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_NUMBERS = re.compile(r", (\d+)(?=,|$)")


@cache
def _fault() -> str:
    """Why strace cannot be used here; empty when it can."""
    found = shutil.which("strace")
    if found is None:
        return "strace is not installed (Debian: apt-get install strace)"
    tried = subprocess.run([found, "-f", "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()[:200]}"


def require_strace() -> None:
    """Skip the test with the reason; in the change gate (`CI` is set) it fails, as a proof not run is no proof."""
    if fault := _fault():
        if os.environ.get("CI"):
            pytest.fail(fault)
        pytest.skip(fault)


def command(log: Path, calls: Iterable[str], *, inject: Sequence[str] = (), contents: bool = False) -> list[str]:
    """The strace command line up to the traced program. `contents` records every byte written."""
    found = shutil.which("strace") or "strace"
    # Without --seccomp-bpf: strace 6.1 does not deliver an injected signal with it.
    line = [found, "-f", "-y", "-xx", "-s", "70000" if contents else "96", "-o", str(log)]
    line += ["-e", f"trace={','.join(calls)}", "-e", "signal=none"]
    for one in inject:
        line += ["-e", f"inject={one}"]
    return line


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def run(line: Sequence[str], *, timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
    """Run to the end, whatever the end is."""
    return subprocess.run(
        list(line),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


@dataclass(slots=True)
class Call:
    """One system call. `path` is the file of the first argument, or its only name; `result` None until it returned."""

    thread: int
    name: str
    path: str
    other: str
    content: bytes
    numbers: tuple[int, ...]
    flags: str
    result: int | None = None
    injected: bool = False


def read(log: Path) -> Iterator[tuple[str, Call]]:
    """("enter" | "exit", call) in the order they happened, over all threads."""
    open_calls: dict[tuple[int, str], Call] = {}
    with log.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            text = line.rstrip("\n")
            if resumed := _RESUMED.match(text):
                thread, name, rest = int(resumed[1]), resumed[2], resumed[3]
                call = open_calls.pop((thread, name))
                _finish(call, rest if rest.startswith(")") else ")" + rest.lstrip())
                yield "exit", call
                continue
            started = _START.match(text)
            if started is None:
                continue
            rest = started[3]
            call = _call(int(started[1]), started[2], rest)
            yield "enter", call
            if rest.endswith("<unfinished ...>"):
                open_calls[(call.thread, call.name)] = call
            else:
                _finish(call, rest)
                yield "exit", call


def _finish(call: Call, text: str) -> None:
    found = _RESULT.search(text)
    if found is not None and found[1] != "?":
        call.result = int(found[1])
        call.injected = "INJECTED" in found[2]


def _call(thread: int, name: str, text: str) -> Call:
    arguments = re.sub(r"(?:\)\s+= .*| <unfinished \.\.\.>)$", "", text)
    strings = [_bytes(found) for found in _TEXT.findall(arguments)]
    places = _PLACE.findall(arguments)
    by_name = name in {"unlink", "rename", "openat"}
    path = (strings[0] if by_name and strings else _bytes(places[0]) if places else b"").decode(errors="replace")
    other = strings[1].decode(errors="replace") if name == "rename" and len(strings) > 1 else ""
    content = strings[0] if not by_name and strings else b""
    flags = arguments.rsplit('", ', 1)[-1] if name == "openat" else ""
    tail = arguments.rsplit('"', 1)[-1] if strings else arguments
    numbers = tuple(int(number) for number in _NUMBERS.findall(tail)) if name != "openat" else ()
    return Call(thread, name, path, other, content, numbers, flags)


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))
