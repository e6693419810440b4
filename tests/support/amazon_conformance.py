"""Whether requests are ones Amazon's own models allow: always against shapes in our words, and against the
published Swagger documents where they are at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from aiohttp import web
from jsonschema import Draft7Validator

from connectors.amazon.sandbox import AmazonSandbox

SPECS = Path(__file__).resolve().parents[2].parent / "shared" / "specs" / "amazon"
MODELS = {
    "searchOrders": "orders_2026-01-01",
    "getOrder": "orders_2026-01-01",
    "confirmShipment": "ordersV0",
    "getListingsItem": "listingsItems_2021-08-01",
    "searchListingsItems": "listingsItems_2021-08-01",
    "patchListingsItem": "listingsItems_2021-08-01",
    "getFeeds": "feeds_2021-06-30",
    "createFeed": "feeds_2021-06-30",
    "getFeed": "feeds_2021-06-30",
    "cancelFeed": "feeds_2021-06-30",
    "createFeedDocument": "feeds_2021-06-30",
    "getFeedDocument": "feeds_2021-06-30",
    "getReports": "reports_2021-06-30",
    "createReport": "reports_2021-06-30",
    "getReport": "reports_2021-06-30",
    "cancelReport": "reports_2021-06-30",
    "getReportDocument": "reports_2021-06-30",
    "getInventorySummaries": "fbaInventory",
    "getSubscription": "notifications",
    "createSubscription": "notifications",
    "getSubscriptionById": "notifications",
    "deleteSubscriptionById": "notifications",
    "getDestinations": "notifications",
    "createDestination": "notifications",
    "getDestination": "notifications",
    "deleteDestination": "notifications",
    "getMarketplaceParticipations": "sellers",
    "createRestrictedDataToken": "tokens_2021-03-01",
    "listTransactions": "finances_2024-06-19",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it reached the server."""

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: Any

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.query}


def _object(required: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": sorted(required),
        "additionalProperties": False,
    }


