"""What screens are made of: `Screen` for the rows of a small table, `Page` for a task; both closed unless opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from flask import abort, flash
from flask_admin import BaseView, expose
from flask_admin.contrib.sqla import ModelView
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Query

from models import db
from models.scope import OutOfScope
from screens import access, filters
from screens.forms import AdminForm, Converter
from services import Refused, traces

GROUPS = {
    "work": _l("我的工作"),
    "records": _l("客户资料"),
    "mailing": _l("核对活动"),
    "visits": _l("走访"),
    "results": _l("考核与竞赛"),
    "workflows": _l("流程"),
    "supervision": _l("监督"),
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

    `change_permission` opens creating, editing and deleting; `filters` are those of screens/filters.py.
    """

    table: ClassVar[type]
    change_permission: ClassVar[str] = ""
    lead: ClassVar[Any] = ""
    filters: ClassVar[Sequence[filters.Filter]] = ()
    traced: ClassVar[Sequence[str]] = ()
    column_searchable_list: ClassVar[Sequence[Any]] = ()
    form_columns: ClassVar[Sequence[str]] = ()
    can_create = False
    can_edit = False
    can_delete = False
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
        if method in ("index_view", "details_view", "action_view", "search"):
            return (self.permission,)
        if method in ("create_view", "edit_view", "delete_view"):
            return (self.change_permission,)
        return super().permissions_for(method, reading=reading)

    def may_change(self) -> bool:
        """Whether the asking person may write here; templates ask before they show a button."""
        return access.may(self.change_permission)

    def is_action_allowed(self, name: str) -> bool:
        if name == "delete":
            return self.can_delete and self.may_change()
        handler = self._actions_data[name][0]
        return access.may(*getattr(handler, "permissions", (self.change_permission,)))

    def get_query(self) -> Query[Any]:
        return self.narrowed(db.session.query(self.table))

    def get_count_query(self) -> Query[Any]:
        return self.narrowed(super().get_count_query())

    def narrowed(self, query: Query[Any]) -> Query[Any]:
        """Rows this screen may show at all; override where a table is not scoped by itself."""
        return query

    def get_list(self, page: Any, *args: Any, **options: Any) -> Any:
        return super().get_list(page, *args, **options)

    def get_one(self, id: Any) -> Any:
        key = key_of(self.table, id)
        if key is None:
            return None
        column = inspect(self.table).primary_key[0]
        return self.get_query().filter(column == key).one_or_none()

    def create_model(self, form: Any) -> Any:
        model = self.build_new_instance()
        return model if self._saved(form, model, created=True) else False

    def update_model(self, form: Any, model: Any) -> bool:
        return self._saved(form, model, created=False)

    def delete_model(self, model: Any) -> bool:
        try:
            self.on_model_delete(model)
            traces.record(db.session, f"{self.table.__tablename__}.deleted", model)
            db.session.delete(model)
            db.session.flush()
        except IntegrityError:
            return refuse(_("「%(row)s」还被其他记录引用，不能删除。", row=str(model)))
        except (Refused, OutOfScope) as refusal:
            return refuse(str(refusal))
        return True

    def _saved(self, form: Any, model: Any, *, created: bool) -> bool:
        try:
            with db.session.no_autoflush:
                self.fill(form, model, created=created)
            changes = changed(model, self.traced)
            db.session.add(model)
            db.session.flush()
            verb = "created" if created else "changed"
            traces.record(db.session, f"{self.table.__tablename__}.{verb}", model, details=changes)
        except IntegrityError:
            return refuse(_("没有保存：已有相同的记录，或引用的记录不存在。请改正后再保存。"))
        except OutOfScope:
            return refuse(_("没有保存：这条记录不在您的单位范围内。"))
        except Refused as refusal:
            return refuse(str(refusal))
        return True

    def fill(self, form: Any, model: Any, *, created: bool) -> None:
        """Put the form into the row; override where a service does it."""
        form.populate_obj(model)
        self.on_model_change(form, model, created)

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Any:
        abort(404)

    @expose("/ajax/lookup/")
    def ajax_lookup(self) -> Any:
        abort(404)

    @expose("/ajax/update/", methods=("POST",))
    def ajax_update(self) -> Any:
        abort(404)


def key_of(table: Any, text: Any) -> Any:
    """A primary key from an address, of the key column's type; None for what cannot be one."""
    column = inspect(table).primary_key[0]
    try:
        if column.type.python_type is int:
            return int(text) if 0 < int(text) < 2**63 else None
        return date.fromisoformat(text) if column.type.python_type is date else str(text)
    except (TypeError, ValueError):
        return None


def changed(model: Any, traced: Sequence[str]) -> Mapping[str, Any]:
    """Which columns of a row are about to change; of the `traced` ones also the values."""
    state = inspect(model)
    histories = {column.key: state.attrs[column.key].history for column in state.mapper.column_attrs}
    moved = {name: history for name, history in histories.items() if history.has_changes() and history.added}
    values = {
        name: [_plain(moved[name].deleted), _plain(moved[name].added)] for name in traced if name in moved
    }
    return {"fields": sorted(moved)} | ({"values": values} if values else {})


def done(message: str) -> None:
    """Tell the person that something was done; no personal data: it travels in the cookie."""
    flash(message, "success")


def warn(message: str) -> None:
    """Tell the person what to look at."""
    flash(message, "warning")


def refuse(message: str) -> bool:
    """Tell the person that something was not done and why, and forget what was half done."""
    db.session.rollback()
    flash(message, "danger")
    return False


def _plain(values: Any) -> Any:
    value = values[0] if values else None
    return value if isinstance(value, str | int | float | bool | list | None) else str(value)
