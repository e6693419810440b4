"""The hub's HTTP face: vendors' webhooks, the operator API, health and metrics."""
