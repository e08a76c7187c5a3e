"""Judging WeChat accounts: an id, or the mobile or QQ number by which an account is found."""

from __future__ import annotations

import re

from quality.phones import judge_phone
from quality.texts import flatten, read_missing
from quality.verdicts import NOWHERE, REPAIRABLE, SUSPECT, VALID, Context, Verdict, invalid, one

_LONGEST = 100  # characters
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{5,19}")
_QQ = re.compile(r"[1-9]\d{4,10}", re.ASCII)
_LABEL = re.compile(r"^(?:微信号?|微信账号|wechat|wx|vx|qq)\s*[:：]\s*", re.IGNORECASE)
_REFERS = re.compile(
    r"(?:微信)?(?:同|即|就是)(?:上|号|手机号?码?|电话|联系电话|本机)|手机(?:号)?同号|同号|(?:手机|电话)号?(?:同步)?"
)


def judge_wechat(text: str, column: str = "wechat", context: Context = NOWHERE) -> Verdict:
    """Judge a WeChat cell. A mobile number is kept as typed into WeChat: eleven digits."""
    nothing = read_missing(text)
    if nothing:
        return nothing
    if len(text) > _LONGEST:
        return invalid("wechat_syntax")
    flat = flatten(text)
    if _REFERS.fullmatch(flat):
        return invalid("wechat_refers")
    account = _LABEL.sub("", flat).strip("'\"“”,;。 ")
    repairs = () if account == text.strip() else ("wechat_characters",)
    if _ID.fullmatch(account):
        return one(REPAIRABLE if repairs else VALID, "wechat", account, reasons=repairs)
    return _judge_number(account, repairs)


def _judge_number(account: str, repairs: tuple[str, ...]) -> Verdict:
    phone = judge_phone(account, "mobile")
    if phone.kind == "mobile" and len(phone.values) == 1 and phone.value.startswith("+86"):
        repairs = repairs or (() if phone.value[3:] == account else ("wechat_characters",))
        verdict = SUSPECT if phone.verdict == SUSPECT else REPAIRABLE if repairs else VALID
        doubts = ("wechat_dummy",) if verdict == SUSPECT else ()
        return one(verdict, "wechat", phone.value[3:], reasons=(*doubts, *repairs))
    if _QQ.fullmatch(account):
        return one(REPAIRABLE if repairs else VALID, "wechat", account, reasons=repairs)
    if any("\u3400" <= char <= "\u9fff" for char in account):
        return invalid("wechat_nickname")
    return invalid("wechat_syntax")
