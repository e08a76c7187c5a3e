"""Lists of large tables: key paging without counting, chosen filters and sorts, posted searches, picking rows.

A list is a `ListPage` with a `Listing` and a `query()`. Filters stand in the address as codes; what a person types is
posted, kept server side and named by an id. A page begins after the row whose id the address carries. The sort that a
person chose last is remembered. A list whose rows are found in another way than by one query brings its own `pages`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import abort, redirect, request, url_for
from flask_admin import expose
from flask_security import current_user
from sqlalchemy import Select

from models import db
from screens import access, filters
from screens.access import needs, reads
from screens.base import Page
from screens.exports import sent
from screens.list_rows import every_row, narrow, show
from screens.listings import Listing
from services import exports, saved_filters

EXPORTS = (exports.RUN, "customers.export", "traces.export")


class ListPage(Page):
    """A page that is a list: `listing`, `query()`; the search is remembered and named by its id."""

    listing: ClassVar[Listing]
    export_permission: ClassVar[str] = exports.RUN
    has_plain: ClassVar[bool] = False  # whether the masked values of its rows may be exported in plain
    template: ClassVar[str] = "screens/list.html"

    def query(self) -> Select[Any]:
        """The rows before filters; the scope of the session applies by itself."""
        raise NotImplementedError

    def permissions_for(self, method: str, *, reading: bool) -> tuple[str, ...]:
        return super().permissions_for(method, reading=reading or method == "search")

    @expose("/")
    def index(self) -> Any:
        """The list."""
        return self.render(self.template, **self.shown())

    def shown(self) -> dict[str, Any]:
        """What the template gets; pages add to it."""
        return {"page": show(db.session(), self.listing, self.query(), self.endpoint)}

    @expose("/export", methods=("POST",))
    @needs(*EXPORTS)
    @reads
    def export(self) -> Any:
        """All rows of the list as a file: those of the page's filters and search, in its order."""
        if not self.is_accessible() or not access.may(self.export_permission):
            abort(403)
        session, listing = db.session(), self.listing
        narrowed = narrow(session, listing, self.query(), self.endpoint, request.form)
        asked = request.form.get("sort", "")
        sort = asked if asked in listing.sorts else next(iter(listing.sorts))
        rows = every_row(session, listing, narrowed.query, sort)
        headings = [column.label for column in listing.columns]
        return sent(str(self.label), headings, rows, permission=self.export_permission)

    @expose("/search", methods=("POST",))
    def search(self) -> Any:
        """Keep what was typed, and go to the list that it finds."""
        return redirect(self.remembered(request.form), 303)

    def remembered(self, values: Mapping[str, str]) -> str:
        """The address of the list for a search."""
        typed = {entry.key: values.get(entry.key, "").strip() for entry in self.listing.searches}
        kept: dict[str, Any] = dict(filters.chosen(self.listing.filters, values))
        if any(typed.values()):
            kept["find"] = saved_filters.save(db.session(), current_user.id, self.endpoint, typed)
        return url_for(f"{self.endpoint}.index", **kept)
