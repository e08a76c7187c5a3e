"""Assessments: run for a month, read by unit and person, every figure open to the records behind both its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import abort, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import joinedload

from models import Assessment, AssessmentResult, Rule, RuleResult, Staff, Unit, db
from models.clock import period_of, today
from models.scope import ALL, working_as
from quality.rules import INDICATORS
from screens import assessment_records, looks
from screens.access import needs, reads
from screens.base import Page
from screens.exports import sent
from screens.messages import done
from screens.pickers import unit_choices
from services import assessments, drill_downs, exports, figures, publications
from workflows import runs

WORKFLOW = "assessment"
SHOWN = ("completeness", "validity", "timeliness")


class Assessments(Page):
    """The list of runs, the figures of one, the records behind a figure."""

    permission = "assessments.view"
    label, group = _l("质量评价"), "quality"

    @expose("/")
    def index(self) -> str:
        """All runs, newest first, and the form that starts one."""
        rows = db.session.scalars(select(Assessment).order_by(Assessment.id.desc()).limit(200)).all()
        facts = {"rows": rows, "units": unit_choices(), "period": period_of(today(db.session()))}
        facts["timeliness"] = assessments.timeliness_setting(db.session())
        return self.render("screens/assessments.html", **facts)

    @expose("/start", methods=("POST",))
    @needs("assessments.run")
    def start(self) -> Any:
        """Assess a month; a run of the engine does it, so that nobody waits for a page."""
        unit = db.session.get(Unit, request.form.get("unit", type=int) or 0)
        values = {"assess.period": request.form.get("period", ""), "assess.unit": unit.code if unit else ""}
        values["assess.allow_empty"] = "true" if "allow_empty" in request.form else "false"
        run = runs.start(db.session(), WORKFLOW, values, current_user)
        done(_("评价已开始，完成后在这里和流程页面都能看到结果。"))
        return redirect(self.get_url("runs.show", key=run.id), 303)

    @expose("/timeliness", methods=("POST",))
    @needs("rules.edit")
    def timeliness(self) -> Any:
        """Choose how timeliness is counted from now on."""
        assessments.set_timeliness(db.session(), request.form.get("way", ""))
        done(_("及时率口径已保存，从下一次评价起生效，并印在通报和通知单上。"))
        return redirect(self.get_url(".index"), 303)

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """The figures of one run: the units one may see, and the people in them."""
        run = _one(key)
        unit = _unit(run)
        lines = {cohort: _lines(run, unit, cohort) for cohort in figures.COHORTS}
        facts = {
            "run": run,
            "unit": unit,
            "lines": lines,
            "measures": SHOWN,
            "targets": figures.targets(db.session()),
            "rules": _ruled(run, unit),
            "publication": publications.publication_of(db.session(), run),
            "standing": publications.standing(db.session(), run.period, run.unit_id),
        }
        return self.render("screens/assessment.html", people=_people(run, unit), **facts)

    @expose("/<int:key>/publish", methods=("POST",))
    @needs("assessments.publish")
    def publish(self, key: int) -> Any:
        """Make a run's results public for good."""
        made = publications.publish(
            db.session(), _one(key), staff=current_user, reason=request.form.get("reason", "")
        )
        done(_("已发布，编号 %(number)s。结果从此不能更改；要改只能重新评价后发布更正。", number=made.number))
        return redirect(url_for("publications.show", number=made.number), 303)

    @expose("/<int:key>/records")
    def records(self, key: int) -> str:
        """The records behind one figure."""
        run, page, asked = _one(key), assessment_records.page(), assessment_records.asked()
        found, more = drill_downs.records(db.session(), run, asked, page=page)
        facts = {
            "run": run,
            "asked": asked,
            "found": [assessment_records.shown(one) for one in found],
            "more": more,
            "page": page,
        }
        return self.render(
            "screens/assessment_records.html", unit=db.session.get(Unit, asked.unit_id), **facts
        )

    @expose("/<int:key>/rules/<int:rule_id>")
    def rule(self, key: int, rule_id: int) -> str:
        """What one rule gave, by unit and by person, in each cohort."""
        run, rule = _one(key), db.session.get(Rule, rule_id) if rule_id < 2**63 else None
        if rule is None:
            abort(404)
        unit = _unit(run)
        rows = _of_rule(run, rule, unit)
        facts = {"run": run, "rule": rule, "unit": unit, "indicator": INDICATORS[rule.indicator]}
        facts["sections"] = ((_("单位"), _named(rows, "unit")), (_("人员"), _named(rows, "person")))
        return self.render("screens/assessment_rule.html", **facts)

    @expose("/<int:key>/records/export", methods=("POST",))
    @needs(exports.RUN)
    @reads
    def export_records(self, key: int) -> Any:
        """All records behind one figure as a file, in the order of the page."""
        if not self.is_accessible():
            abort(403)
        run, asked = _one(key), assessment_records.asked()
        found = drill_downs.all_records(db.session(), run, asked)
        name = _("%(period)s %(what)s明细", period=run.period, what=looks.word(asked.measure, "MEASURES"))
        columns = [str(one) for one in assessment_records.COLUMNS]
        return sent(name, columns, map(assessment_records.record_cells, found))

    @expose("/<int:key>/rule-records/export", methods=("POST",))
    @needs(exports.RUN)
    @reads
    def export_rule_records(self, key: int) -> Any:
        """All records behind one figure of a rule as a file, in the order of the page."""
        if not self.is_accessible():
            abort(403)
        run, asked = _one(key), assessment_records.rule_asked()
        found = drill_downs.all_rule_records(db.session(), run, asked)
        rule = db.session.get(Rule, asked.rule_id)
        name = _("%(period)s %(what)s明细", period=run.period, what=_(rule.label) if rule else "")
        columns = [str(one) for one in assessment_records.RULE_COLUMNS]
        return sent(name, columns, map(assessment_records.rule_record_cells, found))

    @expose("/<int:key>/rule-records")
    def rule_records(self, key: int) -> str:
        """The records behind one figure of a rule."""
        run, page, asked = _one(key), assessment_records.page(), assessment_records.rule_asked()
        found, more = drill_downs.rule_records(db.session(), run, asked, page=page)
        facts = {"run": run, "asked": asked, "found": found, "more": more, "page": page}
        facts["rule"] = db.session.get(Rule, asked.rule_id)
        return self.render(
            "screens/assessment_rule_records.html", unit=db.session.get(Unit, asked.unit_id), **facts
        )


