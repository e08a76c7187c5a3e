"""What settles by itself and what waits for whom: the rows of `policies`, the first that fits decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import case, exists, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from models import Confirmation, Contact, Policy, PolicyUse, Role, Staff
from models.clock import today, utcnow
from models.contacts import GOOD, latest_confirmations
from models.scope import ALL, working_as
from models.words import UNIT_KINDS
from services import Refused
from services.changes import entering

DAYS = 30
MOST = 200_000

Fact = tuple[str, str, str, str]


@dataclass(frozen=True)
class Rule:
    """One policy row as a plain value; `*` fits all.

    `replaces` is what a new version meets: `nothing` of its kind, an `unusable` value, a `good` or a `confirmed` one.
    """

    source: str
    kind: str
    verdicts: frozenset[str]
    replaces: str
    settles: bool
    id: int = 0
    position: int = 0
    approver_role: str = ""
    approver_level: str = ""
    daily_limit: int | None = None

    def fits(self, source: str, kind: str, verdict: str, replaces: str) -> bool:
        """Whether this row speaks of such a version."""
        return (
            self.source in ("*", source)
            and self.kind in ("*", kind)
            and ("*" in self.verdicts or verdict in self.verdicts)
            and self.replaces in ("*", replaces)
        )


def rules(session: Session) -> list[Rule]:
    """All policy rows in their order, as they stand in the database."""
    table = Policy.__table__
    return [rule_of(row) for row in session.execute(select(table).order_by(table.c.position))]


def rule_of(row: Any) -> Rule:
    """A policy row as a plain value."""
    verdicts, settles = frozenset(row.verdicts.split(",")), row.decision == "settle"
    whom = (row.id, row.position, row.approver_role or "", row.approver_level or "", row.daily_limit)
    return Rule(row.source, row.kind, verdicts, row.replaces, settles, *whom)


def first_fit(rows: Sequence[Rule], fact: Fact) -> Rule | None:
    """The row that decides on a version of (source, kind, verdict, what it replaces); none lets it wait."""
    return next((rule for rule in rows if rule.fits(*fact)), None)


def settling(session: Session, drafts: Mapping[int, Any]) -> frozenset[int]:
    """The new versions that the policy settles by itself, judged against what they meet."""
    known = rules(session)
    meets = met(session, drafts)
    asked = {key: (draft.source, draft.kind, draft.verdict, meets[key]) for key, draft in drafts.items()}
    fitting = {fact: first_fit(known, fact) for fact in set(asked.values())}
    fits = {key: fitting[fact] for key, fact in asked.items()}
    return within_limits(session, {key: rule for key, rule in fits.items() if rule and rule.settles})


def met(session: Session, drafts: Mapping[int, Any]) -> dict[int, str]:
    """What new versions, or proposals, meet: nothing of their kind, an unusable value, a good or a confirmed one."""
    customers = sorted({draft.customer_id for draft in drafts.values()}.difference(entering(session)))
    if not customers:
        return dict.fromkeys(drafts, "nothing")
    current = session.execute(
        select(Contact.id, Contact.customer_id, Contact.kind, Contact.value, Contact.verdict).where(
            Contact.customer_id.in_(customers), Contact.state == "current"
        )
    ).all()
    known = latest_confirmations(session, customers)
    standing: dict[object, str] = {}
    for row in current:
        found = known.get((row.customer_id, row.kind, row.value))
        spoken = found is not None and found.result != "withdrawn"
        state = found.result if found and spoken else ("good" if row.verdict in GOOD else "unusable")
        standing[row.id] = "unusable" if state == "refuted" else state
        standing.setdefault((row.customer_id, row.kind), "good" if state == "confirmed" else standing[row.id])
    return {
        key: standing.get(draft.replaces_id) or standing.get((draft.customer_id, draft.kind), "nothing")
        for key, draft in drafts.items()
    }


def within_limits(session: Session, fitting: Mapping[int, Rule]) -> frozenset[int]:
    """Of what would settle by itself, what stays within the acting person's daily limits; the first come first."""
    staff_id = session.info.get("actor_id")
    kept = set(fitting)
    if staff_id is None:
        return frozenset(kept)
    for rule in {rule for rule in fitting.values() if rule.daily_limit is not None}:
        keys = sorted(key for key, one in fitting.items() if one == rule)
        before = count_use(session, rule, staff_id, len(keys)) - len(keys)
        kept.difference_update(keys[max(0, (rule.daily_limit or 0) - before) :])
    return frozenset(kept)


