"""Which published documents requests to a vendor are held against, and what none of them is about."""

from __future__ import annotations

from tests.support.openapi import Documents

EBAY = Documents(
    {
        "ebay/sell_fulfillment_v1_oas3.json": "/sell/fulfillment/v1",
        "ebay/sell_inventory_v1_oas3.json": "/sell/inventory/v1",
        "ebay/commerce_notification_v1_oas3.json": "/commerce/notification/v1",
        "ebay/sell_account_v1_oas3.json": "/sell/account/v1",
        "ebay/cancellation_oas3.json": "/post-order/v2",
        "ebay/return_oas3.json": "/post-order/v2",
    },
    bare=frozenset({"ebay/cancellation_oas3.json", "ebay/return_oas3.json"}),
)
EBAY_UNLISTED = ("/identity/v1/oauth2/token", "/developer/analytics/v1_beta/rate_limit", "/ws/api.dll")
"""The login, the allowances, and Trading's XML."""

WALMART = Documents(
    {
        f"walmart/walmart-marketplace-{name}-openapi-original.yml": ""
        for name in ("orders", "inventory", "feeds", "returns", "notifications", "authentication", "fulfillment")
    },
    cursors={"/v3/orders": frozenset({"hasMoreElements"})},
)

UPS = Documents(
    {
        "carriers/ups/Tracking.yaml": "/api",
        "carriers/ups/UPSTrackAlertEnhanced.yaml": "/api/track/v2",
        "carriers/ups/OAuthClientCredentials.yaml": "",
    }
)
UPS_UNLISTED = ()
FEDEX = Documents({"carriers/fedex/track-v1-openapi.json": ""})
FEDEX_UNLISTED = ("/oauth/token",)
"""The login, which has a document of its own."""
USPS = Documents({"carriers/usps/tracking-v3r2.yaml": "/tracking/v3"})
USPS_UNLISTED = ("/oauth2/v3/token",)
DHL = Documents({"carriers/dhl/unified-tracking-openapi.json": "/track"})
DHL_UNLISTED = ()
SHIPENGINE = Documents({"carriers/shipengine/openapi.yaml": ""})
SHIPENGINE_UNLISTED = ("/jwks", "/v2/")
"""The key set, which the pages on webhooks name; the same operations under ShipStation's prefix."""
