"""What a node of a tree may ask for, with its type: live facts, results of earlier nodes, the run, the item at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.words import CUSTOMER_CLASSES, N_, SENSITIVITIES, UNIT_KINDS
from services.conditions import ConditionField
from services.task_fields import options_of
from workflows.definitions import fields_before
from workflows.facts import FACTS
from workflows.kinds import fields_of
from workflows.walk import Node, Tree, by_id, placed

ARMS = {"yes": N_("是"), "no": N_("否")}
CHOICES: Mapping[str, Mapping[str, str]] = {
    "arm": ARMS,
    "customer_class": CUSTOMER_CLASSES,
    "sensitivity": SENSITIVITIES,
    "kind": UNIT_KINDS,
}
TYPES = {
    **dict.fromkeys(("reply_by", "until", "ends_on", "publicity_until", "started_on"), "date"),
    **dict.fromkeys(("met", "late", "timed_out"), "bool"),
    **dict.fromkeys(("campaign", "fingerprint", "period", "code", "name", "error", "value"), "text"),
    **dict.fromkeys(CHOICES, "choice"),
    "choice": "choice",
}
UNSAID = ("by", "note", "letterhead", "title", "key", "owner_id", "started_by", "id")


def offered(tree: Tree, node_id: str) -> list[ConditionField]:
    """The fields that a condition of this node may ask for, in reading order; screens put them into words."""
    facts = [ConditionField(name, fact.label) for name, fact in FACTS.items()]
    known = fields_before(tree, node_id)
    order = {str(place.node.get("id")): place.number for place in placed(tree)}
    names = sorted(known, key=lambda name: (order.get(name.partition(".")[0], 0), name))
    return [*facts, *(one for name in names for one in _field(tree, name))]


def of_type(tree: Tree, node_id: str, kind: str) -> list[str]:
    """The names of what a node may ask for that are of one type, such as the dates that a wait may go by."""
    return [one.name for one in offered(tree, node_id) if one.type == kind]


def persons_before(tree: Tree, node_id: str) -> list[str]:
    """The person nodes before a node, whose person may be kept from deciding again."""
    return [name.removesuffix(".by") for name in sorted(fields_before(tree, node_id)) if name.endswith(".by")]


def type_of(name: str) -> str:
    """The type of a field by its last part: numbers are what steps count."""
    return TYPES.get(name.rpartition(".")[2], "number")


def _field(tree: Tree, name: str) -> Iterator[ConditionField]:
    head, _dot, part = name.partition(".")
    if part in UNSAID or part.endswith("_id"):
        return
    kind = type_of(name)
    labels = CHOICES.get(part, {}) if kind == "choice" else {}
    asked = fields_of(by_id(tree, head) or {}).get(part)
    if asked is not None:
        kind, labels = asked.get("kind", "text"), {word: word for word in options_of(asked)}
    if part == "choice":
        labels = own_choices(by_id(tree, head) or {})
    yield ConditionField(name, name, kind, labels, group=head)


def own_choices(node: Node) -> dict[str, str]:
    """What a person node may be answered with."""
    person = node.get("person")
    rows = person.get("choices", ()) if isinstance(person, Mapping) else ()
    return {str(row["code"]): str(row["label"]) for row in rows if isinstance(row, Mapping) and "code" in row}
