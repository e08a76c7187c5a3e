"""Screens of what the bureau judges by: what settles by itself, required fields, targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from models import ContactKind, Policy, RequiredField, Role, Target, db
from models.quality_words import MEASURES
from models.words import COHORTS, CUSTOMER_CLASSES, SOURCES, UNIT_KINDS, VERDICTS
from screens import looks, rows
from screens.access import needs
from screens.base import Page, Screen
from screens.forms import ChoiceField, PercentField, TicksField, choices, offered
from screens.messages import done
from screens.pages.judging import start
from screens.pickers import kind_choices
from services import Refused, count_sets, policies, traces

ANY = ("*", _l("不限"))
MET = {
    "*": _l("不限"),
    "nothing": _l("还没有这种信息"),
    "unusable": _l("现有的不可用"),
    "good": _l("现有的可用"),
    "confirmed": _l("现有的已核实"),
}
LEVELS = [("", _l("不限")), *choices(UNIT_KINDS)]
DECISIONS = {"settle": _l("自动生效"), "wait": _l("等人审核")}


class Policies(Screen):
    """What settles by itself: the first row that fits decides, what no row speaks of waits for a person."""

    table = Policy
    permission, change_permission = "rules.view", "rules.edit"
    label, group = _l("自动审核规则"), "rules"
    lead = _l(
        "新的联系信息从上到下对照，第一条符合的决定；都不符合就等人审核。自己录入的永远不能自己审核。"
        "超过每日上限的，自动生效的改为等审核，审核的留给别人或第二天；批量变更整批审核，不计入上限。"
    )
    can_create = can_edit = can_delete = True
    page_size = 200
    column_list = (
        "position", "source", "kind", "verdicts", "replaces", "decision", "approver_role", "approver_level",
        "daily_limit",
    )  # fmt: skip
    column_labels = {
        "approver_role": _l("由谁审核"),
        "approver_level": _l("审核人单位"),
        "daily_limit": _l("每人每日上限"),
        "position": _l("顺序"),
        "source": _l("来源渠道"),
        "kind": _l("种类"),
        "verdicts": _l("判定"),
        "replaces": _l("现有信息"),
        "decision": _l("处理"),
    }
    column_default_sort = "position"
    column_sortable_list = ()
    column_formatters = {
        "source": lambda _v, _c, row, _n: (
            _("不限") if row.source == "*" else looks.word(row.source, "SOURCES")
        ),
        "kind": lambda _v, _c, row, _n: (
            _("不限") if row.kind == "*" else dict(kind_choices()).get(row.kind, row.kind)
        ),
        "verdicts": lambda _v, _c, row, _n: verdict_words(row.verdicts),
        "replaces": lambda _v, _c, row, _n: MET.get(row.replaces, row.replaces),
        "decision": lambda _v, _c, row, _n: DECISIONS.get(row.decision, row.decision),
        "approver_role": lambda _v, _c, row, _n: approver(row, role_choices(), row.approver_role),
        "approver_level": lambda _v, _c, row, _n: approver(row, LEVELS, row.approver_level),
    }
    form_columns = column_list
    form_choices = {
        "source": [ANY, *choices(SOURCES)],
        "replaces": list(MET.items()),
        "decision": list(DECISIONS.items()),
        "approver_level": LEVELS,
    }
    form_overrides = {"verdicts": TicksField, "kind": ChoiceField, "approver_role": ChoiceField}
    form_args = {
        "verdicts": {"choices": choices(VERDICTS)},
        "approver_role": {"description": _l("只对等人审核的有用；不选就是有审核权限的都可以。")},
        "approver_level": {"description": _l("只对等人审核的有用；选区县局，就要区县局或更高一级的人员审核。")},
        "daily_limit": {
            "description": _l("每人每天最多这么多条自动生效；等人审核的，每人每天最多审核这么多条。不填不限。")
        },
    }
    traced = form_columns

    def create_form(self, obj: Any = None) -> Any:
        return with_kinds(super().create_form(obj))

    def edit_form(self, obj: Any = None) -> Any:
        return with_kinds(super().edit_form(obj))

    def on_model_change(self, form: Any, model: Any, is_created: bool) -> None:
        if not model.verdicts:
            raise Refused(_("请至少勾选一种判定。"))
        if model.daily_limit is not None and model.daily_limit < 0:
            raise Refused(_("每人每日上限要填 0 或更大的数，不填不限。"))
        tell_difference(model)


def tell_difference(model: Policy) -> None:
    """Say what the changed row would have meant for the values of the last 30 days."""
    before = policies.rules(db.session())
    others = [rule for rule in before if rule.id != model.id]
    place = sum(rule.position < model.position for rule in others)
    after = [*others[:place], policies.rule_of(model), *others[place:]]
    waits, settles = policies.difference(policies.recent_facts(db.session()), before, after)
    if waits or settles:
        done(
            _(
                "按最近 30 天的新值回算：原来自动生效、改后要等审核的 %(waits)s 条；"
                "原来等审核、改后自动生效的 %(settles)s 条。",
                waits=f"{waits:,}",
                settles=f"{settles:,}",
            )
        )


def approver(row: Policy, words: Sequence[tuple[str, Any]], code: str) -> Any:
    """Who approves what a row lets wait; nothing where it settles by itself."""
    return "" if row.decision == "settle" else dict(words).get(code) or _("不限")


def role_choices() -> list[tuple[str, str]]:
    """The roles that may approve proposals."""
    rows = db.session.scalars(select(Role).order_by(Role.id))
    return [(row.name, _(row.label)) for row in rows if "proposals.approve" in row.permissions]


def with_kinds(form: Any) -> Any:
    """Offer the kinds and roles as they are now."""
    form.kind.choices = offered([ANY, *kind_choices()])
    form.approver_role.choices = offered([("", _l("不限")), *role_choices()])
    return form


def verdict_words(verdicts: str) -> str:
    """Verdict codes joined by commas, in words."""
    if verdicts == "*":
        return _("不限")
    return _("、").join(looks.word(code, "VERDICTS") for code in verdicts.split(","))


class RequiredFields(Page):
    """Which kinds customers of each class must have: the denominator of completeness."""

    permission = "rules.view"
    label, group = _l("应录项"), "rules"

    @expose("/")
    def index(self) -> Any:
        """Kinds by classes."""
        found = {(row.customer_class, row.kind) for row in db.session.scalars(select(RequiredField))}
        return self.render(
            "screens/required_fields.html", kinds=kind_choices(), classes=CUSTOMER_CLASSES, found=found
        )

    @expose("/change", methods=("POST",))
    @needs("rules.edit")
    def change(self) -> Any:
        """Keep exactly what is ticked."""
        known = {
            f"{name}/{code}"
            for name in CUSTOMER_CLASSES
            for code in db.session.scalars(select(ContactKind.code))
        }
        wanted = known & set(request.form.getlist("required"))
        rows_now = {str(row): row for row in db.session.scalars(select(RequiredField))}
        for key in rows_now.keys() - wanted:
            db.session.delete(rows_now[key])
        for key in sorted(wanted - rows_now.keys()):
            customer_class, kind = key.split("/")
            db.session.add(RequiredField(customer_class=customer_class, kind=kind))
        changes = {"added": sorted(wanted - rows_now.keys()), "removed": sorted(rows_now.keys() - wanted)}
        if any(changes.values()):
            traces.record(db.session(), "required_field.changed", RequiredField(), details=changes)
            start("count_again", count_sets.plan(db.session(), "recounted"))
        done(_("应录项已保存，从下一次质量评价起生效。"))
        return redirect(self.get_url(".index"), 303)


class Targets(Screen):
    """The three marks of each measure that scores and notices are read from."""

    table = Target
    permission, change_permission = "rules.view", "rules.edit"
    label, group = _l("考核目标"), "rules"
    lead = _l("低于基本值要发考核通知单；达到目标值、挑战值按办法加分。")
    can_create = can_edit = can_delete = True
    column_list = ("measure", "cohort", "floor", "target", "stretch", "clause")
    column_labels = {
        "measure": _l("指标"),
        "cohort": _l("客户"),
        "floor": _l("基本值(%)"),
        "target": _l("目标值(%)"),
        "stretch": _l("挑战值(%)"),
        "clause": _l("依据条款"),
    }
    column_sortable_list = ()
    column_formatters = {
        "measure": rows.as_word("MEASURES"),
        "cohort": rows.as_word("COHORTS"),
        "floor": rows.as_percent,
        "target": rows.as_percent,
        "stretch": rows.as_percent,
    }
    form_columns = ("measure", "cohort", "floor", "target", "stretch", "clause")
    form_choices = {"measure": choices(MEASURES), "cohort": choices(COHORTS)}
    form_overrides = {"floor": PercentField, "target": PercentField, "stretch": PercentField}
    traced = form_columns

    def on_model_change(self, form: Any, model: Any, is_created: bool) -> None:
        if not 0 <= model.floor <= model.target <= model.stretch <= 1:
            raise Refused(_("基本值、目标值、挑战值要在 0 到 100 之间，并且依次不降低。"))
