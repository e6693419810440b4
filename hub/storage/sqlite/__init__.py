"""The embedded engine: one file, one writing thread, many readers."""
