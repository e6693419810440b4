"""X12: the envelope from ISA to IEA, read tolerantly and written strictly."""

from mappings.edi.x12.reading import interchange_at

__all__ = ["interchange_at"]
