"""Quality rules: the list, the form that a rule's function describes, the versions; nobody types code."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select

from models import Rule, db
from models.clock import today
from models.quality_words import JUDGED_WITH_CUSTOMER
from models.rules import newest_rules
from models.words import CUSTOMER_CLASSES
from quality.reasons import REASONS
from quality.rules import INDICATORS, Function, reasons_about
from screens import looks
from screens.access import needs
from screens.base import Page
from screens.filters import is_day
from screens.messages import done, refuse, said
from screens.pickers import kind_choices, unit_choices
from screens.row_words import record_word
from services import Refused, rule_versions, rules
from services.issues import DUE_DAYS
from services.options import Question, questions_of
from services.rule_versions import Draft
from services.rules import EVERY, FUNCTIONS

MARKS = (("floor", _l("基本值(%)")), ("target", _l("目标值(%)")), ("stretch", _l("挑战值(%)")))
FIRST = "is_recorded"


class Rules(Page):
    """The rules that every assessment judges by."""

    permission = "rules.view"
    label, group = _l("质量规则"), "rules"

    @expose("/")
    def index(self) -> str:
        """The newest version of each rule."""
        facts = {"indicators": INDICATORS, "kinds_of": kinds_of, "classes_of": classes_of}
        return self.render("screens/quality_rules.html", rows=newest_rules(db.session()), **facts)

    @expose("/new")
    @needs("rules.edit")
    def new(self) -> str:
        """The form of a new rule for the chosen function."""
        key = request.args.get("function", FIRST)
        return self._form(None, key if key in FUNCTIONS else FIRST, {})

    @expose("/add", methods=("POST",))
    @needs("rules.edit")
    def add(self) -> Any:
        """Keep a new rule."""
        key = request.form.get("function", "")
        if key not in FUNCTIONS:
            abort(404)
        try:
            row = rule_versions.create(
                db.session(), request.form.get("code", "").strip(), typed(key), staff=current_user
            )
        except Refused as refusal:
            refuse(said(refusal))
            return self._form(None, key, typed_values(key)), 422
        done(_("规则已建立，从 %(day)s 起的评价按它判断。", day=looks.day(row.active_from)))
        return redirect(self.get_url(".show", code=row.code), 303)

    @expose("/<code>")
    def show(self, code: str) -> str:
        """One rule: its form and its versions."""
        row = _one(code)
        return self._form(row, row.function, {})

    @expose("/<code>/change", methods=("POST",))
    @needs("rules.edit")
    def change(self, code: str) -> Any:
        """Keep the next version."""
        row = _one(code)
        try:
            if request.form.get("version", type=int) != row.version:
                raise Refused("规则「%(label)s」已有更新的版本。请刷新后在新版本上修改。", label=row.label)
            kept = rule_versions.revise(db.session(), row, typed(row.function), staff=current_user)
        except Refused as refusal:
            refuse(said(refusal))
            return self._form(_one(code), row.function, typed_values(row.function)), 422
        message = (
            _("没有改动，仍是第 %(number)s 版。") if kept.id == row.id else _("已保存为第 %(number)s 版。")
        )
        done(message % {"number": kept.version})
        return redirect(self.get_url(".show", code=code), 303)

    def _form(self, row: Rule | None, key: str, typed_now: Mapping[str, Any]) -> str:
        function = FUNCTIONS[key]
        filled = {**_filled(row, function), **typed_now}
        asked = questions_of(function.parameters, filled["parameters"])
        facts = {
            "row": row,
            "key": key,
            "function": function,
            "functions": FUNCTIONS,
            "filled": filled,
            "questions": [narrowed(one, filled["kinds"]) for one in asked],
            "kinds": offered_kinds(function),
            "classes": [(EVERY, _("全部")), *((code, _(label)) for code, label in CUSTOMER_CLASSES.items())],
            "units": unit_choices(),
            "indicators": INDICATORS,
            "marks": MARKS,
            "due_days": DUE_DAYS,
            "versions": rule_versions.versions(db.session(), row.code) if row else [],
        }
        return self.render("screens/quality_rule.html", **facts)


def kinds_of(row: Rule) -> str:
    """The kinds that a rule judges, in words."""
    if row.kinds == EVERY:
        return _("全部")
    return _("、").join(record_word(code) for code in row.kinds.split(","))


def classes_of(row: Rule) -> str:
    """The customer classes that a rule holds for, in words."""
    return _("、").join(looks.word(code, "CUSTOMER_CLASSES") for code in row.classes.split(","))


def every_kind() -> list[tuple[str, str]]:
    """The kinds of contacts, and what is judged with the customer."""
    return [*kind_choices(), *((code, _(label)) for code, label in JUDGED_WITH_CUSTOMER.items())]


def offered_kinds(function: Function) -> list[tuple[str, str]]:
    """The kinds that a function can judge."""
    return [
        (EVERY, _("全部")),
        *((code, record_word(code)) for code in rules.kinds_of(db.session(), function)),
    ]


def narrowed(one: Question, kinds: Collection[str]) -> Question:
    """A question about reasons offers those that the rule's kinds can have, and whatever is ticked already."""
    if one.labels.keys() - REASONS.keys() or not one.labels:
        return one
    offered = reasons_about(kinds) | set(one.default or ())
    return replace(one, labels={code: label for code, label in one.labels.items() if code in offered})


