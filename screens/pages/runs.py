"""Runs (流程实例): the list, each run node by node with its picture, its items that failed, and how it is mended."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, make_response, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from models import Recipient, Run, Staff, Step, Workflow, WorkflowVersion, db
from models.words import RUN_STATES
from screens import languages, looks, run_words
from screens.access import needs
from screens.filters import Filter, equals
from screens.listings import Column, Listing, Sort
from screens.lists import ListPage
from screens.messages import done
from screens.node_words import title_of
from screens.pages.attention import count_waiting
from screens.run_history import history_of
from screens.run_items import told_items
from screens.run_letters import troubles_of
from screens.workflow_words import told
from services import print_runs
from services.workflows import Definition
from workflows import bpmn_texts, runs
from workflows.node_states import failed_items, node_states, turns_of
from workflows.repairs import failed_steps
from workflows.walk import node_at

FAILED = ("failed", "partly_failed")
STOPPED = ("paused", "cancelled", "failed", "parked")
ITEMS_SHOWN, ITEMS_PAGE = 5, 50


LISTING = Listing(
    id=Run.id,
    columns=(
        Column(_l("流程实例"), lambda run, _extra: languages.told(run.title)),
        Column(_l("状态"), lambda run, _extra: looks.badge(run.state, "RUN_STATES")),
        Column(_l("单位"), lambda run, _extra: run.unit.name),
        Column(_l("负责人"), lambda run, _extra: run.owner.name if run.owner else "—"),
        Column(_l("发起"), lambda run, _extra: looks.moment(run.started_at), css="nowrap"),
        Column(_l("结束"), lambda run, _extra: looks.moment(run.ended_at), css="nowrap"),
    ),
    sorts={"new": Sort(_l("最近发起"), (Run.id,), descending=True)},
    filters=(
        equals("state", _l("状态"), tuple(RUN_STATES.items()), Run.state),
        equals("workflow", _l("流程"), run_words.workflow_choices, Run.workflow_key),
        Filter(
            "mine",
            _l("负责人"),
            (("1", _l("我负责的")),),
            lambda query, _value: query.where(Run.owner_id == current_user.id),
        ),
    ),
    link=lambda run: f"{looks.screen_url('runs')}{run.id}",
    empty=_l("还没有流程实例。在“流程”页发起一个。"),
)


class Runs(ListPage):
    """All runs of one's scope; one run with all that it did."""

    permission = "runs.view"
    label, group = _l("流程实例"), "workflows"
    listing = LISTING
    template = "screens/runs.html"

    def query(self) -> Select[Any]:
        """Runs with what the list shows of them."""
        return select(Run).options(joinedload(Run.owner), joinedload(Run.unit))

    def shown(self) -> dict[str, Any]:
        return super().shown() | {"needing": count_waiting()}

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """One run, node by node."""
        return self.render("screens/run.html", **_facts(_one(key)))

    @expose("/<int:key>/progress")
    def progress(self, key: int) -> Response:
        """The part of a run's page that moves; once it moves no more, the page is asked for as a whole."""
        run = _one(key)
        answer = make_response(self.render("screens/_run.html", **_facts(run)))
        if run.state != "running":
            answer.headers["HX-Refresh"] = "true"
        return answer

    @expose("/<int:key>/picture")
    def picture(self, key: int) -> Response:
        """The run's own tree as BPMN, which the page draws and colours."""
        run = _one(key)
        drawn = Definition(run.workflow_key, run.title, "", "", run.tree, "")
        return Response(bpmn_texts.write(drawn), mimetype="application/xml")

    @expose("/<int:key>/items/<int:step>")
    def items(self, key: int, step: int) -> str:
        """The items of one step or list that failed, each with its reason."""
        run, found = _one(key), _step(key, step)
        rows = failed_items(
            db.session(), [found.id], after=request.args.get("after", 0, type=int), most=ITEMS_PAGE + 1
        )
        facts = {"title": title_of(node_at(run.tree, found.path)), "more": len(rows) > ITEMS_PAGE}
        return self.render(
            "screens/run_items.html", run=run, step=found, rows=told_items(rows[:ITEMS_PAGE]), **facts
        )

    @expose("/<int:key>/items/<int:step>", methods=("POST",))
    @needs("runs.run")
    def retry_items(self, key: int, step: int) -> Any:
        """Try the picked items again, and leave the others."""
        ids = [int(one) for one in request.form.getlist("rowid") if one.isdecimal()][:ITEMS_PAGE]
        number = runs.retry_items(db.session(), _one(key), _step(key, step), ids)
        done(_("已重试 %(number)s 项，其余的没有动。", number=number))
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/letters", methods=("POST",))
    @needs("runs.run", "letters.run")
    def late_letter(self, key: int) -> Any:
        """Make the letter of somebody whose address is mended now; laid out outside any transaction."""
        session, recipient = db.session(), _recipient(_one(key))
        plan, head = print_runs.plan_late(session, recipient)
        session.commit()
        print_runs.record_late(session, recipient, plan, made=print_runs.make_file([plan], head))
        done(_("函件已补出，成为单独的一批。请到“待交寄”打印和交寄。"))
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/retry", methods=("POST",))
    @needs("runs.run")
    def retry(self, key: int) -> Any:
        """Try again what failed, with the version the run has or the newest one."""
        run, newest = _one(key), request.form.get("version") == "newest"
        runs.retry(db.session(), run, newest=newest)
        done(
            _("已换用第 %(number)s 版，从失败处继续。", number=run.version)
            if newest
            else _("已重试：做完的不重做，从失败处继续。")
        )
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/skip", methods=("POST",))
    @needs("runs.run")
    def skip(self, key: int) -> Any:
        """Go on behind a failed step, or behind a wait."""
        named = request.form.get("step", type=int)
        step = _step(key, named) if named else None
        runs.skip(db.session(), _one(key), request.form.get("reason", "")[:500], step=step)
        done(_("已跳过，流程继续。"))
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/pause", methods=("POST",))
    @needs("runs.run")
    def pause(self, key: int) -> Any:
        """Let nothing begin."""
        runs.pause(db.session(), _one(key))
        done(_("已暂停：正在处理的一批做完后停下。"))
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/resume", methods=("POST",))
    @needs("runs.run")
    def resume(self, key: int) -> Any:
        """Go on."""
        runs.resume(db.session(), _one(key))
        done(_("流程继续。"))
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/cancel", methods=("POST",))
    @needs("runs.run")
    def cancel(self, key: int) -> Any:
        """End a run for good."""
        runs.cancel(db.session(), _one(key), request.form.get("reason", "")[:500])
        done(_("流程已取消，已经做完的保留。"))
        return redirect(self.get_url(".show", key=key), 303)


