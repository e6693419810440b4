"""Trunkline: one order book and one inventory position between all sales channels."""

__version__ = "0.1.0"
