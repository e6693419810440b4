"""What an order wants of stock, where it is served from, and why it is held: pure decisions."""
