"""The posting desk of the print room: what goes to the post on one day, its list, and that it went."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy.orm import Session

from models import PrintRun, db
from models.clock import now, today
from paper.masks import mask_name
from paper.postings import PostingList
from screens import downloads
from screens.access import needs
from screens.messages import done
from services import Refused, letters, posting_lists, print_runs
from workflows.print_runs import conclude_posting

RUN = "letters.run"
CSV = "text/csv"
LISTED = 100


@dataclass(frozen=True)
class Posting:
    """One unit's day as it was asked for: its runs, and those that are picked."""

    day: date
    unit_id: int
    runs: Sequence[PrintRun]
    picked: Sequence[PrintRun]

    @property
    def keys(self) -> list[int]:
        """The ids of the picked runs."""
        return [run.id for run in self.picked]


class Postings:
    """Views of the print room about one day's posting."""

    @expose("/posting")
    def posting(self: Any) -> str:
        """What a unit posts on a day: today what is printed, else what went then."""
        session = db.session()
        units, found = _posting(session)
        return str(
            self.render(
                "screens/posting.html",
                posting=found,
                units=units,
                facts=posting_lists.facts(session, found.picked, day=found.day),
                left=any(run.posted_at is None for run in found.picked),
                days=posting_lists.recent_days(session),
            )
        )

    @expose("/posting/letters")
    def posting_letters(self: Any) -> str:
        """The letters that one figure of a posting counts."""
        runs = posting_lists.chosen(db.session(), request.args.getlist("run", type=int)) or abort(404)
        after, prefix = request.args.get("after", 0, type=int), request.args.get("prefix")
        key = None if prefix is None else (prefix, request.args.get("local") == "1")
        found = posting_lists.letters(db.session(), runs, after=after, most=LISTED + 1, key=key)
        following = found[LISTED - 1].id if len(found) > LISTED else None
        return str(
            self.render(
                "screens/posting_letters.html",
                runs=runs,
                rows=found[:LISTED],
                after=following,
                masked=mask_name,
                number_of=letters.number_of,
            )
        )

    @expose("/posting/pick", methods=("POST",))
    @needs(RUN)
    def posting_pick(self: Any) -> Any:
        """Other runs go with it."""
        return redirect(self.get_url(".posting", day=request.form.get("day"), run=[run.id for run in _picked()]), 303)

    @expose("/posting/list.pdf", methods=("POST",))
    @needs(RUN)
    def posting_paper(self: Any) -> Any:
        """The posting list as a sheet to be signed."""
        facts = _list()
        return downloads.printed("posting_list", facts, f"{facts.unit}_{facts.day.isoformat()}")

    @expose("/posting/list.csv", methods=("POST",))
    @needs(RUN)
    def posting_rows(self: Any) -> Any:
        """The posting list for a spreadsheet."""
        facts, text = _list(), io.StringIO(newline="")
        writer = csv.writer(text)
        weights, prices = (_("单重(克)"), _("总重(克)")), (_("单价(元)"), _("资费(元)"))
        writer.writerow([_("邮编(前三位)"), _("寄达"), _("件数"), *weights, *prices, _("盘")])
        for line in facts.lines:
            money = (f"{line.grams:.1f}", f"{line.weight:.1f}", f"{line.price:.2f}", f"{line.postage:.2f}")
            writer.writerow([line.prefix, _("本埠") if line.local else _("外埠"), line.pieces, *money, line.trays])
        name = _("交寄清单_%(unit)s_%(day)s.csv", unit=facts.unit, day=facts.day.isoformat())
        return downloads.made(text.getvalue().encode("utf-8-sig"), name, CSV)

    @expose("/posting/posted", methods=("POST",))
    @needs(RUN)
    def posting_posted(self: Any) -> Any:
        """All picked runs went to the post; each is committed by itself."""
        session, runs = db.session(), [run for run in _picked() if run.posted_at is None]
        if not runs:
            raise Refused(_("选中的批次都已登记交寄。"))
        moment, number = now(session), 0
        for run in runs:
            number += print_runs.mark_posted(session, run, at=moment)
            session.commit()
        done(_("已登记交寄 %(number)s 封。", number=number))
        for campaign in {run.campaign for run in runs}:
            tell_when_concluded(session, campaign)
        return redirect(self.get_url(".posting", day=moment.date().isoformat(), run=[run.id for run in runs]), 303)


def tell_when_concluded(session: Session, campaign: Any) -> None:
    """Decide the task that waits for the post once nothing of the campaign is left, and say so."""
    if conclude_posting(session, campaign, current_user):
        done(_("这次活动的函件已全部交寄，待办已办结，开始等待回函。"))


def _posting(session: Session) -> tuple[dict[int, str], Posting]:
    """The units that post on the day asked for, and the posting of one of them."""
    asked = posting_lists.chosen(session, request.args.getlist("run", type=int))
    day = _day(asked) or today(session)
    found = {run.id: run for run in (*posting_lists.on_day(session, day), *asked)}
    units = {run.unit_id: run.campaign.unit.name for run in found.values()}
    unit_id = asked[0].unit_id if asked else request.args.get("unit", 0, type=int)
    unit_id = unit_id if unit_id in units else next(iter(units), 0)
    runs = [run for run in found.values() if run.unit_id == unit_id]
    return units, Posting(day, unit_id, runs, [run for run in asked if run.unit_id == unit_id] or _usual(runs))


def _usual(runs: Sequence[PrintRun]) -> Sequence[PrintRun]:
    """What lies printed; when nothing does, what went already."""
    return [run for run in runs if run.state == "printed"] or [run for run in runs if run.state == "posted"]


def _day(asked: Sequence[PrintRun]) -> date | None:
    try:
        return date.fromisoformat(request.args["day"])
    except (KeyError, ValueError):
        return posting_lists.day_of(asked[0]) if asked else None


def _picked() -> Sequence[PrintRun]:
    found = posting_lists.chosen(db.session(), request.form.getlist("run", type=int))
    if not found:
        raise Refused(_("请先勾选要交寄的批次。"))
    if len({run.unit_id for run in found}) > 1:
        raise Refused(_("一张交寄清单只能有一个单位的批次。"))
    return found


def _list() -> PostingList:
    runs, session = _picked(), db.session()
    return posting_lists.facts(session, runs, day=posting_lists.day_of(runs[0]) or today(session))
