"""UPS's answers as its contract describes it, for the sandbox."""
