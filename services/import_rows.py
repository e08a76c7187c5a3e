"""One row of a customer file, judged and read: what it says of the customer, and which contact values it brings."""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from models.bulk import undisturbed
from models.home import home_path, load_secrets
from quality import judge
from quality.texts import read_missing
from quality.verdicts import Context, Verdict
from services import import_facts
from services.headings import FIELDS
from services.import_spools import SpoolRow
from services.import_units import Units
from services.judging import contact_kind

CONTACTS = tuple(name for name, heading in FIELDS.items() if heading.contact)
TEXTS = {"name": 200, "transformer_area": 60, "meter_book": 60, "meter_no": 40}
CODED = {
    "usage_class": import_facts.read_usage,
    "customer_class": import_facts.read_class,
    "sensitivity": import_facts.read_sensitivity,
    "opened_on": import_facts.read_day,
}
PEOPLE = ("manager", "recorder")
SINGLE = (
    "name", *CODED, "manager", "transformer_area", "meter_book", "meter_no", "supply_address", "id_number", "uscc",
)  # fmt: skip
GOOD = ("valid", "repairable")
SAID = frozenset(FIELDS).difference(CONTACTS, ("account_no", "unit"))
LONGEST_NONE = 24  # no way of saying that there is none is longer

_LIKE_IDENTITY = re.compile(r"\d{14,17}[\dX*]?|\d{6}(19|20)\d{6,}[\dX*]*")


class Value(NamedTuple):
    """One contact value of a cell; without `value` it stands for a cell in which nothing was recognised."""

    kind: str
    value: str
    extension: str


class Cell(NamedTuple):
    """One judged contact cell with all its values, at least one."""

    field: str
    raw: str
    verdict: str
    reasons: str
    values: tuple[Value, ...]

    @property
    def is_usable(self) -> bool:
        """Whether its values may be used for mail or messages."""
        return self.verdict in GOOD


class ReadRow(NamedTuple):
    """One row as an import needs it. `facts` are columns of the customer; `people` texts that name staff;
    `unread` what could not be understood, by field."""

    number: int
    account: str
    unit_id: int
    unit_named: bool
    error: str
    is_first: bool
    facts: dict[str, Any]
    people: dict[str, str]
    recorded_at: datetime | None
    cells: tuple[Cell, ...]
    unread: dict[str, str]


def read_rows(rows: Iterable[SpoolRow], units: Units) -> list[ReadRow]:
    """Judge and read the rows of one chunk: all the slow work of an import, without the database."""
    key = bytes.fromhex(load_secrets(home_path())["ID_KEY"])
    with undisturbed():
        return [_read_row(row, units.context(row.home.unit_id), key) for row in rows]


def singles(row: SpoolRow, units: Units) -> dict[str, str]:
    """What a row says that a customer has only one of, in a form to compare by; what is unsure is left out."""
    context = units.context(row.home.unit_id)
    found = {name: _comparable(name, row.fields.get(name, ""), context) for name in SINGLE}
    unit = str(row.home.unit_id) if row.home.named else ""
    return {name: text for name, text in {**found, "unit": unit}.items() if text}


def fingerprint(text: str, key: bytes) -> str:
    """The keyed hash that stands for an identity number."""
    return hmac.digest(key, text.encode(), "sha256").hex()


@lru_cache(maxsize=import_facts.REMEMBERED)
def is_none(text: str) -> bool:
    """Whether a text is blank, or says that there is none."""
    return len(text) <= LONGEST_NONE and read_missing(text) is not None


@lru_cache(maxsize=import_facts.REMEMBERED)
def tidy(text: str) -> str:
    """A text as it came, without invisible characters and needless spaces."""
    if not text.isprintable():
        text = "".join(char for char in text if char.isspace() or unicodedata.category(char)[0] != "C")
    return " ".join(text.split())


def _read_row(row: SpoolRow, context: Context, key: bytes) -> ReadRow:
    base = (row.number, row.account, row.home.unit_id, row.home.named, row.error, row.is_first)
    if row.error:
        return ReadRow(*base, {}, {}, None, (), {})
    said = {name: text for name, text in row.fields.items() if name in SAID and not is_none(text)}
    facts, unread = _facts(said)
    facts |= _identity(said, key)
    recorded_at = import_facts.read_moment(said["recorded_at"]) if "recorded_at" in said else None
    if "recorded_at" in said and recorded_at is None:
        unread["recorded_at"] = said["recorded_at"]
    people = {name: import_facts.plain(said[name]) for name in PEOPLE if name in said}
    cells = tuple([_cell(name, row.fields[name], context) for name in CONTACTS if name in row.fields])
    return ReadRow(*base, facts, people, recorded_at, cells, unread)


def _facts(said: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    facts: dict[str, Any] = {name: tidy(said[name])[:size] for name, size in TEXTS.items() if name in said}
    unread = {}
    for name, read in CODED.items():
        value = read(said[name]) if name in said else None
        if value is not None:
            facts[name] = value
        elif name in said:
            unread[name] = said[name]
    if "usage_class" in facts and "customer_class" not in facts:
        facts["suggested_class"] = import_facts.class_of_usage(facts["usage_class"])
    return facts, unread


def _identity(said: Mapping[str, str], key: bytes) -> dict[str, Any]:
    """Identity numbers, wherever they stand, as keyed hash and last four; credit codes of companies as they are."""
    found: dict[str, Any] = {}
    for name in ("id_number", "uscc"):
        text = said.get(name)
        if not text:
            continue
        verdict = judge(name, text)
        plain = verdict.value or import_facts.plain(text).replace(" ", "").upper()
        if _is_credit_code(name, verdict, plain):
            found["uscc"] = plain[:18]
        else:
            found.setdefault("id_hash", fingerprint(plain, key))
            found.setdefault("id_last4", plain[-4:])
            found.setdefault("id_verdict", verdict.verdict)
    return found


def _is_credit_code(name: str, verdict: Verdict, plain: str) -> bool:
    if verdict.kind in ("ric", "uscc") and verdict.verdict in GOOD:
        return verdict.kind == "uscc"
    return name == "uscc" and not _LIKE_IDENTITY.search(plain)


def _cell(name: str, raw: str, context: Context) -> Cell:
    heading = FIELDS[name]
    verdict = judge(heading.judged, raw, context) if heading.judged else judge("text", raw, context)
    if len(verdict.values) == 1:
        kind, extension = (verdict.kinds or (verdict.kind,))[0], verdict.extension
        only = Value(contact_kind(name, kind), verdict.values[0][:400], extension[:10])
        return Cell(name, raw, verdict.verdict, ";".join(verdict.reasons)[:200], (only,))
    kinds = verdict.kinds or (verdict.kind,) * len(verdict.values)
    extensions = verdict.extensions or ("",) * len(verdict.values)
    values = [
        Value(contact_kind(name, kind), value[:400], extension[:10])
        for kind, value, extension in zip(kinds, verdict.values, extensions, strict=True)
    ]
    if not values:
        values = [Value(contact_kind(name, verdict.kind), "", "")]
    return Cell(name, raw, verdict.verdict, ";".join(verdict.reasons)[:200], tuple(dict.fromkeys(values)))


def _comparable(name: str, text: str, context: Context) -> str:
    if is_none(text):
        return ""
    if name in CODED:
        return str(CODED[name](text) or import_facts.plain(text))
    if name in ("supply_address", "id_number", "uscc"):
        verdict = judge(name, text, context)
        return verdict.value if verdict.verdict in GOOD else ""
    return import_facts.plain(text).replace(" ", "").lower()
