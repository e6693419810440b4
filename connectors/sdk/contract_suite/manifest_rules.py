"""The manifest and the code say the same."""

# ruff: noqa: S101 - these are tests; asserting is their work

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.sdk.contract import Budgeted
from connectors.sdk.contract_suite.rig import PROTOCOLS, Subject
from connectors.sdk.manifest import TRADED, Capability


class ManifestRules(Subject):
    """The declaration is complete, and is what the code does."""

    async def test_manifest_declares_exactly_what_the_code_can_do(self) -> None:
        """Each declared capability is implemented, and each implemented one is declared."""
        async with self.opened() as rig:
            can = {capability for capability, protocol in PROTOCOLS.items() if isinstance(rig.connector, protocol)}
            declared = set(self.manifest.capabilities)
            assert declared - can == set(), "declared but not implemented"
            assert can - declared == set(), "implemented but not declared"
            assert rig.connector.manifest is self.manifest

    def test_manifest_tables_belong_to_capabilities(self) -> None:
        """Topics, streams, effects and batch sizes are given where they mean something, and are sound."""
        manifest = self.manifest
        assert bool(manifest.streams) == (Capability.PULL in manifest.capabilities), "streams go with pull"
        assert bool(manifest.effects) == (Capability.EFFECTS in manifest.capabilities), "effects go with effects"
        assert bool(manifest.topics), "no topic, nothing comes in"
        if any(topic.hint for topic in manifest.topics):
            assert Capability.RESOLVE in manifest.capabilities, "a hint needs resolve"
        for names in (
            [topic.name for topic in manifest.topics],
            [stream.name for stream in manifest.streams],
            [effect.name for effect in manifest.effects],
            [budget.name for budget in manifest.budgets],
        ):
            assert len(names) == len(set(names)), f"named twice: {sorted(names)}"
        assert manifest.publish_batch_max >= 1
        assert manifest.read_back_batch_max >= 1
        for budget in manifest.budgets:
            assert budget.rate > 0, budget.name
            assert budget.burst > 0, budget.name
        for stream in manifest.streams:
            assert stream.interval_s > 0, stream.name
            assert stream.page_max > 0, stream.name
            assert stream.overlap_s >= 0, stream.name

    async def test_declared_budgets_are_shown(self) -> None:
        """What is left of every declared limit can be read by name, for the status page."""
        async with self.opened() as rig:
            if not self.manifest.budgets:
                return
            assert isinstance(rig.connector, Budgeted), "declares budgets, shows none"
            shown = rig.connector.budgets.snapshot()
            assert {budget.name for budget in self.manifest.budgets} <= set(shown)

    def test_manifest_is_documented(self) -> None:
        """Title, vendor documentation, credentials and the meaning of dedupe are stated."""
        manifest = self.manifest
        assert manifest.title
        assert manifest.docs, "name the vendor's pages"
        assert all(link.startswith("https://") for link in manifest.docs.values())
        assert manifest.dedupe_by, "say what makes an input unique"

    async def test_every_credential_and_option_in_use_is_declared(self) -> None:
        """What the sandbox's account section needs is described for the operator."""
        async with self.opened() as rig:
            assert set(rig.section.get("credentials", {})) <= set(self.manifest.credentials)
            assert set(rig.section.get("options", {})) <= set(self.manifest.options)

    async def test_unknown_option_and_missing_credentials_are_named(self) -> None:
        """`open` refuses a section with a wrong key, naming it, before any connection is made."""
        async with self.opened() as rig:
            odd = replace(rig.ctx, options={**rig.ctx.options, "no_such_option": "x"})
            with pytest.raises(ValueError, match="no_such_option"):
                self.connector.open(odd)
            with pytest.raises(ValueError, match=r"[a-z_]{4,}"):
                self.connector.open(replace(rig.ctx, credentials={}))

    def test_mapped_topics_have_a_mapping(self) -> None:
        """A topic that is neither a hint nor ignored, parked or traded can be mapped."""
        mapped = self.mapping().topics
        missing = [
            topic.name
            for topic in self.manifest.topics
            if not topic.hint and not topic.ignored and not topic.parked and topic.name not in mapped
            if not (self.manifest.trades and topic.name in TRADED)
        ]
        assert missing == []