def typed(key: str) -> Draft:
    """The posted form as a draft."""
    values = typed_values(key)
    marks = {name: _rate(values[name]) for name, _label in MARKS}
    del values["code"]
    active = values["active_from"]
    days = {"active_from": date.fromisoformat(active) if is_day(active) else today(db.session())}
    return Draft(**{**values, **marks, **days})


def typed_values(key: str) -> dict[str, Any]:
    """The posted form as it was filled in."""
    form = request.form
    parameters = {one.name: _answer(one) for one in questions_of(FUNCTIONS[key].parameters, {})}
    texts = (
        "label",
        "code",
        "indicator",
        "severity",
        "direction",
        "floor",
        "target",
        "stretch",
        "active_from",
        "note",
    )
    return {
        **{name: form.get(name, "") for name in texts},
        "function": key,
        "kinds": tuple(form.getlist("kinds")),
        "classes": tuple(form.getlist("classes")),
        "scope_unit_id": form.get("unit", type=int),
        "parameters": parameters,
        "may_be_empty": "may_be_empty" in form,
        "opens_issues": "opens_issues" in form,
        "enabled": "enabled" in form,
    }


def _answer(one: Question) -> Any:
    if one.kind == "bool":
        return one.name in request.form
    return request.form.getlist(one.name) if one.kind == "choices" else request.form.get(one.name, "")


def _rate(text: str) -> float:
    """A rate typed as per cent; what is no number lies outside every limit."""
    try:
        return float(Decimal(text) / 100)
    except InvalidOperation:
        return -1.0


def _filled(row: Rule | None, function: Function) -> dict[str, Any]:
    if row is None:
        own = [code for code in rules.kinds_of(db.session(), function) if code in function.kinds]
        first = {"label": "", "code": "", "kinds": own or (EVERY,), "classes": (EVERY,)}
        marks = {"floor": "90", "target": "95", "stretch": "98", "indicator": function.indicator}
        rest = {
            "scope_unit_id": None,
            "severity": "medium",
            "direction": "larger",
            "parameters": {},
            "note": "",
        }
        days = {
            "active_from": today(db.session()),
            "enabled": True,
            "may_be_empty": False,
            "opens_issues": True,
        }
        return {**first, **marks, **rest, **days}
    shown = {name: f"{(Decimal(str(getattr(row, name))) * 100).normalize():f}" for name, _label in MARKS}
    draft = rule_versions.draft_of(row)
    return {**vars(draft), **shown, "active_from": today(db.session()), "code": row.code}


def _one(code: str) -> Rule:
    known = db.session.scalar(select(Rule.id).where(Rule.code == code).limit(1))
    return rule_versions.newest(db.session(), code) if known is not None else abort(404)
