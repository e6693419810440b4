"""The parts of the Amazon sandbox, built from Amazon's published models and never from our client."""
