"""The scale-out engine: many hub processes over one PostgreSQL."""
