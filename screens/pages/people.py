"""Screens of the organisation: units, territories, leave."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Query

from models import Leave, Staff, Territory, Unit, db
from models.words import TERRITORY_KINDS, UNIT_KINDS
from screens import rows
from screens.access import needs
from screens.base import Screen
from screens.filters import Filter
from screens.forms import choices
from screens.messages import done
from screens.pickers import staff_in_reach, unit_choices, units_in_scope
from services import Refused, units
from services.people import in_scope_units


class Units(Screen):
    """The unit tree; moving one is an operation of its own."""

    table = Unit
    permission, change_permission = "units.view", "units.edit"
    label, group = _l("单位一览"), "settings"
    lead = _l("上下级决定谁看得到哪些客户。移动一个单位，会连同它的全部下级和资料一起移动。")
    can_create = can_edit = True
    page_size = 500
    column_list = ("name", "code", "kind", "area_code", "region", "deadline_days")
    column_labels = {
        "name": _l("名称"),
        "code": _l("代码"),
        "kind": _l("类型"),
        "area_code": _l("电话区号"),
        "phones": _l("办公电话"),
        "region": _l("行政区划"),
        "deadline_days": _l("录入时限(工作日)"),
        "parent": _l("上级单位"),
    }
    column_descriptions = {
        "region": _l("写到区县，例如 广东省佛山市禅城区；地址里省略的部分按它补全。"),
        "area_code": _l("固定电话没写区号时按它补全，例如 0757。"),
        "phones": _l("用顿号隔开。客户资料里出现这些号码时会判为存疑。"),
    }
    column_default_sort = "path"
    column_searchable_list = ("name", "code")
    column_sortable_list = ()
    column_formatters = {
        "kind": rows.as_word("UNIT_KINDS"),
        "name": lambda _view, _context, unit, _name: "　" * max(unit.path.count("/") - 2, 0) + unit.name,
    }
    form_columns = ("name", "code", "kind", "parent", "area_code", "region", "phones", "deadline_days")
    form_choices = {"kind": choices(UNIT_KINDS)}
    form_args = {"parent": {"query_factory": units_in_scope, "allow_blank": False}}
    form_widget_args = {"parent": {"data-search": True}}
    edit_template = "screens/unit_edit.html"
    traced = ("code", "name", "kind", "area_code", "region", "phones", "deadline_days")

    def narrowed(self, query: Query[Any]) -> Query[Any]:
        return query.filter(in_scope_units(db.session()))

    def create_form(self, obj: Any = None) -> Any:
        """With a parent in any case: the first start made the top."""
        form = super().create_form(obj)
        form.parent.allow_blank = False
        return form

    def edit_form(self, obj: Any = None) -> Any:
        """Without the parent: moving stands below the form."""
        form = super().edit_form(obj)
        del form.parent
        return form

    def fill(self, form: Any, model: Any, *, created: bool) -> None:
        if not created:
            super().fill(form, model, created=False)
            return
        parent = form.parent.data
        del form.parent
        form.populate_obj(model)
        units.add_unit(db.session(), model, parent)

    def moves(self, unit: Unit) -> list[tuple[int, str]]:
        """The units that one may be put under."""
        inside = set(
            db.session.scalars(select(Unit.id).where(Unit.path.startswith(unit.path, autoescape=True)))
        )
        return [(key, name) for key, name in unit_choices() if key not in inside]

    @expose("/move", methods=("POST",))
    @needs("units.edit")
    def move(self) -> Any:
        """Put a unit under another one."""
        unit, parent = (self.get_one(request.form.get(name)) for name in ("id", "parent"))
        if unit is None or parent is None:
            abort(404)
        number = units.move_unit(db.session(), unit, parent)
        done(_("已移动「%(unit)s」，连同下级共 %(number)s 个单位。", unit=unit.name, number=number))
        return redirect(self.get_url(".index_view"), 303)


def _in_unit(query: Any, value: str) -> Any:
    return query.filter(Territory.unit_id == int(value))


class Territories(Screen):
    """Who is responsible for a meter book, a transformer area or a whole unit; visits are assigned by it."""

    table = Territory
    permission, change_permission = "visits.view", "visits.assign"
    label, group = _l("责任区"), "visits"
    lead = _l("走访任务先分给客户的客户经理，没有时按责任区分派。抄表催费员能看到自己抄表册的客户。")
    can_create = can_edit = can_delete = True
    column_list = ("code", "kind", "unit", "staff")
    column_labels = {"code": _l("编号"), "kind": _l("类型"), "unit": _l("单位"), "staff": _l("负责人")}
    column_descriptions = {"code": _l("抄表册或台区的编号，与客户资料里的一致；类型是“单位”时留空。")}
    column_formatters = {
        "kind": rows.as_word("TERRITORY_KINDS"),
        "code": lambda _v, _c, row, _n: row.code or _("（整个单位）"),
    }
    column_searchable_list = ("code",)
    column_sortable_list = ("code",)
    filters = (Filter("unit", _l("单位"), unit_choices, _in_unit),)
    form_columns = ("unit", "kind", "code", "staff")
    form_choices = {"kind": choices(TERRITORY_KINDS)}
    form_args = {
        "unit": {"query_factory": units_in_scope, "allow_blank": False},
        "staff": {"query_factory": staff_in_reach, "allow_blank": False},
    }
    form_widget_args = {"unit": {"data-search": True}, "staff": {"data-search": True}}
    traced = ("code", "kind", "unit_id", "staff_id")

    def narrowed(self, query: Query[Any]) -> Query[Any]:
        return query.filter(Territory.unit_id.in_(select(Unit.id).where(in_scope_units(db.session()))))

    def on_model_change(self, form: Any, model: Any, is_created: bool) -> None:
        if model.kind != "unit" and not model.code:
            raise Refused(_("请填写抄表册或台区的编号。"))
        model.code = "" if model.kind == "unit" else model.code.strip()


class Leaves(Screen):
    """Days on which a person gets no visits."""

    table = Leave
    permission, change_permission = "visits.view", "visits.assign"
    label, group = _l("请假"), "visits"
    lead = _l("请假期间不分派新的走访任务；首尾两天都算在内。")
    can_create = can_edit = can_delete = True
    column_list = ("staff", "starts_on", "ends_on")
    column_labels = {"staff": _l("人员"), "starts_on": _l("开始"), "ends_on": _l("结束")}
    column_default_sort = ("starts_on", True)
    column_sortable_list = ("starts_on", "ends_on")
    form_columns = ("staff", "starts_on", "ends_on")
    form_args = {"staff": {"query_factory": staff_in_reach, "allow_blank": False}}
    form_widget_args = {"staff": {"data-search": True}}

    def narrowed(self, query: Query[Any]) -> Query[Any]:
        inside = select(Staff.id).where(
            Staff.unit_id.in_(select(Unit.id).where(in_scope_units(db.session())))
        )
        return query.filter(Leave.staff_id.in_(inside))

    def on_model_change(self, form: Any, model: Any, is_created: bool) -> None:
        starts, ends = form.starts_on.data or date.min, form.ends_on.data or date.min
        if ends < starts:
            raise Refused(_("结束日期不能早于开始日期。"))
