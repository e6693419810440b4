"""The commands, one module per noun; `hub.cli` parses and calls them."""
