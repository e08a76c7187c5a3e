"""What screens are made of: `Screen` for the rows of a small table, `Page` for a task; both closed unless opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import abort, g, redirect, request
from flask_admin import BaseView, expose
from flask_admin.actions import action
from flask_admin.contrib.sqla import ModelView
from flask_admin.model.base import ViewArgs
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Query

from models import db
from models.scope import OutOfScope
from screens import access, filters, rows
from screens.forms import AdminForm, Converter
from screens.messages import done, refuse, said
from services import Refused, saved_filters, traces

GROUPS = {
    "work": _l("我的工作"),
    "records": _l("客户资料"),
    "mailing": _l("核对活动"),
    "visits": _l("走访"),
    "quality": _l("数据质量"),
    "samples": _l("抽样核查"),
    "results": _l("考核与竞赛"),
    "workflows": _l("流程"),
    "supervision": _l("监督"),
    "rules": _l("规则与标准"),
    "settings": _l("系统管理"),
}
LAST_PAGE = 5000


class Guarded:
    """A view of the shell. `permission` opens what only reads; each method that writes names its own with `needs`."""

    permission: ClassVar[str] = ""
    label: ClassVar[Any] = ""
    group: ClassVar[str] = "work"
    in_menu: ClassVar[bool] = True

    def permissions_for(self, method: str, *, reading: bool) -> tuple[str, ...]:
        """What opens a method that names nothing itself."""
        return (self.permission,) if reading and self.permission else ()

    def _run_view(self, view: Any, *args: Any, **values: Any) -> Any:
        """Without the second try of Flask-Admin, which hides errors of type inside a view."""
        return view(self, *args, **values)

    def is_accessible(self) -> bool:
        return bool(self.permission) and access.may(self.permission)

    def is_visible(self) -> bool:
        return self.in_menu and self.is_accessible()


class Page(Guarded, BaseView):
    """A page for one task, in the shell: `index` is its address, templates lie in templates/screens/."""

    @classmethod
    def mounted(cls, key: str) -> Page:
        """The view that stands at /admin/<key>/."""
        return cls(name=cls.label, category=GROUPS[cls.group], endpoint=key, url=key)


class Screen(Guarded, ModelView):
    """Rows of one table under 100,000: list, form, delete. `form_columns` is always explicit, exports are off.

    `change_permission` opens creating, editing and deleting; `filters` are those of screens/filters.py; of `traced`
    columns the values before and after go into the trace.
    """

    table: ClassVar[type]
    change_permission: ClassVar[str] = ""
    lead: ClassVar[Any] = ""
    filters: ClassVar[Sequence[filters.Filter]] = ()
    traced: ClassVar[Sequence[str]] = ()
    column_searchable_list: ClassVar[Sequence[Any]] = ()
    form_columns: ClassVar[Sequence[str]] = ()
    column_type_formatters = rows.TYPES
    column_type_formatters_detail = rows.TYPES
    can_create = can_edit = can_delete = False
    can_export = False
    can_set_page_size = False
    page_size = 50
    form_base_class = AdminForm
    model_form_converter = Converter

    @classmethod
    def mounted(cls, key: str) -> Screen:
        """The view that stands at /admin/<key>/."""
        return cls(cls.table, db, name=cls.label, category=GROUPS[cls.group], endpoint=key, url=key)

    def permissions_for(self, method: str, *, reading: bool) -> tuple[str, ...]:
        if method in ("create_view", "edit_view", "delete_view"):
            return (self.change_permission,)
        if method in (
            "action_view",
            "search",
        ):  # each action is asked for its own permission, a search changes nothing
            return (self.permission,)
        return super().permissions_for(method, reading=reading)

    def may_change(self) -> bool:
        """Whether the asking person may write here; templates ask before they show a button."""
        return access.may(self.change_permission)

    # --- which rows

    def narrowed(self, query: Query[Any]) -> Query[Any]:
        """Rows this screen may show at all; override where a table is not scoped by itself."""
        return query

    def get_query(self) -> Query[Any]:
        return filters.narrowed(self.narrowed(super().get_query()), self.filters, g.get("listed", {}))

    def get_count_query(self) -> Query[Any]:
        return filters.narrowed(self.narrowed(super().get_count_query()), self.filters, g.get("listed", {}))

    def get_list(self, *args: Any, **options: Any) -> Any:
        g.listed = self.chosen()
        return super().get_list(*args, **options)

    def get_one(self, id: Any) -> Any:
        key = rows.key_of(self.table, id)
        column = inspect(self.table).primary_key[0]
        return None if key is None else self.get_query().filter(column == key).one_or_none()

    def chosen(self) -> dict[str, str]:
        """The filters that the address sets."""
        return filters.chosen(self.filters, request.args)

    def search_label(self) -> str:
        """What one may search by."""
        return _("、").join(str(self.get_column_name(name)) for name in self.column_searchable_list)

    def get_empty_list_message(self) -> str:
        return _("没有符合条件的记录。") if request.args else _("还没有记录。")

    @expose("/search", methods=("POST",))
    def search(self) -> Any:
        """Keep the search and show it by its id: what was typed never stands in an address."""
        text = request.form.get("q", "").strip()
        kept = filters.chosen(self.filters, request.form)
        if text:
            kept["find"] = str(saved_filters.save(db.session(), current_user.id, self.endpoint, {"q": text}))
        return redirect(self.get_url(".index_view", **kept), 303)

    def _get_list_extra_args(self) -> ViewArgs:
        args = super()._get_list_extra_args()
        found = saved_filters.load(
            db.session(), current_user.id, self.endpoint, request.args.get("find", type=int)
        )
        known = {"find", *(entry.key for entry in self.filters)}
        args.page = max(0, min(args.page or 0, LAST_PAGE))
        args.search = found.get("q") or None
        args.extra_args = {key: value for key, value in request.args.items() if key in known}
        return args

    def _get_list_url(self, view_args: ViewArgs) -> str:
        return str(super()._get_list_url(view_args.clone(search=None)))

    # --- writing

    def fill(self, form: Any, model: Any, *, created: bool) -> None:
        """Put the form into the row; override where a service does it."""
        form.populate_obj(model)
        self.on_model_change(form, model, created)

    def create_model(self, form: Any) -> Any:
        model = self.build_new_instance()
        return model if self._saved(form, model, created=True) else False

    def update_model(self, form: Any, model: Any) -> bool:
        return self._saved(form, model, created=False)

    def _saved(self, form: Any, model: Any, *, created: bool) -> bool:
        try:
            with db.session.no_autoflush:
                self.fill(form, model, created=created)
                details = rows.changes(model, self.traced)
            db.session.add(model)
            self._trace("created" if created else "changed", model, details)
        except IntegrityError:
            return refuse(_l("没有保存：已有相同的记录，或引用的记录不存在。请改正后再保存。"))
        except OutOfScope:
            return refuse(_l("没有保存：这条记录不在您的单位范围内。"))
        except Refused as refusal:
            return refuse(said(refusal))
        return True

    def delete_model(self, model: Any) -> bool:
        name = str(model)
        try:
            self.on_model_delete(model)
            self._trace("deleted", model, {"row": name})
            db.session.delete(model)
            db.session.flush()
        except IntegrityError:
            return refuse(_l("「%(row)s」还被其他记录引用，不能删除。", row=name))
        except OutOfScope:
            return refuse(_l("没有删除：这条记录不在您的单位范围内。"))
        except Refused as refusal:
            return refuse(said(refusal))
        return True

    def _trace(self, verb: str, model: Any, details: Mapping[str, Any]) -> None:
        traces.record(db.session(), f"{rows.subject_of(self.table)}.{verb}", model, details=details)

    # --- asking first, also where no script ran

    @expose("/delete/", methods=("POST",))
    def delete_view(self) -> Any:
        if self.can_delete and not request.form.get("confirmed"):
            row = self.get_one(request.form.get("id"))
            return self.asked(_("确定删除「%(row)s」？删除后不能恢复。", row=row))
        return super().delete_view()

    @expose("/action/", methods=("POST",))
    def action_view(self) -> Any:
        name = request.form.get("action", "")
        if name not in self._actions_data or not self.is_action_allowed(name):
            abort(403)
        question = self._actions_data[name][2]
        if question and not request.form.get("confirmed"):
            return self.asked(str(question))
        return self.handle_action()

    def asked(self, question: str) -> str:
        """The same request again, after a yes."""
        hidden = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
        return self.render(
            "screens/confirm.html", question=question, fields=hidden, back=self.get_url(".index_view")
        )

    def is_action_allowed(self, name: str) -> bool:
        if name == "delete":
            return self.can_delete and self.may_change()
        handler = self._actions_data[name][0]
        return access.may(*getattr(handler, "permissions", (self.change_permission,)))

    @action("delete", _l("删除"), _l("确定删除选中的记录？删除后不能恢复。"))
    def action_delete(self, ids: Sequence[str]) -> None:
        """Delete all that were picked, or none."""
        found = [self.get_one(key) for key in ids]
        if all(row is not None and self.delete_model(row) for row in found):
            done(_("已删除 %(number)s 条。", number=len(found)))
        elif None in found:
            refuse(_("有的记录已不存在，没有删除。请刷新后再试。"))

    # --- what Flask-Admin would also open

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Any:
        abort(404)

    @expose("/ajax/lookup/")
    def ajax_lookup(self) -> Any:
        abort(404)

    @expose("/ajax/update/", methods=("POST",))
    def ajax_update(self) -> Any:
        abort(404)
