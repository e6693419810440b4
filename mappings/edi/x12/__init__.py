"""X12: the envelope from ISA to IEA, read tolerantly and written strictly."""
