"""Connectors: one folder per vendor, the kit they share in `connectors.sdk`."""
