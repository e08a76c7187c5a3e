"""Sheets for tests as the reading of scans leaves them: a small form, its marks, and a picture that can be cropped."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from models import FormVersion, Letter, ScanBatch, Sheet
from models.clock import utcnow
from models.home import home_path
from services import files

SCALE = 4.0  # pixels a millimetre
ROWS = {
    "person": [("line", 100, 60)],
    "mobile": [("comb", 100, 18), ("comb", 120, 24), ("comb", 146, 24)],
    "landline": [("comb", 100, 24), ("comb", 128, 48)],
    "postal_address": [("line", 100, 96), ("line", 100, 96)],
    "postcode": [("comb", 100, 36)],
    "email": [("line", 100, 96)],
}
TICKS = {"all.same": 40, "outage.sms": 168, "billing.sms": 179, "consent": 215}
TICKS |= {"relation.self": 190, "relation.family": 198}


def boxes() -> dict[str, Any]:
    """The form map of a form with six rows, a few ticks and a signature on its second page."""
    found = [_box(name, "tick", 15, y, 4, 4) for name, y in TICKS.items()]
    for number, (name, parts) in enumerate(ROWS.items()):
        y = 53 + 12 * number
        found.append(_box(f"{name}.same", "tick", 78, y + 2, 4, 4))
        for part, (kind, x, width) in enumerate(parts, start=1):
            found.append(_box(f"{name}.{part}" if len(parts) > 1 else name, kind, x, y, width, 8))
    found.append(_box("signature", "line", 33, 228, 60, 8))
    return {"pages": [{"number": 2, "codes": [], "boxes": found}]}


def _box(name: str, kind: str, *place: float) -> dict[str, Any]:
    return {"id": name, "kind": kind, **dict(zip("xywh", place, strict=True))}


def make_sheet(session: Session, letter: Letter, state: str = "to_key", **facts: Any) -> Sheet:
    """A sheet of a letter. `on`: boxes with ink; `doubtful`: ticks that were not read for certain."""
    on, doubtful = set(facts.pop("on", ("signature",))), set(facts.pop("doubtful", ()))
    version = session.query(FormVersion).filter_by(document="test").one_or_none() or FormVersion(
        document="test", version=1, template_sha256="0" * 64, boxes=boxes(), created_at=utcnow()
    )
    batch = session.query(ScanBatch).first() or ScanBatch(
        name="批次", origin="upload", state="done", files=[], unit_id=letter.unit_id, created_at=utcnow()
    )
    session.add_all([version, batch])
    session.flush()
    number = session.query(Sheet).count() + 1
    sheet = Sheet(unit_id=letter.unit_id, scan_batch_id=batch.id, file=1, side=number, digest=f"{number:064}")
    sheet.state, sheet.token, sheet.page, sheet.letter_id = state, letter.token, 2, letter.id
    sheet.form_version_id, sheet.read_at = version.id, utcnow()
    names = [box["id"] for page in version.boxes["pages"] for box in page["boxes"]]
    sheet.marks = {one: {"ink": 0.2, "value": one in on, "sure": one not in doubtful} for one in names}
    for name, value in facts.items():
        setattr(sheet, name, value)
    session.add(sheet)
    session.flush()
    return sheet


def with_picture(sheet: Sheet) -> Sheet:
    """Give a sheet a drawn side: the outline of every box, and numbers for handwriting."""
    picture = Image.new("L", (round(210 * SCALE), round(297 * SCALE)), 255)
    pen = ImageDraw.Draw(picture)
    for box in sheet.form_version.boxes["pages"][0]["boxes"]:  # type: ignore[union-attr]
        left, top = box["x"] * SCALE, box["y"] * SCALE
        pen.rectangle((left, top, left + box["w"] * SCALE, top + box["h"] * SCALE), outline=90, width=2)
        if sheet.marks[box["id"]]["value"]:
            pen.line((left, top, left + 4 * SCALE, top + 4 * SCALE), fill=0, width=5)
    path = home_path() / f"{sheet.side}.png"
    picture.save(path)
    sheet.image_sha256, sheet.placed = files.put(path), [SCALE, 0.0, 0.0, 0.0, SCALE, 0.0]
    return sheet
