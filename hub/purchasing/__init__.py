"""Our purchase orders: what was ordered, what the supplier makes of it, what is still to come. Pure decisions."""
