"""ShipStation's answers as its contract describes them, for the sandbox."""
