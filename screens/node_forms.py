"""The form of a node, made from its model: read, shown again with faults beside the fields, turned into settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import BaseModel, TypeAdapter
from werkzeug.datastructures import MultiDict

from models import db
from screens import condition_forms
from screens.messages import said
from screens.node_words import title_of
from screens.option_lists import OfferedLists
from screens.workflow_words import sentence_of, words_for
from services import choices
from services.choices import PEOPLE, PEOPLE_LISTED
from services.conditions import ConditionField
from services.options import Question, changed_only, is_shown, offering, option_faults, questions_of, split
from workflows import condition_fields
from workflows.kinds import Common, common_names, model_of, settings_of
from workflows.lists import LISTS
from workflows.options import asked_without_default
from workflows.task_units import IN_UNIT
from workflows.walk import Node, Tree, by_id, kind_of

Form = MultiDict[str, str]
MOST_ROWS, MOST_LANES = 20, 6
COMMON, SOUGHT = "node.", "sought"
GROUPS = {"": _l("现在的情况"), "run": _l("本次流程"), "item": _l("正在处理的这一项")}
UNITS = {"run": _l("流程所在单位"), "root": _l("全局")}


@dataclass(frozen=True)
class Field:
    """One question with its answer and what is wrong with it; of a condition its lines and what it reads as."""

    question: Question
    value: Any
    fault: str = ""
    group: condition_forms.Group | None = None
    sentence: str = ""
    row_faults: Mapping[str, str] = field(default_factory=dict)
    finds: bool = False
    sought: str = ""


@dataclass(frozen=True)
class Filled:
    """A node's form as it was filled in: answers by name, the names of lanes; with `checked` faults are shown.

    `sought` is what was typed to find people in a list too long to be shown whole.
    """

    tree: Tree
    node: Node
    answers: Mapping[str, Any]
    lanes: Sequence[str]
    checked: bool = False
    sought: str = ""

    @property
    def kind(self) -> str:
        """The kind of the node."""
        return kind_of(self.node)

    @property
    def known(self) -> dict[str, ConditionField]:
        """What its conditions may ask for, in words."""
        words = words_for(self.tree)
        found = condition_fields.offered(self.tree, str(self.node["id"]))
        return {one.name: _worded(one, words.name(one.name), self.tree) for one in found}


def stored(tree: Tree, node: Node) -> Filled:
    """The form of a node as the draft has it."""
    common = {f"{COMMON}{name}": node[name] for name in common_names(kind_of(node)) if name in node}
    answers = {**settings_of(node), **common}
    for question in _questions(node, {}):
        if question.kind == "condition":
            group = condition_forms.of_condition(answers.get(question.name))
            begun = condition_forms.of_condition(condition_forms.BLANK) if question.required else group
            answers[question.name] = group if group["parts"] else begun
    return Filled(tree, node, answers, [str(lane.get("title", "")) for lane in node.get("lanes", ())])


def typed(tree: Tree, node: Node, form: Form) -> Filled:
    """The form of a node as it was posted."""
    answers = {question.name: _answer(question, form) for question in _questions(node, {})}
    lanes = [text.strip() for text in form.getlist("lane")][:MOST_LANES]
    return Filled(tree, node, answers, lanes, sought=form.get(SOUGHT, "").strip())


def checked(filled: Filled) -> Filled:
    """The form with what is wrong shown beside its fields."""
    return replace(filled, checked=True)


def acted(filled: Filled, act: str) -> Filled:
    """The form after one of its own buttons: a line, a row or a lane more or less."""
    what, _colon, name = act.partition(":")
    answers, lanes = dict(filled.answers), list(filled.lanes)
    if name == "lanes":
        lanes = [*lanes, _("新的一路")] if what == "add" and len(lanes) < MOST_LANES else lanes
    elif name.startswith("lanes."):
        del lanes[int(name.removeprefix("lanes.")) :][:1]
    for question in _questions(filled.node, {}):
        own = name == question.name or name.startswith(f"{question.name}.")
        if own and question.kind == "condition":
            answers[question.name] = condition_forms.acted(dict(answers[question.name]), question.name, act)
        elif own and question.kind == "rows":
            answers[question.name] = _rows_after(list(answers[question.name]), what, name)
    return replace(filled, answers=answers, lanes=lanes)


def settings(filled: Filled) -> dict[str, Any]:
    """What the draft keeps of a form that is right: only what differs from the defaults."""
    node, kind = filled.node, filled.kind
    model = model_of(node)
    given, common = _given(filled)
    own = changed_only(model, _coerced(model, given)) if model is not None else dict(settings_of(node))
    kept = changed_only(Common, _coerced(Common, common))
    if kind == "step":
        return {"step": node["step"], **({"options": own} if own else {}), **kept}
    return {kind: own.get("condition") if kind == "branch" else own, **kept}


def faults(filled: Filled) -> dict[str, str]:
    """What is wrong with a form, by field (empty name: with the whole)."""
    given, common = _given(filled)
    model = model_of(filled.node)
    found = {f"{COMMON}{fault.name}": said(fault.text) for fault in option_faults(Common, common)}
    if model is not None:
        left_out = asked_without_default(model) - given.keys() if filled.kind == "step" else set()
        wrong = [fault for fault in option_faults(model, given) if fault.name not in left_out]
        found |= {fault.name: said(fault.text) for fault in wrong}
    for question in _questions(filled.node, {}):
        group = filled.answers.get(question.name)
        if question.kind == "condition" and condition_forms.has_faults(group or {"parts": []}, filled.known):
            found[question.name] = _("条件还没有填完整")
    return found


def fields(filled: Filled, *, common: bool) -> list[Field]:
    """The fields of a node's own settings, or those common to all nodes, with their answers."""
    wrong = faults(filled) if filled.checked else {}
    lists = OfferedLists(_tree_lists(filled), filled.sought)
    asked = [one for one in _questions(filled.node, filled.answers) if one.name.startswith(COMMON) == common]
    values = {one.name: filled.answers.get(one.name, one.default) for one in asked}
    shown = [one for one in asked if is_shown(one, values)]
    return [_field(filled, offering(question, lists), wrong) for question in shown]


