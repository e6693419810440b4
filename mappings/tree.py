"""The effective rules of a document as the tree of its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from mappings.faults import FaultLog
from mappings.rules import Rule
from mappings.syntax import call
from mappings.targets import ENGINE_FILLS, BadTarget, Kind, Slot, child_slot, fields_of, inside, parse_target, root_slot

_ENGINE_DEFAULTS = frozenset({"source.kind"})
"""Required, and filled by the engine where the mapping does not."""


@dataclass(slots=True)
class Node:
    """A field. `rule` fills it whole (for a list: gives its items); `children` fill it part by part."""

    name: str
    slot: Slot
    many: bool
    rule: Rule | None = None
    children: dict[str, Node] = field(default_factory=dict)

    @property
    def item_slot(self) -> Slot:
        return self.slot.item if self.many and self.slot.item is not None else self.slot

    def below(self) -> Iterator[Node]:
        """Every node below this one, depth first."""
        for child in self.children.values():
            yield child
            yield from child.below()


def free_tree(rules: Mapping[str, Rule], log: FaultLog) -> Node:
    """The tree of a vendor payload, whose fields nobody here knows."""
    return _grown(Node("", Slot(Kind.FREE, required=True), many=False), rules, log)


def document_tree(model: type[BaseModel], rules: Mapping[str, Rule], file: str, line: int, log: FaultLog) -> Node:
    """The tree of a canonical document. Unknown targets and missing required fields go to `log`."""
    root = _grown(Node("", root_slot(model), many=False), rules, log)
    _check_required(root, "", file, line, log)
    return root


def _grown(root: Node, rules: Mapping[str, Rule], log: FaultLog) -> Node:
    for target, rule in rules.items():
        try:
            _place(root, target, rule)
        except BadTarget as problem:
            log.add(rule.file, rule.line, target, str(problem))
    for node in root.below():
        if node.many and node.children and node.rule is None:
            rule = next(child.rule for child in node.below() if child.rule is not None)
            log.add(
                rule.file, rule.line, rule.target, f"`{node.name}[]` has fields but no items; map `{node.name}[]` too"
            )
    return root


def _place(root: Node, target: str, rule: Rule) -> None:
    node, slot = root, root.slot
    segments = parse_target(target)
    if root.slot.kind is Kind.OBJECT and target in ENGINE_FILLS:
        raise BadTarget("is filled by the engine and cannot be mapped")
    for segment in segments:
        found = child_slot(slot, segment)
        is_last = segment is segments[-1]
        if found.kind is Kind.LIST and not segment.many and not is_last:
            raise BadTarget(f"is a list, written with [] before its fields: {segment.name}[]")
        many = segment.many or (is_last and found.kind is Kind.LIST)
        child = node.children.get(segment.name)
        if child is None:
            child = node.children[segment.name] = Node(segment.name, found, many)
        elif child.many != many:
            raise BadTarget(f"`{segment.name}` is given both as a list and as one value")
        node, slot = child, inside(found, segment)
    if node.rule is not None:
        raise BadTarget(f"is given twice, here and in line {node.rule.line}")
    node.rule = rule


def names_its_fields(root: Node) -> bool:
    """True where every object is filled by the names of its fields, so that no expression can add one."""
    return all(node.rule is None or _adds_no_field(node, node.rule) for node in root.below())


def _adds_no_field(node: Node, rule: Rule) -> bool:
    slot = node.item_slot
    if slot.kind is Kind.MONEY:
        made = call(rule.expression)
        return made is not None and made[0] == "money"
    if slot.kind in (Kind.OBJECT, Kind.LIST):
        return node.many and bool(node.children)
    return True


def _check_required(node: Node, prefix: str, file: str, line: int, log: FaultLog) -> None:
    """Required fields of objects that are filled part by part."""
    slot = node.item_slot
    if slot.model is None or (node.rule is not None and not node.many):
        return
    if node.many and not node.children:
        return  # the expression gives whole items
    for name, wanted in fields_of(slot.model).items():
        path = f"{prefix}{name}"
        child = node.children.get(name)
        if child is not None:
            _check_required(child, f"{path}[]." if child.many else f"{path}.", file, line, log)
        elif wanted.required and path == "source":
            log.add(file, line, "source.id", "is required and not mapped")
        elif wanted.required and path not in ENGINE_FILLS | _ENGINE_DEFAULTS:
            log.add(file, line, path, "is required and not mapped")
