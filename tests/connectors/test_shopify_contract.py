"""The Shopify connector keeps the connector contract against its own sandbox."""

from __future__ import annotations

from connectors.sdk.contract import Effect
from connectors.sdk.contract_suite import ContractSuite, Rig
from connectors.shopify import CONNECTOR
from tests.support.shopify_payloads import read_samples, shipment_effect, webhook_samples


class TestShopifyContract(ContractSuite):
    connector = CONNECTOR
    webhooks = webhook_samples()
    reads = read_samples()

    async def effect(self, rig: Rig, kind: str, order_id: str) -> Effect:
        return await shipment_effect(rig, kind, order_id)
