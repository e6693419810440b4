"""Shippo's answers as its documents describe them, for the sandbox."""
