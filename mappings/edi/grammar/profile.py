"""How one partner's files are judged and answered: strictness, agreed versions, sets and codes, acknowledgements."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from mappings.edi.grammar.releases import release_of
from mappings.edi.grammar.strictness import STANDARD_ACTIONS, Action, Class

Ta1 = Literal["requested", "always", "rejected", "never"]
Detail = Literal["every", "errors"]
_PLACE: Final = re.compile(r"[A-Z][A-Z0-9]{1,2}\d{2}")
JUDGING_KEYS: Final = ("name", "strictness", "versions", "sets", "codes", "acknowledge")
"""Keys of a profile that say how files are judged and answered."""
_ACKNOWLEDGE: Final[Mapping[str, tuple[str, ...]]] = {
    "form": ("997", "999"),
    "detail": ("every", "errors"),
    "ta1": ("requested", "always", "rejected", "never"),
}


class ProfileInvalid(Exception):
    """A profile cannot be used; `faults` are lines for people, each naming its key."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Profile:
    """The judging half of a partner profile.

    Args:
        actions: per class of problems; every class is there.
        versions: GS08 or UNH versions agreed, as prefixes; empty for every release known here.
        sets: sets agreed; empty for all known.
        codes: codes allowed by set, then by segment and position (`{"850": {"BEG01": {"00"}}}`).
        form: 997 or 999 for X12; EDIFACT is always answered with CONTRL.
        detail: whether each set is answered for, or only those with problems (AK2 loops are optional).
        ta1: when a TA1 is sent; `requested` also answers a rejected interchange.
    """

    name: str = "standard"
    actions: Mapping[Class, Action] = field(
        default_factory=lambda: MappingProxyType(dict.fromkeys(Class, Action.REJECT) | dict(STANDARD_ACTIONS))
    )
    versions: tuple[str, ...] = ()
    sets: frozenset[str] = frozenset()
    codes: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    form: Literal["997", "999"] = "997"
    detail: Detail = "every"
    ta1: Ta1 = "requested"

    def speaks(self, version: str) -> bool:
        """Whether a GS08 is agreed."""
        if self.versions:
            return version.startswith(self.versions)
        return release_of(version)[1]


STANDARD: Final = Profile()
"""What is done when no partner is named: structural errors reject, surplus and unknown codes are told."""


def read_profile(path: Path) -> Profile:
    """A judging profile alone from YAML; a whole partner's is read by `mappings.edi.partners`.

    Raises:
        ProfileInvalid: every fault found, not only the first.
        OSError: the file cannot be read.
    """
    try:
        written = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise ProfileInvalid([f"{path.name}: {str(error).splitlines()[0]}"]) from None
    if not isinstance(written, dict):
        raise ProfileInvalid([f"{path.name}: a profile is a mapping of keys"])
    return profile_of(written, path.name, path.stem)


def profile_of(written: dict[str, Any], file: str, stem: str) -> Profile:
    """A profile from its keys; `file` names it in faults, `stem` is its name when it gives none.

    Raises:
        ProfileInvalid: every fault found.
    """
    faults: list[str] = []
    profile = _Reader(file, written, faults).profile(stem)
    if faults:
        raise ProfileInvalid(faults)
    return profile


class _Reader:
    def __init__(self, file: str, written: dict[str, Any], faults: list[str]) -> None:
        self._file = file
        self._written = written
        self._faults = faults

    def profile(self, stem: str) -> Profile:
        for key in self._written:
            if key not in JUDGING_KEYS:
                self._fault(str(key), f"is no key of a profile{_near(str(key), JUDGING_KEYS)}")
        answers = self._mapping("acknowledge")
        for key, value in answers.items():
            allowed = _ACKNOWLEDGE.get(str(key))
            if allowed is None:
                self._fault(f"acknowledge.{key}", f"is unknown{_near(str(key), _ACKNOWLEDGE)}")
            elif str(value) not in allowed:
                self._fault(f"acknowledge.{key}", f"must be one of {', '.join(allowed)}")
        chosen: dict[str, Any] = {str(key): str(value) for key, value in answers.items()}
        return Profile(
            name=str(self._written.get("name", stem)),
            actions=MappingProxyType(self._actions()),
            versions=tuple(self._texts("versions")),
            sets=frozenset(self._texts("sets")),
            codes=self._codes(),
            form=chosen.get("form", "997"),
            detail=chosen.get("detail", "every"),
            ta1=chosen.get("ta1", "requested"),
        )

    def _actions(self) -> dict[Class, Action]:
        actions = dict(STANDARD.actions)
        for key, value in self._mapping("strictness").items():
            if key not in set(Class):
                self._fault(f"strictness.{key}", f"is no class of problems{_near(str(key), list(Class))}")
            elif value not in set(Action):
                self._fault(f"strictness.{key}", f"must be one of {', '.join(Action)}")
            else:
                actions[Class(key)] = Action(value)
        return actions

    def _codes(self) -> dict[str, dict[str, frozenset[str]]]:
        found: dict[str, dict[str, frozenset[str]]] = {}
        for kind, places in self._mapping("codes").items():
            if not isinstance(places, dict):
                self._fault(f"codes.{kind}", 'must be a mapping such as BEG01: ["00", "05"]')
                continue
            for place, codes in places.items():
                if not _PLACE.fullmatch(str(place)):
                    self._fault(f"codes.{kind}.{place}", "is no segment and position such as BEG01")
                elif not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
                    self._fault(f"codes.{kind}.{place}", 'must be a list of texts; quote codes such as "00"')
                else:
                    found.setdefault(str(kind), {})[str(place)] = frozenset(codes)
        return found

    def _mapping(self, key: str) -> dict[Any, Any]:
        value = self._written.get(key, {})
        if isinstance(value, dict):
            return value
        self._fault(key, "must be a mapping")
        return {}

    def _texts(self, key: str) -> list[str]:
        value = self._written.get(key, [])
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return value
        self._fault(key, 'must be a list of texts; quote numbers, as in "004010"')
        return []

    def _fault(self, key: str, message: str) -> None:
        self._faults.append(f"{self._file}: {key} {message}")


def _near(word: str, known: Any) -> str:
    close = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""
