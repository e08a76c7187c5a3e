"""The page a person starts with: what waits for them, the figures of their unit, the ways to their work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, url_for
from flask_admin import AdminIndexView, expose
from flask_babel import lazy_gettext as _l
from flask_security import current_user

from models import db
from screens import access
from screens.access import SIGNED_IN, needs
from screens.base import Guarded
from screens.cards import Card, Source

pages = Blueprint("home", __name__)


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
        return self.render("screens/home.html", cards=cards(self.sources))


def cards(sources: Sequence[tuple[str, Source]]) -> list[Card]:
    """The cards of the asking person; a source returns None where nothing is to be said."""
    found = (source(db.session(), current_user) for permission, source in sources if access.may(permission))
    return [card for card in found if card is not None]
