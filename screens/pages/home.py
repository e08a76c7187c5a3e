"""The page a person starts with: what waits for them, the figures of their unit, the ways to their work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, current_app, redirect, url_for
from flask_admin import AdminIndexView, expose
from flask_babel import lazy_gettext as _l
from flask_security import current_user

from models import db
from screens import access, figures
from screens.access import SIGNED_IN, needs
from screens.base import Guarded
from screens.cards import Card, Source
from services import health

pages = Blueprint("home", __name__)

# permission, word, view and its arguments: the ways to what people do most often, in this order
SHORTCUTS: tuple[tuple[str, Any, str, dict[str, str]], ...] = (
    ("returns.key", _l("录入回函"), "desk.index", {}),
    ("undelivered.key", _l("登记退信"), "desk.undelivered", {}),
    ("visits.edit", _l("我的走访"), "phone.index", {}),
    ("contacts.edit", _l("查客户、登记联系信息"), "customers.index", {}),
    ("proposals.approve", _l("审核变更申请"), "proposals.index", {}),
    ("imports.run", _l("导入客户资料"), "imports.index", {}),
    ("campaigns.start", _l("发起核对活动"), "campaigns.index", {}),
    ("visits.assign", _l("分派走访"), "visits.index", {}),
    ("assessments.run", _l("质量评价"), "assessments.index", {}),
    ("notices.view", _l("通报和通知单"), "notices.index", {}),
    ("competitions.view", _l("劳动竞赛"), "competitions.index", {}),
    ("traces.view", _l("查服务痕迹"), "traces.index", {}),
    ("customers.view", _l("无法联系的客户"), "customers.index", {"reach": "none"}),
    ("staff.edit", _l("新增人员"), "staff.create_view", {}),
    ("units.edit", _l("单位"), "units.index_view", {}),
    ("workflows.view", _l("流程"), "workflows.index", {}),
)
CHECK_WORDS = {"database": _l("数据库"), "queue": _l("后台队列"), "clock": _l("时钟")}


@pages.route("/")
@needs(SIGNED_IN)
def index() -> Any:
    """To one's own work."""
    return redirect(url_for("admin.index"))


class Home(Guarded, AdminIndexView):
    """The home page in the shell."""

    permission = SIGNED_IN
    in_menu = False

    def __init__(self, sources: Sequence[tuple[str, Source]]) -> None:
        super().__init__(name=_l("首页"), url="/admin")
        self.sources = sources

    @expose("/")
    def index(self) -> Any:
        """Cards, figures, shortcuts."""
        bars = figures.contact_bars(db.session()) if access.may("contacts.view") else []
        own = figures.is_own(db.session())
        found = cards(self.sources)
        return self.render("screens/home.html", cards=found, bars=bars, own=own, shortcuts=shortcuts())

    @expose("/health")
    @needs("settings.view")
    def health(self) -> Any:
        """The state of the system, asked for after the page stands: a queue that is away must not hold it up."""
        checks = health.check_readiness(current_app._get_current_object())  # type: ignore[attr-defined]
        return self.render("screens/_health.html", checks=checks, names=CHECK_WORDS)


def cards(sources: Sequence[tuple[str, Source]]) -> list[Card]:
    """The cards of the asking person; a source returns None where nothing is to be said."""
    found = (source(db.session(), current_user) for permission, source in sources if access.may(permission))
    return [card for card in found if card is not None]


def shortcuts() -> list[tuple[Any, str]]:
    """Word and address of the ways that the asking person may go."""
    known = current_app.view_functions
    return [
        (word, url_for(view, **values))
        for permission, word, view, values in SHORTCUTS
        if view in known and access.may(permission)
    ]
