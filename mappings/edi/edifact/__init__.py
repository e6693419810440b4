"""EDIFACT: the envelope from UNA or UNB to UNZ."""
