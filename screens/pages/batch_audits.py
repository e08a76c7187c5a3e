"""Acceptance of batches: choose how many wrong ones are bearable, draw, check, and take the batch or give it back."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models import BatchAudit, ImportBatch, db
from quality.acceptance import AQLS, MAY_REDUCE, Plan, accept_probability, limiting_share
from screens.access import needs
from screens.base import Page
from screens.messages import done, said, warn
from services import Refused, batch_audits

USUAL = 1.5


class BatchAudits(Page):
    """Batches that were brought in, with how each was accepted; the plan of one before anything is drawn."""

    permission = "audits.view"
    label, group = _l("批次验收"), "samples"

    @expose("/")
    def index(self) -> str:
        """The last batches, drawn or not."""
        query = (
            select(ImportBatch).where(ImportBatch.state == "done").order_by(ImportBatch.id.desc()).limit(100)
        )
        batches = db.session.scalars(query.options(joinedload(ImportBatch.recorder))).all()
        ids = [one.id for one in batches]
        known = db.session.scalars(select(BatchAudit).where(BatchAudit.batch_id.in_(ids)))
        return self.render(
            "screens/batch_audits.html", batches=batches, known={one.batch_id: one for one in known}
        )

    @expose("/plan/<int:key>")
    @needs("samples.run")
    def plan(self, key: int) -> Any:
        """What the standard asks for at each AQL, and what each plan lets through."""
        return self._plan(_import(key), "")

    @expose("/plan/<int:key>", methods=("POST",))
    @needs("samples.run")
    def draw(self, key: int) -> Any:
        """Draw the values that are to be checked."""
        try:
            aql, reduced = request.form.get("aql", 0.0, type=float), "reduced" in request.form
            audit = batch_audits.draw(db.session(), _import(key), aql, staff=current_user, reduced=reduced)
        except Refused as refusal:
            db.session.rollback()
            return self._plan(_import(key), said(refusal)), 422
        done(_("已抽出 %(number)s 个值，请核查。", number=audit.size))
        return redirect(self.get_url(".show", key=audit.id), 303)

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """One acceptance: its plan, how far it is, how it ended and what may be done then."""
        audit = _one(key)
        items = batch_audits.items_of(db.session(), audit)
        plan = Plan(audit.letter, audit.size, audit.accepts, audit.rejects)
        facts = {
            "audit": audit,
            "wrong": batch_audits.wrong_in(items),
            "good": accept_probability(plan, audit.aql / 100),
        }
        facts |= {"open": sum(not one.verdict for one in items), "limit": limiting_share(plan)}
        facts["unchecked"] = sum(bool(one.verdict) and one.checked_by_id is None for one in items)
        return self.render("screens/batch_audit.html", **facts)

    @expose("/<int:key>/decide", methods=("POST",))
    @needs("audits.review")
    def decide(self, key: int) -> Any:
        """Accept or return, as the plan says."""
        audit = _one(key)
        if batch_audits.decide(db.session(), audit, staff=current_user):
            done(
                _(
                    "不合格 %(wrong)s 项，不超过接收数 %(accepts)s，接收这一批。",
                    wrong=audit.wrong,
                    accepts=audit.accepts,
                )
            )
        else:
            warn(
                _(
                    "不合格 %(wrong)s 项，达到拒收数 %(rejects)s，退回这一批。",
                    wrong=audit.wrong,
                    rejects=audit.rejects,
                )
            )
        return redirect(self.get_url(".show", key=key), 303)

    def _plan(self, batch: ImportBatch, wrong: str) -> str:
        session = db.session()
        facts: dict[str, Any] = {
            "batch": batch,
            "offers": [],
            "usual": USUAL,
            "wrong": wrong,
            "standing": None,
        }
        try:
            facts["standing"] = standing = batch_audits.standing(session, batch)
            facts["offers"] = [_offered(batch, aql, may_reduce=standing.may_reduce) for aql in AQLS]
        except Refused as refusal:
            facts["wrong"] = wrong or said(refusal)
        return self.render("screens/batch_plan.html", least=MAY_REDUCE, **facts)


def _offered(batch: ImportBatch, aql: float, *, may_reduce: bool) -> dict[str, Any]:
    """One AQL as the table shows it: the plan, what it lets through, and the reduced plan where it may be chosen."""
    session = db.session()
    offer = batch_audits.plan_for(session, batch, aql)
    plan = offer.plan
    reduced = batch_audits.plan_for(session, batch, aql, reduced=True).plan if may_reduce else None
    shown = {"aql": aql, "plan": plan, "severity": offer.severity, "number": offer.number, "reduced": reduced}
    return shown | {"good": accept_probability(plan, aql / 100), "limit": limiting_share(plan)}


def _import(key: int) -> ImportBatch:
    found = db.session.scalar(select(ImportBatch).where(ImportBatch.id == key)) if key < 2**63 else None
    return found if found is not None else abort(404)


def _one(key: int) -> BatchAudit:
    found = db.session.scalar(select(BatchAudit).where(BatchAudit.id == key)) if key < 2**63 else None
    return found if found is not None else abort(404)
