"""Trading partners: their orders answered, shipped, invoiced; their warehouses told; what they may sell stated."""
