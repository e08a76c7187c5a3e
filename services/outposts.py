"""The machine outside (外网机): open letters as it was told of them, and answers until they have arrived.

It reaches no other table: its database is a file of its own, with keyed hashes, covered values and sealed answers.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Engine,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    insert,
    select,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from models import ReplyTry
from models.base import ENGINE_OPTIONS, UtcDateTime, prepare_engine
from models.clock import utcnow
from models.scope import ALL, set_scope
from services import Refused, exchange, reply_exchange, reply_tries
from services.replies import Shown, check_lines
from services.reply_checks import normal_answer
from services.reply_exchange import ANSWERS, OPEN, TOKEN
from services.returns import Line

FILE = "replies.db"
CHUNK = 1000
PART = 500  # answers sealed together, and recorded together inside
METADATA = MetaData()
LETTERS = Table(
    "letters",
    METADATA,
    Column("token", String(64), primary_key=True),
    Column("check", String(12), nullable=False, default=""),
    Column("salt", String(32), nullable=False, default=""),
    Column("answer", String(64), nullable=False, default=""),
    Column("lines", JSON, nullable=False, default=list),
    Column("until", UtcDateTime(), nullable=False),
    Column("done", Boolean, nullable=False, default=False),
)
COMING = LETTERS.to_metadata(MetaData(), name="letters_coming")  # an export while it is being loaded
SAID = Table(
    "answers",
    METADATA,
    Column("key", String(32), primary_key=True),
    Column("token", String(64), nullable=False, unique=True),
    Column("sealed", String, nullable=False),
    Column("at", UtcDateTime(), nullable=False),
)
HEAD = ("organ", "hotline", "made_at")
ABOUT = Table("about", METADATA, Column("name", String(20), primary_key=True), Column("text", String, nullable=False))


@dataclass(frozen=True)
class Loaded:
    """What an export brought: letters that may be answered, closed ones, and answers that have arrived inside."""

    letters: int
    closed: int
    received: int


class Outpost:
    """The database of the machine outside, with the key that it shares with the inner network."""

    def __init__(self, home: Path, key: bytes) -> None:
        self.key = key
        self.engine: Engine = create_engine(f"sqlite:///{home / FILE}", **ENGINE_OPTIONS)
        prepare_engine(self.engine)
        METADATA.create_all(self.engine)
        ReplyTry.__table__.create(self.engine, checkfirst=True)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction on this file alone."""
        with Session(self.engine) as session, session.begin():
            set_scope(session, ALL)
            yield session

    def load(self, path: Path) -> Loaded:
        """Take an export in, all of it or nothing: it says which letters there are; answers that have not arrived
        stay. It is read into a table beside the one in use, so that customers wait for nothing meanwhile."""
        parts, found = exchange.unseal_parts(self.key, OPEN, path), Counter[str]()
        head, received = next(parts), list[str]()
        with self.session() as session:
            _check_newer(session, head["made_at"])
        COMING.drop(self.engine, checkfirst=True)
        COMING.create(self.engine)
        for part in parts:
            rows = [_row(row) for row in part.get("letters", ())]
            received += part.get("received", ())
            closed = sum(row["done"] for row in rows)
            found.update(letters=len(rows) - closed, closed=closed)
            if rows:
                with self.session() as session:
                    session.execute(insert(COMING), rows)
        with self.session() as session:
            _change_over(session, head)
            return Loaded(found["letters"], found["closed"], _forget(session, received))

    def collect(self, path: Path) -> tuple[int, int]:
        """All answers that are not known to have arrived, sealed for the inner network; nothing is taken away here.
        Returns how many, and the size in bytes."""
        counted = Counter[str]()
        size = exchange.write(path, exchange.seal_parts(self.key, ANSWERS, self._said(counted)))
        return counted["answers"], size

    def _said(self, counted: Counter[str]) -> Iterator[dict[str, Any]]:
        query = select(SAID.c.sealed).order_by(SAID.c.at, SAID.c.key).execution_options(yield_per=PART)
        with self.session() as session:
            for rows in session.scalars(query).partitions():
                answers = [exchange.unseal(self.key, "answer", base64.b64decode(row)) for row in rows]
                counted.update(answers=len(answers))
                yield {"answers": answers}
        yield {"answers": []}

    def about(self) -> dict[str, str]:
        """Who asks, as the export says."""
        with self.session() as session:
            return dict(session.execute(select(ABOUT.c.name, ABOUT.c.text)).tuples().all())

    def question(self, token: str) -> str:
        """The check of a letter that may be answered now."""
        row = self._open(token)
        return str(row["check"]) if row else ""

    def is_answered(self, token: str) -> bool:
        """Whether the letter has its answer, inside or here."""
        name = self._name(token)
        with self.session() as session:
            done = session.scalar(select(LETTERS.c.done).where(LETTERS.c.token == name))
            return bool(done) or session.scalar(select(SAID.c.key).where(SAID.c.token == name)) is not None

    def enter(self, token: str, given: str, address: str) -> bool:
        """Count the try, and commit it, before anything is compared."""
        key = exchange.derived(self.key, "tries").hex()
        with self.session() as session:
            may_try = reply_tries.claim(session, token, address, key=key, moment=utcnow())
        row = self._open(token) or {"salt": "-", "answer": ""}
        found = reply_exchange.salted(self.key, normal_answer(given), str(row["salt"]))["answer"]
        is_right = hmac.compare_digest(found, str(row["answer"]))
        if may_try and is_right:
            with self.session() as session:
                reply_tries.forgive(session, token, address, key=key)
        return may_try and is_right

    def lines(self, token: str) -> Sequence[Shown]:
        """What the letter shows, covered."""
        row = self._open(token)
        return reply_exchange.lines_of(row) if row else ()

    def answer(self, token: str, lines: Sequence[Line]) -> None:
        """Keep an answer, sealed; the first one of a letter stays."""
        row = self._open(token)
        check_lines(lines, [line.place for line in reply_exchange.lines_of(row)] if row else ())
        if row is None:
            return
        said = {"key": secrets.token_hex(16), "token": token, "check": row["check"], "at": utcnow().isoformat()}
        plain = [[line.place, line.reply, line.text] for line in lines]
        sealed = base64.b64encode(exchange.seal(self.key, "answer", said | {"lines": plain})).decode()
        values = {"key": said["key"], "token": self._name(token), "sealed": sealed, "at": utcnow()}
        with self.session() as session:
            session.execute(sqlite.insert(SAID).on_conflict_do_nothing(index_elements=["token"]), values)

    def _name(self, token: str) -> str:
        return exchange.hashed(self.key, TOKEN, token)

    def _open(self, token: str) -> Mapping[str, Any] | None:
        query = select(LETTERS).where(LETTERS.c.token == self._name(token), LETTERS.c.done.is_(False))
        with self.session() as session:
            row = session.execute(query.where(LETTERS.c.until > utcnow())).mappings().one_or_none()
        return dict(row) if row is not None else None


