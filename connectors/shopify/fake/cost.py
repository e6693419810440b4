"""What a query costs, and the bucket it is paid from.

Objects cost 1, scalars and plain values (money, page info) nothing, a connection by how many it may
hold, a mutation 10; a query over 1,000 points is refused. The vendor publishes these rules and not
its formula for connections: this one grows with the logarithm, which fits answers seen.
Source: shopify.dev/docs/api/usage/limits, read 2026-11-20.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)

from connectors.sdk.ports import Clock

QUERY_MAX: Final = 1_000
MUTATION: Final = 10
_FREE: Final = frozenset(
    {"MoneyBag", "MoneyV2", "PageInfo", "Attribute", "FulfillmentTrackingInfo", "InventoryQuantity"}
)
_LIST_USUAL: Final = 10


class Bucket:
    """A leaky bucket per app and shop. `restore_rate` in points a second."""

    def __init__(self, clock: Clock, *, restore_rate: float, maximum: float) -> None:
        self._clock = clock
        self.restore_rate = restore_rate
        self.maximum = maximum
        self._available = maximum
        self._at_s = clock.monotonic()

    @property
    def available(self) -> float:
        now_s = self._clock.monotonic()
        self._available = min(self.maximum, self._available + (now_s - self._at_s) * self.restore_rate)
        self._at_s = now_s
        return self._available

    def take(self, cost: float) -> bool:
        if self.available < cost:
            return False
        self._available -= cost
        return True

    def give_back(self, cost: float) -> None:
        self._available = min(self.maximum, self._available + cost)

    def extension(self, requested: float, actual: float | None) -> dict[str, Any]:
        return {
            "cost": {
                "requestedQueryCost": int(requested),
                "actualQueryCost": None if actual is None else int(actual),
                "throttleStatus": {
                    "maximumAvailable": int(self.maximum),
                    "currentlyAvailable": int(self.available),
                    "restoreRate": int(self.restore_rate),
                },
            }
        }


class Pricing:
    """Prices a validated document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }

    def price(self, operation: OperationDefinitionNode) -> float:
        root = self._schema.get_root_type(operation.operation)
        if root is None:
            return 0.0
        base = 0.0
        if operation.operation is OperationType.MUTATION:
            base = MUTATION * len(operation.selection_set.selections)
        return base + self._selections(operation.selection_set, root, mutation=base > 0)

    def _selections(
        self, selections: SelectionSetNode | None, parent: GraphQLCompositeType, *, mutation: bool = False
    ) -> float:
        total = 0.0
        for each in selections.selections if selections else ():
            if isinstance(each, FieldNode):
                total += self._field(each, parent, mutation=mutation)
            elif isinstance(each, InlineFragmentNode):
                inner = self._schema.get_type(each.type_condition.name.value) if each.type_condition else parent
                total += self._selections(each.selection_set, inner or parent)  # type: ignore[arg-type]
            elif isinstance(each, FragmentSpreadNode):
                total += self._fragment(self._fragments[each.name.value])
        return total

    def _fragment(self, fragment: FragmentDefinitionNode) -> float:
        inner = self._schema.get_type(fragment.type_condition.name.value)
        return self._selections(fragment.selection_set, inner) if is_composite_type(inner) else 0.0

    def _field(self, field: FieldNode, parent: GraphQLCompositeType, *, mutation: bool) -> float:
        definition = getattr(parent, "fields", {}).get(field.name.value)
        if definition is None:
            return 0.0
        named = get_named_type(definition.type)
        if not is_composite_type(named) or named.name in _FREE:
            return 0.0
        inner = self._selections(field.selection_set, named)
        if mutation or (isinstance(parent, GraphQLObjectType) and field.name.value in ("nodes", "edges", "node")):
            # A connection's price is counted where it is asked for; a payload is no object of the shop.
            return inner
        size = self._size(field, definition.args)
        if size is None:
            return 1.0 + inner
        return 1.0 + math.ceil(math.log2(size + 1)) * (1.0 + inner)

    def _size(self, field: FieldNode, arguments: Mapping[str, Any]) -> int | None:
        """How many a connection or list may hold; None for a single object."""
        if "first" not in arguments:
            return None
        for argument in field.arguments or ():
            if argument.name.value in ("first", "last"):
                if isinstance(argument.value, IntValueNode):
                    return int(argument.value.value)
                if isinstance(argument.value, VariableNode):
                    found = self._variables.get(argument.value.name.value)
                    return int(found) if isinstance(found, int) else _LIST_USUAL
        return _LIST_USUAL
