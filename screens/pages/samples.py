"""Samples: designed from the strata as they stand, promised before the deadline, drawn with the public number."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models import Sample, Unit, db
from models.clock import period_of, today
from quality.sampling import allocate, size_for, size_to_tell
from screens import downloads, looks
from screens.access import needs
from screens.base import Page
from screens.messages import done, said
from screens.pickers import unit_choices
from services import Refused, sample_papers, samples, traces
from services.people import in_scope_units
from services.samples import Wanted

CSV = "text/csv; charset=utf-8"
PRECISIONS = (0.01, 0.015, 0.02, 0.03, 0.05)
PAIRS = ((0.95, 0.90), (0.98, 0.95), (0.95, 0.85))


class Samples(Page):
    """All samples, the design of the next one, and the page of one from promise to result."""

    permission = "samples.view"
    label, group = _l("抽样"), "samples"

    @expose("/")
    def index(self) -> str:
        """Samples, newest first, and the form that begins a design."""
        return self._index("")

    @expose("/design")
    @needs("samples.run")
    def design(self) -> Any:
        """The strata of a unit, how many an interval of the wanted width asks for, and the form that commits."""
        try:
            return self._design({})
        except Refused as refusal:
            db.session.rollback()
            return self._index(said(refusal)), 422

    @expose("/commit", methods=("POST",))
    @needs("samples.run")
    def commit(self) -> Any:
        """Freeze the frame, promise the seed."""
        form = request.form
        wanted = Wanted(
            form.get("period", ""),
            form.get("size", 0, type=int),
            form.get("method", ""),
            clusters=form.get("clusters", 0, type=int),
            public_source=form.get("public_source", ""),
            counted_by=form.get("counted_by", ""),
            interval=form.get("interval", "wilson"),
        )
        try:
            unit = _unit(form.get("unit", type=int))
            sample = samples.commit(db.session(), unit, wanted, staff=current_user)
        except Refused as refusal:
            db.session.rollback()
            return self._designed_again(said(refusal)), 422
        done(_("已作出抽样承诺。请打印公告，在截止之前张贴。"))
        return redirect(self.get_url(".show", key=sample.id), 303)

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """One sample as far as it is."""
        return self._show(_one(key), {})

    @expose("/<int:key>/draw", methods=("POST",))
    @needs("samples.run")
    def draw(self, key: int) -> Any:
        """Draw with the public number and reveal the seed."""
        try:
            drawn = samples.draw(
                db.session(), _one(key), request.form.get("public_number", ""), staff=current_user
            )
        except Refused as refusal:
            db.session.rollback()
            return self._show(_one(key), {"wrong": said(refusal)}), 422
        done(_("已抽取 %(number)s 户，种子已公布。", number=len(drawn)))
        return redirect(self.get_url(".show", key=key), 303)

    @expose("/<int:key>/announcement.pdf")
    def announcement(self, key: int) -> Any:
        """The sheet to be put up: before the draw the promise, after it the seed as well."""
        sample = _one(key)
        facts = sample_papers.announcement(db.session(), sample)
        return downloads.printed("sample_announcement", facts, f"{sample.unit.name}_{sample.period}")

    @expose("/<int:key>/strata.csv")
    def strata(self, key: int) -> Any:
        """The strata with their places."""
        sample = _one(key)
        return _text(sample_papers.strata_text(db.session(), sample), sample, "strata.csv")

    @expose("/<int:key>/drawn.csv", methods=("POST",))
    @needs("samples.run", "audits.export")
    def drawn(self, key: int) -> Any:
        """The drawn accounts, once they are drawn; the download is traced."""
        sample = _drawn(key)
        traces.record(db.session(), "sample.exported", sample, details={"file": "drawn.csv"})
        return _text(sample_papers.drawn_text(db.session(), sample), sample, "drawn.csv")

    @expose("/<int:key>/members.txt", methods=("POST",))
    @needs("samples.run", "audits.export")
    def members(self, key: int) -> Any:
        """The frozen frame with unit and meter book: what whoever draws again needs; the download is traced."""
        sample = _drawn(key)
        traces.record(db.session(), "sample.exported", sample, details={"file": "members.txt"})
        return downloads.stored(db.session(), sample.members_sha256)

    @expose("/<int:key>/frame.txt", methods=("POST",))
    @needs("samples.run", "audits.export")
    def frame(self, key: int) -> Any:
        """The frozen frame whose sha256 was promised; the download is traced."""
        sample = _drawn(key)
        traces.record(db.session(), "sample.exported", sample, details={"file": "frame.txt"})
        return downloads.stored(db.session(), sample.frame_sha256)

    def _index(self, wrong: str) -> str:
        query = select(Sample).options(joinedload(Sample.unit), joinedload(Sample.committed_by))
        rows = db.session.scalars(query.order_by(Sample.id.desc()).limit(200)).all()
        period = request.values.get("period", "") or period_of(today(db.session()))
        return self.render(
            "screens/samples.html", rows=rows, units=unit_choices(), period=period, wrong=wrong
        )

    def _designed_again(self, wrong: str) -> str:
        """The form that was refused; where not even its unit or month can be read, the one before it."""
        try:
            return self._design({"wrong": wrong})
        except Refused:
            db.session.rollback()
            return self._index(wrong)

    def _design(self, more: dict[str, Any]) -> str:
        values, unit = request.values, _unit(request.values.get("unit", type=int))
        share, precision = _share("share", 0.95), _share("precision", 0.02)
        lower = _share("lower", 0.90)
        held = samples.populations(db.session(), unit, values.get("period", ""))
        total = sum(held.values())
        size = values.get("size", type=int) or size_for(precision, total, share=share)
        facts = {"unit": unit, "period": values.get("period", ""), "share": share, "precision": precision}
        facts |= {
            "lower": lower,
            "total": total,
            "size": size,
            "strata": _strata(held, size),
            "typed": values,
        }
        facts["sizes"] = [(one, size_for(one, total, share=share)) for one in PRECISIONS]
        pairs = dict.fromkeys(((share, lower), *PAIRS)) if share != lower else dict.fromkeys(PAIRS)
        facts["pairs"] = [(one, other, size_to_tell(one, other)) for one, other in pairs]
        return self.render("screens/sample_design.html", names=_names(), **facts | {"wrong": ""} | more)

    def _show(self, sample: Sample, more: dict[str, Any]) -> str:
        session = db.session()
        facts = {"sample": sample, "is_due": samples.is_due(session, sample), "names": _names(), "wrong": ""}
        found = [] if sample.state == "committed" else sample_papers.results(session, sample)
        facts |= {"results": found, "stratum_word": stratum_word}
        return self.render("screens/sample.html", **facts | more)


def stratum_word(name: str, names: dict[str, str]) -> str:
    """A stratum in the reader's words: unit, cohort and class, or unit and meter book."""
    code, _bar, rest = name.partition("|")
    cohort, _bar, customer_class = rest.partition("|")
    words = [
        names.get(code, code),
        looks.word(cohort, "COHORTS"),
        looks.word(customer_class, "CUSTOMER_CLASSES"),
    ]
    return " ".join(word for word in words if word)


