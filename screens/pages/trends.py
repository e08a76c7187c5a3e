"""Trends of a unit's rates over the months, and where mending raises them most; every figure opens its records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user

from models import Assessment, Staff, Unit, db
from models.quality_words import MEASURES
from models.rules import newest_rules
from models.scope import ALL, working_as
from models.words import COHORTS
from screens.base import Page
from screens.line_drawings import Drawing, drawing
from screens.pickers import unit_choices
from screens.row_words import record_word
from services import gaps, trends
from services.gaps import Gap
from services.trends import Point

SHOWN = ("completeness", "validity", "timeliness", "accuracy")
BY = {"meter_book": _l("抄表册"), "transformer_area": _l("台区"), "manager_id": _l("客户经理")}
BIGGEST = 2


@dataclass(frozen=True)
class Row:
    """One measure or rule over the months: its rates, and the changes on month and year in percentage points."""

    name: str
    label: str
    points: Sequence[Point]
    on_month: float | None
    on_year: float | None
    chart: Drawing | None


class Trends(Page):
    """How the rates move, and what to mend first."""

    permission = "assessments.view"
    label, group = _l("质量趋势"), "quality"

    @expose("/")
    def index(self) -> str:
        """The months of one unit."""
        unit, cohort = _unit(request.args.get("unit", type=int)), request.args.get("cohort", "all")
        cohort = cohort if cohort in COHORTS else "all"
        points = trends.trend(db.session(), unit, cohort=cohort)
        facts = {"unit": unit, "units": unit_choices(), "cohort": cohort, "points": points}
        measures = [_row(points, name, _(MEASURES[name])) for name in SHOWN]
        ruled = [_row(points, row.code, _(row.label)) for row in newest_rules(db.session())]
        sections = ((_("指标"), _counted(measures)), (_("规则"), _counted(ruled)))
        return self.render("screens/trends.html", sections=sections, **facts)

    @expose("/gaps/<int:key>")
    def gaps(self, key: int) -> str:
        """Where mending raises a unit's rates most in one run."""
        run = db.session.get(Assessment, key) if key < 2**63 else None
        if run is None:
            abort(404)
        unit = _unit(request.args.get("unit", type=int) or run.unit_id)
        by = request.args.get("by", "meter_book")
        by = by if by in BY else "meter_book"
        found = gaps.gaps(db.session(), run, unit, by=by)
        facts = {"run": run, "unit": unit, "by": by, "ways": BY, "units": unit_choices()}
        lines = [(gap, _group_word(gap, by), _link(run, gap, by)) for gap in found]
        return self.render("screens/gaps.html", lines=lines, headline=headline(found, by), **facts)


def headline(found: Sequence[Gap], by: str) -> str:
    """What to do first, in one sentence: the largest lack and the groups that hold most of it."""
    if not found:
        return ""
    first = found[0]
    same = [gap for gap in found if (gap.kind, gap.what) == (first.kind, first.what)][:BIGGEST]
    facts = {
        "number": sum(gap.number for gap in same),
        "kind": record_word(first.kind),
        "groups": len(same),
        "by": str(BY[by]),
        "measure": _(MEASURES[first.measure]),
        "gain": f"{100 * sum(gap.gain for gap in same):.2f}",
    }
    if first.what == gaps.MISSING:
        return _(
            "%(groups)s 个%(by)s里有 %(number)s 户缺%(kind)s，补齐后%(measure)s提高 %(gain)s 个百分点。",
            **facts,
        )
    return _(
        "%(groups)s 个%(by)s里有 %(number)s 户的%(kind)s不可用，改好后%(measure)s提高 %(gain)s 个百分点。",
        **facts,
    )


def _row(points: Sequence[Point], name: str, label: str) -> Row:
    rates = [point.figures[name].rate if name in point.figures else None for point in points]
    chart = drawing([point.period for point in points], rates)
    return Row(name, label, points, trends.change(points, name), trends.change(points, name, back=12), chart)


def _counted(rows: Sequence[Row]) -> list[Row]:
    """Those that counted anything in these months."""
    return [
        row
        for row in rows
        if any(p.figures[row.name].denominator for p in row.points if row.name in p.figures)
    ]


def _unit(wanted: int | None) -> Unit:
    """The asked unit if it lies in one's reach, else one's own."""
    reach = {key for key, _name in unit_choices()}
    return db.session.get_one(Unit, wanted if wanted in reach else current_user.unit_id)


def _group_word(gap: Gap, by: str) -> str:
    """The unit and the group of a gap, as staff name them."""
    with working_as(db.session(), ALL):
        unit = db.session.get(Unit, gap.unit_id)
        person = db.session.get(Staff, int(gap.group)) if by == "manager_id" else None
    group = person.name if person is not None else gap.group
    return f"{unit.name if unit else ''} {group}"


def _link(run: Assessment, gap: Gap, by: str) -> str:
    """The exact list behind a gap."""
    asked: dict[str, Any] = {"measure": gap.measure, "part": "rest", "unit": gap.unit_id, "kind": gap.kind}
    return url_for("assessments.records", key=run.id, by=by, group=gap.group, group_unit=gap.unit_id, **asked)
