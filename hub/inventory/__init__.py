"""What stock is and what a channel may be told of it: pure decisions over positions and postings."""

from hub.inventory.availability import Step, Waterfall, published_quantity

__all__ = ["Step", "Waterfall", "published_quantity"]
