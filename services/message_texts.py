"""Texts of messages: merge fields of an allow-list put in, no logic, and how long an SMS comes out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from models.words import N_, Said

# The allow-list: a field as a template names it in braces, and what stands there.
FIELDS: dict[str, str] = {
    "户名": N_("客户名称，中间遮盖"),
    "户号后四位": N_("户号的最后四位"),
    "供电单位": N_("客户所属的供电单位"),
    "单位简称": N_("单位抬头里的简称"),
    "服务热线": N_("单位抬头里的服务热线"),
    "活动名称": N_("核对活动的名称"),
    "回复期限": N_("请客户在这一天前回复"),
    "变更项目": N_("改了哪一项联系信息（变更告知用）"),
    "变更日期": N_("变更生效的日期（变更告知用）"),
}
EXAMPLES: dict[str, str] = {
    "户名": "张*",
    "户号后四位": "0021",
    "供电单位": "桂城供电所",
    "单位简称": "南海供电局",
    "服务热线": "95598",
    "活动名称": "联系信息核对",
    "回复期限": "12月15日",
    "变更项目": "手机",
    "变更日期": "11月22日",
}
FIELD = re.compile(r"\{([^{}]*)\}")
SINGLE, JOINED = (
    70,
    67,
)  # characters of an SMS with Chinese in it: alone, and in each part of a long one (3GPP 23.038)
PLAIN_SINGLE, PLAIN_JOINED = 160, 153  # the same of one in the 7-bit alphabet
PLAIN = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
PLAIN_DOUBLE = frozenset("^{}\\[~]|€")
MOST_PARTS = 5
LONGEST_MAIL = 4000


@dataclass(frozen=True)
class Length:
    """How long a text is as an SMS: units that count (an emoji counts twice), and parts that are charged."""

    characters: int
    parts: int


def length_of(text: str) -> Length:
    """How many characters and parts a text takes; one that fits the 7-bit alphabet takes fewer parts."""
    if all(letter in PLAIN or letter in PLAIN_DOUBLE for letter in text):
        units = len(text) + sum(letter in PLAIN_DOUBLE for letter in text)
        return Length(units, _parts(units, PLAIN_SINGLE, PLAIN_JOINED))
    units = len(text.encode("utf-16-be")) // 2
    return Length(units, _parts(units, SINGLE, JOINED))


def fill(text: str, values: Mapping[str, str]) -> str:
    """A template with its fields put in; what is put in is never read as a template again."""
    return FIELD.sub(lambda found: values.get(found[1], ""), text)


def fields_in(text: str) -> list[str]:
    """The fields that a template names, in reading order, each once."""
    return list(dict.fromkeys(FIELD.findall(text)))


def faults(channel: str, subject: str, body: str) -> Iterator[str]:
    """What is wrong with a template, one sentence each."""
    if not body.strip():
        yield N_("请填写正文。")
    for name in fields_in(subject + body):
        if name not in FIELDS:
            yield Said(
                "没有字段「%(name)s」。可用的字段：%(known)s。",
                name="{" + name + "}",
                known="、".join("{" + one + "}" for one in FIELDS),
            )
    if FIELD.sub("", subject + body).count("{") + FIELD.sub("", subject + body).count("}"):
        yield N_("花括号要成对，字段写成 {户名} 这样。")
    yield from _form_faults(channel, subject, body)


def _form_faults(channel: str, subject: str, body: str) -> Iterator[str]:
    if channel == "sms" and subject.strip():
        yield N_("短信没有主题，请把主题清空。")
    if channel == "sms" and length_of(fill(body, EXAMPLES)).parts > MOST_PARTS:
        yield Said("短信太长：最多 %(most)s 条，请缩短正文。", most=MOST_PARTS)
    if channel == "email" and (not subject.strip() or "\n" in subject or "\r" in subject):
        yield N_("邮件要有一行主题。")
    if len(body) > LONGEST_MAIL:
        yield Said("正文太长：最多 %(most)s 个字。", most=LONGEST_MAIL)


def _parts(units: int, single: int, joined: int) -> int:
    return 1 if units <= single else -(-units // joined)
