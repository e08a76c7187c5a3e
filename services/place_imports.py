"""Files of divisions and dated renames: tried first, every fault named, then brought in, all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import PlaceDivision, PlaceRename, StoredFile
from models.bulk import insert_rows, take_ids
from models.people import root_unit
from models.said import Said
from services import Refused, files, traces
from services.people import acting_staff, require
from services.place_files import PlaceRow, look_into, read_rows
from services.uploads import named

EDIT = "units.edit"
KEEP_DAYS = 7
HEAD = "places-"  # the stored name of a file that was tried
DIVISIONS, RENAMES = PlaceDivision.__table__, PlaceRename.__table__
_TOLD = {"place_divisions": ("source",), "place_renames": ("new_name", "changed_on", "source")}
SHOWN = 20


@dataclass(frozen=True)
class Imported:
    """What a file of divisions or renames did, or would do."""

    created: int
    updated: int
    unchanged: int


@dataclass(frozen=True)
class Trial:
    """What a file would do; with faults nothing of it comes in, and `digest` is empty."""

    name: str
    digest: str
    rows: int
    faults: tuple[Said, ...]
    done: Imported
    first: tuple[PlaceRow, ...]


@dataclass(frozen=True)
class _Compared:
    """The rows of a table that are new, and those that say something else than before (with their id)."""

    new: Sequence[Mapping[str, Any]]
    changed: Sequence[Mapping[str, Any]]
    unchanged: int


def try_file(session: Session, path: Path, name: str) -> Trial:
    """Look a file through without bringing anything in; a file without faults is kept for a week, to be brought in."""
    _check(session)
    with named(path.name, name):
        rows, faults = look_into(path)
    if faults or not rows:
        return Trial(name, "", len(rows), tuple(faults), Imported(0, 0, 0), ())
    compared = [_compared(session, table, facts) for table, facts in _facts(rows)]
    stored = files.store(session, path, f"{HEAD}{Path(name).name}"[:200], "text/csv", keep_days=KEEP_DAYS)
    return Trial(name, stored.sha256, len(rows), (), _counted(compared), tuple(rows[:SHOWN]))


def keep_tried(session: Session, digest: str) -> Imported:
    """Bring in a file that was tried before; refused where it is gone."""
    row = session.get(StoredFile, digest) if len(digest) == 64 else None
    if row is None or not row.name.startswith(HEAD) or not files.location(digest).exists():
        raise Refused("没有找到试算过的文件，可能已超过七天。请重新上传试算。")
    return import_file(session, files.location(digest))


def import_file(session: Session, path: Path) -> Imported:
    """Bring a file of divisions, or one of renames, in: all of it or nothing. What is there already is brought up to
    the file; nothing is taken away."""
    _check(session)
    rows = read_rows(path)
    compared = [(table, _compared(session, table, facts)) for table, facts in _facts(rows)]
    for table, found in compared:
        _bring_in(session, table, found)
    done = _counted([found for _table, found in compared])
    details = {"rows": len(rows), "created": done.created, "updated": done.updated}
    traces.record(session, "places.imported", root_unit(session), details=details)
    return done


def _check(session: Session) -> None:
    staff = acting_staff(session)
    if staff is not None:
        require(staff, EDIT)


def _facts(rows: Sequence[PlaceRow]) -> list[tuple[Any, list[dict[str, Any]]]]:
    divisions = [row.division() for row in rows if not row.old_name]
    return [(DIVISIONS, divisions), (RENAMES, [row.rename() for row in rows if row.old_name])]


def _compared(session: Session, table: Any, facts: Sequence[Mapping[str, Any]]) -> _Compared:
    """What is not there yet, and what differs in the columns that only tell."""
    if not facts:
        return _Compared((), (), 0)
    told = _TOLD[table.name]
    names = [name for name in facts[0] if name not in told]
    known = {tuple(getattr(row, name) for name in names): row for row in session.execute(select(table))}
    pairs = [(fact, known.get(tuple(fact[name] for name in names))) for fact in facts]
    new = [fact for fact, row in pairs if row is None]
    changed = [
        {**fact, "id": row.id}
        for fact, row in pairs
        if row is not None and any(getattr(row, name) != fact[name] for name in told)
    ]
    return _Compared(new, changed, len(facts) - len(new) - len(changed))


def _counted(found: Sequence[_Compared]) -> Imported:
    return Imported(
        sum(len(one.new) for one in found),
        sum(len(one.changed) for one in found),
        sum(one.unchanged for one in found),
    )


def _bring_in(session: Session, table: Any, found: _Compared) -> None:
    keys = take_ids(session, table, len(found.new)) if found.new else ()
    insert_rows(session, table, [{"id": key, **fact} for key, fact in zip(keys, found.new, strict=True)])
    if found.changed:
        session.info.pop("known_places", None)
        session.execute(update(PlaceDivision if table is DIVISIONS else PlaceRename), list(found.changed))
