"""Judging again and the counts: what today's rules would change, doing it, and whether the kept counts are right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import abort, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import ContactCount, ContactKind, CountSet, Customer, Run, Staff, Unit, db
from models.counts import ANY_MONTH
from models.words import VERDICTS
from screens import looks
from screens.access import needs
from screens.base import Page
from screens.cards import Card
from screens.messages import done
from screens.pickers import kind_choices, unit_choices
from services import Refused, count_checks, count_sets, rejudging
from services.rejudging import Selection
from workflows import runs

WORKFLOWS = {"preview_judging": "look", "judge_again": "judge", "count_again": "count"}
LISTED = 30


class Judging(Page):
    """Judge again, count again, and what the last check of the counts found."""

    permission = "rules.view"
    label, group = _l("判定与统计"), "rules"

    @expose("/")
    def index(self) -> str:
        """What was judged or counted again, the form that looks ahead, the last check."""
        session = db.session()
        rows = session.scalars(select(CountSet).order_by(CountSet.id.desc()).limit(LISTED)).all()
        staff = {row.id: row.name for row in session.scalars(select(Staff).where(Staff.id.in_(_staff_ids(rows))))}
        checked = count_checks.last_result(session)
        facts = {"rows": rows, "staff": staff, "checked": checked, "differences": _differences(session, checked)}
        return self.render("screens/judging.html", units=unit_choices(), kinds=judged_kinds(session), **facts)

    @expose("/plan", methods=("POST",))
    @needs("rules.edit")
    def plan(self) -> Any:
        """Look at everybody with today's rules; nothing changes."""
        unit = request.form.get("unit", type=int)
        if request.form.get("unit") and unit not in dict(unit_choices()):
            raise Refused(_("请选择管辖范围内的单位。"))
        kinds = tuple(code for code, _label in judged_kinds(db.session()) if code in request.form.getlist("kinds"))
        row = rejudging.plan(db.session(), Selection(unit, kinds))
        start("preview_judging", row)
        done(_("预演已开始，看完后会列出有多少条的判定改变。"))
        return redirect(self.get_url(".show", key=row.id), 303)

    @expose("/recount", methods=("POST",))
    @needs("rules.edit")
    def recount(self) -> Any:
        """Count everybody again."""
        row = count_sets.plan(db.session(), "recounted")
        start("count_again", row)
        done(_("重新统计已开始，数完后一次换上。"))
        return redirect(self.get_url(".show", key=row.id), 303)

    @expose("/check", methods=("POST",))
    @needs("rules.edit")
    def check(self) -> Any:
        """Check the kept counts now instead of at night."""
        run = runs.start(db.session(), "check_counts", {}, current_user)
        done(_("核对已开始，结果在“判定与统计”里。"))
        return redirect(url_for("runs.show", key=run.id), 303)

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """What would change or has changed, by kind; how far it is."""
        return self.render("screens/judging_set.html", **_shown(db.session(), _one(key)))

    @expose("/<int:key>/progress")
    def progress(self, key: int) -> str:
        """The part of the page that renews itself."""
        return self.render("screens/_judging_progress.html", **_shown(db.session(), _one(key)))

    @expose("/<int:key>/begin", methods=("POST",))
    @needs("rules.edit")
    def begin(self, key: int) -> Any:
        """Judge again for good."""
        row = _one(key)
        if row.state != "planned" or not row.figures.get("preview", {}).get("looked"):
            abort(409)
        start("judge_again", row)
        done(_("重新判定已开始，全部判完后统计一次换上。"))
        return redirect(self.get_url(".show", key=row.id), 303)


def counts_card(session: Session, staff: Staff) -> Card | None:
    """Kept counts that the nightly check found wrong; None when all is well."""
    number = count_checks.last_result(session).get("number", 0)
    if not number:
        return None
    return Card(_("项质量统计和资料对不上"), number, url_for("judging.index"), tone="alarm")


