"""The canonical model: what every payload becomes, and the only thing the hub reasons about."""
