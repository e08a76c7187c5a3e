"""Print runs: planned letters become files, kept by sha256, that are handed out, printed and posted."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import Campaign, FormVersion, Letter, Printer, PrintRun, PrintTray, Recipient
from models.clock import now, utcnow
from paper.letterheads import Letterhead
from paper.letters import Problem
from paper.print_runs import render_letters
from services import Refused, campaigns, files, forms, letterheads, letters, traces, trays
from services.forms import Form
from services.letters import Plan, letter_facts

TO_PRINT = ("composed", "printing")
TRAYS = "tray_sheets"  # option of a campaign


@dataclass(frozen=True)
class Made:
    """A file of letters outside the database: which plans are in it, and whose address did not fit after all.

    `form` is the form that they bear, measured, where this version of it is new; `missing` names the letters with
    characters that no font here has (they stand as 〓), `cut` those with a text that no box holds (it ends with …).
    """

    sha256: str
    pages: int
    written: tuple[str, ...]
    too_long: tuple[int, ...]
    form_version: int
    form: Form | None = None
    missing: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()


def make_file(plans: Sequence[Plan], head: Letterhead) -> Made:
    """Lay planned letters out and put the file into the store; slow, and done outside any transaction.

    The same plans give the same bytes, so a step that is done again finds its file there.
    """
    version = int(plans[0]["form_version"])
    form = forms.survey_form(version, head) if plans[0].get("new_form") else None
    with tempfile.TemporaryDirectory(prefix="letters-") as folder:
        path = Path(folder) / "letters.pdf"
        printed = render_letters([letter_facts(plan) for plan in plans], head, path)
        sha256 = files.put(path) if printed.letters else ""
    unfit = {problem.serial for problem in printed.problems if problem.reason == "address_too_long"}
    written = tuple(plan["token"] for plan in plans if plan["facts"]["serial"] not in unfit)
    too_long = tuple(plan["recipient_id"] for plan in plans if plan["facts"]["serial"] in unfit)
    missing, cut = (_named(printed.problems, reason) for reason in ("missing_glyph", "cut_short"))
    return Made(sha256, printed.pages, written, too_long, version, form, missing, cut)


def record_run(session: Session, campaign_id: int, plans: Sequence[Plan], *, made: Made) -> dict[str, Any]:
    """Keep a made file as a print run with its letters; whose address did not fit after all is excluded."""
    campaigns.exclude(session, campaign_id, _first_time(plans, made), reason="address_too_long")
    _check_unwritten(session, campaign_id, plans)
    kept = [plan for plan in plans if plan["token"] in set(made.written)]
    if kept:
        form = _form(session, made)
        run = _write_run(session, campaign_id, kept, made)
        run.form_version_id = form.id
        letters.write_letters(session, campaign_id, kept, form_version_id=form.id, print_run_id=run.id)
        pieces = [trays.Piece(plan["serial"], plan["facts"]["postcode"]) for plan in kept]
        trays.keep(session, run, pieces, sheets=run.campaign.options.get(TRAYS) or trays.SHEETS)
        facts = {"letters": run.letters, "from": run.serial_from, "to": run.serial_to}
        traces.record(session, "print_run.composed", run, details=facts)
    done = {"letters": len(kept), "pages": made.pages, "too_long": len(made.too_long)}
    named = {"missing": list(made.missing), "cut": list(made.cut)}
    return done | {name: texts for name, texts in named.items() if texts}


def plan_late(session: Session, recipient: Recipient) -> tuple[Plan, Letterhead]:
    """The letter of somebody whose address is mended now, and under which head `make_file` lays it out."""
    version, head = forms.survey_version(session), letterheads.current(session)
    plan = letters.plan_late(session, recipient, form_version=version)
    return plan | {"new_form": forms.kept_version(session, forms.SURVEY_LETTER, version) is None}, head


def record_late(session: Session, recipient: Recipient, plan: Plan, *, made: Made) -> None:
    """Keep the letter of somebody whose address was mended: on the list again, in a print run of its own."""
    if made.too_long:
        raise Refused("这位客户的地址太长，信封窗口里放不下，不能出函。请先把地址改短。")
    again = update(Recipient).where(Recipient.id == recipient.id, Recipient.exclusion.in_(letters.MENDABLE))
    if not _change(session, again, {"exclusion": "", "outcome": None, "decided_at": None}):
        raise Refused("这位客户不是因为地址没有发函，或函件已经补发。请刷新页面。")
    record_run(session, recipient.campaign_id, [plan], made=made)
    traces.record(session, "recipient.taken_back", recipient, details={"campaign": recipient.campaign_id})


def hand_out(session: Session, run: PrintRun, *, reason: str = "") -> Path:
    """The file of one print run for the printer; who took it and why is traced. A further time needs a reason."""
    trays.hold(session, run)
    if run.state == "spoiled":
        raise Refused("这一批已经作废，不能再打印。需要的函件请补打。")
    if run.state != "composed" and not reason.strip():
        raise Refused("这一批已经领取或打印过。再次打印请填写原因（如：卡纸、字迹不清），原因会记入打印台账。")
    path = trays.content(run)
    if run.state == "composed":
        run.state = "printing"
    trays.mark_all(session, run)
    traces.record(session, "print_run.handed_out", run, details={"reason": reason.strip()[:200]})
    return path


def choose_printer(session: Session, run: PrintRun, printer_id: int | None) -> Printer | None:
    """Note at which printer a run is printed."""
    printer = session.get(Printer, printer_id) if printer_id else None
    if printer is not None:
        run.printer_id = printer.id
    return printer


def mark_printed(session: Session, run: PrintRun) -> int:
    """The run lies on the table: its letters are printed."""
    trays.hold(session, run)
    if run.state not in TO_PRINT:
        raise Refused("这一批已经登记为已打印或已交寄，请刷新页面。")
    query = update(Letter).where(Letter.print_run_id == run.id, Letter.state == "composed")
    done = _change(session, query, {"state": "printed", "printed_at": now(session)})
    run.state, run.printed_at, run.printed_by_id = "printed", now(session), traces.actor_id(session)
    traces.record(session, "print_run.printed", run, details={"letters": done})
    return done


def mark_posted(session: Session, run: PrintRun, *, at: datetime | None = None) -> int:
    """The run went to the post at a moment (default: now): every letter of it, with one trace a customer."""
    trays.hold(session, run)
    if run.state in ("posted", "spoiled"):
        raise Refused("这一批已经交寄或已作废，请刷新页面。")
    moment = at or now(session)
    if run.state != "printed":
        mark_printed(session, run)
    query = update(Letter).where(Letter.print_run_id == run.id, Letter.state == "printed")
    rows = session.execute(
        query.values(state="posted", posted_at=moment).returning(
            Letter.id, Letter.customer_id, Letter.unit_id
        ),
        execution_options={"synchronize_session": "fetch"},
    ).all()
    run.state, run.posted_at, run.posted_by_id = "posted", moment, traces.actor_id(session)
    traces.record_all(session, [_posted(session, row) for row in rows])
    traces.record(session, "print_run.posted", run, details={"letters": len(rows)})
    return len(rows)


def runs_of(session: Session, campaign_id: int) -> Sequence[PrintRun]:
    """A campaign's print runs in order."""
    return session.scalars(
        select(PrintRun).where(PrintRun.campaign_id == campaign_id).order_by(PrintRun.number)
    ).all()