def start(workflow: str, row: CountSet) -> None:
    """Let a worker carry a set on."""
    node, name = WORKFLOWS[workflow], _selected(db.session(), row)
    run = runs.start(db.session(), workflow, {f"{node}.set": row.id, f"{node}.name": name}, current_user)
    row.figures = {**row.figures, "run_id": run.id}


def judged_kinds(session: Session) -> list[tuple[str, str]]:
    """The kinds that a rule judges."""
    ruled = set(session.scalars(select(ContactKind.code).where(ContactKind.judged_as != "")))
    return [(code, label) for code, label in kind_choices() if code in ruled]


def _differences(session: Session, checked: Mapping[str, Any]) -> list[tuple[str, list[str], Any, Any]]:
    """What the check found, its groups in words."""
    units = {row.id: row.name for row in session.scalars(select(Unit))}
    people = {row.id: row.name for row in session.scalars(select(Staff).where(Staff.id.in_(_people(checked))))}
    kinds = dict(kind_choices())
    found = []
    for table, key, kept, counted in checked.get("differences", ()):
        if table == ContactCount.__tablename__:
            unit, kind, verdict = key
            named = [units.get(unit, str(unit)), kinds.get(kind, kind), looks.word(verdict, "VERDICTS")]
            found.append((_("现用的值"), named, kept, counted))
        else:
            month, unit, person, customer_class = key
            opened = _("全部开户月份") if month == ANY_MONTH else month or _("开户日期不详")
            whose = [units.get(unit, str(unit)), people.get(person, _("没有责任人"))]
            found.append((_("应录项"), [*whose, looks.word(customer_class, "CUSTOMER_CLASSES"), opened], kept, counted))
    return found


def _people(checked: Mapping[str, Any]) -> set[int]:
    rows = checked.get("differences", ())
    return {key[2] for table, key, *_numbers in rows if table != ContactCount.__tablename__}


def _one(key: int) -> CountSet:
    found = db.session.get(CountSet, key) if key < 2**63 else None
    return found if found is not None else abort(404)


def _staff_ids(rows: Any) -> set[int]:
    return {row.staff_id for row in rows if row.staff_id}


def _selected(session: Session, row: CountSet) -> str:
    """What a set was planned for, in words."""
    chosen = rejudging.selection_of(row)
    unit = session.get(Unit, chosen.unit_id) if chosen.unit_id else None
    labels = dict(kind_choices())
    return _("、").join([*([unit.name] if unit else []), *(labels.get(code, code) for code in chosen.kinds)])[:200]


def _shown(session: Session, row: CountSet) -> dict[str, Any]:
    run = session.get(Run, row.figures.get("run_id", 0))
    whole = session.scalar(select(func.max(Customer.id))) or 0
    name = "done" if "done" in row.figures or row.state not in ("planned", "given_up") else "preview"
    changes = row.figures.get("changes" if name == "done" else "preview_changes", {})
    facts = {"row": row, "run": run, "whole": whole, "figures": row.figures.get(name, {}), "name": name}
    facts |= {"lines": _lines(changes), "selected": _selected(session, row)}
    return facts | {"is_moving": run is not None and run.state in ("running", "waiting")}


def _lines(changes: Mapping[str, int]) -> list[tuple[str, str, str, int]]:
    """Changes as kind, verdict before, verdict after and number, in the order of kinds and verdicts."""
    labels, order = dict(kind_choices()), list(VERDICTS)
    keys = sorted(changes, key=lambda key: _place(key, list(labels), order))
    parts = {key: key.split("|") for key in keys}
    return [(labels.get(parts[key][0], parts[key][0]), *parts[key][1:3], changes[key]) for key in keys]


def _place(key: str, kinds: list[str], verdicts: list[str]) -> tuple[int, ...]:
    kind, before, after = key.split("|")
    return (kinds.index(kind) if kind in kinds else len(kinds), verdicts.index(before), verdicts.index(after))
