"""Answers online: the customers' own page on the bureau's database, and the screen where staff follow it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import current_app, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models import Reply, db
from models.clock import now, utcnow
from paper.masks import mask_name
from screens import access
from screens.access import needs
from screens.base import Page
from screens.messages import done
from screens.reply_pages import Bureau, reply_pages
from services import letterheads, letters, public_address, replies, reply_tries
from services.replies import Answered, Shown
from services.returns import Line

LISTED = 50
OPENING = ("returns.view", "settings.edit")


class InnerDoor:
    """The codes of the bureau's own letters."""

    def bureau(self) -> Bureau:
        """The letterhead's name and hotline."""
        head = letterheads.current(db.session())
        return Bureau(head.organ, head.hotline)

    def question(self, token: str) -> str:
        """The check of a letter that may be answered."""
        found = self._asked(token)
        return found.check if found else ""

    def is_answered(self, token: str) -> bool:
        """Whether an answer stands, on paper or online."""
        letter = replies.by_token(db.session(), token)
        return letter is not None and replies.is_answered(db.session(), letter)

    def enter(self, token: str, given: str, address: str) -> bool:
        """Count the try and commit it before anything is compared."""
        session, key = db.session(), current_app.config["THROTTLE_KEY"]
        may_try = reply_tries.claim(session, token, address, key=key, moment=utcnow())
        session.commit()
        found = self._asked(token)
        is_right = replies.is_right(given, found)
        if may_try and is_right:
            reply_tries.forgive(session, token, address, key=key)
        return may_try and is_right

    def lines(self, token: str) -> Sequence[Shown]:
        """What the letter shows."""
        found = self._asked(token)
        return replies.shown(found.letter) if found else ()

    def answer(self, token: str, lines: Sequence[Line]) -> None:
        """Proposals, and the letter is answered."""
        found = self._asked(token)
        replies.check_lines(lines, [line.place for line in replies.shown(found.letter)] if found else ())
        if found is not None:
            said = Answered(tuple(lines), found.check, now(db.session()))
            replies.record(db.session(), found.letter, said)

    def rest(self) -> None:
        """End the transaction: SQLite has one writer."""
        db.session.rollback()

    def _asked(self, token: str) -> replies.Asked | None:
        letter = replies.by_token(db.session(), token)
        return replies.asked(db.session(), letter) if letter is not None else None


pages = reply_pages(InnerDoor())


class Replies(Page):
    """What customers answered online, and under which address they reach the page."""

    permission = "returns.view"
    label, group = _l("网上回复"), "mailing"

    def is_accessible(self) -> bool:
        """Who sets the address up need not see what customers said."""
        return access.may(*OPENING)

    @expose("/")
    @needs(*OPENING)
    def index(self) -> str:
        """The answers, the newest first, and the public address."""
        session, before = db.session(), request.args.get("before", 0, type=int)
        query = select(Reply).options(joinedload(Reply.letter), joinedload(Reply.customer))
        query = query.where(Reply.id < before) if before else query
        rows = session.scalars(query.order_by(Reply.id.desc()).limit(LISTED + 1)).all()
        following = rows[LISTED - 1].id if len(rows) > LISTED else None
        facts: dict[str, Any] = {"rows": rows[:LISTED], "before": following, "later": bool(before)}
        facts |= {"number_of": letters.number_of, "masked": mask_name}
        return self.render("screens/replies.html", address=public_address.current(session), **facts)

    @expose("/address", methods=("POST",))
    @needs("settings.edit")
    def address(self) -> Any:
        """Set where customers reach the page; letters made from then on bear the code."""
        wanted = public_address.change(db.session(), request.form.get("address", ""))
        printed = _("已保存。以后生成的函件印上扫码回复的办法。")
        done(printed if wanted else _("已保存。以后生成的函件不印扫码回复的办法。"))
        return redirect(self.get_url(".index"), 303)

