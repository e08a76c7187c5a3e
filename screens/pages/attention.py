"""What needs a person (需要处理): runs that failed or were laid aside, and sendings nobody knows the outcome of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from models import Customer, Message, Outgoing, Run, Step, db
from screens import masking, run_words
from screens.access import needs
from screens.base import Page
from screens.filters import chosen, equals, narrowed
from screens.messages import done, warn
from screens.node_words import title_of
from screens.rows import picked
from services import Refused, events
from services.events import EVENTS
from workflows import repairs, runs
from workflows.walk import node_at

LISTED = 100
FILTERS = (equals("workflow", _l("流程"), run_words.workflow_choices, Run.workflow_key),)


@dataclass(frozen=True)
class Trouble:
    """Why one run does not go on: the node, the reason, what to do; `step` where it can be skipped."""

    title: str
    reason: str
    advice: str
    step: int | None = None
    failed: int = 0


@dataclass(frozen=True)
class Sending:
    """One sending of unknown outcome, with its run, its node and the customer it was for."""

    row: Outgoing
    run: Run
    title: str
    customer_id: int | None
    customer: str


class Attention(Page):
    """All that goes on only when somebody does something about it."""

    permission = "runs.view"
    label, group = _l("需要处理"), "workflows"

    @expose("/")
    def index(self) -> str:
        """Sendings to be settled, then runs to be mended, the newest first."""
        set_ = chosen(FILTERS, request.args)
        stuck = db.session.scalars(narrowed(_stuck(), FILTERS, set_).limit(LISTED)).all()
        return self.render(
            "screens/runs_attention.html",
            stuck=[(run, troubles) for run, troubles in _troubles(stuck)],
            sendings=_sendings(narrowed(_unsettled(), FILTERS, set_)),
            events=events.given_up(db.session(), limit=LISTED),
            event_words=EVENTS,
            filters=FILTERS,
            chosen=set_,
            listed=LISTED,
        )

    @expose("/events", methods=("POST",))
    @needs("runs.run")
    def events(self) -> Any:
        """Try the picked events again, or let them be."""
        again = request.form.get("again") == "yes"
        number = events.settle(db.session(), _picked(), again=again)
        if not number:
            raise Refused(_("这些事件已经处理过了，请刷新页面。"))
        words = _("%(number)s 个事件马上再试。") if again else _("%(number)s 个事件不再处理。")
        done(words % {"number": number})
        return redirect(self._back(), 303)

    @expose("/retry", methods=("POST",))
    @needs("runs.run")
    def retry(self) -> Any:
        """Try the picked runs again, one after the other."""
        ids, number = _picked(), 0
        for _run in runs.retry_all(db.session(), ids):
            number += 1
            db.session.commit()
        done(_("已重试 %(number)s 个流程实例：做完的不重做，从失败处继续。", number=number))
        if number < len(ids):
            warn(_("%(number)s 个没有重试：已经不是失败或搁置的。", number=len(ids) - number))
        return redirect(self._back(), 303)

    @expose("/skip", methods=("POST",))
    @needs("runs.run")
    def skip(self) -> Any:
        """Go on behind one failed step, with a reason."""
        key = request.form.get("step", 0, type=int)
        found = db.session.execute(
            select(Step, Run).join(Run, Run.id == Step.run_id).where(Step.id == min(key, 2**63 - 1))
        ).one_or_none()
        if found is None:
            raise Refused(_("这一步不在了，请刷新页面。"))
        runs.skip(db.session(), found.Run, request.form.get("reason", "")[:500], step=found.Step)
        done(_("已跳过，流程继续。"))
        return redirect(self._back(), 303)

    @expose("/settle", methods=("POST",))
    @needs("runs.run")
    def settle(self) -> Any:
        """Say what became of the picked sendings: they went out, or they did not and are sent again."""
        went_out = request.form.get("went_out")
        if went_out not in ("yes", "no"):
            raise Refused(_("请说明这些外发是已经发出，还是没有发出。"))
        rows = db.session.scalars(
            _unsettled()
            .with_only_columns(Outgoing, maintain_column_froms=True)
            .where(Outgoing.id.in_(_picked()))
        ).all()
        for row in rows:
            runs.settle_sending(db.session(), row, went_out=went_out == "yes")
        if not rows:
            raise Refused(_("这些外发已经确认过了，请刷新页面。"))
        done(_("已确认 %(number)s 件外发，流程继续。", number=len(rows)))
        return redirect(self._back(), 303)

    def _back(self) -> str:
        return str(self.get_url(".index", **chosen(FILTERS, request.form)))


def count_waiting() -> int:
    """How many runs and sendings wait for a person, as far as the page lists them."""
    listed = [
        query.with_only_columns(Run.id, maintain_column_froms=True).order_by(None).limit(LISTED).subquery()
        for query in (_stuck(), _unsettled())
    ]
    found = [db.session.scalar(select(func.count()).select_from(rows)) or 0 for rows in listed]
    return sum(found) + events.count_given_up(db.session(), most=LISTED)


def _picked() -> Sequence[int]:
    ids = picked(request.form.getlist("rowid"), LISTED)
    if not ids:
        raise Refused(_("请先勾选要处理的。"))
    return ids


def _stuck() -> Select[Any]:
    query = select(Run).options(joinedload(Run.owner), joinedload(Run.unit))
    return query.where(repairs.needs_somebody()).order_by(Run.id.desc())


def _unsettled() -> Select[Any]:
    """Sendings nobody knows of, in runs of the asking person's scope."""
    query = (
        select(Outgoing, Step, Run).join(Step, Outgoing.step_id == Step.id).join(Run, Step.run_id == Run.id)
    )
    return query.where(Outgoing.state == "unknown").order_by(Outgoing.id)


