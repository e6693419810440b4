"""Trunkline: one order book and one inventory position between all sales channels."""