def file_name(campaign: Campaign, run: PrintRun, tray: PrintTray | None = None) -> str:
    """`客户联系信息核对函_HD202611-01_第1批.pdf`; of one tray `…_第1批_第2盘.pdf`."""
    of_tray = f"_第{tray.number}盘" if tray is not None else ""
    return f"{trays.TITLE}_{campaign.code}_第{run.number}批{of_tray}.pdf"


def _named(problems: Iterable[Problem], reason: str) -> tuple[str, ...]:
    """Problems of one sort as `number text`, each once."""
    return tuple(dict.fromkeys(f"{one.serial} {one.text}" for one in problems if one.reason == reason))


def _form(session: Session, made: Made) -> FormVersion:
    known = forms.kept_version(session, forms.SURVEY_LETTER, made.form_version)
    if known is not None:
        return known
    if made.form is None:
        raise Refused("登记表的版本 %(version)s 没有登记。请重试“打印函件”步骤。", version=made.form_version)
    return forms.keep_version(session, made.form)


def _write_run(session: Session, campaign_id: int, plans: Sequence[Plan], made: Made) -> PrintRun:
    campaign = session.get_one(Campaign, campaign_id)
    last = session.scalar(select(func.max(PrintRun.number)).where(PrintRun.campaign_id == campaign_id)) or 0
    run = PrintRun(
        campaign_id=campaign_id,
        unit_id=campaign.unit_id,
        number=last + 1,
        kind=_kind(plans),
        serial_from=plans[0]["serial"],
        serial_to=plans[-1]["serial"],
        letters=len(plans),
        pages=made.pages,
        state="composed",
        composed_at=utcnow(),
    )
    run.sha256 = files.describe(session, made.sha256, file_name(campaign, run), "application/pdf").sha256
    session.add(run)
    session.flush()
    return run


def _kind(plans: Sequence[Plan]) -> str:
    if not any(plan.get("replaces_id") for plan in plans):
        return "first"
    return "reminder" if plans[0]["reason"] == letters.SECOND else "reprint"


def _first_time(plans: Sequence[Plan], made: Made) -> list[int]:
    """Whose address did not fit, among those who have no letter yet."""
    again = {plan["recipient_id"] for plan in plans if plan.get("replaces_id")}
    return [key for key in made.too_long if key not in again]


def _check_unwritten(session: Session, campaign_id: int, plans: Sequence[Plan]) -> None:
    """Two people who reprint the same letter at the same time make one further copy, not two."""
    copies = {(plan["serial"], plan["copy"]) for plan in plans if plan.get("replaces_id")}
    query = select(Letter.serial, Letter.copy).where(Letter.campaign_id == campaign_id)
    query = query.where(Letter.serial.in_([serial for serial, _copy in copies]))
    if copies and copies & {(serial, copy) for serial, copy in session.execute(query)}:
        raise Refused("有的函件刚刚已经补打过。请刷新页面，从最新的一份补打。")


def _change(session: Session, query: Any, values: Mapping[str, Any]) -> int:
    done = session.execute(query.values(**values), execution_options={"synchronize_session": "fetch"})
    return int(done.rowcount)  # type: ignore[attr-defined]


def _posted(session: Session, row: Any) -> dict[str, Any]:
    return {
        "at": utcnow(),
        "actor_id": traces.actor_id(session),
        "action": "letter.posted",
        "object": Letter.__tablename__,
        "object_id": row.id,
        "customer_id": row.customer_id,
        "unit_id": row.unit_id,
        "details": {},
    }
