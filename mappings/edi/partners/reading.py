"""Reading partner profiles: every fault is told with file and line, as for mappings."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ValidationError
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from mappings.edi.grammar.profile import JUDGING_KEYS, Profile, ProfileInvalid, profile_of
from mappings.edi.partners.model import AGREEMENT_KEYS, Agreement, PartnerProfile
from mappings.faults import FaultLog
from mappings.reading import entries, plain, read_yaml

SHIPPED: Final = Path(__file__).resolve().parent / "profiles"
_KEYS: Final = (*JUDGING_KEYS, *AGREEMENT_KEYS, "description")
_SAID: Final = {"missing": "is missing", "string_type": 'must be text; quote numbers, as in "004010"'}


def shipped_partners() -> tuple[str, ...]:
    """Names of the example profiles that ship, in alphabetical order."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


def find_partner(name_or_path: str, root: Path | None = None) -> PartnerProfile:
    """A profile by the name of a shipped example, or by the path of a file; relative ones start from `root`.

    Raises:
        ProfileInvalid: nothing of this name, or every fault of the file.
    """
    if name_or_path in shipped_partners():
        return read_partner(SHIPPED / f"{name_or_path}.yaml")
    path = (root or Path()) / Path(name_or_path).expanduser()
    if not path.is_file():
        shipped = ", ".join(shipped_partners())
        raise ProfileInvalid([f"{name_or_path} is no file and no example; shipped examples are {shipped}"])
    return read_partner(path)


def read_partner(path: Path) -> PartnerProfile:
    """A whole profile from YAML.

    Raises:
        ProfileInvalid: with every fault found, each naming file, line and key.
    """
    log = FaultLog()
    block = read_yaml(path, path.name, log)
    if block is None:
        raise ProfileInvalid([str(fault) for fault in log.faults])
    for entry in entries(block):
        if entry.key not in _KEYS:
            near = difflib.get_close_matches(entry.key, _KEYS, 1)
            log.add(path.name, entry.line, entry.key, "unknown key" + (f"; did you mean {near[0]}?" if near else ""))
    judging = _judging(path, block, log)
    agreed = _agreed(path, block, log)
    if log.faults or judging is None or agreed is None:
        raise ProfileInvalid([str(fault) for fault in sorted(log.faults, key=lambda fault: fault.line or 0)])
    return PartnerProfile(judging, agreed)


def _judging(path: Path, block: CommentedMap, log: FaultLog) -> Profile | None:
    written = {key: value for key, value in plain(block).items() if key in JUDGING_KEYS}
    try:
        return profile_of(written, path.name, path.stem)
    except ProfileInvalid as invalid:
        for fault in invalid.faults:
            target, _, message = fault.removeprefix(f"{path.name}: ").partition(" ")
            log.add(path.name, _line(block, tuple(target.split("."))), target, message)
        return None


def _agreed(path: Path, block: CommentedMap, log: FaultLog) -> Agreement | None:
    written = {key: value for key, value in plain(block).items() if key in AGREEMENT_KEYS}
    try:
        agreed = Agreement.model_validate(written)
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False, include_input=False):
            place = tuple(str(step) for step in error["loc"] if step != "[key]")
            log.add(path.name, _line(block, place), ".".join(place), _told(error["type"], error["msg"], place))
        return None
    if agreed.time_zone is not None and not _is_zone(agreed.time_zone):
        log.add(path.name, _line(block, ("time_zone",)), "time_zone", "is no zone of the IANA list")
    return agreed


def _told(kind: str, message: str, place: tuple[str, ...]) -> str:
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(place[-1], _names_at(place[:-1]), 1)
        return "unknown key" + (f"; did you mean {near[0]}?" if near else "")
    return _SAID.get(kind, message.removeprefix("Value error, "))


def _names_at(place: tuple[str, ...]) -> list[str]:
    """Keys that a part of the profile may have."""
    model: type[BaseModel] = Agreement
    for step in place:
        found = model.model_fields.get(step)
        kind: Any = found.annotation if found is not None else None
        kinds = [one for one in (kind, *getattr(kind, "__args__", ())) if isinstance(one, type)]
        model = next((one for one in kinds if issubclass(one, BaseModel)), BaseModel)
    return list(model.model_fields)


def _line(block: CommentedMap, place: tuple[str, ...]) -> int | None:
    """The line of the deepest key of a path that is in the file."""
    here: Any = block
    line: int | None = 1
    for step in place:
        if isinstance(here, CommentedMap):
            key = next((one for one in here if str(one) == step), None)
            if key is None:
                return line
            line, here = here.lc.key(key)[0] + 1, here[key]
        elif isinstance(here, CommentedSeq) and step.isdigit() and int(step) < len(here):
            line, here = here.lc.item(int(step))[0] + 1, here[int(step)]
        else:
            return line
    return line


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
