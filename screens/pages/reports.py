"""Monthly quality reports: published ones for all staff of the unit; chosen, looked at and made by those who assess."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import abort, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Publication, Report, Staff, Unit, db
from models.clock import utcnow
from models.words import N_
from screens.access import SIGNED_IN, may, needs
from screens.base import Page
from screens.cards import Card, Line
from screens.downloads import PDF, made
from screens.messages import done
from screens.pickers import unit_choices
from services import Refused, report_papers, report_tables, reports
from services.table_files import XLSX
from workflows import runs

PERSONS = "assessments.view"
WORKFLOW = "quality_report"
NEWS = timedelta(days=7)
LISTED = 3
UNCHOSEN = N_("请先选择单位，再查看或生成月报。")
# What a figure opens: the view, and the permission that opens it.
LISTS = {
    "records": ("assessments.records", PERSONS),
    "rule_records": ("assessments.rule_records", PERSONS),
    "run": ("assessments.show", PERSONS),
    "report": ("reports.show", PERSONS),
    "audits": ("audits.of", "audits.view"),
    "issues": ("issues.index", "issues.view"),
    "yield_values": ("yield_values.index", "contacts.view"),
}


class Reports(Page):
    """The published reports of one's unit; the form that chooses a month and a unit."""

    permission = SIGNED_IN
    label, group = _l("质量月报"), "quality"

    @expose("/")
    @needs(SIGNED_IN)
    def index(self) -> str:
        """What is published, newest first, and what waits to be."""
        return self._index("")

    def _index(self, wrong: str) -> str:
        months = report_tables.assessed_months(db.session()) if may(PERSONS) else []
        drafts = reports.drafts(db.session()) if may(PERSONS) else []
        facts = {"rows": reports.published(db.session()), "drafts": drafts, "months": months}
        return self.render("screens/reports.html", units=unit_choices(), wrong=wrong, **facts)

    @expose("/show")
    @needs(SIGNED_IN)
    def show(self) -> Any:
        """One report as it stands on paper: the same tables, rows and order."""
        if not request.args.get("unit", "").strip():
            return self._index(_(UNCHOSEN)), 422
        facts = _facts()
        told = report_papers.shown(facts, persons=may(PERSONS))
        return self.render(
            "screens/report.html",
            told=told,
            asked={"unit": facts["unit_id"], "period": facts["period"]},
            drawings=[
                [report_papers.chart_of(one).svg() for one in part["charts"]] for part in told["parts"]
            ],
            links=_links,
            published=reports.published_as(db.session(), facts),
            digest=reports.digest(facts),
            is_kept=_is_kept(facts),
            can_make=may(reports.MAKE),
        )

    @expose("/pdf")
    @needs(SIGNED_IN)
    def pdf(self) -> Any:
        """The report as PDF."""
        facts = _facts()
        published = reports.published_as(db.session(), facts)
        content = report_papers.pdf(facts, published, persons=may(PERSONS))
        return made(content, report_papers.file_name(facts, "pdf"), PDF)

    @expose("/xlsx")
    @needs(SIGNED_IN)
    def xlsx(self) -> Any:
        """The report as a workbook: the rows of the page, in their order."""
        facts = _facts()
        published = reports.published_as(db.session(), facts)
        with tempfile.TemporaryDirectory(prefix="report-") as folder:
            path = Path(folder) / "report.xlsx"
            report_papers.workbook(facts, published, path, persons=may(PERSONS))
            return made(path.read_bytes(), report_papers.file_name(facts, "xlsx"), XLSX)

    @expose("/make", methods=("POST",))
    @needs(reports.MAKE)
    def make(self) -> Any:
        """Make and keep the report of a unit; a run of the engine does it, so that nobody waits for a page."""
        unit, period = _unit(request.form), request.form.get("period", "")
        below = "true" if "below" in request.form else "false"
        values = {"make.period": period, "make.unit": unit.code, "make.below": below}
        run = runs.start(db.session(), WORKFLOW, values, current_user)
        done(_("月报开始生成，完成后在“质量月报”页能看到；评价发布以后，本单位的人都能看到。"))
        return redirect(url_for("runs.show", key=run.id), 303)


def news_card(session: Session, staff: Staff) -> Card | None:
    """Reports of one's units that came out in the last days."""
    query = select(Report).join(Publication, Publication.assessment_id == Report.assessment_id)
    query = query.join(Unit, Unit.id == Report.unit_id).where(Publication.published_at > utcnow() - NEWS)
    rows = session.scalars(query.order_by(Report.period.desc(), Unit.path).limit(reports.MOST)).all()
    if not rows:
        return None
    lines = [
        Line(row.unit.name, url_for("reports.show", unit=row.unit_id, period=row.period), row.period)
        for row in rows[:LISTED]
    ]
    return Card(_("份质量月报新发布"), len(rows), url_for("reports.index"), lines=lines)


def _unit(values: Mapping[str, str]) -> Unit:
    """The asked unit, if it lies in one's reach; refused where none was chosen."""
    wanted = values.get("unit", "")
    if not wanted.strip():
        raise Refused(UNCHOSEN)
    reach = {str(key) for key, _name in unit_choices()}
    return db.session.get_one(Unit, int(wanted)) if wanted in reach else abort(404)


def _facts() -> dict[str, Any]:
    """The facts of the asked report: any month for those who assess, published ones for everybody."""
    unit, period = _unit(request.args), request.args.get("period", "")
    if may(PERSONS):
        return reports.preview(db.session(), unit, period)
    known = reports.published(db.session(), period=period, unit=unit)
    return reports.contents(known[0]) if known else abort(404)


def _is_kept(facts: Mapping[str, Any]) -> bool:
    query = select(Report.id).where(Report.assessment_id == facts["run"], Report.unit_id == facts["unit_id"])
    return db.session.scalar(query) is not None


def _links(table: Mapping[str, Any], run: int) -> dict[tuple[int, int], str]:
    """The list behind each figure of a table, where one may open it."""
    found = {}
    for row, column, where, asked in table["opens"]:
        view, permission = LISTS[where]
        given = {name: value for name, value in asked.items() if value != ""}
        if view.startswith("assessments."):
            given["key"] = given.pop("run", run)
        if may(permission):
            found[row, column] = url_for(view, **given)
    return found
