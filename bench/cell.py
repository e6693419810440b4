"""Every measured side runs in a process of its own, so that nothing of one side is left in another.

`python -m bench.cell MODULE:FUNCTION JSON` runs the function and prints its answer as one JSON line.
A function may be a coroutine; it then runs on uvloop as the hub does. Servers print one line when
they are ready and their answer when they are told to stop.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_TAIL = 4000
_STOP_WITHIN_S = 60.0

Answer = dict[str, Any]


class CellFailed(Exception):
    """A measured process ended badly; the message ends with what it said last."""


def run_cell(target: str, *, python: str = sys.executable, timeout_s: float = 3600.0, **arguments: Any) -> Answer:
    """The function's answer. Its log lines go to a file that is shown when it fails."""
    done = subprocess.run(
        [python, "-m", "bench.cell", target, json.dumps(arguments)],
        cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise CellFailed(f"{target} ended with {done.returncode}:\n{done.stderr[-_TAIL:]}")
    answer: Answer = json.loads(done.stdout.splitlines()[-1])
    return answer


class Server:
    """A running server cell. `ready` is what it said when it was; `answer` what it says at the end."""

    def __init__(self, process: subprocess.Popen[str], ready: Answer) -> None:
        self.process = process
        self.ready = ready
        self.answer: Answer = {}


@contextmanager
def serving(target: str, log: Path, **arguments: Any) -> Iterator[Server]:
    """A server cell for the length of the block; it is told to stop with SIGTERM."""
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.cell", target, json.dumps(arguments)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            if not said:
                process.wait(_STOP_WITHIN_S)
                raise CellFailed(f"{target} did not start:\n{log.read_text()[-_TAIL:]}")
            server = Server(process, json.loads(said))
            yield server
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=_STOP_WITHIN_S)
            if process.returncode != 0 or not rest:
                raise CellFailed(f"{target} ended with {process.returncode}:\n{log.read_text()[-_TAIL:]}")
            server.answer = json.loads(rest.splitlines()[-1])
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stdout.close()


def tell(answer: Answer) -> None:
    """One line to the process that started this one."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


async def until_told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def cpu_s() -> float:
    """CPU seconds of this process, all threads, so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rss_mb(field: str = "VmRSS", pid: int | None = None) -> float:
    """Resident memory in MiB; `VmHWM` is its peak. Linux only."""
    status = Path(f"/proc/{pid or os.getpid()}/status").read_text(encoding="ascii")
    row = next(row for row in status.splitlines() if row.startswith(f"{field}:"))
    return int(row.split()[1]) / 1024


def main() -> None:
    module, _, name = sys.argv[1].partition(":")
    function = getattr(importlib.import_module(module), name)
    arguments = json.loads(sys.argv[2])
    if inspect.iscoroutinefunction(function):
        from hub.runtime import process

        answer = process.run(function(**arguments))
    else:
        answer = function(**arguments)
    tell(answer)


if __name__ == "__main__":
    main()
