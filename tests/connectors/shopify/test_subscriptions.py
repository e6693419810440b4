"""Subscriptions mend themselves, and nobody else's are touched."""

from __future__ import annotations

from connectors.shopify.topics import SUBSCRIBED
from tests.support.shopify_rig import opened

URL = "http://127.0.0.1:9/webhooks/shop-us"


async def test_missing_ones_are_made_and_the_second_look_changes_nothing() -> None:
    """Every topic once, the compliance topics (which the API does not know) never."""
    async with opened() as rig:
        assert len(await rig.connector.ensure_subscriptions(URL)) == len(SUBSCRIBED)
        assert {each.rest_topic for each in rig.sandbox.subscriptions.by_id.values()} == set(SUBSCRIBED)
        assert list(await rig.connector.ensure_subscriptions(URL)) == []
        assert "customers/redact" not in SUBSCRIBED


async def test_what_was_removed_moved_filtered_or_doubled_is_mended() -> None:
    """One line per change; a foreign subscription stays as it is."""
    async with opened() as rig:
        await rig.connector.ensure_subscriptions(URL)
        hooks = rig.sandbox.subscriptions
        (gone,), (moved,), (narrow,) = hooks.of("orders/create"), hooks.of("orders/paid"), hooks.of("orders/updated")
        hooks.delete(f"gid://shopify/WebhookSubscription/{gone.id}")
        moved.uri, narrow.include_fields = "https://old.example.com/hook", ["id"]
        hooks.create("REFUNDS_CREATE", {"uri": "https://staging.example.com/hook", "name": "staging"})
        hooks.create("ORDERS_EDITED", {"uri": "https://old.example.com/hook", "name": moved.name})
        changes = list(await rig.connector.ensure_subscriptions(URL))
        assert sorted(changes) == [
            "orders/create: subscribed",
            "orders/edited: removed a second subscription",
            "orders/paid: mended",
            "orders/updated: mended",
        ]
        assert list(await rig.connector.ensure_subscriptions(URL)) == []
        assert {each.name for each in hooks.of("refunds/create")} == {"staging", moved.name}


async def test_a_new_public_address_moves_every_subscription() -> None:
    """The hub got another address: nothing is doubled."""
    async with opened() as rig:
        await rig.connector.ensure_subscriptions(URL)
        changes = await rig.connector.ensure_subscriptions(URL + "-new")
        assert {change.partition(": ")[2] for change in changes} == {"mended"}
        assert {each.uri for each in rig.sandbox.subscriptions.by_id.values()} == {URL + "-new"}


async def test_a_refused_topic_does_not_stop_the_others() -> None:
    """An address Shopify does not take is said once per topic and raises nothing."""
    async with opened() as rig:
        changes = await rig.connector.ensure_subscriptions("ftp://example.com/hook")
        assert len(changes) == len(SUBSCRIBED)
        assert all("not subscribed" in change for change in changes)


async def test_a_receiver_that_fails_for_hours_loses_its_subscription() -> None:
    """Nine refusals and the vendor gives up; the next look subscribes again."""
    async with opened() as rig:
        await rig.connector.ensure_subscriptions(URL)
        rig.sandbox.stock("MUG-1", 5)
        await rig.sandbox.sell([("MUG-1", 1)])
        await rig.sandbox.settle()
        assert rig.sandbox.subscriptions.of("orders/create") == []
        assert "orders/create: subscribed" in await rig.connector.ensure_subscriptions(URL)
