"""Where the new values of a batch change come from, one function a kind: standing rows in, wanted values out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.contacts import GOOD
from quality.area_codes import split_national
from quality.batch_renames import Entry, Found, Known, find_places, find_plates, find_villages
from quality.number_upgrades import UPGRADES, NumberUpgrade
from quality.reasons import REASONS
from quality.verdicts import NOWHERE, Context
from services import cleanups

ADDRESSES = ("supply_address", "postal_address")
HARMLESS = cleanups.HARMLESS


@dataclass(frozen=True)
class Job:
    """What holds for all chunks of a change."""

    contexts: Mapping[int, Context]
    paths: Mapping[int, str]
    judged_as: Mapping[str, str]
    rules: Mapping[str, NumberUpgrade]
    known: Known
    given: frozenset[str]
    since: date | None
    units: Mapping[str, str]

    def entries_for(self, found: Found, unit_id: int) -> list[Entry]:
        """The entries of a list that hold for a unit: those that name it or a unit above it, or none."""
        path = self.paths[unit_id]
        return [one for one in found.entries if path.startswith(self.units[one.unit] if one.unit else "/")]

    def since_of(self, entry: Entry) -> date | None:
        """From when an entry holds: its own day, else that of the whole list."""
        return date.fromisoformat(entry.since) if entry.since else self.since


@dataclass(frozen=True)
class Wanted:
    """One new value, before it is judged: `standing` is the row that it would replace, `since` its first day."""

    customer_id: int
    unit_id: int
    kind: str
    raw: str
    cause: str
    standing: Any = None
    since: date | None = None
    list_row: int | None = None
    conflict: str = ""


_ALL_RULES = {rule.key: rule for rule in UPGRADES}


def cause_text(kind: str, code: str) -> str:
    """What a group of lines is called: the sentence of a reason, a rule in words, or the entry of a list."""
    if kind == "cleanup":
        return REASONS.get(code, code)
    rule = next((rule for rule in UPGRADES if rule.key == code), None)
    if rule is None:
        return code
    return f"{rule.place} {rule.old_area} → {rule.new_area}-{rule.prefix} {rule.since:%Y-%m-%d}"


def _plan_cleanup(job: Job, rows: Sequence[Any]) -> Iterator[Wanted]:
    for row in rows:
        found = cleanups.clean(row, job.judged_as[row.kind], job.contexts.get(row.unit_id, NOWHERE))
        if found is not None:
            cause = next(code for code in row.reasons.split(";") if code not in HARMLESS)
            rule = _upgrade_of(row, _ALL_RULES, job.contexts.get(row.unit_id, NOWHERE).area_code)[0]
            since = rule.since if rule else None
            yield Wanted(row.customer_id, row.unit_id, row.kind, found[0], cause, row, since=since)


def _plan_number_upgrade(job: Job, rows: Sequence[Any]) -> Iterator[Wanted]:
    for row in rows:
        home = job.contexts.get(row.unit_id, NOWHERE).area_code
        rule, local = _upgrade_of(row, job.rules, home)
        if rule is None:
            continue
        conflict = "several_candidates" if rule.home and rule.home != home else ""
        yield Wanted(
            row.customer_id, row.unit_id, row.kind, f"{rule.new_area}-{local}", rule.key, row,
            since=rule.since, conflict=conflict,
        )  # fmt: skip


def _upgrade_of(row: Any, rules: Mapping[str, NumberUpgrade], home: str) -> tuple[NumberUpgrade | None, str]:
    """The chosen rule whose old number this is, and the local number that it has become."""
    codes = row.reasons.split(";")
    area, local = split_national(row.value.removeprefix("+86"))
    if "number_retired" in codes:
        rule = next((one for one in rules.values() if one.concerns(area, local)), None)
        return rule, rule.prefix + local if rule else ""
    if "number_upgraded" in codes:
        digits = re.sub(r"\D", "", row.raw)
        rule = next((one for one in rules.values() if one.new_area == area and _was(one, local, digits, home)), None)
        return rule, local
    return None, ""


def _was(rule: NumberUpgrade, local: str, digits: str, home: str) -> bool:
    """Whether the digits as written are the number before this rule."""
    old, area = local.removeprefix(rule.prefix), rule.old_area.lstrip("0")
    if not local.startswith(rule.prefix) or old[:1] not in rule.firsts:
        return False
    is_placed = area + old in digits or (rule.old_area != rule.new_area and area + local in digits)
    return is_placed or (old in digits and local not in digits and home == rule.old_area)


def _plan_door_plate_change(job: Job, rows: Sequence[Any]) -> Iterator[Wanted]:
    return _renamed(job, rows, find_plates)


def _plan_village_rename(job: Job, rows: Sequence[Any]) -> Iterator[Wanted]:
    return _renamed(job, rows, find_villages)


Find = Callable[[str, Known, str], Found | None]


def _renamed(job: Job, rows: Sequence[Any], find: Find) -> Iterator[Wanted]:
    for row in rows:
        found = find(row.value, job.known, job.contexts.get(row.unit_id, NOWHERE).region) if row.value else None
        entries = job.entries_for(found, row.unit_id) if found else []
        if not found or not entries:
            continue
        entry, is_one = entries[0], len({one.new for one in entries}) == 1
        text = found.text if entry is found.entries[0] else found.text.replace(found.entries[0].new, entry.new, 1)
        if text == row.value:
            continue
        yield Wanted(
            row.customer_id, row.unit_id, row.kind, text, _cause(entry), row,
            since=job.since_of(entry), list_row=entry.row,
            conflict="" if is_one and not _may_be_new(job, entry, row) else "several_candidates",
        )  # fmt: skip


def _cause(entry: Entry) -> str:
    """What the lines of an entry are grouped under: the old and the new road, or the road whose plates changed."""
    new = _place(entry.new)
    return (f"{entry.old} → {new}" if new != entry.old else f"{entry.old}（门牌）")[:120]


def _place(text: str) -> str:
    """A road or village without the plate behind it: groups are called after roads, not after doors."""
    return re.split(r"\d", text, maxsplit=1)[0] or text


def _may_be_new(job: Job, entry: Entry, row: Any) -> bool:
    """Whether an undated address may name what hangs at another door now: a street that was numbered anew."""
    return row.recorded_at is None and f"{entry.old}{entry.number}" in job.given


def _plan_postcode_list(job: Job, rows: Sequence[Any]) -> Iterator[Wanted]:
    customers: dict[int, list[Any]] = {}
    for row in rows:
        customers.setdefault(row.customer_id, []).append(row)
    for customer_id, values in customers.items():
        address = _postal(values)
        if address is None:
            continue
        found = find_places(address.value, job.known, job.contexts.get(address.unit_id, NOWHERE).region)
        entries = job.entries_for(found, address.unit_id) if found else []
        standing = next((row for row in values if row.kind == "postcode"), None)
        codes = {one.new for one in entries}
        if not entries or (standing is not None and standing.value in codes):
            continue
        entry = entries[0]
        yield Wanted(
            customer_id, address.unit_id, "postcode", entry.new, f"{entry.town}{entry.old} {entry.new}"[:120], standing,
            since=job.since_of(entry), list_row=entry.row, conflict="" if len(codes) == 1 else "several_candidates",
        )  # fmt: skip


def _postal(values: Sequence[Any]) -> Any:
    """The address that a customer's postcode belongs to: the postal one, else the supply address."""
    for kind in ("postal_address", "supply_address"):
        for row in values:
            if row.kind == kind and row.value and row.verdict in (*GOOD, "suspect"):
                return row
    return None


Plan = Callable[[Job, Sequence[Any]], Iterator[Wanted]]
PLANS: dict[str, Plan] = {
    "cleanup": _plan_cleanup,
    "number_upgrade": _plan_number_upgrade,
    "door_plate_change": _plan_door_plate_change,
    "village_rename": _plan_village_rename,
    "postcode_list": _plan_postcode_list,
}
KINDS = {
    "number_upgrade": ("landline", "mobile"),
    "door_plate_change": ADDRESSES,
    "village_rename": ADDRESSES,
    "postcode_list": (*ADDRESSES, "postcode"),
}
