"""Headings of customer files: the standard ones, their synonyms, and what each column means to us."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    """A standard heading: our field, the contact kind that its cells become, and the kind they are judged as.

    `contact` is empty for facts about the customer; `judged` is empty for what has no rule. The values of 联系电话
    become mobile or landline by what they are, so its contact kind is only the one for values that are neither.
    """

    heading: str
    field: str
    contact: str = ""
    judged: str = ""
    synonyms: tuple[str, ...] = ()


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _contact(heading: str, field: str, synonyms: str) -> Heading:
    return Heading(heading, field, field, field, _words(synonyms))


def _fact(heading: str, field: str, synonyms: str) -> Heading:
    return Heading(heading, field, synonyms=_words(synonyms))


def _judged(heading: str, field: str, synonyms: str) -> Heading:
    return Heading(heading, field, judged=field, synonyms=_words(synonyms))


_ALL = (
    _fact("户号", "account_no",
        "客户编号 用户编号 用电户号 客户号 用户号 用电客户编号 用电户编号 客户户号 户号编号 用户户号 缴费户号 "
        "account_no account"
    ),
    _judged("户名", "name",
        "客户名称 用户名称 用户名 客户名 用电户名 用电客户名称 客户姓名 用户姓名 户主 户主姓名 name"
    ),
    _fact("用电类别", "usage_class",
        "用电分类 用电性质 用电类型 电价类别"
    ),
    _fact("客户类别", "customer_class",
        "客户分类 用户类别 用户分类 客户类型 用户类型"
    ),
    _fact("供电单位", "unit",
        "供电所 单位 管理单位 所属单位 供电单位名称 供电单位编码 供电局 所属供电所 单位名称 单位编码 营业所 "
        "供电公司"
    ),
    _contact("联系人", "person",
        "联系人姓名 联系人名称 客户联系人 用户联系人 业务联系人 联系人员"
    ),
    _contact("手机", "mobile",
        "移动电话 手机号 手机号码 移动电话号码 联系手机 手机电话 客户手机 用户手机 联系人手机 联系人手机号 "
        "联系人手机号码 mobile"
    ),
    _contact("固定电话", "landline",
        "固话 座机 固定电话号码 固话号码 座机号码 座机电话 办公电话 住宅电话 家庭电话 宅电 landline"
    ),
    Heading("联系电话", "phone", "mobile", "phone", _words(
        "电话 电话号码 联系方式 客户电话 用户电话 联系号码 联系电话号码 联系人电话 客户联系电话 用户联系电话 "
        "phone tel telephone"
    )),
    _contact("用电地址", "supply_address",
        "装表地址 用户地址 客户地址 地址 用电客户地址 用电地点 装表地点 装机地址 供电地址 详细地址 address"
    ),
    _contact("通讯地址", "postal_address",
        "通信地址 邮寄地址 联系地址 邮政地址 寄送地址 账单地址 账单寄送地址 收件地址 投递地址"
    ),
    _contact("邮政编码", "postcode",
        "邮编 邮政编号 邮码 postcode zip zipcode"
    ),
    _contact("电子邮箱", "email",
        "e-mail email 邮箱 电子邮件 邮箱地址 电子邮箱地址 电子邮件地址 mail"
    ),
    _contact("微信", "wechat",
        "微信号 微信号码 微信账号 wechat"
    ),
    _fact("客户经理", "manager",
        "大客户经理 台区经理 网格经理 客户服务经理 责任客户经理 客户经理姓名 客户经理工号"
    ),
    _fact("敏感客户", "sensitivity",
        "敏感级别 高敏客户 重点关注客户 是否敏感客户 客户敏感级别 敏感客户级别"
    ),
    _fact("立户日期", "opened_on",
        "开户日期 送电日期 立户时间 开户时间 送电时间 装表接电日期"
    ),
    _fact("录入人", "recorder",
        "录入员 录入人员 登记人 采集人 采集人员 录入者"
    ),
    _fact("录入时间", "recorded_at",
        "录入日期 登记时间 登记日期 采集时间 采集日期"
    ),
    _judged("身份证号", "id_number",
        "身份证 身份证号码 证件号码 证件号 居民身份证号 居民身份证号码 公民身份号码"
    ),
    _judged("统一社会信用代码", "uscc",
        "信用代码 社会信用代码 统一信用代码 营业执照号 营业执照号码 组织机构代码"
    ),
    _fact("台区", "transformer_area",
        "台区名称 台区编号 台区编码 所属台区 配变 公变名称"
    ),
    _fact("抄表册", "meter_book",
        "抄表段 抄表区段 抄表册编号 抄表段编号 抄表册号 抄表段号 抄表区段编号"
    ),
    _fact("电能表号", "meter_no",
        "表号 电表号 电表编号 电能表编号 电能表资产编号 电表资产编号 电能表条码"
    ),
)

HEADINGS: dict[str, Heading] = {heading.heading: heading for heading in _ALL}
FIELDS: dict[str, Heading] = {heading.field: heading for heading in _ALL}

_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^】]*】|<[^<>]*>")
_LOOSE = re.compile(r"[\s*:;.,、。_'\"“”‘’=#()\[\]【】<>/\\-]+")


def plain_heading(text: str) -> str:
    """A heading without its decoration: width, spaces, brackets and their text, stars, colons, capitals."""
    flat = unicodedata.normalize("NFKC", text)
    flat = "".join(char for char in flat if unicodedata.category(char) != "Cf")
    return _LOOSE.sub("", _BRACKETED.sub("", flat)).lower() or _LOOSE.sub("", flat).lower()


_BY_PLAIN: dict[str, str] = {
    plain_heading(word): heading.field
    for heading in _ALL
    for word in (heading.heading, heading.field, *heading.synonyms)
}


def field_of(heading: str) -> str:
    """The field that a heading names, or an empty text."""
    return _BY_PLAIN.get(plain_heading(heading), "")


def recognise(headings: Iterable[str]) -> dict[str, str]:
    """Headings as written -> field, for those known; of two for one field the standard or else the first has it."""
    listed = list(headings)
    standard = {FIELDS[field_of(text)].heading: text for text in listed if plain_heading(text) in HEADINGS}
    found: dict[str, str] = {}
    for text in listed:
        field = field_of(text)
        if not field or field in found.values():
            continue
        found[standard.get(FIELDS[field].heading, text)] = field
    return found
