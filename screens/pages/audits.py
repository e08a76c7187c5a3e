"""Audits on the screen: who checks what, findings keyed row by row, checked by a second person, brought to an end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from models import AuditItem, BatchAudit, ContactKind, Sample, Staff, Unit, db
from screens import access, audit_lists, downloads, masking
from screens.access import needs
from screens.base import Page
from screens.cards import Card
from screens.looks import screen_url
from screens.messages import done, said, warn
from screens.pages.samples import stratum_word
from screens.pickers import staff_in_reach
from services import Refused, accuracy, audits, contact_desk, sample_papers
from services.audits import Finding

ATTEMPT = "attempt"


class Audits(Page):
    """Drawn samples and batches that are being checked; the items of one, keyed where they stand."""

    permission = "audits.view"
    label, group = _l("抽样核查"), "samples"

    def permissions_for(self, method: str, *, reading: bool) -> tuple[str, ...]:
        return ("audits.view", "audits.key") if reading else super().permissions_for(method, reading=reading)

    def is_accessible(self) -> bool:
        return access.may("audits.view", "audits.key")

    @expose("/")
    def index(self) -> str:
        """What is being checked, with how far it is."""
        session = db.session()
        query = select(Sample).where(Sample.state != "committed").options(joinedload(Sample.unit))
        samples = session.scalars(query.order_by(Sample.id.desc()).limit(100)).all()
        batches = session.scalars(
            select(BatchAudit).options(joinedload(BatchAudit.batch)).order_by(BatchAudit.id.desc()).limit(100)
        ).all()
        return self.render(
            "screens/audits.html",
            samples=[(one, audit_lists.progress(session, audit_lists.of_sample(one.id))) for one in samples],
            batches=[(one, audit_lists.progress(session, audit_lists.of_batch(one.id))) for one in batches],
        )

    @expose("/<int:key>")
    def show(self, key: int) -> Any:
        """The items of a sample."""
        return self._items(_sample(key), {})

    @expose("/of/<period>")
    def of(self, period: str) -> Any:
        """From a figure of accuracy to the items behind it: those of the sample that speaks for the unit."""
        session, unit = db.session(), db.session.get(Unit, request.args.get("unit", 0, type=int))
        sample = accuracy.sample_of(session, period, unit) if unit is not None else None
        if sample is None:
            raise Refused(_("没有找到这个数字的样本。请从“抽样核查”页打开。"))
        return redirect(self.get_url(".show", key=sample.id, **audit_lists.kept()))

    @expose("/batch/<int:key>")
    def batch(self, key: int) -> Any:
        """The items of a batch."""
        return self._items(_batch(key), {})

    @expose("/<kind>/<int:key>/plain", methods=("POST",))
    @needs("customers.reveal")
    def plain(self, kind: str, key: int) -> Any:
        """The same page with plain values; a reveal is written for each customer on it."""
        subject = _subject(kind, key)
        rows = audit_lists.page_of(subject)[0]
        for customer in {row.customer for row in rows}:
            shown = [row.contact_id for row in rows if row.customer_id == customer.id]
            contact_desk.reveal(db.session(), customer, shown, staff=current_user, purpose="audit")
        return self._items(subject, {"plain": True})

    @expose("/<kind>/<int:key>/key", methods=("POST",))
    @needs("audits.key")
    def key(self, kind: str, key: int) -> Any:
        """Keep the rows in which something was keyed, all or none."""
        findings = _typed(request.form)
        try:
            if not findings:
                raise Refused(_("还没有填任何一行。请先选结论再保存。"))
            number = audits.key(db.session(), findings, staff=current_user)
        except Refused as refusal:
            db.session.rollback()
            return self._items(_subject(kind, key), {"wrong": said(refusal), "typed": request.form}), 422
        done(_("已保存 %(number)s 项。", number=number))
        return self._back(kind, key)

    @expose("/<kind>/<int:key>/check", methods=("POST",))
    @needs("audits.review")
    def check(self, kind: str, key: int) -> Any:
        """Check the picked verdicts as a second person."""
        ids = [int(one) for one in request.form.getlist("rowid") if one.isdecimal()]
        if not ids:
            raise Refused(_("请先勾选要复核的核查项。"))
        done(_("已复核 %(number)s 项。", number=audits.check(db.session(), ids, staff=current_user)))
        return self._back(kind, key)

    @expose("/<kind>/<int:key>/assign", methods=("POST",))
    @needs("audits.assign")
    def assign(self, kind: str, key: int) -> Any:
        """Give the picked items to a person."""
        person = staff_in_reach().filter(Staff.id == request.form.get("person", type=int)).one_or_none()
        ids = [int(one) for one in request.form.getlist("rowid") if one.isdecimal()]
        if not ids or person is None:
            raise Refused(_("请勾选核查项，并选择一名核查人员。"))
        rows = db.session.scalars(
            select(AuditItem).where(AuditItem.id.in_(ids)).options(*audit_lists.loaded())
        ).all()
        done(
            _("已分派 %(number)s 项。", number=audits.assign(db.session(), rows, person, staff=current_user))
        )
        return self._back(kind, key)

    @expose("/<int:key>/share", methods=("POST",))
    @needs("audits.assign")
    def share(self, key: int) -> Any:
        """Give whatever nobody has to several people in turn, never a person's own records."""
        wanted = request.form.getlist("person", type=int)
        people = staff_in_reach().filter(Staff.id.in_(wanted)).all()
        number, left = audits.share_out(db.session(), _sample(key), people, staff=current_user)
        done(_("已分派 %(number)s 项。", number=number))
        if left:
            warn(
                _(
                    "有 %(number)s 项由这些人录入、提出或负责，不能由本人核查，请再加一名核查人员。",
                    number=left,
                )
            )
        return self._back("sample", key)

    @expose("/<int:key>/close", methods=("POST",))
    @needs("audits.review")
    def close(self, key: int) -> Any:
        """End the audit of a sample."""
        audits.close(db.session(), _sample(key), staff=current_user)
        done(_("核查已结束，结论不再改动；准确率从下一次质量评价起可用。"))
        return redirect(screen_url("samples") + str(key), 303)

    @expose("/<int:key>/worksheet.pdf", methods=("POST",))
    @needs("audits.export")
    def worksheet(self, key: int) -> Any:
        """The worksheet of one person or of all, with plain values; each print is traced and numbered."""
        sample, person = _sample(key), request.form.get("person", type=int)
        auditor = staff_in_reach().filter(Staff.id == person).one_or_none() if person else None
        facts = sample_papers.worksheet(db.session(), sample, auditor)
        return downloads.printed("audit_worksheet", facts, f"{sample.unit.name}_{sample.period}")

    def _items(self, subject: Sample | BatchAudit, more: Mapping[str, Any]) -> Any:
        kind = "sample" if isinstance(subject, Sample) else "batch"
        rows, following = audit_lists.page_of(subject)
        counted = audit_lists.progress(db.session(), audit_lists.items_of(subject))
        facts = {"subject": subject, "kind": kind, "rows": rows, "following": following, "counted": counted}
        facts |= {"states": audit_lists.states(), "state": audit_lists.state(), "kept": audit_lists.kept()}
        facts |= {"mine": request.values.get("mine", ""), "wrong": "", "plain": False, "typed": {}}
        return self.render("screens/audit_items.html", **{**facts, **_words(), **more})

    def _back(self, kind: str, key: int) -> Any:
        view = ".show" if kind == "sample" else ".batch"
        return redirect(self.get_url(view, key=key, **audit_lists.kept()), 303)


