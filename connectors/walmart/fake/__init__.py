"""Walmart's server as its contract describes it, in memory. The sandbox puts the parts together."""
