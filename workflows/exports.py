"""The step that exports a campaign's list as a file with its watermark, into the folder from which the office takes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Campaign, Customer, Reason, Recipient, Staff, Unit
from models.words import N_, OUTCOMES
from paper.masks import mask_name
from services import exports, files
from services.exports import Wanted
from services.table_files import MEDIA
from workflows.messages import campaign_of
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, Send, asked

HEADINGS = ("户号", "户名", "供电单位", "剔除原因", "结果")
READ_AT_ONCE = 1000


class ExportFile(Options):
    """Which list, as what kind of file."""

    kind: Literal["xlsx", "csv"] = asked(N_("文件类型"), "xlsx", labels={"xlsx": "XLSX", "csv": "CSV"})
    plain: bool = asked(N_("户名不遮盖"), False, help=N_("负责人要有查看明文的权限。"))
    reason: str = asked(N_("用途"), N_("核对活动名单"), min_length=4, max_length=120)


def plan_export_file(session: Session, options: ExportFile, facts: Facts) -> Planned:
    """The file of the run's list; its content lies in the store until it is kept."""
    campaign = campaign_of(session, facts)
    staff = session.get_one(Staff, facts["run"]["owner_id"])
    wanted = Wanted(f"{campaign.code} 名单", options.kind, options.reason, options.plain)
    exports.check(wanted, staff=staff)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"list.{options.kind}"
        rows = _rows(session, campaign, plain=options.plain)
        taken = exports.write(path, wanted, headings=HEADINGS, rows=rows, staff=staff)
        digest = files.put(path)
    name = f"{campaign.code}-{facts['run']['id']}.{options.kind}"
    return Planned(
        [{"sha256": digest, "name": name, "rows": taken.rows, "title": wanted.title, "mark": taken.mark}]
    )


def export_file(options: ExportFile, facts: Facts, items: Sequence[Item]) -> Effects:
    """Put it into the outbox, and keep who took it and why."""
    (item,) = items
    key = f"export-{item['name']}-{item['sha256'][:16]}"
    send = Send("folder", key, {"name": item["name"], "sha256": item["sha256"]})
    kwargs = {"item": dict(item), "options": options.model_dump(), "staff_id": facts["run"]["owner_id"]}
    return Effects(calls=[Call(keep_export, kwargs)], sends=[send], summary={"file": item["name"]})


def keep_export(
    session: Session, item: dict[str, Any], options: dict[str, Any], staff_id: int
) -> dict[str, int]:
    """The row of the file, and the trace of its export."""
    staff = session.get_one(Staff, staff_id)
    files.describe(session, item["sha256"], item["name"], MEDIA[options["kind"]], keep_days=90)
    wanted = Wanted(item["title"], options["kind"], options["reason"], options["plain"])
    exports.record(session, wanted, exports.Taken(item["mark"], item["rows"], item["sha256"]), staff)
    return {"rows": item["rows"]}


def _rows(session: Session, campaign: Campaign, *, plain: bool) -> Iterator[Sequence[str]]:
    reasons = dict(
        session.execute(select(Reason.code, Reason.label).where(Reason.list == "exclusion")).tuples().all()
    )
    query = (
        select(Customer.account_no, Customer.name, Unit.name, Recipient.exclusion, Recipient.outcome)
        .join(Customer, Customer.id == Recipient.customer_id)
        .join(Unit, Unit.id == Recipient.unit_id)
        .where(Recipient.campaign_id == campaign.id)
        .order_by(Recipient.id)
    )
    for account, name, unit, exclusion, outcome in session.execute(
        query.execution_options(yield_per=READ_AT_ONCE)
    ):
        shown = name if plain else mask_name(name)
        yield account, shown, unit, reasons.get(exclusion, exclusion), OUTCOMES.get(outcome or "", "")
