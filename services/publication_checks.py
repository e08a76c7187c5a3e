"""Whether publications still say what was published: looked at wholly at night and on demand, cheaply on each view.

A whole look reads the published file, compares its sha256 and every digit with the database, and keeps what it found
with a short form of the figures, so that the page of a publication opens no large file.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Publication, Setting
from models.clock import utcnow
from services import Refused, files, traces
from services.results import measure_rows, rule_rows

KEY = "publication_check:"
PARTS = ("number", "unit", "unit_name", "period", "customers", "timeliness", "rules")
DIGITS = ("cohort", "numerator", "denominator", "grade")
ESTIMATED = ("weighted", "low", "high")  # kept with sampled measures; rates of rules follow from counts


@dataclass(frozen=True)
class Looked:
    """What the last whole look at a publication found: how its file was, and the sha256 of the short form."""

    ok: bool
    at: datetime
    size: int
    changed_ns: int
    short: str

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self) | {"at": self.at.isoformat()}


def look(session: Session, publication: Publication) -> Looked:
    """Read the whole file of a publication, compare it digit by digit, and keep what was found."""
    before, path = last_look(session, publication), files.location(publication.sha256)
    try:
        told = contents(publication)
        found = _found(path, is_same(session, publication, told), _store(session, told))
    except Refused:
        found = _found(path, False, before.short if before else "")
    session.merge(Setting(key=KEY + publication.number, value=found.as_json()))
    session.flush()
    return found


def last_look(session: Session, publication: Publication) -> Looked | None:
    """What the last whole look found; None before the first."""
    kept = session.scalar(select(Setting.value).where(Setting.key == KEY + publication.number))
    return Looked(**kept | {"at": datetime.fromisoformat(kept["at"])}) if isinstance(kept, dict) else None


def is_untouched(publication: Publication, looked: Looked) -> bool:
    """Whether the file is still as the last look found it, by its size and the moment of its last change."""
    size, changed = _state(files.location(publication.sha256))
    return (size, changed) == (looked.size, looked.changed_ns)


def shown(session: Session, publication: Publication) -> Mapping[str, Any]:
    """The figures that the page of a publication shows: of the short form, else of the whole file."""
    looked = last_look(session, publication)
    path = files.location(looked.short) if looked and looked.short else None
    if path is None or not path.exists():
        return short(contents(publication))
    return read(path, looked.short if looked else "", publication.number)


def contents(publication: Publication) -> Mapping[str, Any]:
    """What was published, from its file; refused where the file is not the one that was published."""
    return read(files.location(publication.sha256), publication.sha256, publication.number)


def read(path: Path, digest: str, number: str) -> Mapping[str, Any]:
    """The content of a kept file; refused where it is gone or not the one that was kept."""
    if not path.exists() or files.sha256_of(path) != digest:
        raise Refused("发布 %(number)s 的结果文件不在或被改动过。请从备份中恢复文件。", number=number)
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def is_same(session: Session, publication: Publication, told: Mapping[str, Any]) -> bool:
    """Whether the figures in the database are still those that were published, digit by digit."""
    run = publication.assessment
    now = {"measures": measure_rows(session, run), "results": rule_rows(session, run)}
    return all(_digits(now[name]) == _digits(told[name]) for name in now)


def short(told: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of units, all customers together, and of the rules for the whole."""
    measures = [row for row in told["measures"] if _is_of_all(row)]
    results = [row for row in told["results"] if _is_of_all(row) and row["unit"] == told["unit"]]
    return {name: told[name] for name in PARTS} | {"measures": measures, "results": results}


def wrong(session: Session) -> list[str]:
    """The numbers of publications that their last look found changed."""
    rows = session.execute(select(Setting.key, Setting.value).where(Setting.key.startswith(KEY)))
    return sorted(key.removeprefix(KEY) for key, value in rows if not value["ok"])


def all_of_them(session: Session) -> Iterator[int]:
    """The ids of every publication."""
    yield from session.scalars(select(Publication.id).order_by(Publication.id))


def _digits(rows: Any) -> list[tuple[Any, ...]]:
    """The figures without the names, which may be given anew."""
    return [
        tuple(row.get(name) for name in (DIGITS + ESTIMATED if "measure" in row else DIGITS)) for row in rows
    ]


def _is_of_all(row: Mapping[str, Any]) -> bool:
    return row["person"] is None and row["cohort"] == "all"


def _found(path: Path, ok: bool, digest: str) -> Looked:
    return Looked(ok, utcnow(), *_state(path), digest)


def _state(path: Path) -> tuple[int, int]:
    if not path.exists():
        return 0, 0
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _store(session: Session, told: Mapping[str, Any]) -> str:
    with tempfile.TemporaryDirectory(prefix="publication-") as folder:
        path = Path(folder) / "short.json"
        path.write_bytes(traces.canonical(short(told)))
        return files.store(session, path, f"results-{told['number']}-short.json", "application/json").sha256
