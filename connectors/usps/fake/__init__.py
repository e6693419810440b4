"""The answers of the Postal Service as its contract describes them, for the sandbox."""