TEXT = {"type": "string", "minLength": 1}
UNITS = {"type": "integer", "minimum": 1}
MARKETS = {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 25}
NUMERIC_TEXT = {"type": "string", "pattern": "^[1-9][0-9]*$"}
SHIPPED = _object({"orderItemId": TEXT, "quantity": UNITS}, {"transparencyCodes": {"type": "array", "items": TEXT}})
PACKAGE = _object(
    {
        "packageReferenceId": NUMERIC_TEXT,
        "carrierCode": TEXT,
        "trackingNumber": TEXT,
        "shipDate": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
        "orderItems": {"type": "array", "items": SHIPPED, "minItems": 1},
    },
    {"carrierName": TEXT, "shippingMethod": TEXT, "shipFromSupplySourceId": TEXT},
)
# One attribute of one channel: a merge of anything else, or a replace, would take a lead time away.
ENTRY = _object({"fulfillment_channel_code": {"const": "DEFAULT"}, "quantity": {"type": "integer", "minimum": 0}})
PATCH = _object(
    {
        "op": {"const": "merge"},
        "path": {"const": "/attributes/fulfillment_availability"},
        "value": {"type": "array", "items": ENTRY, "minItems": 1, "maxItems": 1},
    }
)
PATCHES = {"type": "array", "items": PATCH, "minItems": 1, "maxItems": 1}
MESSAGE = _object(
    {
        "messageId": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
        "sku": TEXT,
        "operationType": {"const": "PATCH"},
        "productType": {"const": "PRODUCT"},
        "patches": PATCHES,
    }
)
FEED = _object(
    {
        "header": _object({"sellerId": TEXT, "version": {"const": "2.0"}}, {"issueLocale": TEXT}),
        "messages": {"type": "array", "items": MESSAGE, "minItems": 1, "maxItems": 25_000},
    }
)
BODIES: Mapping[str, Any] = {
    "confirmShipment": _object({"marketplaceId": TEXT, "packageDetail": PACKAGE}, {"codCollectionMethod": TEXT}),
    "patchListingsItem": _object({"productType": {"const": "PRODUCT"}, "patches": PATCHES}),
    "createFeedDocument": _object({"contentType": TEXT}),
    "createFeed": _object({"feedType": TEXT, "marketplaceIds": MARKETS, "inputFeedDocumentId": TEXT}),
    "createReport": _object(
        {"reportType": TEXT, "marketplaceIds": MARKETS},
        {"dataStartTime": TEXT, "dataEndTime": TEXT, "reportOptions": {"type": "object"}},
    ),
    "createDestination": _object(
        {
            "name": TEXT,
            "resourceSpecification": _object({"sqs": _object({"arn": {"type": "string", "pattern": "^arn:aws:sqs:"}})}),
        }
    ),
    "createSubscription": _object(
        {"payloadVersion": TEXT, "destinationId": TEXT}, {"processingDirective": {"type": "object"}}
    ),
}
QUERIES: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "searchOrders": (
        frozenset(),
        frozenset(
            {
                "includedData", "createdAfter", "createdBefore", "lastUpdatedAfter", "lastUpdatedBefore",
                "fulfillmentStatuses",
                "marketplaceIds", "fulfilledBy", "maxResultsPerPage", "paginationToken",
            }
        ),
    ),
    "getOrder": (frozenset({"includedData"}), frozenset()),
    "getListingsItem": (frozenset({"marketplaceIds"}), frozenset({"includedData", "issueLocale"})),
    "searchListingsItems": (
        frozenset({"marketplaceIds"}),
        frozenset(
            {"includedData", "identifiers", "identifiersType", "sortBy", "sortOrder", "pageSize", "pageToken",
             "issueLocale", "lastUpdatedAfter", "createdAfter"}
        ),
    ),
    "patchListingsItem": (frozenset({"marketplaceIds"}), frozenset({"includedData", "mode", "issueLocale"})),
    "getFeeds": (
        frozenset(),
        frozenset({"feedTypes", "marketplaceIds", "pageSize", "processingStatuses", "createdSince", "createdUntil",
                   "nextToken"}),
    ),
    "getReports": (
        frozenset(),
        frozenset({"reportTypes", "marketplaceIds", "pageSize", "processingStatuses", "createdSince", "createdUntil",
                   "nextToken"}),
    ),
    "getInventorySummaries": (
        frozenset({"granularityType", "granularityId", "marketplaceIds"}),
        frozenset({"details", "startDateTime", "sellerSkus", "nextToken"}),
    ),
    "getSubscription": (frozenset(), frozenset({"payloadVersion"})),
    "listTransactions": (
        frozenset(),
        frozenset({"postedAfter", "postedBefore", "marketplaceId", "transactionStatus", "relatedIdentifierName",
                   "relatedIdentifierValue", "nextToken"}),
    ),
}  # fmt: skip
"""Operation → (query names that must be there, further ones that may); operations without a row have none."""


def against_shapes(request: Request) -> list[str]:
    """What our own words have to say against a request."""
    required, optional = QUERIES.get(request.operation, (frozenset(), frozenset()))
    found = [f"query lacks {name}" for name in sorted(required - request.names)]
    found += [f"query has {name}" for name in sorted(request.names - required - optional)]
    if request.operation in ("searchOrders", "getOrder") and not _tells_status(request):
        found.append("includedData lacks FULFILLMENT: the orders would have no status")
    schema = BODIES.get(request.operation)
    if schema is None:
        return found if request.body is None else [*found, "a body nobody asked for"]
    return found + _errors(schema, request.body)


def _tells_status(request: Request) -> bool:
    """A page of one order is a look at whether reading is allowed, and needs no status."""
    asked = {part for name, value in request.query if name == "includedData" for part in value.split(",")}
    return "FULFILLMENT" in asked or ("maxResultsPerPage", "1") in request.query


