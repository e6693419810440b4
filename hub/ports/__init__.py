"""The shapes between the use cases and the outside: the store port and its rows."""