def _field(filled: Filled, question: Question, wrong: Mapping[str, str]) -> Field:
    value = filled.answers.get(question.name, question.default)
    fault = wrong.get(question.name, "")
    if question.kind != "condition":
        rows = {name: text for name, text in wrong.items() if name.startswith(f"{question.name}.")}
        finds = question.source == PEOPLE and (bool(filled.sought) or len(question.labels) >= PEOPLE_LISTED)
        return Field(question, value, fault, row_faults=rows, finds=finds, sought=filled.sought)
    group = condition_forms.shown(value, question.name, filled.known, checked=filled.checked)
    condition = condition_forms.as_condition(value, filled.known)
    is_whole = condition is not None and not condition_forms.has_faults(value, filled.known)
    text = sentence_of(filled.tree, condition) if is_whole else ""
    return Field(question, value, fault, group, text)


def _questions(node: Node, given: Mapping[str, Any]) -> list[Question]:
    model = model_of(node)
    own = list(questions_of(model, given)) if model is not None else []
    names = [f"{COMMON}{name}" for name in common_names(kind_of(node))]
    said_already = {
        name.removeprefix(COMMON): value for name, value in given.items() if name.startswith(COMMON)
    }
    return [*own, *(one for one in questions_of(Common, said_already, prefix=COMMON) if one.name in names)]


def _answer(question: Question, form: Form) -> Any:
    if question.kind == "condition":
        return condition_forms.typed(form, question.name)
    if question.kind == "rows":
        return list(_typed_rows(question, form))
    if question.kind == "bool":
        return question.name in form
    return form.getlist(question.name) if question.kind == "choices" else form.get(question.name, "").strip()


def _typed_rows(question: Question, form: Form) -> Iterator[dict[str, str]]:
    pattern = re.compile(rf"{re.escape(question.name)}\.(\d{{1,3}})\.")
    for number in sorted({int(found[1]) for name in form if (found := pattern.match(name))})[:MOST_ROWS]:
        yield {
            part.name: form.get(f"{question.name}.{number}.{part.name}", "").strip()
            for part in question.parts
        }