def against_models(request: Request) -> list[str]:
    """What Amazon's model of the operation has to say; nothing where the models are not at hand."""
    path = SPECS / "models" / f"{MODELS[request.operation]}.json"
    if not path.is_file():
        return []
    document = _model(path)
    template, item = _template(document, request)
    stated = [*item.get("parameters", []), *item[request.method.lower()].get("parameters", [])]
    parameters = [_resolved(document, each) for each in stated]
    found = []
    queries = {each["name"]: each for each in parameters if each["in"] == "query"}
    found += [f"unknown query parameter {name}" for name in sorted(request.names - set(queries))]
    for name, parameter in queries.items():
        found += _parameter_faults(parameter, [value for key, value in request.query if key == name])
    body = next((each for each in parameters if each["in"] == "body"), None)
    if body is None:
        found += [] if request.body is None else ["a body where the model has none"]
    elif request.body is not None or body.get("required"):
        definitions = {name: _flat(document, each) for name, each in document["definitions"].items()}
        schema = {**_strict(body["schema"]), "definitions": _strict(definitions)}
        found += _errors(schema, request.body)
    parts = dict(zip(re.findall(r"{(\w+)}", template), _path_values(template, request.path), strict=True))
    return found + [f"path parameter {name} is empty" for name, value in parts.items() if not unquote(value)]


def answer_faults(method: str, path: str, status: int, body: Any) -> list[str]:
    """What Amazon's models have to say against an answer of the sandbox; nothing where they are not at hand."""
    for name in sorted(set(MODELS.values())):
        model = SPECS / "models" / f"{name}.json"
        if not model.is_file():
            continue
        document = _model(model)
        for template, item in document["paths"].items():
            if method.lower() not in item or _path_values(template, path) is None:
                continue
            answers = item[method.lower()]["responses"]
            if str(status) not in answers:
                return [f"{method} {template} never answers {status}"]
            schema = answers[str(status)].get("schema")
            if schema is None:
                return [] if not body else [f"{method} {template} {status} has no body"]
            definitions = {each: _flat(document, value) for each, value in document["definitions"].items()}
            held = {**_strict(schema), "definitions": _strict(definitions)}
            return [f"{method} {template} {status}: {fault}" for fault in _errors(held, body)]
    return []


def against_feed_schema(content: bytes) -> list[str]:
    """A JSON_LISTINGS_FEED document by our shape, and by Amazon's schema where it is at hand."""
    document = json.loads(content)
    found = _errors(FEED, document)
    path = SPECS / "schemas" / "feeds" / "listings-feed-schema-v2.json"
    return found + (_errors(_model(path), document) if path.is_file() else [])


def against_envelope(kind: str, content: bytes) -> list[str]:
    """An XML feed: the envelope, the seller, a message number, and one message of its kind each."""
    wanted = {
        "POST_ORDER_ACKNOWLEDGEMENT_DATA": "OrderAcknowledgement",
        "POST_PAYMENT_ADJUSTMENT_DATA": "OrderAdjustment",
    }[kind]
    root = ET.fromstring(content)
    children = [child.tag for child in root]
    found = [] if root.tag == "AmazonEnvelope" else [f"root {root.tag}"]
    found += [] if children[:2] == ["Header", "MessageType"] else [f"order of elements {children}"]
    found += [] if root.findtext("MessageType") == wanted else ["MessageType"]
    for name in ("Header/DocumentVersion", "Header/MerchantIdentifier", "Message/MessageID"):
        found += [] if root.findtext(name) else [f"no {name}"]
    return found + [f"no {wanted}" for message in root.findall("Message") if message.find(wanted) is None]


