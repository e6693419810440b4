"""A hub in a process of its own, for tests that kill it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 120.0


@dataclass
class HubProcess:
    """Starts, kills and restarts one hub on one folder and one port.

    `plant` names a bug of `tests.rig.planted` that the process is started with.
    """

    folder: Path
    accounts: Mapping[str, Any]
    skus: str
    hub: Mapping[str, Any] = field(default_factory=dict)
    plant: str = ""
    role: str = "all"
    port: int = field(default_factory=free_port)
    starts: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Path:
        return self.folder / "config" / "hub.yaml"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        return self.folder / "data" / "hub.db"

    @property
    def log(self) -> Path:
        return self.folder / "hub.log"

    def configure(self) -> None:
        """Write the configuration; JSON is YAML."""
        self.config.parent.mkdir(parents=True, exist_ok=True)
        (self.folder / "data").mkdir(exist_ok=True)
        (self.folder / "skus.csv").write_text(self.skus)
        document = {
            "hub": {
                "database": "sqlite:///data/hub.db",
                "listen": f"127.0.0.1:{self.port}",
                "log": {"format": "json", "level": "warning"},
                **self.hub,
            },
            "locations": {"main": {"name": "Main"}},
            "accounts": self.accounts,
            "skus": "skus.csv",
        }
        self.config.write_text(json.dumps(document, indent=1))

    async def start(self, *, ready: bool = True) -> None:
        """Start, and wait until it listens (or, with `ready`, says it is ready)."""
        self.spawn()
        self.starts += 1
        await self._until_up("/readyz" if ready else "/livez")

    def spawn(self) -> None:
        """Start without waiting for anything."""
        module = ["-m", "tests.rig.planted", self.plant] if self.plant else ["-m", "hub"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *module, "run", "--role", self.role, "--config", str(self.config)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )

    async def _until_up(self, path: str) -> None:
        deadline = time.monotonic() + START_WITHIN_S
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < deadline:
                if self._process is not None and self._process.poll() is not None:
                    raise AssertionError(f"the hub ended by itself: {self.tail()}")
                try:
                    async with session.get(self.url + path, timeout=aiohttp.ClientTimeout(total=10)) as answer:
                        if answer.status == 200:
                            return
                except (aiohttp.ClientError, OSError, TimeoutError):
                    pass
                await asyncio.sleep(0.03)
        raise AssertionError(f"the hub was not up in {START_WITHIN_S} s: {self.tail()}")

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL the whole process group: no handler, no flush."""
        self.signal(signal.SIGKILL)
        self.wait()

    def signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def wait(self, timeout_s: float = 90.0) -> int:
        assert self._process is not None
        return self._process.wait(timeout_s)

    def stop(self) -> int:
        """SIGTERM and wait for the drain; the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One `trunkline` command beside (or without) this hub."""
        return subprocess.run(
            [sys.executable, "-m", "hub", *arguments, "--config", str(self.config)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def status(self) -> Any:
        done = self.command("status", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
