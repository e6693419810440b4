"""The mapping engine: vendor payloads to canonical documents and back, as declared in YAML and JSONata."""

from __future__ import annotations

from mappings.difference import Change, Recorded, diff
from mappings.engine import SHIPPED, MapContext, MappingSet
from mappings.faults import MappingFault, MappingSetInvalid
from mappings.inspection import Shown, lint, names, show
from mappings.trials import TrialResult, run_tests

__all__ = [
    "SHIPPED",
    "Change",
    "MapContext",
    "MappingFault",
    "MappingSet",
    "MappingSetInvalid",
    "Recorded",
    "Shown",
    "TrialResult",
    "diff",
    "lint",
    "names",
    "run_tests",
    "show",
]
