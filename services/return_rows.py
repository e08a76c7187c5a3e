"""The rows of the change form: which places a tick beside a row speaks of, and what it says of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.said import N_
from services.returns import Line

ROWS: dict[str, tuple[str, ...]] = {
    "person": ("person",),
    "mobile": ("mobile",),
    "landline": ("landline",),
    "outage": ("outage_person", "outage_mobile"),
    "postal_address": ("postal_address",),
    "postcode": ("postcode",),
    "email": ("email",),
}

LABELS = {
    "person": N_("联系人"),
    "mobile": N_("手机号码"),
    "landline": N_("固定电话"),
    "outage": N_("停电联系人"),
    "outage_person": N_("停电联系人姓名"),
    "outage_mobile": N_("停电联系人手机"),
    "postal_address": N_("通讯地址"),
    "postcode": N_("邮政编码"),
    "email": N_("电子邮箱"),
}


def lines_of(ticked: set[str], written: Mapping[str, str], versions: Mapping[str, int]) -> Iterator[Line]:
    """What the rows say: a tick means 无变化 where a value was printed and 暂无 where none was, a text is new.

    Texts beside a tick are handed on with it, for `check_form` to refuse. `versions`: by place, what was printed.
    """
    for row, places in ROWS.items():
        if row in ticked:
            yield from _ticked(places, written, versions)
        else:
            yield from (Line(place, "new", written[place]) for place in places if written.get(place))


def _ticked(
    places: tuple[str, ...], written: Mapping[str, str], versions: Mapping[str, int]
) -> Iterator[Line]:
    shown = [place for place in places if place in versions] or places[:1]
    for place in places:
        text = written.get(place, "")
        if place in shown or text:
            yield Line(place, "same" if place in versions else "none", text)
