"""The GraphQL endpoint: parse, validate, price, execute, and say it in the vendor's words.

Source: shopify.dev/docs/api/admin-graphql (errors, rate limits), read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, Final

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from connectors.shopify.fake.cost import QUERY_MAX, Bucket, Pricing
from connectors.shopify.fake.roots import KEYED, Roots
from connectors.shopify.fake.views import View

MUST_HAVE_SCOPE: Final[Mapping[str, str]] = {
    "orders": "read_orders",
    "order": "read_orders",
    "locations": "read_locations",
    "location": "read_locations",
    "productVariants": "read_products",
    "productVariant": "read_products",
    "inventoryItem": "read_inventory",
    "inventoryItems": "read_inventory",
    "inventorySetQuantities": "write_inventory",
    "inventoryActivate": "write_inventory",
    "fulfillmentCreate": "write_merchant_managed_fulfillment_orders",
    "fulfillmentCancel": "write_merchant_managed_fulfillment_orders",
    "fulfillmentTrackingInfoUpdate": "write_merchant_managed_fulfillment_orders",
    "fulfillmentOrder": "read_merchant_managed_fulfillment_orders",
    "return": "read_returns",
}
"""Root fields and the scope each needs. Source: the schema's own scope statements, 2026-10."""

_VALIDATION_CODES: Final = (
    ("Cannot query field", "undefinedField"),
    ("Unknown argument", "argumentNotAccepted"),
    ("is required, but it was not provided", "missingRequiredArguments"),
    ("Unknown directive", "undefinedDirective"),
    ("Unknown fragment", "useAndDefineFragment"),
    ("is not defined by operation", "variableNotDefined"),
    ("is not defined", "variableNotDefined"),
    ("Expected value of type", "argumentLiteralsIncompatible"),
)


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """The part of the vendor's schema that is served."""
    text = (resources.files("connectors.shopify.fake") / "schema.graphql").read_text("utf-8")
    return build_schema(text)


