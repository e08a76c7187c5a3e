"""What may stand on paper that can reach a stranger: names, numbers and addresses with their middle covered."""

from __future__ import annotations

import re

STARS = "****"

_COMPOUND_SURNAMES = frozenset(
    "欧阳 司马 上官 诸葛 司徒 东方 独孤 南宫 夏侯 皇甫 尉迟 公孙 慕容 令狐 长孙 宇文 轩辕 端木 百里 申屠 "
    "太史 闻人 司空 濮阳 淳于 单于 钟离 呼延 澹台 公冶 宗政 赫连 仲孙 第五".split()
)
_COMPANY = re.compile(
    r"((?:股份|责任)?有限(?:责任)?公司|集团公司|公司|集团|合作社|联社|工厂|加工厂|厂|商行|经营部|服务部|门市部|工作室|事务所|"
    r"研究院|研究所|学院|学校|中学|小学|幼儿园|医院|卫生院|卫生站|诊所|酒店|宾馆|饭店|餐厅|餐馆|面馆|茶楼|超市|市场|商场|商店|便利店|"
    r"药店|药房|店|银行|支行|分行|营业部|管理处|管理站|管理所|物业|业主委员会|业委会|居委会|居民委员会|村委会|村民委员会|"
    r"村民小组|经济社|办事处|人民政府|委员会|派出所|中心|协会|教堂|寺|档口|场|局|所|队|部|站|馆|社|城|园|铺)"
    r"(?:[（(].*[）)])?$"
)
_CHINESE_NUMBER = "〇零一二三四五六七八九十百千"
_HOUSE = re.compile(
    rf"[甲乙丙丁]?(?:第?[0-9０-９A-Za-z{_CHINESE_NUMBER}]+[-－—之]?[0-9０-９]*|[甲乙丙丁])"
    r"(?:号(?!大街|路|街)|栋|幢|座|室|房|单元|楼|层|弄|巷\d|院|梯|队|组|铺|档|#)"
    r"|[0-9０-９]+(?!国道|省道|县道|号?大街|号?路|号?街|[0-9０-９])"
)
_PUBLIC_PART = re.compile(
    r"^.*(?:大道|公路|国道|省道|县道|马路|路|大街|街道|街|道|巷|里|弄|镇|乡|村|社区|区|县|市|花园|花苑|小区|新村|苑|园|城|湾|广场|大厦)"
)


def mask_name(name: str) -> str:
    """张* for a person whatever the length; a company keeps its first two characters and what kind it is."""
    name = name.strip()
    company = _COMPANY.search(name)
    if company and len(name) > 3:
        kept = 2 if company.start() > 2 else 1
        return f"{name[:kept]}{STARS}{company[1]}"
    if len(name) > 6 and not re.search(r"[·•A-Za-z]", name):
        return f"{name[:2]}{STARS}"
    surname = 2 if name[:2] in _COMPOUND_SURNAMES and len(name) > 2 else 1
    return f"{name[:surname]}*" if name else ""


def mask_phone(phone: str) -> str:
    """138****8000, 0757-****1234; E.164 and national writing alike, an extension is left out."""
    if len(phone) == 11 and phone[0] == "1" and phone.isascii() and phone.isdigit():
        return f"{phone[:3]}{STARS}{phone[-4:]}"
    text = re.split(r"转|分机|;|ext", phone.strip(), maxsplit=1)[0]
    foreign = re.match(r"(?:\+|00)(?!86)(\d{1,3})", text)
    digits = re.sub(r"\D", "", re.sub(r"^\s*(?:\+|00)\s*86", "", text))
    if foreign:
        return f"+{foreign[1]}{STARS}{digits[-3:]}"
    if len(digits) == 11 and digits[0] == "1":
        return f"{digits[:3]}{STARS}{digits[-4:]}"
    if len(digits) >= 9:
        return _mask_landline(digits if digits[0] in "048" else f"0{digits}")
    return _mask_short(digits) if digits else ""


def _mask_landline(digits: str) -> str:
    if digits[:3] in ("400", "800"):
        return f"{digits[:3]}{STARS}{digits[-3:]}"
    area = 3 if digits.startswith(("01", "02")) else 4
    return f"{digits[:area]}-{STARS}{digits[-4:]}"


def _mask_short(digits: str) -> str:
    return STARS + digits[-4:] if len(digits) >= 7 else STARS


def mask_account(account_no: str) -> str:
    """The first and last digits of an account number; at least four in the middle are covered."""
    account_no = account_no.strip()
    shown = max(0, (len(account_no) - 4) // 2)
    head, tail = min(4, shown), min(4, shown)
    if not tail:
        return STARS if account_no else ""
    return f"{account_no[:head]}{'*' * (len(account_no) - head - tail)}{account_no[-tail:]}"


def mask_address(address: str) -> str:
    """The address down to road, village or estate: without house number, building and room."""
    address = address.strip()
    house = _HOUSE.search(address)
    public = address[: house.start()] if house else _public_part(address)
    return f"{public}{STARS}" if address else ""


def _public_part(address: str) -> str:
    found = _PUBLIC_PART.match(address)
    return found[0] if found else address[:2]


def mask_email(email: str) -> str:
    """z***@163.com."""
    name, at, domain = email.strip().rpartition("@")
    if not at:
        return STARS if domain else ""
    return f"{name[:1]}***@{domain}"


def mask_wechat(handle: str) -> str:
    """The first character of a WeChat name."""
    handle = handle.strip()
    return f"{handle[:1]}***" if handle else ""


# how the recorded values stand on a letter, by place
BY_PLACE = {
    "person": mask_name,
    "outage_person": mask_name,
    "mobile": mask_phone,
    "outage_mobile": mask_phone,
    "landline": mask_phone,
    "postal_address": mask_address,
    "postcode": str.strip,
    "email": mask_email,
    "wechat": mask_wechat,
}
