"""The parts of the vendor sandbox."""
