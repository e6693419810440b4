"""The contract suite: what every connector must do, as tests. Imported by tests only; it needs pytest.

A connector's test file is a thin subclass:

    class TestAcmeContract(ContractSuite):
        connector = CONNECTOR
        webhooks = (WebhookSample("orders/create", BODY, newer=NEWER),)
        reads = (Sample("order", ORDER, required={"order.lines[0].quantity": ("lines", 0, "qty")}),)

        async def effect(self, rig, kind, order_id): ...

The manifest's capabilities decide what applies; a manifest that disagrees with the code fails. The
sandbox the connector exports is started on a loopback port for each test, with a clock that both
sides share and that moves only when somebody waits.
"""

from __future__ import annotations

from connectors.sdk.contract_suite.effect_rules import EffectRules
from connectors.sdk.contract_suite.failure_rules import FailureRules
from connectors.sdk.contract_suite.manifest_rules import ManifestRules
from connectors.sdk.contract_suite.mapping_rules import MappingRules
from connectors.sdk.contract_suite.publish_rules import PublishRules
from connectors.sdk.contract_suite.pull_rules import PullRules
from connectors.sdk.contract_suite.rig import Rig
from connectors.sdk.contract_suite.samples import Sample, WebhookSample
from connectors.sdk.contract_suite.secrecy_rules import SecrecyRules
from connectors.sdk.contract_suite.track_rules import TrackRules
from connectors.sdk.contract_suite.webhook_rules import WebhookRules

__all__ = ["ContractSuite", "Rig", "Sample", "WebhookSample"]


class ContractSuite(
    ManifestRules,
    WebhookRules,
    PullRules,
    PublishRules,
    EffectRules,
    TrackRules,
    MappingRules,
    FailureRules,
    SecrecyRules,
):
    """Every rule. Set `connector`, `webhooks` and `reads`; override `effect` where effects are declared."""
