"""Configuration: what the operator writes, read strictly and typed.

Only the composition root and the command line import this package. Connectors judge their own
`credentials` and `options`; `Settings.where` tells them the line to blame.
"""

from __future__ import annotations

from config.faults import ConfigurationInvalid, Fault, suggestion
from config.loading import load, root_of
from config.settings import (
    AccountSettings,
    AvailabilitySettings,
    HubSettings,
    KeyFile,
    Listen,
    LocationSettings,
    LogSettings,
    Mode,
    RetentionSettings,
    Settings,
)
from config.shape import schema
from config.skus import CatalogueEntry, read_skus, skus_digest
from config.starter import starter

__all__ = [
    "AccountSettings",
    "AvailabilitySettings",
    "CatalogueEntry",
    "ConfigurationInvalid",
    "Fault",
    "HubSettings",
    "KeyFile",
    "Listen",
    "LocationSettings",
    "LogSettings",
    "Mode",
    "RetentionSettings",
    "Settings",
    "load",
    "read_skus",
    "root_of",
    "schema",
    "skus_digest",
    "starter",
    "suggestion",
]