def _rows_after(rows: list[Any], what: str, name: str) -> list[Any]:
    if what == "add" and len(rows) < MOST_ROWS:
        return [*rows, {}]
    number = name.rpartition(".")[2]
    return [row for at, row in enumerate(rows) if not (what == "remove" and number == str(at))]


def _given(filled: Filled) -> tuple[dict[str, Any], dict[str, Any]]:
    """The answers as the models read them, own and common: empty ones left out, rows with codes of their own."""
    model, found = model_of(filled.node), dict(filled.answers)
    for question in _questions(filled.node, {}):
        value = found.get(question.name)
        if question.kind == "condition":
            found[question.name] = condition_forms.as_condition(value or {"parts": []}, filled.known)
        elif question.kind == "rows":
            found[question.name] = _rows_of(question, value or ())
    found = {name: value for name, value in found.items() if value is not None}
    common = {name.removeprefix(COMMON): found.pop(name) for name in list(found) if name.startswith(COMMON)}
    return split(model, found) if model is not None else {}, split(Common, common)


def _rows_of(question: Question, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows in which something was typed, without their empty fields, each with a code where rows have codes."""
    typed_in = [part.name for part in question.parts if part.kind not in ("hidden", "choice", "bool")]
    kept = [{name: value for name, value in row.items() if value != ""} for row in rows]
    kept = [row for row in kept if any(row.get(name) for name in typed_in)]
    has_codes = any(part.name == "code" for part in question.parts)
    return _coded(kept, question.name.removesuffix("s")) if has_codes else kept


def _coded(rows: list[dict[str, Any]], base: str) -> list[dict[str, Any]]:
    """Rows that people name by their text get a code that stays when the text changes."""
    taken = {str(row.get("code")) for row in rows if row.get("code")}
    for row in rows:
        number = 1
        while not row.get("code"):
            if f"{base}_{number}" not in taken:
                row["code"] = f"{base}_{number}"
                taken.add(row["code"])
            number += 1
    return rows


def _coerced(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """Texts as the types of their options, in plain JSON."""
    found = {}
    for name, value in values.items():
        one = model.model_fields[name]
        adapter: TypeAdapter[Any] = TypeAdapter(one.annotation)
        found[name] = adapter.dump_python(adapter.validate_python(value), mode="json")
    return found


def _tree_lists(filled: Filled) -> dict[str, dict[str, str]]:
    """The lists that depend on the tree: what earlier nodes made, who decided before, the node's own choices."""
    tree, node_id = filled.tree, str(filled.node["id"])
    name = words_for(tree).name
    before = condition_fields.persons_before(tree, node_id)
    return {
        "days": {one: name(one) for one in condition_fields.of_type(tree, node_id, "date")},
        "results": {one: name(one) for one in condition_fields.of_type(tree, node_id, "list")},
        "persons": {"start": _("发起人"), **{one: title_of(by_id(tree, one) or {}) for one in before}},
        "own_choices": _own_choices(filled),
        "task_units": {code: str(label) for code, label in UNITS.items()} | _units(),
        "lists": {code: _(kind.label) for code, kind in LISTS.items()},
    }


def _units() -> dict[str, str]:
    """Every unit by name, as a person node stores it."""
    return {f"{IN_UNIT}{code}": name for code, name in choices.units(db.session())}


def _own_choices(filled: Filled) -> dict[str, str]:
    rows = filled.answers.get("choices") or ()
    coded = _coded([dict(row) for row in rows if isinstance(row, Mapping) and row.get("label")], "choice")
    return {str(row["code"]): str(row["label"]) for row in coded}


def _worded(one: ConditionField, label: str, tree: Tree) -> ConditionField:
    node = by_id(tree, one.group)
    group = title_of(node) if node is not None else str(GROUPS.get(one.group, one.group))
    return replace(one, label=label, labels={code: _(text) for code, text in one.labels.items()}, group=group)
