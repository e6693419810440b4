"""X12: the envelope from ISA to IEA."""
