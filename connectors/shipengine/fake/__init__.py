"""ShipEngine's answers as its document describes them, for the sandbox."""
