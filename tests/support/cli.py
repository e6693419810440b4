"""The `trunkline` command as tests call it: in this process where that is the same, else in one of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import structlog

from hub import cli

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


def command(*arguments: str, stdin: bytes = b"") -> Done:
    """Run one command in this process. Not to be called from a running event loop."""
    out, err = io.StringIO(), io.StringIO()
    given = io.TextIOWrapper(io.BytesIO(stdin))
    logging_before = structlog.get_config()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), mock.patch.object(sys, "stdin", given):
        try:
            code = cli.main(list(arguments))
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            structlog.configure(**logging_before)
    return Done(code, out.getvalue(), err.getvalue())


def process(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, timeout_s: float = 240
) -> Done:
    """Run one command as an operator's shell does."""
    done = subprocess.run(
        [sys.executable, "-m", "hub", *arguments],
        cwd=cwd or ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody with one configuration file."""

    config: Path

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Done:
        return command(*arguments, "--config", str(self.config), stdin=stdin)
