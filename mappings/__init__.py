"""The mapping engine: vendor payloads to canonical documents and back, as declared in YAML and JSONata."""

from __future__ import annotations

from mappings.engine import SHIPPED, MapContext, MappingSet
from mappings.faults import MappingFault, MappingSetInvalid

__all__ = ["SHIPPED", "MapContext", "MappingFault", "MappingSet", "MappingSetInvalid"]
