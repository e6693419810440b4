"""Loops over the use cases: what turns stored work into done work while the hub runs."""
