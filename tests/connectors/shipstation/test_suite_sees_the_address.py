"""The contract suite catches a connector that looks at the secret in its address too lightly."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.sdk.contract import WebhookRequest
from connectors.sdk.errors import SignatureInvalid
from connectors.shipstation import CONNECTOR
from connectors.shipstation.connector import ShipstationConnector
from tests.connectors import test_shipstation_contract as sound


class BelievesAnybody(ShipstationConnector):
    def verify(self, request: WebhookRequest) -> None:
        return


class ComparesAPart(ShipstationConnector):
    def verify(self, request: WebhookRequest) -> None:
        given = parse_qs(urlsplit(request.path_qs).query).get("token", [""])[0]
        if not given or not self._settings.webhook_tokens[0].reveal().startswith(given[:8]):
            raise SignatureInvalid("no")


@pytest.mark.parametrize("careless", [BelievesAnybody, ComparesAPart])
async def test_a_careless_look_at_the_address_is_caught(careless: type[ShipstationConnector]) -> None:
    """The rule passes on the sound connector and fails on the careless one."""
    await sound.TestShipstationContract().test_a_changed_signature_is_refused()

    class Careless(sound.TestShipstationContract):
        connector = replace(CONNECTOR, open=careless)

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await Careless().test_a_changed_signature_is_refused()
