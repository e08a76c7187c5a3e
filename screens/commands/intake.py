"""`intake`: scanned pages read, identified, decided. `form-map`: where a printed form has its codes and boxes."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from models import ScanBatch
from models.return_words import SHEET_STATES
from paper.scan_children import ScanReader
from screens.commands import CreateApp, acts_as, say, working
from services import Refused, forms, intake, letterheads, scan_batches
from services.people import acting_staff
from services.scan_batches import Scans
from workflows.sessions import reading

HELP = "读取扫描的回函（PDF、TIFF、JPEG、PNG，顺序和方向不限），每一面归入一种结果"
MAP_HELP = "输出一个版本的登记表上各码和方框的位置（毫米，从每页左上角量起）"
SAY_EVERY = 2.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """FILE…"""
    parser.add_argument("files", metavar="FILE", type=Path, nargs="+", help="扫描文件")
    acts_as(parser)


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Take the files in as one batch, each part committed by itself; killed midway, the same command goes on."""
    started = time.monotonic()
    for path in args.files:
        if not path.is_file():
            raise Refused("没有文件 %(file)s。请核对文件名和目录。", file=path)
    with working(create_app, args) as session:
        staff = acting_staff(session)
        assert staff is not None, "a command acts as somebody"  # noqa: S101 set by working()
        counted = scan_batches.look_into([Scans(path, scan_batches.name_of(path)) for path in args.files])
        batch, _is_new = scan_batches.receive(session, counted, origin="shell", staff=staff)
        session.commit()
        if batch.state != "done":
            _read(session, batch)
        result = {"batch": batch.id, **scan_batches.counts_of(session, batch)}
    return result | {"seconds": round(time.monotonic() - started, 3)}


def summary(result: Mapping[str, Any]) -> str:
    """How the sides ended, and where to go on."""
    figures = "，".join(
        f"{SHEET_STATES[name]} {result[name]}" for name in scan_batches.COUNTED if result[name]
    )
    return f"扫描批次 {result['batch']}：共 {result['sheets']} 面，{figures}。用时 {result['seconds']} 秒。"


def map_arguments(parser: argparse.ArgumentParser) -> None:
    """VERSION."""
    parser.add_argument("version", metavar="VERSION", type=int, help="登记表的版本号（印在表脚）")


def map_run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """The map as it was frozen when the version was first printed; of the next one, as it would be printed now."""
    with working(create_app, args) as session:
        found = forms.kept_version(session, forms.SURVEY_LETTER, args.version)
        if found is None and args.version == forms.survey_version(session):
            return dict(forms.survey_form(args.version, letterheads.current(session)).boxes)
        if found is None:
            raise Refused(
                "没有登记表的版本 %(version)s：还没有印过。版本号印在表脚，如“版本1”。", version=args.version
            )
        return dict(found.boxes)


def map_summary(result: Mapping[str, Any]) -> str:
    """Every box with its place."""
    lines = []
    for page in result.get("pages", []):
        lines.append(f"第 {page['number']} 页：码 {len(page['codes'])} 个，方框和栏 {len(page['boxes'])} 个")
        lines += [
            f"  {box['kind']:5} {box['id']:20} {box['x']:6.2f} {box['y']:6.2f} {box['w']:6.2f} × {box['h']:.2f}"
            for box in page["boxes"]
        ]
    return "\n".join(lines)


def _read(session: Session, batch: ScanBatch) -> None:
    scan_batches.begin(session, batch)
    session.commit()
    said = time.monotonic()
    done = 0
    with tempfile.TemporaryDirectory() as folder, ScanReader(Path(folder)) as reader:
        for part in scan_batches.parts_left(session, batch):
            path = scan_batches.stored_path(batch, part.file)
            for rows in intake.read_with(reader, path, part, reading):
                intake.keep(session, batch, rows)
                session.commit()
                done += len(rows)
                if time.monotonic() - said > SAY_EVERY:
                    said = time.monotonic()
                    say(f"已读取 {done:,} / {batch.sides:,} 面")
    scan_batches.finish(session, batch)
