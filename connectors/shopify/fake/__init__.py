"""The parts of the fake shop: its state, its GraphQL server, its webhooks."""
