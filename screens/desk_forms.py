"""The change form on the desk: its rows in the order of the paper, and what was keyed as services take it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from models import Letter
from paper import masks
from services.form_ticks import CHANNELS, Ticks
from services.return_rows import LABELS, lines_of
from services.return_rows import ROWS as PLACES
from services.returns import Form

Fields = MultiDict[str, str]


@dataclass(frozen=True)
class Row:
    """One row of the form: the name of its tick, and its fields as place, label and kind of keyboard."""

    name: str
    label: Any
    fields: Sequence[tuple[str, Any, str]]


KEYBOARDS = {
    "mobile": "numeric",
    "landline": "tel",
    "outage_mobile": "numeric",
    "postcode": "numeric",
    "email": "email",
}
ROWS = tuple(
    Row(
        name,
        _l(LABELS[name]),
        tuple((place, _l(LABELS[place]), KEYBOARDS.get(place, "text")) for place in places),
    )
    for name, places in PLACES.items()
)


def printed(letter: Letter) -> dict[str, str]:
    """The recorded values as they stand on the paper: covered, by place."""
    recorded: Mapping[str, str] = letter.facts["letter"]["recorded"]
    return {place: cover(recorded.get(place, "")) for place, cover in masks.BY_PLACE.items()}


def head_of(letter: Letter) -> dict[str, str]:
    """What names the customer on the form, covered as it is there."""
    facts = letter.facts["letter"]
    return {
        "account_no": masks.mask_account(facts["account_no"]),
        "name": masks.mask_name(facts["name"]),
        "unit": facts["unit"],
        "supply_address": masks.mask_address(facts["supply_address"]),
        "address": masks.mask_address(facts["address"]),
    }


def form_from(fields: Fields, letter: Letter) -> Form:
    """What was keyed. A tick beside a row means 无变化 where a value was printed, 暂无 where none was."""
    return Form(
        all_same="all_same" in fields,
        blank="blank" in fields,
        lines=tuple(lines_of(set(fields.getlist("same")), _written(fields), letter.facts["versions"])),
        signed="signed" in fields,
        relation=fields.get("relation", ""),
        ticks=Ticks(
            channels=tuple((purpose, channel) for purpose in CHANNELS for channel in fields.getlist(purpose)),
            wechat_bind="wechat_bind" in fields,
            consent="consent" in fields,
            other=tuple(fields.getlist("other")),
            wishes=tuple(fields.getlist("wishes")),
        ),
        note=fields.get("note", ""),
    )


def _written(fields: Fields) -> dict[str, str]:
    return {place: fields.get(f"new_{place}", "").strip() for places in PLACES.values() for place in places}
