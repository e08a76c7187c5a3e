"""Trial runs (试运行) and their launch sheet: what a workflow would do, the rows behind each figure, and its start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Response, abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import ContactKind, Customer, Run, Trial, Unit, Workflow, WorkflowDraft, db
from models.clock import today
from screens import masking
from screens.access import READING, may, needs
from screens.base import Page
from screens.downloads import printed
from screens.languages import in_chinese
from screens.launch_words import reason_labels, sheet_of
from screens.messages import done
from screens.option_lists import OfferedLists
from screens.start_forms import answers, heads
from services import Refused, postage, trials, workflow_access, workflows
from services.options import offering
from services.segments import CONDITIONS
from workflows import runs, trial_runs
from workflows.forecasts import FIGURES, Would
from workflows.options import questions
from workflows.trial_rows import LISTED, kept

SHOWN, PAGE = 100, 100


class Trials(Page):
    """The trials of one's units; one as a launch sheet."""

    permission = "workflows.view"
    label, group = _l("试运行"), "workflows"

    @expose("/")
    def index(self) -> str:
        """The newest trials."""
        query = select(Trial).options(joinedload(Trial.staff), joinedload(Trial.unit))
        rows = db.session.scalars(query.order_by(Trial.id.desc()).limit(SHOWN)).all()
        return self.render("screens/trials.html", rows=rows)

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """The launch sheet, or how far it is."""
        return self.render("screens/trial.html", **_facts(db.session(), _one(key)))

    @expose("/<int:key>/progress")
    def progress(self, key: int) -> Any:
        """The part of the page that renews itself until the sheet is there; then the page is asked for anew."""
        row = _one(key)
        answer = Response(self.render("screens/_trial_progress.html", **_running(db.session(), row)))
        if row.state != "running":
            answer.headers["HX-Refresh"] = "true"
        return answer

    @expose("/<int:key>/rows")
    def rows(self, key: int) -> str:
        """Whom a figure is about: the would-be rows of one node, of one kind and reason."""
        if not may("customers.view"):
            abort(403)
        row, page = _one(key), max(request.args.get("page", 0, type=int), 0)
        path, what, reason = (request.args.get(name, "") for name in ("node", "what", "reason"))
        found = kept(trials.rows_path(row), path, what, reason)
        told = next((one for one in _sheet(row).nodes if one.path == path), None)
        if told is None or what not in FIGURES:
            abort(404)
        facts = {"row": row, "node": told, "what": _(FIGURES[what]), "page": page, "listed": LISTED}
        facts |= {"reason": reason_labels(db.session()).get(reason, reason), "total": len(found)}
        lines = list(_lines(db.session(), found[page * PAGE : (page + 1) * PAGE]))
        asked = {"node": path, "what": what, "reason": reason}
        more = len(found) > (page + 1) * PAGE
        return self.render("screens/trial_rows.html", lines=lines, more=more, asked=asked, **facts)

    @expose("/<int:key>/again", methods=("POST",))
    @needs("workflows.view")
    def again(self, key: int) -> Any:
        """The same with other assumptions; what was reckoned before stays as it is."""
        row = _one(key)
        changed = trial_runs.repeat(db.session(), row, current_user, _changed(row))
        trial_runs.begin(db.session(), changed, current_user)
        return redirect(self.get_url(".show", key=changed.id), 303)

    @expose("/draft/<int:key>", methods=("GET", "POST"))
    @needs("workflows.view")
    def draft(self, key: int) -> Any:
        """What a draft would do, asked for with the same form as a start."""
        draft = db.session.get(WorkflowDraft, key) if key < 2**63 else None
        if draft is None:
            abort(404)
        workflow_access.require(current_user, draft.workflow, "edit")
        lists = OfferedLists()
        asked = [offering(question, lists) for question in questions(draft.tree)]
        if request.method in READING:
            filled = {question.name: question.default for question in asked}
            shown = {"asked": asked, "filled": filled, "heads": heads(draft.tree)}
            return self.render("screens/trial_draft.html", draft=draft, **shown)
        trial = trial_runs.prepare_draft(db.session(), draft, answers(asked, request.form), current_user)
        trial_runs.begin(db.session(), trial, current_user)
        return redirect(self.get_url(".show", key=trial.id), 303)

    @expose("/<int:key>/start", methods=("POST",))
    @needs("workflows.view")
    def start(self, key: int) -> Any:
        """Start what was tried, with the same options."""
        row = _one(key)
        _workflow, version = workflows.startable(db.session(), row.workflow_key)
        if version.number != row.version:
            raise Refused(_("试运行以后流程已发布新的版本。请重新试运行，核对后再发起。"))
        run = runs.start(db.session(), row.workflow_key, row.values, current_user)
        done(_("流程已发起。"))
        return redirect(self.get_url("runs.show", key=run.id), 303)

    @expose("/<int:key>/pdf", methods=("POST",))
    @needs("workflows.view")
    def pdf(self, key: int) -> Response:
        """The launch sheet as PDF; documents are Chinese whatever the screen speaks."""
        row = _one(key)
        if row.state != "done":
            abort(409)
        with in_chinese():
            sheet = _sheet(row)
        return printed("launch_sheet", sheet, f"{sheet.unit}_{sheet.number}")

    @expose("/postage", methods=("GET", "POST"))
    @needs("settings.edit")
    def prices(self) -> Any:
        """What a letter weighs and costs."""
        if request.method == "POST":
            postage.change(db.session(), request.form)
            done(_("重量和资费已保存，以后的试运行按新的计算。"))
            return redirect(self.get_url(".prices"), 303)
        return self.render("screens/postage.html", row=postage.current(db.session()))


