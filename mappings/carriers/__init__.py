"""Carriers: whose number this is, and what each channel calls them. Tables beside code; no vendor is asked."""

from mappings.carriers.crosswalk import CHANNELS, Carrier, CarrierName, Crosswalk
from mappings.carriers.detection import Candidate, candidates
from mappings.carriers.identity import Identity, Override, identify
from mappings.carriers.milestones import progress_word

__all__ = [
    "CHANNELS",
    "Candidate",
    "Carrier",
    "CarrierName",
    "Crosswalk",
    "Identity",
    "Override",
    "candidates",
    "identify",
    "progress_word",
]
