"""`print` and `undelivered`: a campaign's letters as one file, and a letter that came back."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models import Staff
from screens.commands import CreateApp, acts_as, working
from services import Refused, campaigns, letters, print_files, traces, undelivered
from services.people import require
from services.print_files import Span, Written

PRINT_HELP = "把一次核对活动的函件输出为一个 PDF，旁边附打印台账"
UNDELIVERED_HELP = "登记一封退信"

NEXT = {
    "visit": "已生成走访任务",
    "answered": "客户已回函，退信只作登记",
    "duplicate": "另一份已登记过退信，这一件只作登记",
    "other_channel": "催复改用短信、邮件",
    "none": "不需要走访",
}


def print_arguments(parser: argparse.ArgumentParser) -> None:
    """The campaign, the file, a range of serials, and why it is printed again."""
    parser.add_argument("campaign", metavar="CAMPAIGN", help="活动编号，例如 HD202611-01")
    parser.add_argument("-o", "--out", metavar="FILE.pdf", type=Path, required=True, help="输出文件")
    parser.add_argument("--from", dest="first", metavar="N", type=int, default=None, help="从第几号函件起")
    parser.add_argument("--to", dest="last", metavar="M", type=int, default=None, help="到第几号函件止")
    parser.add_argument("--reason", metavar="TEXT", default="", help="再次打印的原因，记入痕迹")
    acts_as(parser)


def print_run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Gather, write outside the transaction, and mark what was printed."""
    _check_target(args.out)
    with working(create_app, args) as session:
        require(session.get_one(Staff, traces.actor_id(session)), "letters.run")
        campaign = campaigns.campaign_by_text(session, args.campaign)
        sheets = print_files.gather(session, campaign, Span(args.first, args.last))
        day = print_files.sent_on(session, campaign)
        session.commit()
        written = print_files.write(sheets, args.out, day=day)
        print_files.mark_printed(session, campaign, sheets, reason=args.reason)
    return _figures(written)


def print_summary(result: Mapping[str, Any]) -> str:
    """What lies where."""
    return f"{result['letters']} 封函件、{result['pages']} 页已写入 {result['file']}，台账：{result['register']}"


def undelivered_arguments(parser: argparse.ArgumentParser) -> None:
    """The letter and the reason."""
    parser.add_argument("token", metavar="TOKEN", help="函件上的码、查询码或函件编号")
    parser.add_argument("--reason", metavar="CODE", required=True, help="退信原因，例如 unknown_person")
    acts_as(parser)


def undelivered_run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Record it; the address, the balance and the visits follow at once."""
    with working(create_app, args) as session:
        staff = session.get_one(Staff, traces.actor_id(session))
        done = undelivered.record_undelivered(session, args.token, args.reason, staff=staff)
        return {
            "letter": letters.number_of(done.letter),
            "state": done.letter.state,
            "contact": {"kind": done.address.kind, "result": "refuted" if done.refuted else "unchanged"},
            "reason": done.reason.code,
            "next": done.next,
            "visit": done.visit.token if done.visit else None,
        }


def undelivered_summary(result: Mapping[str, Any]) -> str:
    """What was recorded and what happens now."""
    address = "地址已停止用于邮寄" if result["contact"]["result"] == "refuted" else "地址照旧使用"
    return f"函件 {result['letter']} 已登记退信（{result['reason']}）：{address}，{NEXT[result['next']]}。"


def _check_target(target: Path) -> None:
    if target.is_dir() or not target.name:
        raise Refused(f"{target} 是一个目录。请在 -o 后面写出文件名，如 {target / '核对函.pdf'}。")
    if target.suffix.lower() != ".pdf":
        raise Refused("输出文件的名字要以 .pdf 结尾，打印台账会以同名 .csv 放在旁边。")
    if not target.parent.is_dir():
        raise Refused(f"没有目录 {target.parent}。请先建立目录，或换一个输出位置。")


def _figures(written: Written) -> dict[str, Any]:
    return {
        "letters": written.letters,
        "pages": written.pages,
        "seconds": round(written.seconds, 3),
        "pages_per_second": round(written.pages / max(written.seconds, 0.001), 1),
        "bytes": written.bytes,
        "register": str(written.register),
    }
