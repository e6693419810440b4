"""What trading decides, without reading or writing anything."""
