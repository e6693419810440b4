"""Secrets stay secret: not in repr, not in logs, not in errors, not in records."""

# ruff: noqa: S101 - these are tests; asserting is their work

from __future__ import annotations

import io
import logging
from contextlib import redirect_stderr, redirect_stdout

import structlog

from connectors.sdk.contract import Subscribes
from connectors.sdk.contract_suite.rig import Rig, Subject
from connectors.sdk.errors import ConnectorError


class SecrecyRules(Subject):
    """Everything a connector shows, searched for the credentials it was given."""

    async def test_secrets_are_shown_nowhere(self) -> None:
        """A good run, a refused login and a vendor in trouble print, log, record and raise no credential."""
        shown = io.StringIO()
        handler = logging.StreamHandler(shown)
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            with redirect_stdout(shown), redirect_stderr(shown), structlog.testing.capture_logs() as lines:
                secrets = await self._exercise(shown)
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
        shown.write(repr(lines))
        text = shown.getvalue()
        assert secrets, "the sandbox's account has no credential to look for"
        leaked = [name for name, value in secrets.items() if len(value) >= 4 and value in text]
        assert not leaked, f"shown: {leaked}"

    async def _exercise(self, shown: io.StringIO) -> dict[str, str]:
        secrets: dict[str, str] = {}
        async with self.opened() as rig:
            await self._run(rig, shown)
            rig.sandbox.faults.force("server_error", 100)
            await self._run(rig, shown)
            secrets |= {key: secret.reveal() for key, secret in rig.ctx.credentials.items()}
        wrong = {key: f"canary-{key}-7f3a9c" for key in secrets}
        async with self.opened(credentials=wrong) as rig:
            await self._run(rig, shown)
        return secrets | {f"wrong {key}": value for key, value in wrong.items()}

    async def _run(self, rig: Rig, shown: io.StringIO) -> None:
        try:
            await self.probe(rig)
            if isinstance(rig.connector, Subscribes):
                await rig.connector.ensure_subscriptions("http://127.0.0.1:9/webhooks/sandbox")
        except ConnectorError as error:
            shown.write(f"{error} {error!r} {error.code} {error.correlation_id}\n")
            if error.__cause__ is not None:
                shown.write(f"{error.__cause__} {error.__cause__!r}\n")
        shown.write(f"{rig.connector!r} {rig.connector} {rig.calls!r} {rig.ctx!r}\n")
        shown.write(f"{vars(rig.connector) if hasattr(rig.connector, '__dict__') else ''}\n")
