"""The way of bulletins and notices: drafted, reviewed, approved, signed, issued, acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, true
from sqlalchemy.orm import Session, joinedload

from models import Assessment, BulletinReceipt, Notice, Staff, Unit
from models.clock import now, today
from models.scope import ALL, criterion, current_scope, working_as
from paper.codes import new_token
from paper.receipts import receipt_map
from services import Refused, files, forms, letterheads, notice_facts, traces
from services.calendar import calendar
from services.people import require

STAGES = {
    "reviewed": ("draft", "reviewing", "notices.review"),
    "approved": ("reviewing", "approved", "notices.approve"),
    "signed": ("approved", "signed", "notices.sign"),
}
APPEAL_DAYS = 3
UNISSUED = ("draft", "reviewing", "approved", "signed")


def compose(
    session: Session,
    run: Assessment,
    *,
    drafted_by_id: int | None,
    run_id: int | None = None,
    below: str = "target",
) -> list[Notice]:
    """Draft one bulletin, and one notice for each unit that is below its `target` (or its `floor`, or for `all`)."""
    _refuse_second(session, run)
    head = letterheads.current(session)
    made = [
        _draft(session, run, "bulletin", run.unit, head.bulletin_prefix, notice_facts.bulletin(session, run))
    ]
    for unit, facts in notice_facts.notices(session, run, below=below):
        made.append(_draft(session, run, "assessment_notice", unit, head.notice_prefix, facts))
    for row in made:
        row.run_id, row.drafted_by_id = run_id, drafted_by_id
        session.add(row)
    session.flush()
    traces.record_all(
        session, [traces.entry(session, "notice.drafted", row, details={"kind": row.kind}) for row in made]
    )
    return made


def advance(session: Session, notices: Sequence[Notice], stage: str, *, staff: Staff) -> int:
    """Take notices one stage further (a key of STAGES) in a person's name; signing gives the number."""
    before, after, permission = STAGES[stage]
    require(staff, permission)
    for row in notices:
        if row.state != before:
            raise Refused("《%(title)s》现在不在可以办理这一步的状态，请刷新后再看。", title=row.title)
        if staff.id in _signers(row):
            raise Refused("拟稿、审核、批准、签发须由不同的人办理，您已经办理过其中一步。")
        setattr(row, f"{stage}_by_id", staff.id)
        setattr(row, f"{stage}_at", now(session))
        row.state = after
        if stage == "signed":
            row.number = _next_number(session, row)
        session.flush()
    traces.record_all(session, [traces.entry(session, f"notice.{stage}", row) for row in notices])
    return len(notices)


def issue(session: Session, notice: Notice, path: Path) -> None:
    """Issue a signed notice: its PDF is kept, its appeal date set, and from now on it never changes."""
    if notice.state != "signed":
        raise Refused("《%(title)s》还没有签发，不能印发。", title=notice.title)
    stored = files.store(session, path, f"{file_name(session, notice)}.pdf", "application/pdf")
    notice.state, notice.sha256, notice.issued_at = "issued", stored.sha256, now(session)
    notice.appeal_until = appeal_day(session)
    if notice.kind != "bulletin":
        notice.form_version_id = forms.keep_current(session, notice.kind, receipt_map()).id
    traces.record(
        session, "notice.issued", notice, details={"number": number_of(notice), "sha256": stored.sha256}
    )


def acknowledge(session: Session, notice: Notice, *, staff: Staff, unit: Unit, rebuttal: str = "") -> None:
    """Sign for an issued document in a unit's name, with or without objection; for a bulletin each unit does."""
    require(staff, "notices.acknowledge")
    if notice.state not in ("issued", "acknowledged", "rebutted"):
        raise Refused("文件还没有印发，不能签收。")
    if not _is_addressed(notice, unit):
        raise Refused("这份文件不是发给「%(unit)s」的，不能以它的名义签收。", unit=unit.name)
    if notice.kind == "bulletin":
        _receipt(session, notice, staff, unit, rebuttal)
    else:
        _sign(session, notice, staff, rebuttal)
    with working_as(session, ALL):
        traces.record(session, "notice.rebutted" if rebuttal.strip() else "notice.acknowledged", notice)


def sign_on_paper(
    session: Session, notice: Notice, *, staff: Staff | None = None, rebuttal: str = ""
) -> None:
    """Sign for a notice by its receipt that came back on paper; `staff` read it, None: the machine did."""
    if notice.state != "issued" and notice.acknowledged_at is None:
        raise Refused("文件还没有印发，不能签收。")
    _sign(session, notice, staff, rebuttal)
    with working_as(session, ALL):
        action = "notice.rebutted" if rebuttal.strip() else "notice.acknowledged"
        traces.record(session, action, notice, details={"paper": True})


def _sign(session: Session, notice: Notice, staff: Staff | None, rebuttal: str) -> None:
    if notice.acknowledged_at is not None:
        raise Refused("这份通知单已经签收过。")
    notice.state = "rebutted" if rebuttal.strip() else "acknowledged"
    notice.acknowledged_by_id = staff.id if staff is not None else None
    notice.acknowledged_at, notice.rebuttal = now(session), rebuttal.strip()


def void(session: Session, notices: Sequence[Notice], *, reason: str) -> int:
    """Make documents that are not issued yet void; a number once given stays in the register."""
    open_ones = [row for row in notices if row.state in UNISSUED]
    for row in open_ones:
        row.state = "void"
    session.flush()
    details = {"reason": reason}
    traces.record_all(
        session, [traces.entry(session, "notice.void", row, details=details) for row in open_ones]
    )
    return len(open_ones)


