"""Merging two accounts that are one customer (合并), and taking it back exactly.

One person proposes with a choice per field, another decides. The merged account is closed and points to the kept one;
its values are repeated there as versions with the merge as evidence, its own history stays where it is. What was found
right is not repeated: a merge proves nothing; what was found wrong is not taken over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.orm import Session

from models import Consent, Contact, Customer, CustomerMerge, DuplicatePair, Staff
from models.clock import now, today, utcnow
from models.contacts import latest_confirmations
from services import Refused, contacts, customers, reach, traces
from services.contacts import Draft
from services.import_customers import as_json, from_json
from services.people import require

KEPT, MERGED, BOTH = "kept", "merged", "both"
# field that is chosen -> the columns that go with it
FACTS: Mapping[str, tuple[str, ...]] = {
    "name": ("name",),
    "usage_class": ("usage_class",),
    "customer_class": ("customer_class",),
    "sensitivity": ("sensitivity",),
    "manager_id": ("manager_id",),
    "transformer_area": ("transformer_area",),
    "meter_book": ("meter_book",),
    "meter_no": ("meter_no",),
    "opened_on": ("opened_on",),
    "identity": ("id_hash", "id_last4", "id_verdict"),
    "uscc": ("uscc",),
}
REPEATED = (
    "kind", "raw", "value", "verdict", "reasons", "extension", "purpose", "relation", "preferred", "field",
    "recorder_id", "recorded_at", "due_at",
)  # fmt: skip


def usual_choices(kept: Customer, merged: Customer, kinds: Sequence[str]) -> dict[str, str]:
    """What a form offers first: the kept account's own facts, the other's where it has none, and all values."""
    facts = {
        name: MERGED if _is_blank(kept, columns[0]) and not _is_blank(merged, columns[0]) else KEPT
        for name, columns in FACTS.items()
    }
    return facts | dict.fromkeys(kinds, BOTH)


def propose(
    session: Session, pair: tuple[int, int], choices: Mapping[str, str], *, staff: Staff, evidence: str
) -> CustomerMerge:
    """Ask that the second account of a pair be merged into the first; nothing changes until somebody else approves."""
    require(staff, "duplicates.edit")
    kept, merged = _both(session, *pair)
    if not evidence.strip():
        raise Refused("请写明为什么是同一户，例如现场核对的工单号。")
    _check_choices(choices)
    row = CustomerMerge(unit_id=kept.unit_id, kept_id=kept.id, merged_id=merged.id, state="proposed")
    row.choices, row.made, row.evidence = dict(choices), {}, evidence.strip()[:200]
    row.proposed_by_id, row.proposed_at = staff.id, utcnow()
    session.add(row)
    traces.record(session, "merge.proposed", row, customer_id=kept.id, details={"merged": merged.id})
    return row


def approve(session: Session, merge: CustomerMerge, *, staff: Staff) -> None:
    """Merge as proposed; never by who proposed it."""
    _decide(session, merge, staff)
    kept, merged = _both(session, merge.kept_id, merge.merged_id, proposed=merge.id)
    facts = _facts(kept, merged, merge.choices)
    pairs = as_json({name: [getattr(kept, name), value] for name, value in facts.items()})
    added, stopped = _values(session, merge, kept, merged)
    refusals = _refusals(session, kept, merged)
    customers.change(session, {kept.id: facts} if facts else {})
    customers.change(session, {merged.id: {"closed_on": today(session), "merged_into_id": kept.id}})
    merge.state = "merged"
    merge.made = {"facts": pairs, "added": added, "stopped": stopped, "consents": refusals}
    _say_duplicate(session, merge, staff)
    for row, other in ((kept, merged), (merged, kept)):
        traces.record(session, "customer.merged", merge, customer_id=row.id, details={"other": other.id})


def refuse(session: Session, merge: CustomerMerge, *, staff: Staff) -> None:
    """Leave two accounts apart; whoever proposed may take the proposal back this way too."""
    if merge.state != "proposed":
        raise Refused("这条合并申请已经处理过，请刷新页面。")
    if staff.id != merge.proposed_by_id:
        require(staff, "duplicates.approve")
    merge.state, merge.decided_by_id, merge.decided_at = "refused", staff.id, utcnow()
    traces.record(session, "merge.refused", merge, customer_id=merge.kept_id)


def unmerge(session: Session, merge: CustomerMerge, *, staff: Staff) -> list[str]:
    """Take a merge back: both accounts stand as before it. What was changed since stays; returns the names of that."""
    require(staff, "duplicates.approve")
    kept, merged = _seen(session, merge.kept_id), _seen(session, merge.merged_id)
    if merge.state != "merged" or merged.merged_into_id != kept.id:
        raise Refused("这次合并已经撤销，或之后又有变动，请刷新页面。")
    if kept.closed_on is not None:
        raise Refused("保留的一户已经销户或又并入别户，请先撤销后一次合并。")
    left = _restore_facts(session, merge, kept) + _restore_values(session, merge, kept)
    session.execute(delete(Consent).where(Consent.id.in_(merge.made["consents"])))
    reach.keep(session, [kept.id])
    customers.change(session, {merged.id: {"closed_on": None, "merged_into_id": None}})
    merge.state, merge.undone_by_id, merge.undone_at = "unmerged", staff.id, utcnow()
    for key in (merge.kept_id, merge.merged_id):
        traces.record(session, "customer.unmerged", merge, customer_id=key, details={"left": left})
    return left


def absorbed(session: Session, customer_id: int) -> list[int]:
    """The accounts that were merged into one, directly or through another."""
    found: list[int] = []
    edge = [customer_id]
    while edge:
        query = select(Customer.id).where(Customer.merged_into_id.in_(edge), Customer.id.not_in(found))
        edge = list(session.scalars(query))
        found += edge
    return found


def current_values(session: Session, customer_ids: Sequence[int]) -> list[Contact]:
    """The values that stand on some customers now, preferred first."""
    query = select(Contact).where(Contact.customer_id.in_(customer_ids), Contact.state == "current")
    return list(session.scalars(query.order_by(Contact.kind, Contact.preferred.desc(), Contact.id)))


def _both(session: Session, kept_id: int, merged_id: int, *, proposed: int = 0) -> tuple[Customer, Customer]:
    """Both accounts, where they may be merged: in scope, open, with nothing waiting that the merge would pass over."""
    if kept_id == merged_id:
        raise Refused("不能把一户并入它自己，请选择两个不同的户号。")
    kept, merged = _seen(session, kept_id), _seen(session, merged_id)
    if kept.closed_on is not None or merged.closed_on is not None:
        raise Refused("已销户或已并入别户的客户不能再合并。")
    waiting = select(Contact.id).where(Contact.customer_id.in_((kept_id, merged_id)), Contact.state == "proposed")
    if session.scalar(waiting.limit(1)) is not None:
        raise Refused("这两户还有待审核的变更申请，请先处理完再合并。")
    if session.scalar(_other_proposals(kept_id, merged_id).where(CustomerMerge.id != proposed).limit(1)) is not None:
        raise Refused("这两户中已有一户在等待合并审核，请先处理那一条。")
    return kept, merged


def _other_proposals(kept_id: int, merged_id: int) -> Select[Any]:
    ids = (kept_id, merged_id)
    touching = or_(CustomerMerge.kept_id.in_(ids), CustomerMerge.merged_id.in_(ids))
    return select(CustomerMerge.id).where(CustomerMerge.state == "proposed", touching)


def _seen(session: Session, customer_id: int) -> Customer:
    found = session.scalar(select(Customer).where(Customer.id == customer_id))
    if found is None:
        raise Refused("有一户找不到，可能不在您的单位范围内。")
    return found


def _check_choices(choices: Mapping[str, str]) -> None:
    allowed = {name: (KEPT, MERGED) for name in FACTS}
    if any(how not in allowed.get(name, (KEPT, MERGED, BOTH)) for name, how in choices.items()):
        raise Refused("有一项的选择无法识别，请刷新页面后重新选择。")


def _decide(session: Session, merge: CustomerMerge, staff: Staff) -> None:
    require(staff, "duplicates.approve")
    if merge.state != "proposed":
        raise Refused("这条合并申请已经处理过，请刷新页面。")
    if staff.id == merge.proposed_by_id:
        raise Refused("不能审核自己提出的合并，请由其他人员审核。")
    merge.decided_by_id, merge.decided_at = staff.id, utcnow()


def _facts(kept: Customer, merged: Customer, choices: Mapping[str, str]) -> dict[str, Any]:
    """The columns of the kept account that the choices change; a legal hold of either holds."""
    taken = [column for name, columns in FACTS.items() if choices.get(name) == MERGED for column in columns]
    taken += ["legal_hold"] if merged.legal_hold else []
    return {name: getattr(merged, name) for name in taken if getattr(merged, name) != getattr(kept, name)}


def _values(
    session: Session, merge: CustomerMerge, kept: Customer, merged: Customer
) -> tuple[list[int], list[int]]:
    """Repeat the merged account's values on the kept one, and stop those there that are not to stand; their keys."""
    rows = current_values(session, [kept.id, merged.id])
    ours = [row for row in rows if row.customer_id == kept.id]
    found = latest_confirmations(session, [merged.id])
    theirs = [row for row in rows if row.customer_id == merged.id and not _is_wrong(row, found)]
    replaced = {row.kind for row in theirs if merge.choices.get(row.kind) == MERGED}
    said = {_said(row) for row in theirs}
    stopped = [row.id for row in ours if row.kind in replaced and _said(row) not in said]
    standing = {_said(row) for row in ours}
    new = [r for r in theirs if _said(r) not in standing and merge.choices.get(r.kind, BOTH) != KEPT]
    has = {row.kind for row in ours if row.id not in stopped}
    contacts.end(session, stopped, "stopped", action="customer.merged")
    first = {row.id: row.preferred and row.kind not in has for row in new}
    drafts = [_draft(merge, kept, row, f"merge:{merge.id}", preferred=first[row.id]) for row in new]
    return _settled(session, drafts), stopped