def _one(key: int) -> Sample:
    found = db.session.get(Sample, key) if key < 2**63 else None
    return found if found is not None else abort(404)


def _drawn(key: int) -> Sample:
    sample = _one(key)
    _unit(sample.unit_id)
    if sample.state == "committed":
        raise Refused(_("抽取之前不提供总体和名单，以免有人推算。请在抽取以后下载。"))
    return sample


def _unit(key: int | None) -> Unit:
    session = db.session()
    found = session.scalar(select(Unit).where(Unit.id == (key or 0), in_scope_units(session)))
    if found is None:
        raise Refused(_("请选择管辖范围内的单位。"))
    return found


def _names() -> dict[str, str]:
    return dict(db.session.execute(select(Unit.code, Unit.name)).tuples().all())


def _strata(held: dict[str, int], size: int) -> list[tuple[str, int, int]]:
    total = sum(held.values())
    places = allocate(held, max(1, min(size, total))) if total else {}
    return [(name, held[name], places[name]) for name in sorted(held)]


def _share(name: str, usual: float) -> float:
    """A percentage that was typed, as a share; what makes no sense falls back to the usual one."""
    found = request.values.get(name, type=float)
    return found / 100 if found is not None and 0 < found < 100 else usual


def _text(text: str, sample: Sample, name: str) -> Any:
    return downloads.made(text.encode(), f"{sample.period}_{sample.unit.code}_{name}", CSV)
