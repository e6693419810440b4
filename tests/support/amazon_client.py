"""A Selling Partner API client written from Amazon's pages, knowing nothing of our connector."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from connectors.amazon.sandbox import (
    ACCESS_KEY,
    CLIENT_ID,
    CLIENT_SECRET,
    REFRESH_TOKEN,
    SELLER,
    AmazonSandbox,
)
from connectors.sdk.clock import ManualClock
from connectors.sdk.sandbox import Faults
from tests.support.amazon_conformance import answer_faults

US = "ATVPDKIKX0DER"
ORDERS = "/orders/2026-01-01/orders"
LISTINGS = f"/listings/2021-08-01/items/{SELLER}"
FEEDS = "/feeds/2021-06-30"
REPORTS = "/reports/2021-06-30"
NOTICES = "/notifications/v1"
SCOPE = "sellingpartnerapi::notifications"
JSON_TYPE = "application/json; charset=UTF-8"
EVERYTHING = "BUYER,RECIPIENT,PROCEEDS,CANCELLATION,FULFILLMENT,PACKAGES,TAX,PAYMENT"


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str:
        return str(self.body["errors"][0]["code"])

    @property
    def details(self) -> str:
        return str(self.body["errors"][0]["details"])


@dataclass
class Client:
    sandbox: AmazonSandbox
    clock: ManualClock
    session: aiohttp.ClientSession
    seller: str = ""
    application: str = ""
    handles: list[str] = field(default_factory=list)

    async def grant(self, **form: str) -> Answer:
        given = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **form}
        async with self.session.post(f"{self.sandbox.base_url}/auth/o2/token", data=given) as response:
            return Answer(response.status, await response.json(), dict(response.headers))

    async def login(self) -> None:
        answer = await self.grant(grant_type="refresh_token", refresh_token=REFRESH_TOKEN)
        self.seller = answer.body["access_token"]
        answer = await self.grant(grant_type="client_credentials", scope=SCOPE)
        self.application = answer.body["access_token"]

    async def call(
        self, method: str, path: str, body: Any = None, *, grantless: bool = False, token: str = "", **query: str
    ) -> Answer:
        headers = {"x-amz-access-token": token or (self.application if grantless else self.seller)}
        url = URL(f"{self.sandbox.base_url}{path}", encoded=True).update_query(query)
        async with self.session.request(method, url, json=body, headers=headers) as response:
            text = await response.text()
            found = json.loads(text) if text else None
            # Not our fake alone is to understand these answers: Amazon's models have to.
            assert answer_faults(method, path, response.status, found) == []
            return Answer(response.status, found, {name.lower(): value for name, value in response.headers.items()})

    async def order(self, number: str, included: str = EVERYTHING) -> Any:
        return (await self.call("GET", f"{ORDERS}/{number}", includedData=included)).body["order"]

    async def search(self, **query: str) -> Answer:
        given = {"lastUpdatedAfter": "2026-01-05T00:00:00Z", "includedData": "FULFILLMENT", **query}
        return await self.call("GET", ORDERS, **given)

    async def confirm(self, number: str, detail: Any) -> Answer:
        path = f"/orders/v0/orders/{number}/shipmentConfirmation"
        return await self.call("POST", path, {"marketplaceId": US, "packageDetail": detail})

    async def listing(self, sku: str, included: str = "attributes,fulfillmentAvailability") -> Answer:
        path = f"{LISTINGS}/{quote(sku, safe='')}"
        return await self.call("GET", path, marketplaceIds=US, includedData=included)

    async def patch(self, sku: str, patches: Any, **query: str) -> Answer:
        body = {"productType": "PRODUCT", "patches": patches}
        return await self.call("PATCH", f"{LISTINGS}/{quote(sku, safe='')}", body, marketplaceIds=US, **query)

    async def upload(self, content: bytes, content_type: str = JSON_TYPE) -> str:
        made = await self.call("POST", f"{FEEDS}/documents", {"contentType": content_type})
        assert made.status == 201
        headers = {"Content-Type": content_type}
        async with self.session.put(made.body["url"], data=content, headers=headers) as response:
            assert response.status == 200
        return str(made.body["feedDocumentId"])

    async def feed(self, kind: str, content: bytes, content_type: str = JSON_TYPE) -> str:
        document = await self.upload(content, content_type)
        body = {"feedType": kind, "marketplaceIds": [US], "inputFeedDocumentId": document}
        made = await self.call("POST", f"{FEEDS}/feeds", body)
        assert made.status == 202, made.body
        return str(made.body["feedId"])

    async def processed(self, number: str) -> tuple[Any, bytes]:
        """The feed once it has ended, and its report."""
        self.clock.advance(5)
        feed = (await self.call("GET", f"{FEEDS}/feeds/{number}")).body
        found = await self.call("GET", f"{FEEDS}/documents/{feed['resultFeedDocumentId']}")
        return feed, await self.download(found.body)

    async def download(self, described: Any) -> bytes:
        async with self.session.get(described["url"]) as response:
            assert response.status == 200
            content = await response.read()
        return gzip.decompress(content) if described.get("compressionAlgorithm") == "GZIP" else content

    async def subscribe(self, kind: str, directive: Any = None, *, bridged: bool = False) -> Answer:
        name = "bridge" if bridged else "queue"
        wanted: Any = {"sqs": {"arn": self.sandbox.queue.arn}}
        if bridged:
            wanted = {"eventBridge": {"region": "us-east-1", "accountId": self.sandbox.queue.account}}
        body = {"resourceSpecification": wanted, "name": name}
        await self.call("POST", f"{NOTICES}/destinations", body, grantless=True)
        listed = (await self.call("GET", f"{NOTICES}/destinations", grantless=True)).body["payload"]
        number = next(each["destinationId"] for each in listed if each["name"] == name)
        given = {"payloadVersion": "1.0", "destinationId": number}
        return await self.call(
            "POST", f"{NOTICES}/subscriptions/{kind}", given | ({"processingDirective": directive} if directive else {})
        )

    async def sqs(self, action: str, key: str = ACCESS_KEY, **body: Any) -> Answer:
        url = f"{self.sandbox.base_url}/queue/{self.sandbox.queue.account}/{self.sandbox.queue.name}"
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"AmazonSQS.{action}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20260105/us-east-1/sqs/aws4_request",
        }
        content = json.dumps({"QueueUrl": url, **body})
        async with self.session.post(url, data=content, headers=headers) as response:
            return Answer(response.status, json.loads(await response.text()), dict(response.headers))

    async def received(self, *, delete: bool = True, **body: Any) -> list[Any]:
        """The bodies of what is in the queue, at most ten."""
        answer = await self.sqs("ReceiveMessage", MaxNumberOfMessages=10, **body)
        messages = answer.body.get("Messages", [])
        self.handles = [message["ReceiptHandle"] for message in messages]
        if delete and messages:
            entries = [{"Id": str(at), "ReceiptHandle": handle} for at, handle in enumerate(self.handles)]
            await self.sqs("DeleteMessageBatch", Entries=entries)
        return [json.loads(message["Body"]) for message in messages]


@asynccontextmanager
async def opened(*, grant: float = 1.0, faults: Faults | None = None) -> AsyncIterator[Client]:
    """A sandbox with published limits unless told otherwise, and a logged-in client of it."""
    clock = ManualClock()
    sandbox = AmazonSandbox(seed=7, clock=clock, grant=grant, faults=faults)
    sandbox.queue.wait_max_s = 0.1
    async with sandbox, aiohttp.ClientSession() as session:
        client = Client(sandbox, clock, session)
        await client.login()
        yield client
    assert sandbox.defects == []
