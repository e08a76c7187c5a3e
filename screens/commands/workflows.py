"""`workflow list|start|show|retry|skip|settle|letter|export|import`: definitions, trials and runs from the shell."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models import Campaign, Customer, Outgoing, Recipient, Run, Staff, Step, Workflow, WorkflowVersion
from models.scope import current_scope
from screens.commands import CreateApp, acts_as, say, working
from screens.commands.run_answers import head, lines_of, told, told_trial
from services import Refused, health, people, print_runs, trials, workflows
from workflows import runs, trial_runs, trying
from workflows.definition_files import bpmn_of, load_file, toml_of
from workflows.options import from_text
from workflows.sessions import reading

HELP = "流程: workflow list、start、show、retry、skip、settle、letter、export、import"
POLL = 0.3
BAD = ("failed", "parked")


def arguments(parser: argparse.ArgumentParser) -> None:
    """One action with its words."""
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="list|start|show|retry|skip|settle|letter|export|import"
    )
    _action(actions, "list", "列出流程")
    start = _action(actions, "start", "发起流程(需要 serve 或 worker 在运行)")
    start.add_argument("key", metavar="KEY", help="流程编码，见 workflow list")
    start.add_argument(
        "--set",
        dest="values",
        metavar="节点.选项=值",
        action="append",
        default=[],
        help="发起时填写的选项，可以写多次",
    )
    start.add_argument("--trial", action="store_true", help="只试运行：算出会做什么，不发送也不改动")
    _of_runs(actions, start)
    load = _action(actions, "import", "导入流程定义")
    load.add_argument("file", metavar="FILE", type=Path, help="流程定义文件：TOML，或由本系统导出的 BPMN")
    export = _action(actions, "export", "导出流程定义")
    export.add_argument("key", metavar="KEY", help="流程编码，见 workflow list")
    form = export.add_mutually_exclusive_group(required=True)
    form.add_argument("--bpmn", metavar="FILE", type=Path, help="写成 BPMN 2.0")
    form.add_argument("--toml", metavar="FILE", type=Path, help="写成 TOML")
    export.add_argument("--version", metavar="N", type=int, help="第几版；不写为最新的一版")


def _of_runs(actions: Any, start: argparse.ArgumentParser) -> None:
    """The actions on a run: show, retry, skip, settle, letter."""
    show = _action(actions, "show", "查看一个流程实例")
    retry = _action(actions, "retry", "从失败的步骤重试(需要 serve 或 worker 在运行)")
    skip = _action(actions, "skip", "填原因跳过一个失败的步骤，或不再等一个等待")
    settle = _action(actions, "settle", "确认结果待确认的外发：已发出，或没有发出、再发")
    letter = _action(actions, "letter", "为地址改好的客户补发函件，单独成一批")
    for one in (show, retry, skip, settle, letter):
        one.add_argument("run", metavar="RUN", type=int, help="流程实例编号")
    for one in (skip, settle):
        one.add_argument("path", metavar="PATH", help="步骤的位置，见 workflow show，例如 3.yes.1")
    letter.add_argument("account", metavar="户号", help="因为地址没有发函的客户")
    skip.add_argument("--reason", required=True, metavar="TEXT", help="跳过的原因，记入流程实例")
    outcome = settle.add_mutually_exclusive_group(required=True)
    outcome.add_argument("--sent", action="store_true", help="已发出")
    outcome.add_argument("--not-sent", action="store_true", help="没有发出，再发")
    for one in (start, retry):
        one.add_argument("--wait", action="store_true", help="等到流程停下(等待、结束或失败)再返回")


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Do one of them."""
    return ACTIONS[args.action](args, create_app)


def summary(result: Mapping[str, Any]) -> str:
    """The same for a person."""
    return lines_of(result)