def _one(key: int) -> Trial:
    found = db.session.get(Trial, key) if key < 2**63 else None
    return found if found is not None else abort(404)


def _sheet(row: Trial) -> Any:
    return sheet_of(db.session(), row, printed_on=today(db.session()))


def _facts(session: Session, row: Trial) -> dict[str, Any]:
    facts = _running(session, row)
    if row.state != "done":
        return facts
    workflow = session.get(Workflow, row.workflow_id) if row.workflow_id else None
    newest = workflows.newest(session, workflow) if workflow is not None else None
    may_start = workflow is not None and workflow_access.may(current_user, workflow, "start")
    is_newest = newest is not None and newest.number == row.version
    shares = {one["name"]: round(one["value"] * 100, 1) for one in row.result["assumptions"]}
    sheet = _sheet(row)
    return facts | {
        "sheet": sheet,
        "shares": shares,
        "may_start": may_start,
        "is_newest": is_newest,
        "lists": _listed(row) if may("customers.view") else {},
        "left_out": {
            one["path"]: {group[1]: group[0] for group in one["groups"]} for one in row.result["nodes"]
        },
    }


def _running(session: Session, row: Trial) -> dict[str, Any]:
    run = session.get(Run, row.run_id) if row.run_id else None
    return {"row": row, "run": run, "is_moving": row.state == "running"}


def _listed(row: Trial) -> dict[str, set[str]]:
    """Which figures and reasons of which node have rows that can be listed."""
    return {one["path"]: {group[1] or group[0] for group in one["groups"]} for one in row.result["nodes"]}


def _changed(row: Trial) -> dict[str, float]:
    """What was changed in the form: only values that differ from what was assumed, and what had been changed before."""
    found = dict(row.assumed)
    for one in row.result.get("assumptions", ()):
        given = request.form.get(f"assumed.{one['name']}", type=float)
        if given is not None and abs(given - round(one["value"] * 100, 1)) > 1e-6:
            found[one["name"]] = given / 100
    return found


def _lines(session: Session, found: list[Would]) -> Iterator[dict[str, Any]]:
    """Rows with their customers, as far as the asking person may see them, and why they were hit."""
    ids = [row.customer_id for row in found if row.customer_id]
    query = select(Customer).where(Customer.id.in_(ids)).options(joinedload(Customer.unit))
    known = {row.id: row for row in session.scalars(query)}
    units = {
        row.id: row.name
        for row in session.scalars(select(Unit).where(Unit.id.in_({row.unit_id for row in found})))
    }
    kinds = dict(session.execute(select(ContactKind.code, ContactKind.label)).tuples().all())
    for row in found:
        customer = known.get(row.customer_id or 0)
        yield {
            "customer": customer,
            "name": masking.name_text(customer.name) if customer else "",
            "unit": units.get(row.unit_id or 0, ""),
            "why": _why(str(row.values.get("why", "")), kinds),
            "is_customer": row.customer_id is not None,
        }


def _why(text: str, kinds: dict[str, str]) -> str:
    """Why a customer was hit: `mobile:missing` in words."""
    parts = [part.partition(":") for part in text.split(",") if part]
    return _("，").join(
        f"{_(kinds.get(kind, kind))}{_(CONDITIONS.get(need, need))}" for kind, _dot, need in parts
    )
