"""What a publication's package holds of the monthly reports of its run: the rows behind them, and the words on them."""

from __future__ import annotations

import hashlib
import hmac
import zipfile
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ContactKind, Publication, Report, Unit
from models.quality_words import GRADES, JUDGED_WITH_CUSTOMER, MEASURES, SEVERITIES
from models.words import COHORTS, SOURCES
from quality.reasons import REASONS
from services import report_rows, reports, yields
from services.packages import put_table

REPORTS = ("folder", "unit", "digest", "rows_sha256")
WORDS = ("list", "code", "label")


def put_reports(session: Session, package: zipfile.ZipFile, publication: Publication, key: bytes) -> None:
    """Put the rows of every kept report of the publication's run into its package."""
    listed: list[tuple[str, ...]] = []
    for row in _kept(session, publication):
        facts = reports.contents(row)
        digest = facts.get("rows_sha256")
        if not digest:
            continue
        folder = f"report-{len(listed) + 1}"
        listed.append((folder, facts["unit_code"], reports.digest(facts), digest))
        for table in report_rows.TABLES:
            lines = _lines(report_rows.read(digest, table.name), key)
            put_table(package, f"{folder}/{table.name}.csv", table.columns, lines)
    put_table(package, "reports.csv", REPORTS, listed)
    put_table(package, "words.csv", WORDS, _words(session))


def pseudonym(key: bytes, text: str) -> str:
    """A key of a customer, or of a value, within one publication."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:16]


def _kept(session: Session, publication: Publication) -> list[Report]:
    query = select(Report).join(Unit, Unit.id == Report.unit_id).order_by(Unit.path)
    return list(session.scalars(query.where(Report.assessment_id == publication.assessment_id)))


def _lines(rows: Iterator[dict[str, str]], key: bytes) -> Iterator[list[str]]:
    """The rows with other keys for customers and values, the same customer under the key of `members.csv`."""
    for row in rows:
        if row.get("customer"):
            row["customer"] = pseudonym(key, row["customer"])
        if row.get("value"):
            row["value"] = pseudonym(key, f"value|{row['value']}")
        yield list(row.values())


def _words(session: Session) -> Iterator[tuple[str, str, str]]:
    kinds = JUDGED_WITH_CUSTOMER | {row.code: row.label for row in session.scalars(select(ContactKind))}
    lists = {"kind": kinds, "reason": REASONS, "measure": MEASURES, "cohort": COHORTS}
    lists |= {
        "source": {code: SOURCES[code] for code in yields.SOURCES},
        "severity": SEVERITIES,
        "grade": {str(code): label for code, label in GRADES.items()},
    }
    for name, words in lists.items():
        yield from ((name, code, str(label)) for code, label in words.items())
