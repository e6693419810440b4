"""Each channel hears of a carrier by the crosswalk's name for it, of one it has no name for in its form for others."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.amazon.carriers import carrier_of
from connectors.ebay.shipping import body_of, parcels
from connectors.sdk.clock import ManualClock
from connectors.sdk.errors import Rejected
from connectors.walmart.shipping import CARRIERS, pieces, shipping_body
from mappings.carriers import Crosswalk

TABLE = Crosswalk(
    {"city_bikes": {"name": "City Bikes", "tracking_url": "https://bikes.example/{number}", "ebay": "CityBikes"}}
)
CODES = sorted(one.code for one in TABLE.carriers)
NUMBER = "X100"


def package(channel: str, code: str | None, raw: str | None = None, url: str | None = None) -> dict[str, Any]:
    """As the hub hands it to a connector."""
    name = TABLE.told(channel, code, number=NUMBER, raw=raw)
    told = {"code": name.code, "name": name.name, "other": name.is_other, "url": url or name.url, "service": None}
    line = {"line_id": "1", "quantity": 1}
    return {"id": "1", "tracking_number": NUMBER, "carrier": code, "carrier_raw": raw, "lines": [line], "told": told}


@pytest.mark.parametrize("code", CODES)
def test_amazon(code: str) -> None:
    """Its code from the table, else Other and the carrier's name."""
    carrier = TABLE.carrier(code)
    assert carrier is not None
    word = carrier.names.get("amazon")
    expected = {"carrierCode": word} if word else {"carrierCode": "Other", "carrierName": carrier.name}
    assert carrier_of(package("amazon", code)) == expected


@pytest.mark.parametrize("code", CODES)
def test_ebay(code: str) -> None:
    """Its code from the table or an operator's word, else Other; number and carrier always together."""
    order = {"orderId": "1", "lineItems": [{"lineItemId": "1", "quantity": 1}]}
    carrier = TABLE.carrier(code)
    assert carrier is not None
    (parcel,) = parcels(order, {"packages": [package("ebay", code)]})
    body = body_of(parcel, ManualClock().now())
    assert (body["shippingCarrierCode"], body["trackingNumber"]) == (carrier.names.get("ebay", "Other"), NUMBER)


@pytest.mark.parametrize("code", CODES)
def test_walmart(code: str) -> None:
    """Its word from its own list, else otherCarrier and the page that shows the parcel, without which it is refused."""
    carrier = TABLE.carrier(code)
    assert carrier is not None
    word = carrier.names.get("walmart")
    status = {"status": "Acknowledged", "statusQuantity": {"amount": "1"}}
    line = {"lineNumber": "1", "orderLineStatuses": {"orderLineStatus": [status]}}
    order = {"orderLines": {"orderLine": [line]}, "shippingInfo": {"methodCode": "Standard"}}
    wanted = pieces(order, {"packages": [package("walmart", code)]})
    if word is None and carrier.tracking_url is None:
        with pytest.raises(Rejected) as refused:
            shipping_body(order, wanted, ManualClock().now(), "1")
        assert refused.value.code == "no_tracking_url"
        return
    body = shipping_body(order, wanted, ManualClock().now(), "1")
    (row,) = body["orderShipment"]["orderLines"]["orderLine"]
    tracking = row["orderLineStatuses"]["orderLineStatus"][0]["trackingInfo"]
    assert tracking["carrierName"] == ({"carrier": word} if word else {"otherCarrier": carrier.name})
    assert word is None or word in CARRIERS
    assert word or tracking["trackingURL"] == carrier.url_of(NUMBER)