@dataclass
class Watch:
    """Every request seen, and what is wrong with each."""

    requests: list[Request] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def see(self, request: Request) -> None:
        self.requests.append(request)
        for fault in [*against_shapes(request), *against_models(request)]:
            self.violations.append(f"{request.operation}: {fault}")

    @property
    def operations(self) -> set[str]:
        return {request.operation for request in self.requests}


class WatchedSandbox(AmazonSandbox):
    """The sandbox with an eye on every request, taken or refused."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.watch = Watch()
        self.operations.heard = self._see

    async def _see(self, operation: str, request: web.Request) -> None:
        text = await request.text()
        body = json.loads(text) if text else None
        path = request.raw_path.partition("?")[0]
        self.watch.see(Request(operation, request.method, path, tuple(request.query.items()), body))

    def violations(self) -> list[str]:
        """Of the requests and of the documents uploaded for feeds."""
        found = list(self.watch.violations)
        for feed in self.feeds.feeds.values():
            content = feed.source.content or b""
            if feed.kind == "JSON_LISTINGS_FEED":
                found += [f"feed: {fault}" for fault in against_feed_schema(content)]
            else:
                found += [f"{feed.kind}: {fault}" for fault in against_envelope(feed.kind, content)]
        return found


@cache
def _model(path: Path) -> Any:
    return json.loads(path.read_text())


def _errors(schema: Any, value: Any) -> list[str]:
    return sorted(f"{error.json_path}: {error.message}" for error in Draft7Validator(schema).iter_errors(value))


def _strict(schema: Any) -> Any:
    """The same schema refusing names it does not list: a misspelt field would pass unnoticed otherwise."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    held = {name: _strict(each) for name, each in schema.items()}
    named = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    return held | {"additionalProperties": False} if named and "additionalProperties" not in schema else held


def _flat(document: Any, schema: Any) -> Any:
    """A definition put together of others, as one object: strictness is of the whole and of no part."""
    if "allOf" not in schema:
        return schema
    properties: dict[str, Any] = {}
    for part in schema["allOf"]:
        name = part.get("$ref", "").rpartition("/")[2]
        properties |= (document["definitions"][name] if name else part).get("properties", {})
    return {"type": "object", "properties": properties}


def _template(document: Any, request: Request) -> tuple[str, Any]:
    for template, item in document["paths"].items():
        if _path_values(template, request.path) is not None and request.method.lower() in item:
            operation = item[request.method.lower()]
            if operation["operationId"] == request.operation:
                return template, item
    raise AssertionError(f"no path of the model is {request.method} {request.path}")


def _path_values(template: str, path: str) -> Any:
    pattern = re.sub(r"{\w+}", "([^/]*)", template)
    match = re.fullmatch(pattern, path)
    return None if match is None else match.groups()


def _resolved(document: Any, parameter: Any) -> Any:
    return document["parameters"][parameter["$ref"].rpartition("/")[2]] if "$ref" in parameter else parameter


def _parameter_faults(parameter: Any, values: list[str]) -> Iterable[str]:
    name = parameter["name"]
    if not values:
        return [f"{name} is required"] if parameter.get("required") else []
    if parameter["type"] != "array":
        return [] if len(values) == 1 and _fits(parameter, values[0]) else [f"{name}={values}"]
    # Swagger's default for a list is commas in one value.
    parts = [part for value in values for part in value.split(",")]
    found = [f"{name}={part}" for part in parts if not _fits(parameter["items"], part)]
    most = parameter.get("maxItems")
    found += [f"{name} has {len(parts)} values"] if most is not None and len(parts) > most else []
    return [*found, *([f"{name} is repeated"] if len(values) > 1 else [])]


def _fits(schema: Any, text: str) -> bool:
    if schema.get("enum") and text not in schema["enum"]:
        return False
    if schema.get("type") == "integer":
        low, high = schema.get("minimum", 0), schema.get("maximum", 10**9)
        return text.isdigit() and low <= int(text) <= high
    if schema.get("type") == "boolean":
        return text in ("true", "false")
    return bool(text)
