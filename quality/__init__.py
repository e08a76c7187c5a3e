"""Floor 1, what is right: text in, Verdict out. No Flask and no query here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.words import N_
from quality.addresses import judge_address
from quality.emails import judge_email
from quality.ids import judge_id
from quality.names import judge_name
from quality.phones import judge_phone
from quality.postcodes import judge_postcode
from quality.texts import judge_text
from quality.verdicts import NOWHERE, Context, Verdict
from quality.wechats import judge_wechat

Judge = Callable[[str, str, Context], Verdict]


@dataclass(frozen=True)
class Rule:
    """A registered judge: its label, the function, and the fields and contact kinds that it judges."""

    label: str
    function: Judge
    fields: tuple[str, ...]


RULES: dict[str, Rule] = {
    "judge_phone": Rule(N_("电话号码"), judge_phone, ("mobile", "landline", "phone")),
    "judge_address": Rule(N_("地址"), judge_address, ("supply_address", "postal_address", "address")),
    "judge_postcode": Rule(N_("邮政编码"), judge_postcode, ("postcode",)),
    "judge_email": Rule(N_("电子邮箱"), judge_email, ("email",)),
    "judge_wechat": Rule(N_("微信"), judge_wechat, ("wechat",)),
    "judge_name": Rule(N_("姓名、名称"), judge_name, ("name", "person")),
    "judge_id": Rule(N_("证件号码"), judge_id, ("id_number", "uscc")),
    "judge_text": Rule(N_("其他文字"), judge_text, ("text",)),
}

_BY_FIELD: dict[str, Judge] = {field: rule.function for rule in RULES.values() for field in rule.fields}


def judge(field: str, text: str, context: Context = NOWHERE) -> Verdict:
    """Judge one cell. `field` is a contact kind or column (mobile, landline, phone, person, name, supply_address,
    postal_address, postcode, email, wechat, id_number, uscc); what has no rule of its own only needs some text.
    """
    return _BY_FIELD.get(field, judge_text)(text, field, context)
