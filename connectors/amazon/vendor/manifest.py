"""What the vendor flavour of the Amazon connector can do, at which speed and under which names.

Reading numbers back is not among it: Amazon has no read of a vendor's direct-fulfilment inventory, so a number
is known to have been taken (its transaction ended in Success) and never to be shown.

Source: vendor models of amzn/selling-partner-api-models (2026-08-05) and their usage plans.
"""

from __future__ import annotations

from typing import Final

from connectors.amazon.budgets import COMMON, plan
from connectors.amazon.vendor import settings
from connectors.sdk.manifest import Capability, Confirms, EffectKind, Manifest, QuantityMeaning, Stream, Topic

ACKNOWLEDGE: Final = "acknowledge_order"
CONFIRM_SHIPMENT: Final = "confirm_shipment"

PURCHASE_ORDERS: Final = "purchase_orders"
DIRECT_ORDERS: Final = "direct_orders"
LISTINGS: Final = "listings"

PURCHASE_ORDER: Final = "purchase_order"
DIRECT_ORDER: Final = "direct_order"
LISTING: Final = "listing"
STATUS: Final = "purchase_order_status"
TRANSACTION: Final = "transaction"

PAGE_MAX: Final = 100
"""Source: vendorOrders and vendorDirectFulfillmentOrders, `limit` at most 100 (2026-08)."""

HISTORY_DAYS: Final = 180
"""Source: "Vendor Direct Fulfillment Orders API use case guide": data of up to six months (read 2026-11)."""

ACKNOWLEDGE_WITHIN_S: Final = 24 * 3600.0
"""Source: "submit an acknowledgement", both programmes: within 24 hours (read 2026-11)."""

INVENTORY_ITEMS_MAX: Final = 500
"""No limit is published but 413 is an answer: a bound of ours."""

MANIFEST: Final = Manifest(
    name="amazon_vendor",
    title="Amazon Vendor (retail and direct fulfilment)",
    capabilities=frozenset({Capability.PULL, Capability.PUBLISH, Capability.EFFECTS, Capability.CHECK}),
    topics=(Topic(PURCHASE_ORDER), Topic(DIRECT_ORDER), Topic(LISTING), Topic(STATUS), Topic(TRANSACTION)),
    streams=(
        Stream(PURCHASE_ORDERS, interval_s=600, overlap_s=86_400, page_max=PAGE_MAX, backfill_days_max=HISTORY_DAYS),
        # Direct orders can be asked for by the time they were made alone, so a change of state is only found by
        # reading the last days again.
        Stream(DIRECT_ORDERS, interval_s=300, overlap_s=259_200, page_max=PAGE_MAX, backfill_days_max=HISTORY_DAYS),
        Stream(LISTINGS, interval_s=3_600, page_max=1_000),
    ),
    effects=(EffectKind(ACKNOWLEDGE), EffectKind(CONFIRM_SHIPMENT, alone=True)),
    confirms=Confirms(
        effect=CONFIRM_SHIPMENT,
        channel="amazon",
        whole_shipments=True,
        source="vendorShipments and vendorDirectFulfillmentShipping_2021-12-28 models (2026-08)",
    ),
    budgets=(
        *COMMON,
        plan("getPurchaseOrders", 10.0, 10),
        plan("getPurchaseOrder", 10.0, 10),
        plan("getPurchaseOrdersStatus", 10.0, 10),
        plan("submitAcknowledgement", 10.0, 10),
        plan("SubmitShipmentConfirmations", 10.0, 10),
        plan("GetShipmentDetails", 10.0, 10),
        plan("getTransaction", 10.0, 20),
        # Operations of direct fulfilment share their names with those above and have buckets of their own.
        plan("direct.getOrders", 10.0, 10),
        plan("direct.getOrder", 10.0, 10),
        plan("direct.submitAcknowledgement", 10.0, 10),
        plan("direct.submitShipmentConfirmations", 10.0, 10),
        plan("direct.submitInventoryUpdate", 10.0, 10),
        plan("direct.getTransactionStatus", 10.0, 10),
    ),
    publish_batch_max=INVENTORY_ITEMS_MAX,
    quantity_meaning=QuantityMeaning.AVAILABLE,
    receipt_poll_s=(15.0, 60.0, 300.0, 900.0),
    acknowledges_orders=True,
    acknowledge_within_s=ACKNOWLEDGE_WITHIN_S,
    flavour_of="amazon",
    dedupe_by="order number and content digest; warehouse and item of a listing",
    clock_quirks=(
        "a purchase order has up to three dates of its own and no version; direct orders have the day they were made "
        "alone; windows are `start--end` in one text"
    ),
    credentials=settings.CREDENTIALS,
    options=settings.OPTIONS,
    docs={
        "retail orders": "https://developer-docs.amazon.com/sp-api/docs/vendor-orders-api",
        "direct orders": "https://developer-docs.amazon.com/sp-api/docs/vendor-direct-fulfillment-orders-api",
        "direct inventory": "https://developer-docs.amazon.com/sp-api/docs/vendor-direct-fulfillment-inventory-api",
        "transactions": "https://developer-docs.amazon.com/sp-api/docs/vendor-transaction-status-api",
    },
)