def _refusals(session: Session, kept: Customer, merged: Customer) -> list[int]:
    """What the merged account refused, the kept one refuses too: a merge never wins a consent. The new rows' keys."""
    said: dict[int, dict[tuple[str, str], bool]] = {kept.id: {}, merged.id: {}}
    query = select(Consent).where(Consent.customer_id.in_(list(said))).order_by(Consent.id)
    for row in session.scalars(query):
        said[row.customer_id][row.purpose, row.channel] = row.granted
    wanted = [key for key, yes in said[merged.id].items() if not yes and said[kept.id].get(key) is not False]
    facts = {"customer_id": kept.id, "unit_id": kept.unit_id, "source": "merge", "since": now(session)}
    rows = [Consent(purpose=purpose, channel=channel, granted=False, **facts) for purpose, channel in wanted]
    session.add_all(rows)
    reach.keep(session, [kept.id] if rows else [])
    return [row.id for row in rows]


def _restore_values(session: Session, merge: CustomerMerge, kept: Customer) -> list[str]:
    """Stop what the merge brought, and repeat what it stopped; the kinds of values that changed since."""
    query = select(Contact).where(Contact.id.in_([*merge.made["added"], *merge.made["stopped"]]))
    known = {row.id: row for row in session.scalars(query)}
    added = [known[key] for key in merge.made["added"]]
    contacts.end(session, [r.id for r in added if r.state == "current"], "stopped", action="customer.unmerged")
    standing = {_said(row) for row in current_values(session, [kept.id])}
    back = [known[key] for key in merge.made["stopped"] if _said(known[key]) not in standing]
    drafts = [_draft(merge, kept, row, f"unmerge:{merge.id}", preferred=row.preferred) for row in back]
    _settled(session, drafts)
    return sorted({row.kind for row in added if row.state == "superseded"})


