"""EDIFACT: the envelope from UNA or UNB to UNZ, read tolerantly and written strictly."""
