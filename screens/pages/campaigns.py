"""Campaigns: started with a preview, followed from targeted to outcome, their letters printed again or taken back."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Campaign, Customer, Letter, Reason, Recipient, Run, Staff, Unit, db
from models.words import CUSTOMER_CLASSES, OUTCOMES
from paper.masks import mask_name
from screens import campaign_forms
from screens.access import needs, reads
from screens.base import Page
from screens.cards import Card
from screens.messages import done, said
from screens.pickers import kind_choices
from services import (
    Refused,
    balance_checks,
    balance_results,
    balances,
    campaigns,
    choices,
    forms,
    letterheads,
    letters,
    messages,
    print_runs,
    segments,
    sheet_balances,
    traces,
)
from services.balances import BUCKETS, PENDING, SUMS
from services.reply_checks import CHECKS
from services.segments import CONDITIONS
from workflows import runs
from workflows.print_runs import conclude_posting

WORKFLOW = "contact_survey"
LISTED = 100
ROWS = 50
LIVE = ("running", "waiting", "paused", "parked", "failed")


class Campaigns(Page):
    """All campaigns; the page of one; the list behind each of its numbers; the form that starts one."""

    permission = "campaigns.view"
    label, group = _l("核对活动"), "mailing"

    @expose("/")
    def index(self) -> str:
        """The list, newest first, each with its balance."""
        query = (
            select(Campaign).join(Unit, Unit.id == Campaign.unit_id).where(campaigns.in_reach(db.session()))
        )
        rows = db.session.scalars(query.order_by(Campaign.id.desc()).limit(LISTED)).all()
        sheets = balances.balances(db.session(), [row.id for row in rows])
        return self.render("screens/campaigns.html", rows=rows, sheets=sheets)

    @expose("/differences")
    def differences(self) -> str:
        """What the nightly proof of the balances found not to add up."""
        found = balance_results.last_result(db.session())
        rows = balance_checks.last_differences(db.session())
        return self.render("screens/balance_differences.html", found=found, rows=rows, what=balance_checks.WHAT)

    @expose("/new")
    @needs("campaigns.start")
    def new(self) -> str:
        """The form that starts one."""
        return self._form()

    @expose("/preview", methods=("POST",))
    @needs("campaigns.start")
    @reads
    def preview(self) -> Any:
        """How many customers the filled-in form hits, by unit, and how many are left out, by reason."""
        try:
            segment = campaign_forms.segment_from(request.form)
            segments.check_segment(db.session(), segment)
        except Refused as refusal:
            return self.render("screens/_campaign_preview.html", rows=[], mistake=said(refusal))
        rows = segments.preview(db.session(), segment)
        reasons = {reason: sum(row.excluded.get(reason, 0) for row in rows) for reason in _exclusions()}
        return self.render("screens/_campaign_preview.html", rows=rows, reasons=reasons, labels=_exclusions())

    @expose("/start", methods=("POST",))
    @needs("campaigns.start")
    def start(self) -> Any:
        """Start the run that selects, prints, waits, makes visits and closes."""
        try:
            values = campaign_forms.values_from(request.form)
            segments.check_segment(db.session(), campaign_forms.segment_from(request.form))
            run = runs.start(db.session(), WORKFLOW, values, current_user)
        except Refused as refusal:
            db.session.rollback()
            return self._form(said(refusal)), 422
        done(_("核对活动已启动：正在选定客户、生成函件。完成后营业员会收到交寄待办。"))
        return redirect(self.get_url("runs.show", key=run.id), 303)

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """One campaign: funnel, balance, outcomes, print runs, its run."""
        row = _one(key)
        sheet = balances.balance(db.session(), row.id)
        return self.render(
            "screens/campaign.html",
            row=row,
            sheet=sheet,
            scans=sheet_balances.campaign_balances(db.session(), [row.id])[row.id],
            segment=segments.segment_from(row.segment),
            segments=dict(choices.segments(db.session())),
            kinds=dict(kind_choices()),
            conditions=CONDITIONS,
            stages=_stages(sheet),
            buckets=BUCKETS,
            exclusions=balances.exclusions(db.session(), row.id),
            labels=_exclusions(),
            stacks=print_runs.runs_of(db.session(), row.id),
            run=db.session.scalar(select(Run).where(Run.id == row.run_id)) if row.run_id else None,
            live=LIVE,
            pending=PENDING,
        )

    @expose("/<int:key>/recipients")
    @needs("letters.view")
    def recipients(self, key: int) -> str:
        """The customers behind one number, each with the letter that counts."""
        row, chosen = _one(key), _chosen()
        query = balances.members(row.id, **chosen).join(Customer, Customer.id == Recipient.customer_id)
        query = query.add_columns(Customer).where(Recipient.id > request.args.get("after", 0, type=int))
        found = db.session.execute(query.order_by(Recipient.id).limit(ROWS + 1)).all()
        return self.render(
            "screens/recipients.html",
            row=row,
            rows=found[:ROWS],
            told=messages.latest(db.session(), row.id, [one.Recipient.customer_id for one in found[:ROWS]]),
            after=found[ROWS - 1].Recipient.id if len(found) > ROWS else None,
            chosen=chosen,
            buckets=BUCKETS,
            outcomes={**OUTCOMES, PENDING: _("未定")},
            labels=_exclusions(),
            reasons=_reasons("undelivered"),
            number_of=letters.number_of,
            masked=mask_name,
            kinds=dict(kind_choices()),
            conditions=CONDITIONS,
        )

    @expose("/<int:key>/exclude", methods=("POST",))
    @needs("campaigns.edit")
    def exclude(self, key: int) -> Any:
        """Take one customer off the list before the letter is made."""
        recipient = _row(Recipient, key, "recipient")
        campaigns.exclude_by_hand(db.session(), recipient)
        done(_("已剔除，这位客户不会收到函件。"))
        return redirect(self.get_url(".recipients", key=key, bucket="excluded"), 303)

    @expose("/<int:key>/withdraw", methods=("POST",))
    @needs("letters.edit")
    def withdraw(self, key: int) -> Any:
        """Take one letter back that was not posted."""
        letter = _row(Letter, key, "letter")
        if not campaigns.withdraw(db.session(), key, [letter.id]):
            raise Refused(_("这封函件已经交寄，不能作废。"))
        traces.record(db.session(), "letter.withdrawn", letter)
        conclude_posting(db.session(), letter.campaign, current_user)
        done(_("函件 %(number)s 已作废，客户记为中止。", number=letters.number_of(letter)))
        return redirect(self.get_url(".recipients", key=key, bucket="withdrawn"), 303)

    @expose("/<int:key>/reprint", methods=("POST",))
    @needs("letters.run")
    def reprint(self, key: int) -> Any:
        """A further copy of one letter, as a print run of its own; laid out outside any transaction."""
        letter, reason = _row(Letter, key, "letter"), request.form.get("reason", "")
        if not reason.strip():
            raise Refused(_("补打要写明原因（如：污损、客户称未收到），原因会记入打印台账。"))
        session = db.session()
        version, head = forms.survey_version(session), letterheads.current(session)
        plan = letters.plan_reprint(session, letter, form_version=version, reason=reason)
        plan["new_form"] = forms.kept_version(session, forms.SURVEY_LETTER, version) is None
        session.commit()
        print_runs.record_run(session, key, [plan], made=print_runs.make_file([plan], head))
        done(_("已生成第 %(copy)s 次打印的函件，请下载打印。", copy=plan["copy"]))
        return redirect(self.get_url("print_room.index", campaign=key), 303)

    @expose("/<int:key>/close", methods=("POST",))
    @needs("campaigns.start")
    def close(self, key: int) -> Any:
        """End a campaign whose run ended before it."""
        row = _one(key)
        run = db.session.scalar(select(Run).where(Run.id == row.run_id))
        if run is not None and run.state in LIVE:
            raise Refused(_("这次活动的流程还在进行。请在流程页面办理，或先取消流程。"))
        campaigns.close_campaign(db.session(), row.id)
        done(_("活动已结束，每位客户都有了结果。"))
        return redirect(self.get_url(".show", key=key), 303)

    def _form(self, mistake: str = "") -> str:
        return self.render(
            "screens/campaign_form.html",
            filled=campaign_forms.filled(request.form),
            mistake=mistake,
            units=campaign_forms.unit_choices(),
            segments=choices.segments(db.session()),
            kinds=kind_choices(),
            conditions=CONDITIONS,
            classes=CUSTOMER_CLASSES,
            online_checks=CHECKS,
        )


def differences_card(session: Session, staff: Staff) -> Card | None:
    """Balances that the nightly proof found wrong; None when all is well."""
    number = balance_results.last_result(session).get("number", 0)
    return Card(_("处平衡表对不上"), number, "/admin/campaigns/differences", tone="alarm") if number else None


def _one(key: int) -> Campaign:
    query = select(Campaign).join(Unit, Unit.id == Campaign.unit_id).where(campaigns.in_reach(db.session()))
    found = db.session.scalar(query.where(Campaign.id == min(key, 2**63 - 1)))
    return found if found is not None else abort(404)


def _row(table: Any, key: int, name: str) -> Any:
    """A row of the campaign by the id that a button gave."""
    number = min(request.form.get(name, 0, type=int), 2**63 - 1)
    found = db.session.scalar(select(table).where(table.id == number, table.campaign_id == _one(key).id))
    return found if found is not None else abort(404)


def _chosen() -> dict[str, str]:
    known = {"bucket": {*BUCKETS, *SUMS}, "outcome": {*OUTCOMES, PENDING}, "exclusion": set(_exclusions())}
    return {name: value for name, codes in known.items() if (value := request.args.get(name, "")) in codes}


def _exclusions() -> dict[str, str]:
    return _reasons("exclusion")


def _reasons(name: str) -> dict[str, str]:
    query = select(Reason).where(Reason.list == name).order_by(Reason.position)
    return {row.code: _(row.label) for row in db.session.scalars(query)}


def _stages(sheet: balances.Balance) -> list[dict[str, Any]]:
    """From everybody on the list down to those who answered: what is left, and what fell away before."""
    steps = (
        (_("选中客户"), sheet.targeted, "", ()),
        (_("应发函件"), sheet.letters, "letters", ("excluded", "withdrawn")),
        (_("已交寄"), sheet.posted, "posted", ("to_post",)),
        (_("没有退回"), sheet.arrived, "arrived", ("undelivered",)),
        (_("已回函"), sheet.answered, "answered", ("open", "silent")),
    )
    return [
        {"label": label, "left": left, "list": {"bucket": bucket} if bucket else {}, "lost": lost}
        for label, left, bucket, lost in steps
    ]
