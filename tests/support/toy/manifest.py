"""What the toy connector says of itself. A real one names its vendor's pages and their dates."""

from __future__ import annotations

from typing import Final

from connectors.sdk.manifest import Budget, Capability, EffectKind, Manifest, Stream, Topic

MANIFEST: Final = Manifest(
    name="toy",
    title="Toy Market",
    capabilities=frozenset(
        {
            Capability.WEBHOOKS,
            Capability.PULL,
            Capability.PUBLISH,
            Capability.READ_BACK,
            Capability.EFFECTS,
            Capability.SUBSCRIBE,
            Capability.CHECK,
        }
    ),
    topics=(Topic("order.placed"), Topic("order.changed"), Topic("shop.renamed", ignored=True)),
    streams=(Stream("orders", interval_s=60, overlap_s=300, page_max=100), Stream("listings", interval_s=900)),
    effects=(EffectKind("confirm_shipment", keyed=False),),
    budgets=(Budget("calls", rate=20, burst=40, source="invented"),),
    publish_batch_max=10,
    read_back_batch_max=10,
    dedupe_by="X-Toy-Event; for orders read, id and updated_at",
    credentials={
        "client_id": "from the shop's settings",
        "client_secret": "shown once",
        "webhook_secret": "signs webhooks",
    },
    options={"region": "eu or us"},
    docs={"api": "https://toy.example/docs"},
)