def count_use(session: Session, rule: Rule, staff_id: int, number: int) -> int:
    """Count that a person used a row so often today; returns how often in all, other writers included."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    table = PolicyUse.__table__
    query = dialect.insert(table).values(policy_id=rule.id, staff_id=staff_id, day=today(session), number=number)
    added = {"number": table.c.number + query.excluded.number}
    kept = query.on_conflict_do_update(index_elements=["policy_id", "staff_id", "day"], set_=added)
    return int(session.execute(kept.returning(table.c.number)).scalar_one())


def check_approver(session: Session, staff: Staff, fact: Fact) -> Rule | None:
    """Refuse whom the row that holds such a proposal back does not let approve it; returns the row."""
    rule = first_fit(rules(session), fact)
    if rule is None:
        return None
    if rule.approver_role and rule.approver_role not in {role.name for role in staff.roles}:
        label = session.scalar(select(Role.label).where(Role.name == rule.approver_role)) or rule.approver_role
        raise Refused("按自动审核规则，这类变更申请要由“%(role)s”审核。", role=label)
    kinds = list(UNIT_KINDS)
    if rule.approver_level in kinds and kinds.index(staff.unit.kind) > kinds.index(rule.approver_level):
        level = UNIT_KINDS[rule.approver_level]
        raise Refused("按自动审核规则，这类变更申请要由%(level)s或更高一级的人员审核。", level=level)
    return rule


def count_approvals(session: Session, staff: Staff, used: Iterable[Rule]) -> None:
    """Count approvals by the rows that held them back; refused beyond a person's daily limit."""
    for rule, number in Counter(rule for rule in used if rule.daily_limit is not None).items():
        total = count_use(session, rule, staff.id, number)
        if total > (rule.daily_limit or 0):
            raise Refused(
                "按自动审核规则，这类变更申请每人每天最多审核 %(limit)s 条，今天已审核 %(done)s 条。"
                "请少选几条，或由其他人员审核。",
                limit=rule.daily_limit, done=total - number,
            )  # fmt: skip


def recent_facts(session: Session) -> Counter[Fact]:
    """How many versions of each source, kind, verdict and replaced value the last 30 days brought, of 200,000 at most.

    Ids grow with time, so that the days are found by halving and only their rows are read.
    """
    with working_as(session, ALL):
        first = _first_since(session)
        old = aliased(Contact)
        found = exists().where(
            Confirmation.customer_id == old.customer_id, Confirmation.kind == old.kind, Confirmation.value == old.value,
            Confirmation.result == "confirmed", Confirmation.at < Contact.created_at,
        )  # fmt: skip
        meets = case(
            (Contact.replaces_id.is_(None), "nothing"), (found, "confirmed"), (old.verdict.in_(GOOD), "good"),
            else_="unusable",
        ).label("met")  # fmt: skip
        newest = select(Contact.source, Contact.kind, Contact.verdict, meets).where(Contact.id >= first)
        newest = newest.outerjoin(old, old.id == Contact.replaces_id).order_by(Contact.id.desc()).limit(MOST)
        part = newest.subquery()
        query = select(*part.c, func.count()).group_by(*part.c)
        return Counter({(row[0], row[1], row[2], row[3]): row[4] for row in session.execute(query)})


def difference(facts: Mapping[Fact, int], before: Sequence[Rule], after: Sequence[Rule]) -> tuple[int, int]:
    """Of such versions: how many settled by themselves and would wait now, and how many the other way round."""
    waits = settles = 0
    for fact, number in facts.items():
        was, now_is = (bool((rule := first_fit(rows, fact)) and rule.settles) for rows in (before, after))
        waits += number if was and not now_is else 0
        settles += number if now_is and not was else 0
    return waits, settles


def _first_since(session: Session) -> int:
    """The first id of the days looked at."""
    since: Any = utcnow() - timedelta(days=DAYS)
    low, high = 0, (session.scalar(select(func.max(Contact.id))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        at = session.scalar(select(Contact.created_at).where(Contact.id >= middle).order_by(Contact.id).limit(1))
        if at is None or at >= since:
            high = middle
        else:
            low = middle + 1
    return low