def _one(key: int) -> Assessment:
    found = db.session.get(Assessment, key) if key < 2**63 else None
    return found if found is not None else abort(404)


def _unit(run: Assessment) -> Unit:
    """The unit looked at: the asked one if it lies in one's reach, else the assessed one, else one's own."""
    reach = [key for key, _name in unit_choices()]
    wanted = request.args.get("unit", type=int)
    chosen = next(
        (key for key in (wanted, run.unit_id, current_user.unit_id) if key in reach), current_user.unit_id
    )
    return db.session.get_one(Unit, chosen)


def _ruled(run: Assessment, unit: Unit) -> list[tuple[Rule, dict[str, RuleResult]]]:
    """What each rule of the run gave for a unit, by cohort."""
    query = (
        select(RuleResult)
        .options(joinedload(RuleResult.rule))
        .where(RuleResult.assessment_id == run.id, RuleResult.unit_id == unit.id, RuleResult.level == "unit")
        .order_by(RuleResult.id)
    )
    found: dict[int, tuple[Rule, dict[str, RuleResult]]] = {}
    for row in db.session.scalars(query):
        found.setdefault(row.rule_id, (row.rule, {}))[1][row.cohort] = row
    return list(found.values())


def _of_rule(run: Assessment, rule: Rule, unit: Unit) -> Sequence[RuleResult]:
    """The figures of a rule for a unit, the units right below it, and the people among the unit's own customers."""
    with working_as(db.session(), ALL):
        below = db.session.scalars(select(Unit.id).where(Unit.parent_id == unit.id)).all()
    query = select(RuleResult).options(joinedload(RuleResult.unit), joinedload(RuleResult.staff))
    query = query.where(RuleResult.assessment_id == run.id, RuleResult.rule_id == rule.id)
    people = and_(RuleResult.level == "person", RuleResult.unit_id == unit.id)
    units = and_(RuleResult.level == "unit", RuleResult.unit_id.in_([unit.id, *below]))
    return db.session.scalars(query.where(or_(people, units)).order_by(RuleResult.id)).all()


def _named(rows: Sequence[RuleResult], level: str) -> list[tuple[RuleResult, dict[str, RuleResult]]]:
    """One line a unit or a person that anything was counted for: its row of all cohorts, and each cohort's."""
    found: dict[tuple[int, int | None], dict[str, RuleResult]] = {}
    for row in rows:
        if row.level == level:
            found.setdefault((row.unit_id, row.staff_id), {})[row.cohort] = row
    lines = [(cohorts["all"], cohorts) for cohorts in found.values() if "all" in cohorts]
    return [(whole, cohorts) for whole, cohorts in lines if whole.denominator or whole.exempt]


def _lines(run: Assessment, unit: Unit, cohort: str) -> list[figures.Line]:
    """The unit itself, then the units right below it."""
    session = db.session()
    with working_as(session, ALL):
        below = session.scalars(select(Unit).where(Unit.parent_id == unit.id).order_by(Unit.code)).all()
    found = [figures.unit_line(session, run, one, cohort) for one in (unit, *below)]
    return [line for line in found if line.measures["completeness"].denominator or line.unit_id == unit.id]


def _people(run: Assessment, unit: Unit) -> list[tuple[Staff, dict[str, AssessmentResult]]]:
    """Everybody counted among the unit's own customers, with all cohorts together."""
    query = select(AssessmentResult).where(
        AssessmentResult.assessment_id == run.id,
        AssessmentResult.level == "person",
        AssessmentResult.cohort == "all",
        AssessmentResult.unit_id == unit.id,
    )
    found: dict[int, dict[str, AssessmentResult]] = {}
    for row in db.session.scalars(query):
        found.setdefault(row.staff_id or 0, {})[row.measure] = row
    with working_as(db.session(), ALL):
        staff = db.session.scalars(select(Staff).where(Staff.id.in_(found)).order_by(Staff.name)).all()
    return [(person, found[person.id]) for person in staff]
