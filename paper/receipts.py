"""The receipt below an assessment notice (签收回执): its code and boxes in mm, drawn there and read back there."""

from __future__ import annotations

from typing import Any

CODE = {"x": 178.0, "y": 264.0, "size": 12.0, "place": "4"}
ACCEPT, OBJECT, RECEIVED_BY = "accept", "object", "received_by"
STATEMENT = ("statement.1", "statement.2", "statement.3")


def _box(kind: str, name: str, x: float, y: float, size: tuple[float, float]) -> dict[str, Any]:
    return {"id": name, "kind": kind, "x": x, "y": y, "w": size[0], "h": size[1]}


BOXES = (
    _box("tick", ACCEPT, 20.0, 236.0, (4.0, 4.0)),
    _box("tick", OBJECT, 48.0, 236.0, (4.0, 4.0)),
    *(_box("line", name, 20.0, 241.0 + 8.0 * at, (150.0, 8.0)) for at, name in enumerate(STATEMENT)),
    _box("line", RECEIVED_BY, 34.0, 268.0, (50.0, 8.0)),
    _box("line", "received_on", 108.0, 268.0, (50.0, 8.0)),
)


def receipt_map() -> dict[str, Any]:
    """What a scan of the notice is read by, in the shape of every form map."""
    return {"pages": [{"number": 1, "codes": [dict(CODE)], "boxes": [dict(box) for box in BOXES]}]}
