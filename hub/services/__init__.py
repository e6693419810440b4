"""Use cases: what the hub does, in terms of the ports alone."""
