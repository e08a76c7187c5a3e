"""Bulletins and notices as paper takes them: plain values gathered in a transaction, laid out outside of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from models import Notice, Staff
from models.clock import ZONE, today
from models.scope import ALL, working_as
from paper import figures as paper_figures
from paper import notices as papers
from paper.bulletins import bulletin
from paper.letterheads import Letterhead
from services import letterheads, notices


def printed_facts(session: Session, notice: Notice) -> dict[str, Any]:
    """Everything that stands on the paper of one notice, as JSON: its words, number, signers, letterhead."""
    with working_as(session, ALL):
        unit, person = (
            notice.unit.name,
            session.get(Staff, notice.addressee_id) if notice.addressee_id else None,
        )
        signed = {name: _signature(notice, name) for name in ("drafted", "reviewed", "approved")}
    return {
        "kind": notice.kind,
        "number": notices.number_of(notice),
        "token": notice.token,
        "unit": unit,
        "person": person.name if person else "",
        "position": person.job if person else "",
        "issued_on": (
            notice.issued_at.astimezone(ZONE).date() if notice.issued_at else today(session)
        ).isoformat(),
        "appeal_by": (notice.appeal_until or notices.appeal_day(session)).isoformat(),
        "opinion": notice.opinion,
        "anchor": notice.fingerprint,
        "draft": notice.state not in ("signed", "issued", "acknowledged", "rebutted"),
        "signed": signed,
        "facts": notice.facts,
        "letterhead": asdict(letterheads.current(session)),
    }


def lay_out(printed: Mapping[str, Any]) -> bytes:
    """The PDF of a bulletin or notice from its plain facts; slow, so never inside a transaction."""
    head = letterheads.from_plain(printed["letterhead"])
    if printed["kind"] == "bulletin":
        return bulletin(_bulletin(printed), head)
    return papers.assessment_notice(_notice(printed, head), head)


def _bulletin(printed: Mapping[str, Any]) -> papers.Bulletin:
    facts = printed["facts"]
    return papers.Bulletin(
        number=printed["number"],
        title=facts["title"],
        period=facts["period"],
        cutoff=date.fromisoformat(facts["cutoff"]),
        issued_on=date.fromisoformat(printed["issued_on"]),
        basis=facts["basis"],
        addressees=tuple(facts["addressees"]),
        totals=tuple(
            papers.Total(row["cohort"], _unit_result(row["result"]), row["change"]) for row in facts["totals"]
        ),
        new=tuple(map(_unit_result, facts["new"])),
        existing=tuple(map(_unit_result, facts["existing"])),
        best_persons=_persons(facts["best_persons"]),
        persons_below=_persons(facts["persons_below"]),
        overall=tuple(facts["overall"]),
        problems=tuple(facts["problems"]),
        opinions=(printed["opinion"],) if printed["opinion"] else (),
        requirements=tuple(facts["requirements"]),
        fingerprint=_fingerprint(printed),
        draft=printed["draft"],
    )


def _notice(printed: Mapping[str, Any], head: Letterhead) -> papers.AssessmentNotice:
    facts = printed["facts"]
    return papers.AssessmentNotice(
        number=printed["number"],
        token=printed["token"],
        unit=printed["unit"],
        person=printed["person"],
        position=printed["position"],
        period=facts["period"],
        cutoff=date.fromisoformat(facts["cutoff"]),
        run=facts["run"],
        issued_on=date.fromisoformat(printed["issued_on"]),
        measures=tuple(
            papers.MeasureResult(**row | {"rate": _rate(row["rate"])}) for row in facts["measures"]
        ),
        findings=tuple(facts["findings"]),
        opinion=printed["opinion"],
        points=facts["points"],
        requirement=facts["requirement"],
        appeal_to=head.appeal_contact,
        appeal_by=date.fromisoformat(printed["appeal_by"]),
        drafted=_signed(printed, "drafted"),
        reviewed=_signed(printed, "reviewed"),
        approved=_signed(printed, "approved"),
        fingerprint=_fingerprint(printed),
        draft=printed["draft"],
    )


def _unit_result(row: Mapping[str, Any]) -> papers.UnitResult:
    rates = {name: _rate(row[name]) for name in ("completeness", "timeliness", "validity", "accuracy")}
    return papers.UnitResult(**{**row, **rates})


def _persons(rows: Sequence[Mapping[str, Any]]) -> tuple[papers.PersonResult, ...]:
    return tuple(
        papers.PersonResult(row["name"], row["unit"], paper_figures.Rate(*row["rate"])) for row in rows
    )


def _rate(numbers: Sequence[Any] | None) -> paper_figures.Rate | None:
    return paper_figures.Rate(*numbers) if numbers is not None else None


def _fingerprint(printed: Mapping[str, Any]) -> paper_figures.Fingerprint:
    facts = printed["facts"]
    taken_at = datetime.fromisoformat(facts["taken_at"])
    return paper_figures.Fingerprint(facts["run"], taken_at, facts["digest"], printed["anchor"])


def _signature(notice: Notice, stage: str) -> list[str]:
    person, moment = getattr(notice, f"{stage}_by"), getattr(notice, f"{stage}_at")
    return [person.name, moment.astimezone(ZONE).date().isoformat()] if person and moment else ["", ""]


def _signed(printed: Mapping[str, Any], stage: str) -> papers.Signature:
    name, day = printed["signed"][stage]
    return papers.Signature(name, date.fromisoformat(day) if day else None)