def to_audit_card(session: Session, staff: Staff) -> Card | None:
    """The items that wait for this person."""
    mine = (
        select(func.count())
        .select_from(AuditItem)
        .where(AuditItem.auditor_id == staff.id, AuditItem.verdict == "")
    )
    number = session.scalar(mine) or 0
    note = "" if number else _("没有分派给您的核查项。")
    return Card(_("我的核查"), number, screen_url("audits"), tone="care" if number else "calm", note=note)


def _subject(kind: str, key: int) -> Sample | BatchAudit:
    return _sample(key) if kind == "sample" else _batch(key)


def _sample(key: int) -> Sample:
    found = db.session.get(Sample, key) if key < 2**63 else None
    return found if found is not None and found.state != "committed" else abort(404)


def _batch(key: int) -> BatchAudit:
    found = db.session.scalar(select(BatchAudit).where(BatchAudit.id == key)) if key < 2**63 else None
    return found if found is not None else abort(404)


def _typed(form: Mapping[str, str]) -> dict[int, Finding]:
    """The rows in which a verdict or an attempt was chosen."""
    found = {}
    for name, verdict in form.items():
        head, _dash, number = name.partition("-")
        if head != "verdict" or not verdict or not number.isdecimal():
            continue
        texts = {one: form.get(f"{one}-{number}", "") for one in ("correct", "evidence", "reason")}
        mode = form.get(f"mode-{number}", "")
        found[int(number)] = Finding(mode, "" if verdict == ATTEMPT else verdict, **texts)
    return found


def _text(item: AuditItem, *, plain: bool) -> str:
    shown = masking.pretty(item.kind, item.value)
    return shown if plain else masking.masked(item.kind, shown)


def _words() -> dict[str, Any]:
    """What the rows need to be said in words."""
    found = {"people": _people(), "kinds": _kinds(), "names": _names(), "attempt": ATTEMPT}
    return found | {"text": _text, "stratum_word": stratum_word, "name_text": masking.name_text}


def _people() -> list[Staff]:
    return [one for one in staff_in_reach() if one.can("audits.key")]


def _kinds() -> dict[str, str]:
    rows = db.session.execute(select(ContactKind.code, ContactKind.label))
    return {code: _(label) for code, label in rows.tuples()}


def _names() -> dict[str, str]:
    return dict(db.session.execute(select(Unit.code, Unit.name)).tuples().all())
