"""EDIFACT: the envelope from UNA or UNB to UNZ, read tolerantly and written strictly."""

from mappings.edi.edifact.reading import interchange_at

__all__ = ["interchange_at"]
