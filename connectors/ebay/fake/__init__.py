"""The parts of the eBay sandbox: one file per API it fakes."""
