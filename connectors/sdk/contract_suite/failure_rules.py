"""Failure: every bad day of the vendor has its class, and `check` tells them apart."""

# ruff: noqa: S101, PT017 - these are tests; asserting is their work, also about an error that may come

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from connectors.sdk.contract import Checks
from connectors.sdk.contract_suite.rig import Rig, Subject
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, Transient
from connectors.sdk.manifest import Capability

ALWAYS: Final = 200


class FailureRules(Subject):
    """Errors, logins and cancellation."""

    async def test_a_spent_budget_is_rate_limited(self) -> None:
        """429 holds the lane, with the vendor's wait where it gave one and without inventing a class where not."""
        for fault in ("rate_limit", "rate_limit_bare"):
            async with self.opened() as rig:
                error = await self._failure(rig, fault)
                assert isinstance(error, RateLimited), f"{fault} gave {error!r}"
                if fault == "rate_limit":
                    assert error.retry_after_s is not None, "the vendor's own wait was lost"
                assert rig.sandbox.faults.counts[fault] <= 2, f"{fault}: hammered a vendor that said stop"

    async def test_a_vendor_in_trouble_is_transient(self) -> None:
        """5xx, a cut connection and no answer are weather, after a few tries and no more."""
        for fault in ("server_error", "drop_connection", "timeout_before"):
            async with self.opened() as rig:
                error = await self._failure(rig, fault)
                assert isinstance(error, Transient | RateLimited), f"{fault} gave {error!r}"
                assert 2 <= rig.sandbox.faults.counts[fault] <= 12, f"{fault}: {rig.sandbox.faults.counts[fault]} tries"

    async def test_a_short_trouble_is_survived(self) -> None:
        """One 5xx, one cut connection, one slow answer and one expired token cost nothing but time."""
        for fault in ("server_error", "drop_connection", "slow", "expired_token"):
            async with self.opened() as rig:
                rig.sandbox.slow_s = 0.05
                rig.sandbox.faults.force(fault)
                await self.probe(rig)

    async def test_a_vendor_that_is_gone_is_transient(self) -> None:
        """Nothing listens: no doubt about the login, no endless wait."""
        async with self.opened() as rig:
            await rig.sandbox.stop()
            with pytest.raises(Transient):
                await self.probe(rig)

    async def test_check_accepts_a_good_login(self) -> None:
        """A read-only call says who we are there."""
        async with self.opened() as rig:
            report = await self.capable(rig, Capability.CHECK).check()
            assert report.who

    async def test_check_tells_wrong_credentials(self) -> None:
        """Credentials that are not the sandbox's are said to be wrong, and nothing else."""
        async with self.opened() as rig:
            login = [key for key in rig.ctx.credentials if "webhook" not in key and "verification" not in key]
        wrong = {key: f"wrong-{key}" for key in login}
        async with self.opened(credentials=wrong) as rig:
            checks: Checks = self.capable(rig, Capability.CHECK)
            with pytest.raises(AuthFailed) as caught:
                await checks.check()
            assert caught.value.reason in (AuthReason.CREDENTIALS, AuthReason.REVOKED)

    async def test_check_tells_a_missing_scope(self) -> None:
        """A login that lacks a permission is told apart from a wrong one, and the scope is named."""
        async with self.opened() as rig:
            checks: Checks = self.capable(rig, Capability.CHECK)
            if not rig.sandbox.has_scopes:
                pytest.skip(f"{rig.sandbox.name} knows no scopes")
            rig.sandbox.drop_scope()
            with pytest.raises(AuthFailed) as caught:
                await checks.check()
            assert caught.value.reason is AuthReason.SCOPE

    async def test_check_tells_a_vendor_that_is_down(self) -> None:
        """A vendor that is down says nothing about the login."""
        async with self.opened() as rig:
            checks: Checks = self.capable(rig, Capability.CHECK)
            rig.sandbox.faults.force("server_error", ALWAYS)
            with pytest.raises((Transient, RateLimited)):
                await checks.check()
            await rig.sandbox.stop()
            with pytest.raises(Transient):
                await checks.check()

    async def test_cancellation_leaks_nothing(self) -> None:
        """A read cancelled half-way leaves no task, and the connector works on."""
        before = asyncio.all_tasks()
        async with self.opened() as rig:
            rig.sandbox.slow_s = 5.0
            for _ in range(3):
                rig.sandbox.faults.force("slow")
                task = asyncio.create_task(self.probe(rig))
                await asyncio.sleep(0.05)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            rig.sandbox.faults.calm()
            await asyncio.wait_for(self.probe(rig), timeout=60)
        # What ends by itself is given the time to.
        for _ in range(200):
            await asyncio.sleep(0.05)
            left = {task for task in asyncio.all_tasks() - before if not task.done()}
            if not left:
                break
        assert not left, f"left running: {left}"

    async def _failure(self, rig: Rig, fault: str) -> ConnectorError:
        rig.sandbox.faults.force(fault, ALWAYS)
        try:
            await self.probe(rig)
        except ConnectorError as error:
            assert error.message, "an error says what happened"
            return error
        pytest.fail(f"{fault} at every call, and the read says it worked")
