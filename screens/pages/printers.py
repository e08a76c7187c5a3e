"""Printers with how far their print lies off, for overprinting."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import validators

from models import Printer
from screens import rows
from screens.base import Screen

FARTHEST = 200  # 0.1 mm


class Printers(Screen):
    """Each printer with its offsets in 0.1 mm."""

    table = Printer
    permission, change_permission = "letters.run", "letters.edit"
    label, group = _l("打印机"), "mailing"
    lead = _l(
        "套打时可变内容按打印机的偏移移动。先打校准页（打印与交寄，活动的台账页），量出差值填在这里："
        "单位 0.1 毫米，向右、向下为正。"
    )
    can_create = can_edit = True
    column_list = ("name", "place", "offset_x", "offset_y", "active")
    column_labels = {
        "name": _l("名称"),
        "place": _l("放在哪里"),
        "offset_x": _l("向右（0.1 毫米）"),
        "offset_y": _l("向下（0.1 毫米）"),
        "active": _l("在用"),
    }
    column_formatters = {"name": rows.as_label}
    column_sortable_list = ("name",)
    form_columns = ("name", "place", "offset_x", "offset_y", "active")
    form_args = {
        "name": {"validators": [validators.DataRequired()]},
        "offset_x": {"validators": [validators.InputRequired(), validators.NumberRange(-FARTHEST, FARTHEST)]},
        "offset_y": {"validators": [validators.InputRequired(), validators.NumberRange(-FARTHEST, FARTHEST)]},
    }
    traced = form_columns
