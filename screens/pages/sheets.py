"""Sheets: every scanned side with its picture, what was read in its boxes and why it is where it is."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from models import Campaign, Letter, ScanBatch, Sheet, db
from models.return_words import SHEET_REASONS, SHEET_STATES
from paper.codes import KINDS
from screens import key_words, looks
from screens.access import may, needs
from screens.filters import Filter, equals
from screens.forms import choices
from screens.listings import Column, Listing, Sort
from screens.lists import ListPage
from screens.messages import done
from screens.pickers import unit_filter
from services import Refused, crops, key_fields, letters, notices, receipts, sheet_acts

RECENT = 100
KEYING = "keying"  # to be keyed, or keyed since
HANDS = ("scans.run", "returns.key", "returns.lead")  # who works on the paper itself sees what is written on it
MARGIN = 2.0  # mm round a box


def in_state(query: Any, value: str) -> Any:
    """Sides of one state, or all that were to be keyed at first."""
    return query.where(Sheet.state.in_(("to_key", "keyed") if value == KEYING else (value,)))


def of_campaign(query: Any, value: str) -> Any:
    """Sides of the letters of one campaign."""
    return query.where(Sheet.letter_id.in_(select(Letter.id).where(Letter.campaign_id == int(value))))


class Sheets(ListPage):
    """All sides; the page of one, its pictures, and what a person may say of those that could not be placed."""

    permission = "scans.view"
    label, group = _l("扫描页"), "mailing"
    template = "screens/sheets.html"
    listing = Listing(
        id=Sheet.id,
        columns=(
            Column(_l("批次"), lambda row, _extra: row.scan_batch_id, css="nowrap"),
            Column(_l("文件-面"), lambda row, _extra: f"{row.file}-{row.side}", css="nowrap"),
            Column(_l("结果"), lambda row, _extra: looks.badge(row.state, "SHEET_STATES"), css="nowrap"),
            Column(_l("原因"), lambda row, _extra: looks.word(row.reason, "SHEET_REASONS")),
            Column(
                _l("函件或通知单"),
                lambda row, _extra: _number(row),
                css="nowrap",
            ),
            Column(_l("单位"), lambda row, _extra: row.unit.name, css="nowrap"),
            Column(_l("时间"), lambda row, _extra: looks.moment(row.read_at), sort="newest", css="nowrap"),
        ),
        sorts={"newest": Sort(_l("最近的"), (), descending=True), "oldest": Sort(_l("最早的"), ())},
        filters=(
            unit_filter(Sheet.unit_id),
            Filter(
                "state", _l("结果"), lambda: [*choices(SHEET_STATES), (KEYING, _("待录入和已录入"))], in_state
            ),
            equals("kind", _l("单据"), choices(KINDS), Sheet.kind),
            equals("reason", _l("原因"), choices(SHEET_REASONS), Sheet.reason),
            Filter(
                "batch",
                _l("扫描批次"),
                lambda: batch_choices(),
                lambda query, value: query.where(Sheet.scan_batch_id == int(value)),
            ),
            Filter("campaign", _l("核对活动"), lambda: campaign_choices(), of_campaign),
        ),
        link=lambda row: looks.screen_url("sheets") + str(row.id),
        empty=_l("没有这样的扫描页。"),
        advice=_l("扫描的回函在“扫描批次”上传，读完后每一面都在这里。"),
    )

    def query(self) -> Select[Any]:
        return select(Sheet).options(joinedload(Sheet.unit), joinedload(Sheet.letter), joinedload(Sheet.notice))

    @expose("/<int:key>")
    def show(self, key: int) -> str:
        """One side: its picture with the boxes drawn, the values beside it."""
        sheet = _one(key)
        boxes = key_fields.boxes_of(sheet) if sheet.placed else []
        labels = {box["id"]: key_words.label_of(key_fields.PART.sub("", box["id"])) for box in boxes}
        facts = {
            "boxes": boxes,
            "labels": labels,
            "reasons": SHEET_REASONS,
            "asides": {one: SHEET_STATES[one] for one in sheet_acts.ASIDE},
        }
        facts["next_key"] = self._next(sheet)
        facts |= {"is_open": sheet.state in sheet_acts.OPEN, "is_seen": may(*HANDS)}
        return self.render("screens/sheet.html", sheet=sheet, number=_number(sheet), **facts)

    @expose("/<int:key>/picture")
    @needs(*HANDS)
    def picture(self, key: int) -> Response:
        """The whole side, straight where it was registered."""
        return _png(_one(key), key_fields.SHEET, dpi=110)

    @expose("/<int:key>/crop/<box>")
    @needs(*HANDS)
    def crop(self, key: int, box: str) -> Response:
        """One box or field with a little room round it."""
        sheet = _one(key)
        if box not in {one["id"] for one in key_fields.boxes_of(sheet)}:
            return _png(sheet, key_fields.area_of(sheet, box))
        return _png(sheet, _around(sheet, box, request.args.get("margin", MARGIN, type=float)))

    @expose("/<int:key>/assign", methods=("POST",))
    @needs("scans.run")
    def assign(self, key: int) -> Any:
        """Say whose form it is, by the number printed on it."""
        sheet = _one(key)
        after = self._next(sheet)
        letter = sheet_acts.assign(db.session(), sheet, request.form.get("letter", ""), staff=current_user)
        done(_("已归到函件 %(number)s，等待复核。", number=letters.number_of(letter)))
        return self._on(after, key)

    @expose("/<int:key>/aside", methods=("POST",))
    @needs("scans.run")
    def aside(self, key: int) -> Any:
        """Say that it is something else."""
        sheet = _one(key)
        after = self._next(sheet)
        sheet_acts.put_aside(db.session(), sheet, request.form.get("state", ""), staff=current_user)
        done(_("已归类。"))
        return self._on(after, key)

    @expose("/<int:key>/receipt", methods=("POST",))
    @needs("scans.run")
    def receipt(self, key: int) -> Any:
        """Say what stands on a receipt that the machine left open."""
        sheet, form = _one(key), request.form
        statement = form.get("statement", "")[:2000]
        receipts.decide(db.session(), sheet, form.get("word", ""), staff=current_user, statement=statement)
        done(_("已处理这份回执。"))
        return self._on(self._next_receipt(key), key)

    @expose("/<int:key>/turn", methods=("POST",))
    @needs("scans.run")
    def turn(self, key: int) -> Any:
        """Turn a picture that could not be put upright by its codes."""
        sheet_acts.turn(db.session(), _one(key), staff=current_user)
        return redirect(self.get_url(".show", key=key), 303)

    def _next(self, sheet: Sheet) -> int | None:
        """The next side of the same state that nobody has decided yet."""
        query = select(Sheet.id).where(
            Sheet.state == sheet.state, Sheet.id > sheet.id, Sheet.decided_at.is_(None)
        )
        return (
            db.session.scalar(query.order_by(Sheet.id).limit(1)) if sheet.state in sheet_acts.OPEN else None
        )

    def _next_receipt(self, key: int) -> int | None:
        query = select(Sheet.id).where(
            Sheet.state == "review", Sheet.notice_id.is_not(None), Sheet.id != key
        )
        return db.session.scalar(query.order_by(Sheet.id).limit(1))

    def _on(self, after: int | None, key: int) -> Any:
        return redirect(self.get_url(".show", key=after or key), 303)


def _number(row: Sheet) -> str:
    if row.notice is not None:
        return notices.number_of(row.notice)
    return letters.number_of(row.letter) if row.letter else ""


def batch_choices() -> list[tuple[int, str]]:
    """The latest batches, and the one that the address names."""
    return [(number, f"{number} {name}") for number, name in _recent(ScanBatch, "batch")]


def campaign_choices() -> list[tuple[int, str]]:
    """The latest campaigns, and the one that the address names."""
    return _recent(Campaign, "campaign")


def _recent(table: type[ScanBatch | Campaign], named: str) -> list[tuple[int, str]]:
    query = select(table.id, table.name).order_by(table.id.desc())
    latest = db.session.execute(query.limit(RECENT)).tuples().all()
    chosen = query.where(table.id == request.values.get(named, 0, type=int))
    return list(dict([*latest, *db.session.execute(chosen).tuples()]).items())


def _around(sheet: Sheet, name: str, margin: float) -> key_fields.Area:
    box = next(one for one in key_fields.boxes_of(sheet) if one["id"] == name)
    room = max(0.0, min(20.0, margin))  # no number at all (nan) is the most
    return (box["x"] - room, box["y"] - room, box["w"] + 2 * room, box["h"] + 2 * room)


def _png(sheet: Sheet, area: key_fields.Area, *, dpi: int = crops.DPI) -> Response:
    try:
        return Response(crops.crop(sheet, area, dpi=dpi), mimetype="image/png")
    except Refused:
        abort(404)


def _one(key: int) -> Sheet:
    found = db.session.scalar(select(Sheet).where(Sheet.id == key))
    return found if found is not None else abort(404)
