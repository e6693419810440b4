"""Acts asked for twice are done once, lists page without gaps, and personal data is for operators only."""

from __future__ import annotations

import asyncio
import json

import aiohttp

from bench import payloads
from tests.api.conftest import Desk
from tests.support.running_hub import deliver, until

ADJUST = {"lines": [{"sku": "MUG", "location": "main", "delta": 5}]}


async def _on_hand(desk: Desk) -> int:
    return int((await desk.get("/stock/MUG")).body["total"]["on_hand"])


async def test_the_same_key_is_done_once(desk: Desk) -> None:
    """Same key and body: the same answer, one change; same key and another body: 409; no key: done again."""
    first = await desk.post("/stock/adjustments", ADJUST, headers={"Idempotency-Key": "k-1"})
    again = await desk.post("/stock/adjustments", ADJUST, headers={"Idempotency-Key": "k-1"})
    assert (first.status, again.status) == (200, 200)
    assert first.body == again.body
    assert await _on_hand(desk) == 55
    other = await desk.post(
        "/stock/adjustments",
        {"lines": [{"sku": "MUG", "location": "main", "delta": 6}]},
        headers={"Idempotency-Key": "k-1"},
    )
    assert other.status == 409
    assert await _on_hand(desk) == 55
    await desk.post("/stock/adjustments", ADJUST)
    assert await _on_hand(desk) == 60


