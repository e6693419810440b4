"""Decisions about outward calls: when, in which order, what an error means. Pure; no I/O, no clock."""
