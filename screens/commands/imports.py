"""`import`: a customer file taken in, or only tried. `undo`: a batch taken back."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ImportBatch, Staff, Unit
from models.home import home_path
from models.people import unit_by_code_or_name
from models.words import IMPORT_OUTCOMES, UNDO_REASONS
from screens.commands import CreateApp, acts_as, say, working
from services import Refused, files, import_errors, imports, undo
from services.import_spools import spool_path
from services.imports import Plan
from services.people import acting_staff
from services.tables import Table, open_table

HELP = "导入一个客户文件：坏值照原样存下并给出判定，只有分不清是哪一户的行才拒收。"
UNDO_HELP = "撤销一个导入批次，被覆盖的值也恢复；导入之后又有变化的行保留并说明原因。"
SAY_EVERY = 2.0


class Moving(Protocol):
    """Progress of either command."""

    @property
    def rows(self) -> int: ...
    @property
    def done(self) -> int: ...


Step = TypeVar("Step", bound=Moving)


def arguments(parser: argparse.ArgumentParser) -> None:
    """FILE, how, and for which unit."""
    parser.add_argument("file", metavar="FILE", type=Path, help="CSV 或 XLSX 文件")
    parser.add_argument(
        "--mode",
        required=True,
        choices=imports.MODES,
        help="insert 只新建客户；update 另用非空的格更新；fill 只补缺",
    )
    parser.add_argument("--unit", default="", metavar="CODE", help="没有写供电单位的行归哪个单位(代码或名称)")
    parser.add_argument("--dry-run", action="store_true", help="只算出各类行数，什么都不写")
    acts_as(parser)


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Bring the file in, each chunk committed by itself; killed midway, the same command goes on from what stands."""
    started = time.monotonic()
    with working(create_app, args) as session:
        staff = _acting(session)
        table = open_table(args.file)
        _tell(table)
        plan = Plan(args.mode, _unit(session, args.unit, staff), {})
        result = _rehearse(session, table, plan, staff) if args.dry_run else _bring_in(session, table, plan, staff)
    return result | {"seconds": round(time.monotonic() - started, 3)}


def summary(result: Mapping[str, Any]) -> str:
    """How the rows ended, and what to do next."""
    figures = "，".join(f"{label} {result[name]}" for name, label in IMPORT_OUTCOMES.items())
    head = f"批次 {result['batch']}" if result["batch"] else "试算(没有写入)"
    lines = [f"{head}：共 {result['rows']} 行，{figures}。用时 {result['seconds']} 秒。"]
    if result["errors_file"]:
        lines.append(f"拒收的行和原因在 {result['errors_file']}(保留 {import_errors.KEEP_DAYS} 天)，改正后可以再导入。")
    if result["batch"]:
        lines.append(f"要撤销这一批：./lamplighter undo {result['batch']}")
    return "\n".join(lines)


def undo_arguments(parser: argparse.ArgumentParser) -> None:
    """BATCH."""
    parser.add_argument("batch", metavar="BATCH", type=int, help="批次编号(import 的结果里有)")
    acts_as(parser)


def undo_run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Take the batch back, each chunk committed by itself; killed midway, the same command goes on."""
    with working(create_app, args) as session:
        batch = session.scalar(select(ImportBatch).where(ImportBatch.id == args.batch))
        if batch is None:
            raise Refused(f"没有导入批次 {args.batch}，或不在这个账号的管辖范围内。请核对批次编号。")
        undo.begin(session, batch, _acting(session))
        session.commit()
        for _progress in _shown(undo.undo_batch(session, batch)):
            session.commit()
        session.refresh(batch)
        undo.finish(session, batch)
        kept = undo.kept_rows(session, batch.id)
        return {"batch": batch.id, "restored": batch.restored, "removed": batch.removed, "kept": kept}


def undo_summary(result: Mapping[str, Any]) -> str:
    """What came back, what was removed, and which rows were left why."""
    figures = f"恢复 {result['restored']} 行，移除 {result['removed']} 户，保留 {len(result['kept'])} 行。"
    kept = [f"  第 {one['row']} 行：{UNDO_REASONS[one['reason']]}" for one in result["kept"]]
    return "\n".join([f"批次 {result['batch']} 已撤销：{figures}", *kept])


def _acting(session: Session) -> Staff:
    staff = acting_staff(session)
    assert staff is not None, "a command acts as somebody"  # noqa: S101 set by working()
    return staff


def _unit(session: Session, text: str, staff: Staff) -> Unit:
    """The unit of rows that name none: the one given, else that of whoever acts."""
    found = unit_by_code_or_name(session, text) if text else staff.unit
    if found is None:
        raise Refused(f"没有单位「{text}」。请用单位代码或名称，或先用 units import 导入单位。")
    return found


def _tell(table: Table) -> None:
    how = f"{table.encoding}，分隔符 {table.delimiter!r}" if table.kind == "csv" else f"XLSX，工作表“{table.sheet}”"
    say(f"文件格式：{how}；标题在第 {table.heading_row} 行，认出 {len(table.mapping)} 列。")
    if table.unmapped:
        say(f"没有用到的列：{'、'.join(table.unmapped)}")
    if table.damaged:
        say(f"有 {table.damaged} 处文字按 {table.encoding} 读不出来，已用“�”代替，请核对原文件。")


def _bring_in(session: Session, table: Table, plan: Plan, staff: Staff) -> dict[str, Any]:
    batch = imports.start_batch(session, table.path.name, plan, recorder=staff)
    session.commit()
    with imports.in_hand(batch.id):
        try:
            for _progress in _shown(imports.import_file(session, batch, table)):
                session.commit()
            session.refresh(batch)
            imports.finish(session, batch, import_errors.write(session, batch, spool_path(batch.id)))
        except BaseException as error:
            session.rollback()
            imports.fail(session, batch, str(error) or type(error).__name__)
            say(f"导入没有做完。已写入的行在批次 {batch.id} 里：可以再导入同一个文件接着做，或撤销这一批。")
            raise
        finally:
            session.commit()
            imports.forget(session, batch)
            session.commit()
    figures = {name: getattr(batch, name) for name in ("rows", *imports.OUTCOMES)}
    return {"batch": batch.id, **figures, "errors_file": _errors_path(batch)}


def _rehearse(session: Session, table: Table, plan: Plan, staff: Staff) -> dict[str, Any]:
    rows, figures = 0, dict.fromkeys(imports.OUTCOMES, 0)
    for progress in _shown(imports.rehearse(session, table, plan, recorder=staff)):
        rows, figures = progress.done, dict(progress.figures)
    return {"batch": None, "rows": rows, **figures, "errors_file": None}


def _errors_path(batch: ImportBatch) -> str | None:
    """The error file under a name that programs can open; a link, so that it goes when the file goes."""
    if batch.errors_file is None:
        return None
    folder = home_path() / "errors"
    folder.mkdir(exist_ok=True)
    for link in folder.iterdir():
        if not link.exists():
            link.unlink()
    name = Path(batch.file_name)
    link = folder / f"{batch.id}-{name.stem}-错误清单.{batch.layout['kind']}"
    link.unlink(missing_ok=True)
    link.symlink_to(files.location(batch.errors_file))
    return str(link)


def _shown(steps: Iterator[Step]) -> Iterator[Step]:
    """The same steps, told to the person now and then."""
    last = time.monotonic()
    for step in steps:
        yield step
        if time.monotonic() - last > SAY_EVERY:
            last = time.monotonic()
            say(f"已处理 {step.done:,} / {step.rows:,} 行")