def list_all(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Every workflow with its newest version."""
    newest = func.max(WorkflowVersion.number)
    query = select(Workflow, newest).join(WorkflowVersion).group_by(Workflow.id).order_by(Workflow.key)
    with working(create_app, args) as session:
        rows = session.execute(query).all()
        return {"workflows": [head(row[0], row[1]) for row in rows]}


def start(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Start a run and tell how it stands, at once or where it stops."""
    values = dict(_pair(text) for text in args.values)
    if args.trial:
        return _tried(args, create_app, values)
    with working(create_app, args) as session:
        health.require_queue(current_app._get_current_object())  # type: ignore[attr-defined]
        run_id = runs.start(session, args.key, values, _who(session)).id
        session.commit()
        return _followed(session, run_id) if args.wait else told(session, _run(session, run_id))


def show(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """How a run stands."""
    with working(create_app, args) as session:
        return told(session, _run(session, args.run))


def retry(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Try again what failed."""
    with working(create_app, args) as session:
        health.require_queue(current_app._get_current_object())  # type: ignore[attr-defined]
        people.require(_who(session), "runs.run")
        runs.retry(session, _run(session, args.run))
        session.commit()
        return _followed(session, args.run) if args.wait else told(session, _run(session, args.run))


def skip(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Go on behind the steps at a path that failed, or a wait, with a reason."""
    with working(create_app, args) as session:
        people.require(_who(session), "runs.run")
        run = _run(session, args.run)
        for step in _steps(session, run, args.path, Step.state.in_(("dead", "waiting"))):
            runs.skip(session, run, args.reason[:500], step=step)
        return told(session, run)


def settle(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Say of the sendings of a step that nobody knows of that they went out, or that they did not."""
    with working(create_app, args) as session:
        people.require(_who(session), "runs.run")
        run = _run(session, args.run)
        ids = [step.id for step in _steps(session, run, args.path, Step.state == "unknown")]
        unsettled = select(Outgoing).where(Outgoing.step_id.in_(ids), Outgoing.state == "unknown")
        rows = session.scalars(unsettled.order_by(Outgoing.id)).all()
        for row in rows:
            runs.settle_sending(session, row, went_out=args.sent)
        return told(session, run) | {"settled": len(rows)}


def letter(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Make the letter of somebody whose address is mended now; laid out outside any transaction."""
    with working(create_app, args) as session:
        for permission in ("runs.run", "letters.run"):
            people.require(_who(session), permission)
        recipient = _recipient(session, _run(session, args.run), args.account)
        plan, head = print_runs.plan_late(session, recipient)
        session.commit()
        print_runs.record_late(session, recipient, plan, made=print_runs.make_file([plan], head))
        return told(session, _run(session, args.run)) | {"letter": plan["facts"]["serial"]}


def load(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Bring a definition in."""
    try:
        text = args.file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"读不了文件 {args.file}（{error}）。请检查路径，并用 UTF-8 编码保存。") from error
    with working(create_app, args) as session:
        people.require(_who(session), "workflows.edit")
        row = load_file(session, text, _who(session))
        version = session.scalar(
            select(func.max(WorkflowVersion.number)).where(WorkflowVersion.workflow_id == row.id)
        )
        return head(row, version or 0)


def export(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Write a version of a definition to a file."""
    target, form = (args.bpmn, bpmn_of) if args.bpmn else (args.toml, toml_of)
    with working(create_app, args) as session:
        row = workflows.by_key(session, args.key)
        version = workflows.numbered(session, row, args.version) if row is not None else None
        if row is None or version is None:
            raise Refused(f"没有流程「{args.key}」，或没有这一版。请用 workflow list 查看有哪些流程。")
        try:
            target.write_text(form(row, version), "utf-8")
        except OSError as error:
            raise Refused(f"文件 {target} 写不进去（{error.strerror}）。请换一个可写的位置。") from error
        return {"key": row.key, "version": version.number, "file": str(target)}


ACTIONS = {
    "list": list_all,
    "start": start,
    "show": show,
    "retry": retry,
    "skip": skip,
    "settle": settle,
    "letter": letter,
    "export": export,
    "import": load,
}


def _action(actions: Any, name: str, text: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
    made.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    acts_as(made)
    return made


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or "." not in name:
        raise Refused(f"「{text}」写法不对，要写成 节点.选项=值，例如 select.limit=500。")
    return name.strip(), from_text(value)


def _who(session: Session) -> Staff:
    return session.get_one(Staff, session.info["actor_id"])


def _run(session: Session, run_id: int) -> Run:
    found = session.get(Run, run_id) if 0 < run_id < 2**63 else None
    if found is None:
        raise Refused(f"没有编号为 {run_id} 的流程实例。请在“流程实例”页查看编号。")
    return found


def _recipient(session: Session, run: Run, account_no: str) -> Recipient:
    query = select(Recipient).join(Campaign, Campaign.id == Recipient.campaign_id).where(Campaign.run_id == run.id)
    query = query.join(Customer, Customer.id == Recipient.customer_id).where(Customer.account_no == account_no)
    if (found := session.scalars(query).one_or_none()) is None:
        raise Refused(f"流程实例 {run.id} 的发送对象里没有户号 {account_no}。请在核对活动的“发送对象”里查看。")
    return found


def _steps(session: Session, run: Run, path: str, state: ColumnElement[bool]) -> Sequence[Step]:
    """The steps at a path of a run that are in such a state; of a list worked through, one for each chunk."""
    query = select(Step).where(Step.run_id == run.id, Step.path == path, state)
    found = session.scalars(query.order_by(Step.id)).all()
    if not found:
        raise Refused(f"流程实例 {run.id} 的 {path} 没有要处理的步骤。位置和状态见 workflow show {run.id}。")
    return found


def _tried(args: argparse.Namespace, create_app: CreateApp, values: Mapping[str, Any]) -> dict[str, Any]:
    """Reckon a trial in this process; only what came of it is written."""
    with working(create_app, args) as session:
        trial = trial_runs.prepare(session, args.key, values, _who(session))
        trial_id = trial.id
        session.commit()
        found = trying.reckon(trial_id)
        trials.keep(session, trial, found["result"], found["sha256"])
        return told_trial(trial)


def _followed(session: Session, run_id: int) -> dict[str, Any]:
    """Follow a run to its next pause or end, saying on the way which step it is at."""
    scope, said = current_scope(session), ""
    session.rollback()
    while True:
        with reading(scope) as seen:  # type: ignore[arg-type]
            found = told(seen, _run(seen, run_id))
        at = next((node["title"] for node in reversed(found["nodes"]) if node["state"]), "")
        if at != said:
            say(f"{at} …")
            said = at
        if found["state"] != "running":
            return found | {"ok": found["state"] not in BAD}
        time.sleep(POLL)
