"""Runs (流程实例): the list, each run step by step, and what needs a person: failed steps, sendings nobody knows of."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, make_response, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from models import Outgoing, Run, Staff, Step, Workflow, db
from models.words import RUN_STATES
from screens import languages, looks
from screens.access import needs
from screens.filters import Filter, equals
from screens.listings import Column, Listing, Sort
from screens.lists import ListPage
from screens.messages import done
from screens.workflow_words import title_of, told, told_result
from workflows import runs
from workflows.walk import node_at

STUCK = ("failed", "parked", "partly_failed")
LISTED = 100
MADE = {
    "campaign_id": ("campaigns.show", _l("核对活动")),
    "competition_id": ("competitions.show", _l("劳动竞赛")),
    "assessment_id": ("assessments.show", _l("质量评价")),
    "batch_id": ("imports.show", _l("导入批次")),
}


def workflow_choices() -> list[tuple[str, str]]:
    """The workflows by key and name."""
    rows = db.session.execute(select(Workflow.key, Workflow.name).order_by(Workflow.name))
    return [(row.key, _(row.name)) for row in rows]


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
        equals("workflow", _l("流程"), workflow_choices, Run.workflow_key),
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
    """All runs of one's scope; one run; what needs a person."""

    permission = "runs.view"
    label, group = _l("流程实例"), "workflows"
    listing = LISTING
    template = "screens/runs.html"

    def query(self) -> Select[Any]:
        """Runs with what the list shows of them."""
        return select(Run).options(joinedload(Run.owner), joinedload(Run.unit))

    def shown(self) -> dict[str, Any]:
        return super().shown() | {"needing": len(_stuck()) + len(_unsettled())}

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

    @expose("/attention")
    def attention(self) -> str:
        """What does not go on without a person."""
        return self.render(
            "screens/runs_attention.html", stuck=_stuck(), unsettled=_unsettled(), title_of=_step_title
        )

    @expose("/<int:key>/retry", methods=("POST",))
    @needs("runs.run")
    def retry(self, key: int) -> Any:
        """Try again what failed."""
        runs.retry(db.session(), _one(key))
        done(_("已重试：做完的不重做，从失败处继续。"))
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/skip", methods=("POST",))
    @needs("runs.run")
    def skip(self, key: int) -> Any:
        """Go on behind a failed step."""
        runs.skip(db.session(), _one(key), request.form.get("reason", "")[:500])
        done(_("已跳过失败的步骤，流程继续。"))
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

    @expose("/sendings/<int:key>", methods=("POST",))
    @needs("runs.run")
    def settle(self, key: int) -> Any:
        """Say what became of a sending."""
        outgoing = next((row for row, _step, _run in _unsettled() if row.id == key), None)
        if outgoing is None:
            abort(404)
        runs.settle_sending(db.session(), outgoing, went_out=request.form.get("went_out") == "yes")
        done(_("已确认，流程继续。"))
        return redirect(self.get_url(".attention"), 303)


def _one(key: int) -> Run:
    run = db.session.get(Run, key) if key < 2**63 else None
    return run if run is not None else abort(404)


def _facts(run: Run) -> dict[str, Any]:
    steps = db.session.scalars(select(Step).where(Step.run_id == run.id)).all()
    starter = db.session.get(Staff, run.facts.get("run", {}).get("started_by") or 0)
    return {
        "run": run,
        "workflow": db.session.get(Workflow, run.workflow_id) if run.workflow_id else None,
        "nodes": told(run.tree),
        "steps": {step.path: step for step in steps},
        "starter": starter,
        "results": lambda node, step: told_result(run.tree, node_at(run.tree, node.path), step.result or {}),
        "made": [
            (label, view, run.facts["run"][name])
            for name, (view, label) in MADE.items()
            if run.facts.get("run", {}).get(name)
        ],
        "is_moving": run.state == "running",
        "can_retry": run.state in STUCK,
        "can_skip": run.state == "failed",
        "ended": runs.ENDED,
    }


def _stuck() -> list[Run]:
    query = select(Run).where(Run.state.in_(STUCK)).order_by(Run.id.desc()).limit(LISTED)
    return list(db.session.scalars(query.options(joinedload(Run.owner), joinedload(Run.unit))))


def _unsettled() -> list[tuple[Outgoing, Step, Run]]:
    """Sendings nobody knows of, in runs of the asking person's scope."""
    query = (
        select(Outgoing, Step, Run).join(Step, Outgoing.step_id == Step.id).join(Run, Step.run_id == Run.id)
    )
    rows = db.session.execute(
        query.where(Outgoing.state == "unknown").order_by(Outgoing.id).limit(LISTED)
    ).all()
    return [(row[0], row[1], row[2]) for row in rows]


def _step_title(run: Run, step: Step) -> str:
    return title_of(node_at(run.tree, step.path))
