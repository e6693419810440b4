"""Cells of the EDI bench that look into sets: 850s to orders, and the 997 of a group. CPU time."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bench import edi_files
from hub.runtime.process import tune_gc
from mappings import MapContext, MappingSet
from mappings.edi import Stamp, acknowledge, judge_all, read
from mappings.edi.acknowledge import InterchangeVerdict, Status
from mappings.edi.documents import documents_of
from mappings.edi.partners.reading import find_partner

_AT = datetime(2026, 11, 20, tzinfo=UTC)


def measure(rounds: int, sets: int) -> dict[str, list[float]]:
    """Orders a CPU second; and microseconds a set of reading, of judging and answering, and of all that, in turn."""
    orders, group = edi_files.three_lines(sets // 4), edi_files.group(sets)
    maps, partner = MappingSet.load("edi"), find_partner("department-store")
    context = MapContext("bench", "edi", _AT)
    taken: dict[str, list[float]] = {"orders": [], "parse": [], "answer": [], "whole": []}
    tune_gc()
    for round_ in range(rounds + 1):
        mapped = _timed(lambda: _orders(orders, maps, context, partner), sets // 4)
        read_only = _timed(lambda: _read(group, split=False), sets)
        parse = _timed(lambda: _read(group, split=True), sets)
        whole = _timed(lambda: _answered(group, sets), sets)
        # The first round fills what is remembered between files, as a hub that runs has it filled.
        if round_:
            figures = (1e6 / mapped, parse, whole - read_only, whole)
            for name, value in zip(taken, figures, strict=True):
                taken[name].append(value)
    return taken


def _timed(work: Callable[[], object], sets: int) -> float:
    """Microseconds of CPU a set."""
    gc.collect()
    began = time.process_time()
    work()
    return (time.process_time() - began) / sets * 1e6


def _orders(source: bytes, maps: MappingSet, context: MapContext, partner: Any) -> None:
    for interchange in documents_of(source, maps, context, partner):
        for each in interchange.sets:
            if [document.type for document in each.documents] != ["order"]:
                raise RuntimeError(f"{each.place} became {each.documents}: {each.error}")
        if interchange.rejected:
            raise RuntimeError("a good interchange was rejected")


def _read(source: bytes, *, split: bool) -> None:
    for interchange in read(source):
        for group in interchange.groups:
            for found in group.sets:
                if split:
                    found.segments.rows()


def _answered(source: bytes, sets: int) -> None:
    verdicts: list[InterchangeVerdict] = list(judge_all(read(source)))
    (group,) = verdicts[0].groups
    if group.status is not Status.ACCEPTED or group.accepted != sets:
        raise RuntimeError(f"a good group of {sets} sets is {group.status}, {group.accepted} accepted")
    answer = acknowledge(verdicts[0], Stamp(1, 1, _AT))
    if answer is None or answer.count(b"AK5*A~") != sets:
        raise RuntimeError("the 997 does not answer every set")