async def test_the_same_key_at_the_same_time_is_done_once(desk: Desk) -> None:
    """Ten repeats in flight together change stock once."""
    headers = {"Idempotency-Key": "k-race"}
    answers = await asyncio.gather(*(desk.post("/stock/adjustments", ADJUST, headers=headers) for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    assert await _on_hand(desk) == 55


async def test_a_key_belongs_to_its_caller_and_path(desk: Desk) -> None:
    """Another caller's equal key is another request; a key that is too long is refused."""
    headers = {"Idempotency-Key": "k-2"}
    await desk.post("/stock/adjustments", ADJUST, role="admin", headers=headers)
    await desk.post("/stock/adjustments", ADJUST, role="operator", headers=headers)
    assert await _on_hand(desk) == 60
    assert (await desk.post("/stock/adjustments", ADJUST, headers={"Idempotency-Key": "k" * 201})).status == 400


async def test_lists_page_without_gap_or_repeat(desk: Desk) -> None:
    """Following `next` gives every item once, whatever the page size; the last page's `next` is null."""
    for number in range(10, 17):
        assert await deliver(desk.http, desk.hub.url, number, [("MUG", 1)]) == 200

    async def nine() -> bool:
        return len((await desk.get("/orders?limit=500")).body["items"]) == 9

    await until(nine)
    for path in ("/orders", "/audit"):
        whole = (await desk.get(f"{path}?limit=500")).body["items"]
        assert len(whole) > 1
        for size in (1, 4):
            items, cursor = [], None
            for _ in range(len(whole) + 1):
                page = (await desk.get(f"{path}?limit={size}" + (f"&cursor={cursor}" if cursor else ""))).body
                assert len(page["items"]) <= size
                items += page["items"]
                cursor = page["next"]
                if cursor is None:
                    break
            assert items == whole, path


async def test_personal_data_is_for_operators_and_admins(desk: Desk) -> None:
    """A viewer sees the order without the buyer; an operator sees both."""
    orders = {role: (await desk.get("/orders?number=%231", role=role)).body["items"] for role in desk.tokens}
    assert "Invented Street" in json.dumps(orders["operator"])
    assert "Invented Street" in json.dumps(orders["admin"])
    viewed = json.dumps(orders["viewer"])
    for personal in ("Invented Street", "example.invalid", "555 0100"):
        assert personal not in viewed
    assert orders["viewer"][0]["lines"][0]["sku"] == "MUG"
    one = (await desk.get(f"/orders/{orders['viewer'][0]['id']}", role="viewer")).body
    assert "Invented Street" not in json.dumps(one)


async def test_events_are_streamed_as_they_happen(desk: Desk) -> None:
    """Server-sent events: an act of an operator arrives as one event with a name and JSON data."""
    headers = {"Authorization": f"Bearer {desk.tokens['viewer']}"}
    async with desk.http.get(desk.hub.url + "/api/v1/events", headers=headers) as stream:
        assert stream.status == 200
        assert stream.content_type == "text/event-stream"
        await desk.post("/accounts/market/pause")

        async def named(wanted: str) -> dict[str, str]:
            while True:
                line = (await stream.content.readline()).decode().strip()
                if line == f"event: {wanted}":
                    data = (await stream.content.readline()).decode()
                    found: dict[str, str] = json.loads(data.removeprefix("data: "))
                    return found

        event = await asyncio.wait_for(named("account.paused"), 60)
        assert event["account"] == "market"


async def test_a_stream_does_not_hold_up_the_end(desk: Desk) -> None:
    """Stopping the hub ends open streams instead of waiting for their readers."""
    headers = {"Authorization": f"Bearer {desk.tokens['viewer']}"}
    async with desk.http.get(desk.hub.url + "/api/v1/events", headers=headers) as stream:
        assert stream.status == 200
        await asyncio.wait_for(desk.hub.stop(), 60)
        await asyncio.wait_for(stream.content.read(), 60)


async def test_a_revoked_token_ends_within_seconds(desk: Desk) -> None:
    """Revocation needs no restart; a made token is never shown again."""
    made = (await desk.post("/tokens", {"role": "viewer", "label": "board"})).body
    headers = {"Authorization": f"Bearer {made['token']}"}
    async with desk.http.get(desk.hub.url + "/api/v1/status", headers=headers) as answer:
        assert answer.status == 200
    assert made["token"] not in json.dumps((await desk.get("/tokens")).body)
    assert (await desk.post(f"/tokens/{made['id']}/revoke")).status == 200

    async def refused() -> bool:
        async with desk.http.get(desk.hub.url + "/api/v1/status", headers=headers) as answer:
            return answer.status == 401

    await until(refused, 30)


async def test_acts_are_audited_with_their_actor(desk: Desk) -> None:
    """Who did what: the token's id, never the token."""
    await desk.post("/accounts/market/pause", role="operator")
    entries = (await desk.get("/audit")).body["items"]
    paused = next(entry for entry in entries if entry["action"] == "account.paused")
    assert paused["actor"].startswith("token:")
    assert not any(token in json.dumps(entries) for token in desk.tokens.values())


async def test_health_needs_no_token_and_says_why(desk: Desk) -> None:
    """`/livez`, `/readyz`, `/metrics` are open; a hub that stops says so before it is gone."""
    async with aiohttp.ClientSession(desk.hub.url) as http:
        for path, word in (("/livez", "ok"), ("/readyz", "ready")):
            async with http.get(path) as answer:
                assert answer.status == 200
                assert (await answer.json())["status"] == word
        engine = desk.hub._engine
        assert engine is not None
        engine.drain.begin()
        async with http.get("/readyz") as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert (await answer.json())["reasons"] == ["stopping"]


async def test_what_is_shown_once_is_stored_nowhere(desk: Desk) -> None:
    """A repeat makes no second token and cannot show the first one again; a preview's people are not kept."""
    headers = {"Idempotency-Key": "k-token"}
    first = await desk.post("/tokens", {"role": "viewer"}, headers=headers)
    again = await desk.post("/tokens", {"role": "viewer"}, headers=headers)
    assert first.body["token"].startswith("hub_")
    assert again.body == first.body | {"token": None}
    sample = {"account": "shop-us", "topic": "orders/create", "payload": json.loads(payloads.body(7, [("MUG", 1)]))}
    shown = await desk.post("/mappings/preview", sample, headers={"Idempotency-Key": "k-preview"})
    assert "Ada" in json.dumps(shown.body)
    replies = [await desk.hub.queries.reply(f"{name} /api/v1{path} {key}") for name, path, key in await _scopes(desk)]
    assert [reply is not None for reply in replies] == [True, False]
    assert first.body["token"] not in str(replies)


async def _scopes(desk: Desk) -> list[tuple[str, str, str]]:
    entries, _ = await desk.hub.queries.audit()
    caller = next(str(entry["actor"]) for entry in entries if str(entry["actor"]).startswith("token:"))
    return [(caller, "/tokens", "k-token"), (caller, "/mappings/preview", "k-preview")]
