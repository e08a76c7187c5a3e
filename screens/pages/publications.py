"""Published results, for all staff: what holds now, what was corrected by what, and the package to recount it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import abort, redirect
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models import Assessment, Publication, Unit, db
from models.scope import ALL, working_as
from screens.access import SIGNED_IN, needs
from screens.base import Page
from screens.downloads import made
from screens.messages import done, warn
from services import publication_checks, publication_files, publications, traces

SHOWN = ("completeness", "validity", "timeliness", "accuracy")


class Publications(Page):
    """What was published, newest first."""

    permission = SIGNED_IN
    label, group = _l("发布结果"), "quality"

    @expose("/")
    @needs(SIGNED_IN)
    def index(self) -> str:
        """Every publication; those that were corrected say by which."""
        query = select(Publication).options(joinedload(Publication.published_by))
        query = query.options(joinedload(Publication.assessment).joinedload(Assessment.unit))
        rows = db.session.scalars(query.order_by(Publication.id.desc()).limit(300)).all()
        corrected = publications.corrections(db.session())
        return self.render("screens/publications.html", rows=rows, corrected=corrected)

    @expose("/<number>")
    @needs(SIGNED_IN)
    def show(self, number: str) -> str:
        """The figures as they were published."""
        row = _one(number)
        told = publication_checks.shown(db.session(), row)
        facts = {"row": row, "told": told, "measures": _measures(told), "results": _results(told)}
        with working_as(db.session(), ALL):
            facts["units"] = _named(told)
        facts["correction"] = publications.corrected_by(db.session(), row)
        looked = publication_checks.last_look(db.session(), row)
        facts["looked"] = looked
        facts["untouched"] = looked is not None and publication_checks.is_untouched(row, looked)
        facts["fingerprint"] = traces.fingerprint(db.session())
        return self.render("screens/publication.html", shown=SHOWN, **facts)

    @expose("/<number>/look", methods=("POST",))
    @needs("assessments.view")
    def look(self, number: str) -> Any:
        """Compare the whole published file with its sha256 and with the database, digit by digit."""
        found = publication_checks.look(db.session(), _one(number))
        if found.ok:
            done(_("核对过了：发布的文件没有改动，与数据库逐个数字一致。"))
        else:
            warn(_("发布的文件不在、被改动过，或与数据库不一致。请告诉系统管理员。"))
        return redirect(self.get_url(".show", number=number), 303)

    @expose("/<number>/package", methods=("POST",))
    @needs("assessments.view")
    def package(self, number: str) -> Any:
        """The files from which an outsider re-derives every figure."""
        row = _one(number)
        with _scratch() as path:
            publication_files.write_package(db.session(), row, path)
            return made(path.read_bytes(), f"results-{row.number}.zip", "application/zip")

    @expose("/<number>/accounts", methods=("POST",))
    @needs("customers.export")
    def accounts(self, number: str) -> Any:
        """Which key in the package is which account."""
        row = _one(number)
        with _scratch() as path:
            publication_files.write_accounts(db.session(), row, path, staff=current_user)
            return made(path.read_bytes(), f"accounts-{row.number}.csv", "text/csv")


@contextmanager
def _scratch() -> Iterator[Path]:
    """A place for a file that is sent and forgotten."""
    with tempfile.TemporaryDirectory(prefix="publication-") as folder:
        yield Path(folder) / "file"


def _one(number: str) -> Publication:
    found = db.session.scalar(select(Publication).where(Publication.number == number))
    return found if found is not None else abort(404)


def _measures(told: Any) -> dict[str, dict[str, dict[str, Any]]]:
    """Figures of units, all customers together: unit code, measure, row."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in told["measures"]:
        found.setdefault(row["unit"], {})[row["measure"]] = row
    return found


def _results(told: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each rule with its figure for the whole."""
    whole = {row["rule"]: row for row in told["results"]}
    return [(rule, whole[rule["code"]]) for rule in told["rules"] if rule["code"] in whole]


def _named(told: Any) -> list[tuple[str, str, int]]:
    """The units of a publication in the order of the tree: code, name, depth; the code where one is gone."""
    codes = {row["unit"] for row in told["measures"]}
    rows = db.session.execute(
        select(Unit.code, Unit.name, Unit.path).where(Unit.code.in_(codes)).order_by(Unit.path)
    )
    found = [(row.code, row.name, row.path.count("/")) for row in rows]
    top = min((depth for _code, _name, depth in found), default=0)
    known = {code for code, _name, _depth in found}
    return [(code, name, depth - top) for code, name, depth in found] + [
        (code, code, 0) for code in sorted(codes - known)
    ]
