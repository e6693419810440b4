"""Amazon (Selling Partner API)."""