def visible(session: Session, staff: Staff, *, limit: int = 300) -> Sequence[Notice]:
    """The documents a person may see, newest first: those of their units, and issued bulletins that address them."""
    return _visible(session, staff, select(Notice).order_by(Notice.id.desc()).limit(limit))


def visible_one(session: Session, staff: Staff, notice_id: int) -> Notice | None:
    """One document, if the person may see it."""
    found = _visible(session, staff, select(Notice).where(Notice.id == notice_id))
    return found[0] if found else None


def signable(session: Session, notice: Notice, staff: Staff) -> bool:
    """Whether this person's unit has still to sign for a document."""
    if not staff.can("notices.acknowledge") or notice.state != "issued":
        return False
    if notice.kind == "bulletin":
        return staff.unit.name in units_missing(session, notice)
    return notice.unit_id == staff.unit_id


def receipts_open(session: Session, run_id: int) -> int:
    """How many signatures are still missing: one a notice, one a unit for a bulletin."""
    with working_as(session, ALL):
        rows = session.scalars(select(Notice).where(Notice.run_id == run_id, Notice.state == "issued")).all()
        missing = sum(row.kind != "bulletin" for row in rows)
        return missing + sum(len(units_missing(session, row)) for row in rows if row.kind == "bulletin")


def units_missing(session: Session, bulletin: Notice) -> list[str]:
    """Names of the addressees that have not signed for a bulletin yet."""
    signed = select(BulletinReceipt.unit_id).where(BulletinReceipt.notice_id == bulletin.id)
    query = select(Unit.name).where(Unit.code.in_(bulletin.facts["unit_codes"]), Unit.id.not_in(signed))
    with working_as(session, ALL):
        return list(session.scalars(query.order_by(Unit.code)))


def number_of(notice: Notice) -> str:
    """The number as it stands on paper: 客服通报〔2026〕11号, KH-2026-11-003; empty before signing."""
    if notice.number is None:
        return ""
    if notice.kind == "bulletin":
        return f"{notice.series}〔{notice.year}〕{notice.number}号"
    return f"{notice.series}-{notice.facts['period']}-{notice.number:03}"


def file_name(session: Session, notice: Notice) -> str:
    """文种_单位_期_编号, as documents are named in the house."""
    kind = "考核通报" if notice.kind == "bulletin" else "考核通知单"
    with working_as(session, ALL):
        unit = session.get_one(Unit, notice.unit_id).name
    return f"{kind}_{unit}_{notice.facts['period']}_{number_of(notice) or '草稿'}"


def appeal_day(session: Session) -> date:
    """The last day for objections: working days after issue."""
    return calendar(session).after(today(session), APPEAL_DAYS)


def _is_addressed(notice: Notice, unit: Unit) -> bool:
    return unit.code in notice.facts["unit_codes"] if notice.kind == "bulletin" else unit.id == notice.unit_id


def _visible(session: Session, staff: Staff, query: Select[tuple[Notice]]) -> Sequence[Notice]:
    condition = criterion(Notice, current_scope(session))
    own = true() if condition is None else condition
    published = and_(Notice.kind == "bulletin", Notice.state == "issued")
    with working_as(session, ALL):
        above = _codes_above(session, staff)
        query = query.options(joinedload(Notice.unit)).where(or_(own, published))
        rows = session.execute(query.add_columns(own.label("own"))).all()
        return [row.Notice for row in rows if row.own or above & set(row.Notice.facts["unit_codes"])]


def _codes_above(session: Session, staff: Staff) -> set[str]:
    """The codes of a person's unit and of every unit above it: a bulletin to any of them addresses the person."""
    path = session.scalar(select(Unit.path).where(Unit.id == staff.unit_id)) or ""
    above = [int(part) for part in path.strip("/").split("/") if part]
    return set(session.scalars(select(Unit.code).where(Unit.id.in_(above))))


def _signers(row: Notice) -> set[int | None]:
    return {row.drafted_by_id, row.reviewed_by_id, row.approved_by_id, row.signed_by_id} - {None}


def _refuse_second(session: Session, run: Assessment) -> None:
    query = select(Notice.id).where(Notice.assessment_id == run.id, Notice.state != "void").limit(1)
    with working_as(session, ALL):
        if session.scalar(query) is not None:
            raise Refused("这次评价已经拟过通报和通知单。如需重拟，请先把原稿作废。")


def _draft(
    session: Session, run: Assessment, kind: str, unit: Unit, series: str, facts: dict[str, Any]
) -> Notice:
    row = Notice(
        kind=kind, assessment_id=run.id, unit_id=unit.id, series=series, year=int(run.period[:4]), facts=facts
    )
    row.title, row.token, row.state, row.drafted_at = str(facts["title"]), new_token(), "draft", now(session)
    row.fingerprint = traces.fingerprint(session)
    row.opinion = str(facts.get("opinion", ""))
    return row


def _next_number(session: Session, row: Notice) -> int:
    query = select(func.max(Notice.number)).where(Notice.series == row.series, Notice.year == row.year)
    with working_as(session, ALL):
        return (session.scalar(query) or 0) + 1


def _receipt(session: Session, notice: Notice, staff: Staff, unit: Unit, rebuttal: str) -> None:
    known = select(BulletinReceipt.id).where(
        BulletinReceipt.notice_id == notice.id, BulletinReceipt.unit_id == unit.id
    )
    if session.scalar(known) is not None:
        raise Refused("本单位已经签收过这份通报。")
    row = BulletinReceipt(notice_id=notice.id, unit_id=unit.id, staff_id=staff.id, at=now(session))
    row.rebuttal = rebuttal.strip()
    session.add(row)
    session.flush()