def _restore_facts(session: Session, merge: CustomerMerge, kept: Customer) -> list[str]:
    """Put the kept account's facts back where they still are as the merge made them; the names of the others."""
    pairs = {name: [from_json(name, one) for one in pair] for name, pair in merge.made["facts"].items()}
    same = {name: pair[0] for name, pair in pairs.items() if getattr(kept, name) == pair[1]}
    customers.change(session, {kept.id: same} if same else {})
    return sorted(pairs.keys() - same.keys())


def _settled(session: Session, drafts: Sequence[Draft]) -> list[int]:
    """Record versions that stand at once: somebody else has approved the merge that they belong to."""
    done = contacts.record(session, drafts, action="customer.merged")
    contacts.settle(session, sorted(done.waiting), action="customer.merged")
    return list(done.ids)


def _draft(merge: CustomerMerge, kept: Customer, row: Contact, evidence: str, *, preferred: bool) -> Draft:
    facts = {name: getattr(row, name) for name in REPEATED} | {"preferred": preferred}
    source = "undo" if evidence.startswith("unmerge") else "merge"
    return Draft(customer_id=kept.id, unit_id=kept.unit_id, source=source, evidence=evidence, **facts)


def _said(row: Contact) -> tuple[str, ...]:
    return (row.kind, row.value or row.raw, row.extension, row.purpose)


def _is_wrong(row: Contact, found: Mapping[tuple[int, str, str], Any]) -> bool:
    known = found.get((row.customer_id, row.kind, row.value))
    return known is not None and known.result == "refuted"


def _is_blank(customer: Customer, column: str) -> bool:
    return not getattr(customer, column)


def _say_duplicate(session: Session, merge: CustomerMerge, staff: Staff) -> None:
    """Answer the question that the pair was, if it was one."""
    one, two = sorted((merge.kept_id, merge.merged_id))
    said = {"decision": "duplicate", "decided_by_id": staff.id, "decided_at": utcnow()}
    pair = update(DuplicatePair).where(DuplicatePair.first_id == one, DuplicatePair.second_id == two)
    session.execute(pair.where(DuplicatePair.decision == "").values(**said))
