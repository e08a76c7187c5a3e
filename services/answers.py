"""What a customer said, from a returned form or at the door: versions and confirmations come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact, Customer
from models.clock import now
from quality.verdicts import Verdict
from services import Refused, contacts
from services.contacts import Draft, Finding
from services.judging import contact_kind, judge_in

REPLIES = ("same", "none", "new")


@dataclass(frozen=True)
class Answer:
    """One line of a form: the recorded value is still right (`same`), there is none, or `text` is the new one.

    `contact_id` is the version that the form showed, where the form was made earlier than it is read. `evidence` of a
    new value is told instead of where the whole form comes from.
    """

    kind: str
    reply: str
    text: str = ""
    purpose: str = ""
    contact_id: int | None = None
    evidence: str = ""


@dataclass(frozen=True)
class Origin:
    """Where answers come from. `method` is the confirmation they give; empty when they confirm nothing."""

    source: str
    method: str = ""
    evidence: str = ""
    recorder_id: int | None = None
    credited_id: int | None = None
    relation: str = ""


@dataclass(frozen=True)
class Applied:
    """What came of a form: contact ids that were found right as recorded, became current, or wait for a person."""

    same: tuple[int, ...] = ()
    settled: tuple[int, ...] = ()
    waiting: tuple[int, ...] = ()
    unusable: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything new was said."""
        return bool(self.settled or self.waiting)


def apply_answers(session: Session, customer: Customer, answers: Sequence[Answer], origin: Origin) -> Applied:
    """Turn answers into versions and confirmations in the caller's transaction.

    A new value that equals a standing one confirms it; one that equals a waiting proposal makes nothing new.
    """
    standing = _standing(session, customer.id)
    same = [row.id for row in _still_right(session, standing, answers)]
    drafts: list[Draft] = []
    known: list[int] = []
    for answer in (answer for answer in answers if answer.reply == "new" and answer.text.strip()):
        verdict = judge_in(session, customer.unit_id, answer.kind, answer.text)
        for draft in drafts_of(session, customer, answer, verdict=verdict, origin=origin):
            equal = _equal(standing, draft)
            drafts.append(draft) if equal is None else known.append(equal.id)
    done = contacts.record(session, drafts)
    fresh = [key for key, draft in zip(done.ids, drafts, strict=True) if draft.value]
    _confirm(session, [*same, *known, *fresh], origin)
    return Applied(
        same=tuple(same + known),
        settled=tuple(sorted(done.settled)),
        waiting=tuple(sorted(done.waiting)),
        unusable=tuple(draft.kind for draft in drafts if not draft.value),
    )


def drafts_of(
    session: Session, customer: Customer, answer: Answer, *, verdict: Verdict, origin: Origin
) -> list[Draft]:
    """The versions that one keyed cell gives: one a usable value, all with the raw text; one if none is usable."""
    values = verdict.values or ("",)
    kinds = verdict.kinds or (answer.kind,) * len(values)
    extensions = verdict.extensions or ("",) * len(values)
    replaced = _replaced(_standing(session, customer.id), answer)
    drafts = []
    for value, found, extension in zip(values, kinds, extensions, strict=True):
        kind = contact_kind(answer.kind, found)
        drafts.append(
            Draft(
                customer_id=customer.id,
                unit_id=customer.unit_id,
                kind=kind,
                raw=answer.text,
                value=value,
                extension=extension,
                verdict=verdict.verdict,
                reasons=";".join(verdict.reasons),
                source=origin.source,
                evidence=answer.evidence or origin.evidence,
                purpose=answer.purpose,
                relation=origin.relation,
                recorder_id=origin.recorder_id,
                recorded_at=now(session),
                replaces_id=replaced.pop(kind, None),
            )
        )
    return drafts


def check_answers(answers: Sequence[Answer], kinds: Sequence[str]) -> None:
    """Refuse answers about unknown kinds, with unknown replies, or with a tick beside a new value."""
    for answer in answers:
        if answer.kind not in kinds:
            raise Refused("表单里没有「%(kind)s」这一项。请刷新页面后重新录入。", kind=answer.kind)
        if answer.reply not in REPLIES:
            raise Refused("「%(kind)s」的填写方式无法识别。请刷新页面后重新录入。", kind=answer.kind)
        if answer.reply != "new" and answer.text.strip():
            raise Refused("同一项既勾选了“无变化”或“暂无”，又填写了新内容。请核对原表，只保留其中一种。")


def _standing(session: Session, customer_id: int) -> Sequence[Contact]:
    """Current and waiting versions, the preferred and oldest first."""
    query = select(Contact).where(
        Contact.customer_id == customer_id, Contact.state.in_(("current", "proposed"))
    )
    return session.scalars(query.order_by(Contact.preferred.desc(), Contact.id)).all()


def _still_right(session: Session, standing: Sequence[Contact], answers: Sequence[Answer]) -> list[Contact]:
    """The value that the form shows of each kind answered `same`: the version named, else the preferred or oldest.

    A version that an undo has repeated since stands for the one that was printed.
    """
    current = [row for row in standing if row.state == "current"]
    same = [answer for answer in answers if answer.reply == "same"]
    named = [answer.contact_id for answer in same if answer.contact_id is not None]
    shown = {row.id: row for row in session.scalars(select(Contact).where(Contact.id.in_(named)))} if named else {}
    found: dict[int, Contact] = {}
    for answer in same:
        row = next((row for row in current if _is_shown(row, answer, shown)), None)
        if row is not None:
            found[row.id] = row
    return list(found.values())


def _is_shown(row: Contact, answer: Answer, shown: Mapping[int, Contact]) -> bool:
    if answer.contact_id is None:
        return row.kind == answer.kind and row.purpose == answer.purpose
    printed = shown.get(answer.contact_id)
    return printed is not None and (row.kind, row.value, row.purpose) == (printed.kind, printed.value, printed.purpose)


def _replaced(standing: Sequence[Contact], answer: Answer) -> dict[str, int]:
    """By kind, the version that a new value takes the place of: the one named, else the preferred or oldest."""
    current = [row for row in standing if row.state == "current" and row.purpose == answer.purpose]
    found = {row.kind: row.id for row in reversed(current)}
    return found | {row.kind: row.id for row in current if row.id == answer.contact_id}


def _equal(standing: Sequence[Contact], draft: Draft) -> Contact | None:
    same_kind = (row for row in standing if row.kind == draft.kind and row.purpose == draft.purpose)
    if draft.value:
        return next(
            (row for row in same_kind if row.value == draft.value and row.extension == draft.extension), None
        )
    return next((row for row in same_kind if not row.value and row.raw == draft.raw), None)


def _confirm(session: Session, contact_ids: Sequence[int], origin: Origin) -> None:
    if origin.method:
        findings = [
            Finding(key, "confirmed", origin.method, evidence=origin.evidence, credited_id=origin.credited_id)
            for key in dict.fromkeys(contact_ids)
        ]
        contacts.confirm(session, findings)