def _troubles(stuck: Sequence[Run]) -> list[tuple[Run, list[Trouble]]]:
    found: dict[int, list[Step]] = {}
    for step in repairs.failed_steps(db.session(), *(run.id for run in stuck)):
        found.setdefault(step.run_id, []).append(step)
    return [
        (run, [_trouble(run, step) for step in found.get(run.id, ())][:5] or [_parked(run)]) for run in stuck
    ]


def _trouble(run: Run, step: Step) -> Trouble:
    title, failed = title_of(node_at(run.tree, step.path)), int(step.result.get("failed") or 0)
    if step.state == "dead":
        return Trouble(title, step.error, run_words.advice_for("dead", step.error), step.id)
    advice = run_words.advice_for("items" if failed else step.state, step.error)
    reason = step.error or (_("%(number)s 项没有做成", number=failed) if failed else "")
    return Trouble(title, reason, advice, None if not failed or step.turn else step.id, failed)


def _parked(run: Run) -> Trouble:
    return Trouble("", run.message, run_words.advice_for(run.state, run.message))


def _sendings(query: Select[Any]) -> list[Sending]:
    rows = db.session.execute(query.limit(LISTED)).all()
    keys = [row.Outgoing.key for row in rows]
    customers = db.session.execute(
        select(Message.key, Customer.id, Customer.account_no, Customer.name)
        .join(Customer, Customer.id == Message.customer_id)
        .where(Message.key.in_(keys))
    )
    known: Mapping[str, Any] = {row.key: row for row in customers}
    return [_sending(row, known.get(row.Outgoing.key)) for row in rows]


def _sending(found: Any, customer: Any) -> Sending:
    title = title_of(node_at(found.Run.tree, found.Step.path))
    if customer is None:
        return Sending(found.Outgoing, found.Run, title, None, "")
    return Sending(
        found.Outgoing,
        found.Run,
        title,
        customer.id,
        f"{customer.account_no} {masking.name_text(customer.name)}",
    )
