"""Steps about letters: planned by value, laid out and kept as print runs, posted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from models import Campaign, Letter, PrintRun, Run
from models.clock import now
from models.words import N_
from services import campaigns, forms, letterheads, letters, print_runs, reasons
from services.letters import GONE
from workflows.campaigns import last_day
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, asked

BATCH = 1000  # letters of one print run; the print room takes it tray by tray
POSTED_AT_ONCE = 5  # print runs of one transaction


class PostLetters(Options):
    """How long returns are waited for after the day that the letter names."""

    grace_days: int = asked(N_("回复期限过后再等几天（邮路）"), campaigns.GRACE_DAYS, ge=0, le=60)


class PrintReminders(Options):
    """Whose letters are sent a second time."""

    posted_days: int = asked(N_("交寄后至少过了几天"), 10, ge=1, le=365)


def plan_print_letters(session: Session, options: Options, facts: Facts) -> Planned:
    """A letter for every recipient who has none: everything that stands on it, by value, with its serial and token."""
    campaign = session.get_one(Campaign, facts["run"]["campaign_id"])
    version = forms.survey_version(session)
    is_new = forms.kept_version(session, forms.SURVEY_LETTER, version) is None
    plans = letters.plan_letters(session, campaign, form_version=version)
    return Planned(({**plan, "new_form": is_new} for plan in plans), {"form_version": version})


def print_letters(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Lay one batch out into a file; keep it as a print run with its letters."""
    campaign_id = facts["run"]["campaign_id"]
    head = letterheads.from_plain(facts["run"]["letterhead"])
    plans = [dict(item) for item in items if "token" in item]
    dropped = [item["recipient_id"] for item in items if "exclude" in item]
    calls = [Call(leave_out, {"campaign_id": campaign_id, "recipient_ids": dropped})] if dropped else []
    if plans:
        kwargs = {"campaign_id": campaign_id, "plans": plans, "made": print_runs.make_file(plans, head)}
        calls.append(Call(print_runs.record_run, kwargs))
    return Effects(calls=calls)


def plan_print_reminders(session: Session, options: PrintReminders, facts: Facts) -> Planned:
    """A further copy for everybody who has not answered the first letter, by value, with a token of its own."""
    campaign = session.get_one(Campaign, facts["run"]["campaign_id"])
    before = now(session) - timedelta(days=options.posted_days)
    version = forms.survey_version(session)
    is_new = forms.kept_version(session, forms.SURVEY_LETTER, version) is None
    plans = letters.plan_second_letters(session, campaign, form_version=version, posted_before=before)
    return Planned(({**plan, "new_form": is_new} for plan in plans), {"form_version": version})


def print_reminders(options: PrintReminders, facts: Facts, items: Sequence[Item]) -> Effects:
    """Lay one batch out into a file, as first letters are."""
    return print_letters(options, facts, items)


def plan_post_letters(session: Session, options: PostLetters, facts: Facts) -> Planned:
    """The print runs that nobody has marked as posted yet, and the day until which returns are waited for."""
    campaign_id = facts["run"]["campaign_id"]
    query = select(PrintRun.id).where(PrintRun.campaign_id == campaign_id, PrintRun.posted_at.is_(None))
    until = last_day(session.get_one(Campaign, campaign_id), options.grace_days)
    runs = session.scalars(query.where(PrintRun.state != "spoiled").order_by(PrintRun.number)).all()
    return Planned([{"until": until}, *({"print_run_id": key} for key in runs)], {"print_runs": len(runs)})


def post_letters(options: PostLetters, facts: Facts, items: Sequence[Item]) -> Effects:
    """Mark them as posted."""
    calls = [
        Call(post_run, {"print_run_id": item["print_run_id"]}) for item in items if "print_run_id" in item
    ]
    until = [item["until"] for item in items if "until" in item]
    if until:
        waits = {"campaign_id": facts["run"]["campaign_id"], "days": options.grace_days}
        calls.append(Call(campaigns.wait_longer, waits))
    return Effects(calls=calls, summary={"until": until[0]} if until else {})


def leave_out(session: Session, campaign_id: int, recipient_ids: Sequence[int]) -> dict[str, int]:
    """Recipients whose address went bad after the list was frozen."""
    return {"excluded": campaigns.exclude(session, campaign_id, recipient_ids, reason="doubtful_address")}


def post_run(session: Session, print_run_id: int) -> dict[str, int]:
    """One print run goes to the post."""
    return {"posted": print_runs.mark_posted(session, session.get_one(PrintRun, print_run_id))}


def answered_share(session: Session, run: Run) -> float | None:
    """How many of a run's posted letters were answered."""
    return _share(session, run, Letter.state == "answered")


def undelivered_share(session: Session, run: Run) -> float | None:
    """How many of a run's posted letters came back."""
    return _share(session, run, Letter.state == "undelivered")


def door_share(session: Session, run: Run) -> float | None:
    """How many of a run's letters that came back sent somebody to the door."""
    visited = Letter.undelivered_reason.in_(reasons.for_visit(session))
    return _share(session, run, visited, of=Letter.state == "undelivered")


def _share(
    session: Session, run: Run, counted: ColumnElement[bool], of: ColumnElement[bool] | None = None
) -> float | None:
    """A share of the letters that went to the post; None where there were none."""
    posted = Letter.posted_at.is_not(None) if of is None else of
    query = select(func.count(), func.sum(case((counted, 1), else_=0))).select_from(Letter)
    query = query.join(Campaign, Campaign.id == Letter.campaign_id).where(Campaign.run_id == run.id, posted)
    total, found = session.execute(query.where(Letter.state.not_in(GONE))).one()
    return found / total if total else None