def _change_over(session: Session, head: Mapping[str, Any]) -> None:
    """What was read beside becomes what is in use, in one short transaction."""
    _check_newer(session, head["made_at"])
    session.execute(text(f"DROP TABLE {LETTERS.name}"))
    session.execute(text(f"ALTER TABLE {COMING.name} RENAME TO {LETTERS.name}"))
    session.execute(delete(ABOUT))
    session.execute(insert(ABOUT), [{"name": name, "text": str(head[name])} for name in HEAD])


def _check_newer(session: Session, made_at: str) -> None:
    """Refuse an export older than the one in use: it would open again what has been answered since."""
    known = session.scalar(select(ABOUT.c.text).where(ABOUT.c.name == "made_at"))
    if known and datetime.fromisoformat(made_at) < datetime.fromisoformat(known):
        raise Refused("这个交换文件比已装入的旧。请装入内网最近导出的一个。")


def _forget(session: Session, keys: Sequence[str]) -> int:
    """Take away the answers that have arrived inside."""
    chunks = (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))
    gone = (session.execute(delete(SAID).where(SAID.c.key.in_(chunk))) for chunk in chunks)
    return sum(done.rowcount for done in gone)  # type: ignore[attr-defined]


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    blank = {"check": "", "salt": "", "answer": "", "lines": [], "done": False}
    return blank | dict(row) | {"until": datetime.fromisoformat(row["until"])}
