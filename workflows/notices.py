"""Steps about bulletins and notices: composed, taken stage by stage, issued, their receipts waited for."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Assessment, Notice, Staff
from models.words import N_, Said
from services import files, notice_papers, notices, tasks
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, Send, asked

BELOW = {"floor": N_("低于基本值的单位"), "target": N_("低于目标值的单位"), "all": N_("全部单位")}


class ComposeNotices(Options):
    """Which units get an assessment notice."""

    below: Literal["floor", "target", "all"] = asked(N_("给哪些单位发通知单"), "target", labels=BELOW)


class AdvanceNotices(Options):
    """Which stage was decided, and by which node's person."""

    stage: Literal["reviewed", "approved", "signed"]
    decided_in: str


def plan_compose_notices(session: Session, options: ComposeNotices, facts: Facts) -> Planned:
    """The run's assessment, to be drafted from."""
    return Planned([{"assessment_id": facts["run"]["assessment_id"]}])


def compose_notices(options: ComposeNotices, facts: Facts, items: Sequence[Item]) -> Effects:
    """Draft the bulletin and the notices."""
    run = {"run_id": facts["run"]["id"], "owner_id": facts["run"].get("owner_id"), "below": options.below}
    return Effects(calls=[Call(compose, {"assessment_id": item["assessment_id"]} | run) for item in items])


def plan_advance_notices(session: Session, options: AdvanceNotices, facts: Facts) -> Planned:
    """The run's documents."""
    return Planned(_items(session, facts))


def advance_notices(options: AdvanceNotices, facts: Facts, items: Sequence[Item]) -> Effects:
    """Take them one stage further in the name of who decided."""
    staff_id = facts[options.decided_in]["by"]
    call = {"ids": [item["id"] for item in items], "stage": options.stage, "staff_id": staff_id}
    return Effects(calls=[Call(advance, call)])


def plan_issue_notices(session: Session, options: Options, facts: Facts) -> Planned:
    """The signed documents with everything that stands on their paper."""
    rows = [row for row in _of_run(session, facts) if row.state == "signed"]
    return Planned([_to_print(session, row) for row in rows], {"documents": len(rows)})


def issue_notices(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Lay each document out, hand it to the outbox, and issue it."""
    (item,) = items
    path = Path(tempfile.mkdtemp(prefix="notice-")) / "notice.pdf"
    path.write_bytes(notice_papers.lay_out(item["printed"]))
    send = Send("folder", f"notice-{item['id']}", {"sha256": files.put(path), "name": f"{item['name']}.pdf"})
    return Effects(sends=[send], calls=[Call(issue, {"notice_id": item["id"], "path": str(path)})])


def plan_void_notices(session: Session, options: Options, facts: Facts) -> Planned:
    """The run's documents that were returned."""
    return Planned(_items(session, facts))


def void_notices(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Make them void; the numbers they have stay in the register."""
    return Effects(calls=[Call(void, {"ids": [item["id"] for item in items]})])


def plan_remind_receipts(session: Session, options: Options, facts: Facts) -> Planned:
    """The units that have not signed yet."""
    rows = [row for row in _of_run(session, facts) if row.state == "issued" and row.kind != "bulletin"]
    return Planned(
        [{"id": row.id, "unit_id": row.unit_id, "title": row.title} for row in rows], {"units": len(rows)}
    )


def remind_receipts(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Give each of them a task."""
    return Effects(calls=[Call(remind, {"items": [dict(item) for item in items]})])


def receipts_open(session: Session, facts: Facts) -> int:
    """How many signatures the run's documents still lack."""
    return notices.receipts_open(session, facts["run"]["id"])


def compose(
    session: Session, assessment_id: int, run_id: int, owner_id: int | None, below: str
) -> dict[str, Any]:
    """Draft the documents of one assessment."""
    run = session.get_one(Assessment, assessment_id)
    made = notices.compose(session, run, drafted_by_id=owner_id, run_id=run_id, below=below)
    return {"bulletins": 1, "notices": len(made) - 1}


def advance(session: Session, ids: Sequence[int], stage: str, staff_id: int) -> dict[str, Any]:
    """Take the documents one stage further."""
    rows = session.scalars(select(Notice).where(Notice.id.in_(ids)).order_by(Notice.id)).all()
    staff = session.get_one(Staff, staff_id)
    return {"documents": notices.advance(session, rows, stage, staff=staff)}


def issue(session: Session, notice_id: int, path: str) -> dict[str, Any]:
    """Issue one document."""
    notices.issue(session, session.get_one(Notice, notice_id), Path(path))
    return {"issued": 1}


def void(session: Session, ids: Sequence[int]) -> dict[str, Any]:
    """Make documents void."""
    rows = session.scalars(select(Notice).where(Notice.id.in_(ids))).all()
    return {"void": notices.void(session, rows, reason="returned")}


def remind(session: Session, items: Sequence[Item]) -> dict[str, Any]:
    """A task for each unit that has not signed."""
    for item in items:
        title = Said("请签收：%(title)s", title=item["title"])
        rights = {"permission": "notices.acknowledge", "link": f"/admin/notices/{item['id']}"}
        tasks.open_task(session, "acknowledge", title, unit_id=item["unit_id"], **rights)
    return {"reminded": len(items)}


def _of_run(session: Session, facts: Facts) -> Sequence[Notice]:
    query = select(Notice).where(Notice.run_id == facts["run"]["id"], Notice.state != "void")
    return session.scalars(query.order_by(Notice.id)).all()


def _items(session: Session, facts: Facts) -> list[dict[str, Any]]:
    return [{"id": row.id} for row in _of_run(session, facts)]


def _to_print(session: Session, notice: Notice) -> dict[str, Any]:
    printed = notice_papers.printed_facts(session, notice)
    return {"id": notice.id, "name": notices.file_name(session, notice), "printed": printed}