def _one(key: int) -> Run:
    run = db.session.get(Run, key) if key < 2**63 else None
    return run if run is not None else abort(404)


def _step(key: int, step: int) -> Step:
    found = db.session.scalar(select(Step).where(Step.id == min(step, 2**63 - 1), Step.run_id == key))
    return found if found is not None else abort(404)


def _recipient(run: Run) -> Recipient:
    number = min(request.form.get("recipient", 0, type=int), 2**63 - 1)
    found = db.session.get(Recipient, number)
    return found if found is not None and found.campaign.run_id == run.id else abort(404)


def _facts(run: Run) -> dict[str, Any]:
    session = db.session()
    found = node_states(session, run)
    can_retry = run.state == "parked" or (run.state in FAILED and bool(failed_steps(session, run.id)))
    troubled = {path: one for path, one in found.items() if one.failed and one.step is not None}
    return {
        "run": run,
        "workflow": session.get(Workflow, run.workflow_id) if run.workflow_id else None,
        "parent": session.get(Run, run.parent_id) if run.parent_id else None,
        "nodes": told(run.tree),
        "found": found,
        "chunks": {path: turns_of(session, run, path) for path, one in found.items() if _is_list(one)},
        "items": {
            path: told_items(failed_items(session, [one.step.id], most=ITEMS_SHOWN))
            for path, one in troubled.items()
        },
        "starter": session.get(Staff, run.facts.get("run", {}).get("started_by") or 0),
        "made": run_words.made_by(run),
        "history": history_of(run),
        "letters": troubles_of(run),
        "left_done": runs.accomplished(session, run) if run.state in STOPPED else [],
        "titles": {path: title_of(node_at(run.tree, path)) for path in found},
        "is_moving": run.state == "running",
        "can_retry": can_retry,
        "newest": _newest(run) if can_retry else None,
        "ended": runs.ENDED,
        "marks": run_words.marks_of(found),
        "words": run_words,
    }


def _is_list(node: Any) -> bool:
    return node.step is not None and node.step.kind == "each"


def _newest(run: Run) -> int | None:
    """The newest version, where it is another than the run's."""
    query = select(WorkflowVersion.number).where(WorkflowVersion.workflow_id == run.workflow_id)
    number = db.session.scalar(query.order_by(WorkflowVersion.number.desc()).limit(1))
    return number if number is not None and number != run.version else None
