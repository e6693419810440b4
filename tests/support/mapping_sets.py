"""Mapping sets for tests of interpreting, importable by mapper processes."""

from __future__ import annotations

import os
from dataclasses import dataclass

from canonical import Document, MappingError
from hub.services.mappers import MappingSpec
from mappings import MapContext
from tests.support.orders import line, order


class ToyMaps:
    """Maps `{}` to an order; `bad` cannot be mapped, `deadly` kills the process it is mapped in."""

    def map(self, topic: str, payload: bytes, ctx: MapContext) -> list[Document]:
        if payload == b"deadly":
            os._exit(1)
        if payload == b"bad":
            raise MappingError("no number", target="number", path="name", code="missing", file="order.yaml", line=3)
        return [order(payload.decode(), [line("a", "MUG", 1)], account=ctx.account or "")]


@dataclass(frozen=True, slots=True)
class ToySpec(MappingSpec):
    """Loads `ToyMaps` in the mapper process."""

    def load(self) -> ToyMaps:
        return ToyMaps()
