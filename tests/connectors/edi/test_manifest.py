"""Every set that can be read has a way: a mapping, or a person who is told what to do."""

from __future__ import annotations

from connectors.edi.manifest import MANIFEST, SETS
from mappings import MappingSet
from mappings.edi.grammar.messages import messages
from mappings.edi.grammar.releases import x12_sets


def test_every_mapping_is_reached() -> None:
    """The kinds that become inputs are those a mapping reads; a listing of a catalogue is nobody's input."""
    assert set(SETS) == MappingSet.load("edi").topics - {"832"}


def test_every_set_known_has_a_topic() -> None:
    """What a grammar reads is mapped or parked with a sentence; nothing is dropped, nothing is told as unknown."""
    topics = {topic.name: topic for topic in MANIFEST.topics}
    known = {*x12_sets(), *messages()}
    assert known <= set(topics)
    assert {kind for kind in known if topics[kind].parked} == known - set(SETS)
