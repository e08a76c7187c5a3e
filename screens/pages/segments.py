"""Segments (客户群): saved selections made line by line, with their sentence, their number and their customers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models import Customer, SavedSegment, db
from paper.masks import mask_name
from screens import condition_forms
from screens.access import READING, needs
from screens.base import Page
from screens.messages import done, said
from services import Refused, saved_segments
from services.conditions import Condition, ConditionField, Words, sentence
from services.segment_fields import fields

ROWS = 50
PREFIX = "condition"


class Segments(Page):
    """All segments in one's reach; the form of one; the customers behind its number."""

    permission = "campaigns.view"
    label, group = _l("客户群"), "mailing"

    @expose("/")
    def index(self) -> str:
        """The list, each as a sentence."""
        query = select(SavedSegment).options(
            joinedload(SavedSegment.unit), joinedload(SavedSegment.edited_by)
        )
        rows = db.session.scalars(query.order_by(SavedSegment.name)).all()
        words = _words(_known({"any": [row.condition for row in rows]}))
        told = {row.id: sentence(row.condition, words) for row in rows}
        return self.render("screens/segments.html", rows=rows, told=told)

    @expose("/new", methods=("GET", "POST"))
    @needs("campaigns.edit")
    def new(self) -> Any:
        """Make a segment line by line."""
        return self._edited(None)

    @expose("/<int:key>", methods=("GET", "POST"))
    @needs("campaigns.edit")
    def edit(self, key: int) -> Any:
        """Change a segment."""
        return self._edited(_one(key))

    @expose("/<int:key>/customers")
    @needs("customers.view")
    def customers(self, key: int) -> str:
        """The customers of a segment in one's own scope, by account number, with their number."""
        row = _one(key)
        after = request.args.get("after", "")
        query = saved_segments.members(db.session(), row.condition).options(joinedload(Customer.unit))
        found = db.session.scalars(
            query.where(Customer.account_no > after).order_by(Customer.account_no).limit(ROWS + 1)
        ).all()
        number = saved_segments.count(db.session(), row.condition) if not after else None
        return self.render(
            "screens/segment_customers.html", row=row, rows=found[:ROWS], masked=mask_name, number=number,
            after=found[ROWS - 1].account_no if len(found) > ROWS else None,
            told=sentence(row.condition, _words(_known(row.condition))),
        )  # fmt: skip

    @expose("/<int:key>/delete", methods=("POST",))
    @needs("campaigns.edit")
    def delete(self, key: int) -> Any:
        """Delete a segment, after asking."""
        row = _one(key)
        if not request.form.get("confirmed"):
            question = _("确定删除客户群「%(name)s」？用到它的流程要重新选择。", name=row.name)
            return self.render(
                "screens/confirm.html", question=question, fields=[], back=self.get_url(".index")
            )
        saved_segments.delete(db.session(), row)
        done(_("客户群已删除。"))
        return redirect(self.get_url(".index"), 303)

    def _edited(self, row: SavedSegment | None) -> Any:
        if request.method in READING:
            group = condition_forms.of_condition(row.condition if row else condition_forms.BLANK)
            return self._form(row, group)
        group = condition_forms.typed(request.form, PREFIX)
        act = request.form.get("act", "save")
        if act not in ("save", "count", "check"):
            return self._form(row, condition_forms.acted(group, PREFIX, act))
        try:
            condition = condition_forms.as_condition(group, _known())
            saved_segments.check(db.session(), condition)
            if act != "save":
                return self._counted(row, group, condition, act)
            kept = saved_segments.keep(db.session(), row, {**request.form, PREFIX: condition}, current_user)
        except Refused as refusal:
            message, key = said(refusal), row.id if row else None
            db.session.rollback()
            if act == "check":
                return self._sentence(group, None)
            return self._form(_one(key) if key else None, group, message), 200 if _is_part() else 422
        done(_("客户群「%(name)s」已保存。", name=kept.name))
        target = self.get_url(".index")
        return ("", 200, {"HX-Redirect": target}) if _is_part() else redirect(target, 303)

    def _counted(self, row: SavedSegment | None, group: Any, condition: Condition, act: str) -> Any:
        if act == "check":
            return self._sentence(group, condition)
        return self._form(row, group, number=saved_segments.count(db.session(), condition))

    def _sentence(self, group: Any, condition: Condition | None) -> str:
        told = sentence(condition, _words(_known(condition))) if condition else ""
        return self.render("screens/_segment_sentence.html", told=told, oob=True)

    def _form(
        self, row: SavedSegment | None, group: Any, mistake: str = "", number: int | None = None
    ) -> str:
        condition = condition_forms.as_condition(group, _known())
        known = _known(condition)
        shown = condition_forms.shown(group, PREFIX, known, checked=bool(mistake))
        is_whole = condition is not None and not condition_forms.has_faults(group, known)
        told = sentence(condition, _words(known)) if is_whole else ""
        filled = request.form if request.method not in READING else None
        template = "screens/_segment_form.html" if _is_part() else "screens/segment.html"
        action = self.get_url(".edit", key=row.id) if row is not None else self.get_url(".new")
        return self.render(
            template,
            action=action,
            row=row,
            group=shown,
            mistake=mistake,
            told=told,
            number=number,
            filled=filled,
        )


def _known(condition: Condition | None = None) -> dict[str, ConditionField]:
    """What a segment may ask for, in words; campaigns that a condition names are among them however old."""
    found = {name: one.field for name, one in fields(db.session(), condition).items()}
    return {name: _worded(one) for name, one in found.items()}


def _worded(one: ConditionField) -> ConditionField:
    labels = {code: _(text) for code, text in one.labels.items()}
    return replace(one, label=_(one.label), labels=labels, group=_(one.group))


def _words(known: dict[str, ConditionField]) -> Words:
    """How a segment's condition is said."""

    def value(name: str, given: Any) -> str:
        if isinstance(given, list):
            return _("、").join(value(name, one) for one in given)
        if isinstance(given, bool):
            return _("是") if given else _("否")
        return known[name].labels.get(str(given), str(given)).strip("　") if name in known else str(given)

    return Words(name=lambda name: known[name].label if name in known else name, value=value, say=_)


def _one(key: int) -> SavedSegment:
    row = db.session.scalar(select(SavedSegment).where(SavedSegment.id == min(key, 2**63 - 1)))
    return row if row is not None else abort(404)


def _is_part() -> bool:
    return bool(request.headers.get("HX-Request"))