@lru_cache(maxsize=256)
def checked(query: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...]]:
    """A parsed, validated document; the same text is looked at once."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, (error,)
    return document, tuple(validate(schema(), document))


class Server:
    """Answers requests against one shop."""

    def __init__(self, roots: Roots, bucket: Bucket, scopes: Callable[[], frozenset[str]]) -> None:
        self._roots = roots
        self._bucket = bucket
        self._scopes = scopes

    def answer(self, body: Any) -> dict[str, Any]:
        """The response body; HTTP 200 in every case."""
        query, variables = body.get("query"), body.get("variables") or {}
        if not isinstance(query, str) or not isinstance(variables, dict):
            return _errors(GraphQLError("Required parameter missing or invalid: query"))
        document, problems = checked(query)
        if document is None or problems:
            return _errors(*problems)
        operation = _operation(document, body.get("operationName"))
        if operation is None:
            return _errors(GraphQLError("An operation name is required"))
        requested = max(1.0, Pricing(schema(), document, variables).price(operation))
        if requested > QUERY_MAX:
            text = f"Query cost is {requested:.0f}, which exceeds the single query max cost limit ({QUERY_MAX})."
            extensions = {"code": "MAX_COST_EXCEEDED", "cost": int(requested), "maxCost": QUERY_MAX}
            return _errors(GraphQLError(text, extensions=extensions))
        if not self._bucket.take(requested):
            return {**THROTTLED, "extensions": self._bucket.extension(requested, None)}
        result = self._execute(document, variables, operation)
        actual = min(requested, max(1.0, _objects(result.data)))
        if operation.operation is OperationType.MUTATION:
            actual = requested
        self._bucket.give_back(requested - actual)
        return {**_said(result), "extensions": self._bucket.extension(requested, actual)}

    def everything(self, query: str) -> tuple[dict[str, Any] | None, list[str]]:
        """A bulk query: no pages, and queries only."""
        document, problems = checked(query)
        if document is None or problems:
            return None, [problem.message for problem in problems]
        operation = _operation(document, None)
        if operation is None or operation.operation is not OperationType.QUERY:
            return None, ["must be one query"]
        result = execute_sync(
            schema(), document, root_value=self._roots.queries(everything=True), type_resolver=_type_of
        )
        return result.data, [error.message for error in result.errors or ()]

    def _execute(
        self, document: DocumentNode, variables: Mapping[str, Any], operation: OperationDefinitionNode
    ) -> ExecutionResult:
        missing = self._missing_scope(operation)
        if missing is not None:
            return ExecutionResult(data=None, errors=[missing])
        if operation.operation is OperationType.MUTATION:
            unkeyed = _unkeyed(operation)
            if unkeyed is not None:
                return ExecutionResult(data={str(part): None for part in unkeyed.path or ()}, errors=[unkeyed])
            root: View = self._roots.mutations(self.everything)
        else:
            root = self._roots.queries(everything=False)
        return execute_sync(
            schema(), document, root_value=root, variable_values=dict(variables), type_resolver=_type_of
        )

    def _missing_scope(self, operation: OperationDefinitionNode) -> GraphQLError | None:
        granted = self._scopes()
        for each in operation.selection_set.selections:
            name = getattr(getattr(each, "name", None), "value", "")
            scope = MUST_HAVE_SCOPE.get(name)
            if scope is not None and scope not in granted and scope.replace("read_", "write_", 1) not in granted:
                text = f"Access denied for {name} field. Required access: `{scope}` access scope."
                return GraphQLError(text, nodes=[each], path=[name], extensions={"code": "ACCESS_DENIED"})
        return None


THROTTLED: Final[Mapping[str, Any]] = {
    "errors": [
        {
            "message": "Throttled",
            "extensions": {
                "code": "THROTTLED",
                "documentation": "https://shopify.dev/api/usage/rate-limits",
            },
        }
    ]
}


def _type_of(value: Any, _: GraphQLResolveInfo[Any], kind: GraphQLAbstractType) -> str:
    name = value.get("__typename")
    if not isinstance(name, str):
        raise TypeError(f"a {kind.name} without its type")
    return name


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    found = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    if name:
        return next((each for each in found if each.name and each.name.value == name), None)
    return found[0] if len(found) == 1 else None


def _unkeyed(operation: OperationDefinitionNode) -> GraphQLError | None:
    """Mutations that must say which attempt they are, and do not."""
    for each in operation.selection_set.selections:
        name = getattr(getattr(each, "name", None), "value", "")
        if name in KEYED and not any(directive.name.value == "idempotent" for directive in each.directives or ()):
            text = "The @idempotent directive is required for this mutation but was not provided."
            return GraphQLError(text, nodes=[each], path=[name], extensions={"code": "BAD_REQUEST"})
    return None


def _said(result: ExecutionResult) -> dict[str, Any]:
    if not result.errors:
        return {"data": result.data}
    variables = [error for error in result.errors if error.message.startswith("Variable ")]
    for error in variables:
        error.extensions = {**(error.extensions or {}), "code": "INVALID_VARIABLE"}
    body: dict[str, Any] = {"errors": [_error(error) for error in result.errors]}
    return body if variables else {**body, "data": result.data}


def _errors(*errors: GraphQLError) -> dict[str, Any]:
    return {"errors": [_error(error) for error in errors]}


def _error(error: GraphQLError) -> dict[str, Any]:
    extensions = dict(error.extensions or {})
    if "code" not in extensions:
        code = next((code for text, code in _VALIDATION_CODES if text in error.message), None)
        extensions["code"] = code or "BAD_REQUEST"
    said: dict[str, Any] = {"message": error.message, "extensions": extensions}
    if error.locations:
        said["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        said["path"] = list(error.path)
    return said


def _objects(value: Any) -> float:
    """How many identifiable things an answer holds."""
    if isinstance(value, list):
        return sum(_objects(each) for each in value)
    if isinstance(value, dict):
        return ("id" in value) + sum(_objects(each) for each in value.values())
    return 0
