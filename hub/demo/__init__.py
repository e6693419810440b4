"""The demo: the real hub with every vendor's sandbox on loopback and shoppers buying."""
