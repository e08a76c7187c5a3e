"""Judging e-mail addresses: their form, and the slips of the finger in well-known domains."""

from __future__ import annotations

import re

from quality.texts import flatten, read_missing
from quality.verdicts import NOWHERE, REPAIRABLE, SUSPECT, VALID, Context, Verdict, invalid

_LONGEST = 500  # characters; an address has 254 at most
_CANDIDATE = re.compile(r"[^\s/、;,|<>()\[\]{}\"']+@[^\s/、;,|<>()\[\]{}\"'@]+|[^\s/、;,|<>()\[\]{}\"'@]+@")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?:[A-Za-z]{2,24}|xn--[A-Za-z0-9-]{2,59})")
_LABEL = re.compile(
    r"(?:电子邮箱|电子邮件|邮箱地址|邮箱|邮件|e-?mail|mail|个人|公司|单位|备用)+\s*[:.]?\s*", re.IGNORECASE
)
_SPACED = re.compile(r"\s*([@.])\s*")
_STOPS = str.maketrans({"。": ".", "．": ".", "·": ".", "，": ",", "｡": ".", "﹒": "."})

KNOWN_DOMAINS = frozenset(
    "qq.com vip.qq.com foxmail.com 163.com vip.163.com 126.com vip.126.com yeah.net 188.com sina.com sina.cn"
    " vip.sina.com"
    " sohu.com 139.com 189.cn wo.cn 21cn.com tom.com aliyun.com gmail.com hotmail.com outlook.com live.com"
    " live.cn msn.com"
    " yahoo.com yahoo.com.cn yahoo.cn icloud.com me.com mail.com sgcc.com.cn csg.cn".split()
)
_TYPOS = frozenset(
    "gmial.com gmai.com gmal.com gamil.com gmail.con gmail.cn gmail.co gmail.cm gmil.com hotmial.com hotmai.com"
    " hotmal.com"
    " hotmail.con hotmail.co outlok.com outlook.con outloo.com yaho.com yahoo.con yhaoo.com foxmai.com foxmal.com"
    " foxmail.con"
    " foxmail.cn fomail.com qq.con qq.cm qq.co qq.cn qq.om qq.comm qq.vom qq.xom qq.cpm qq.coom qq.net qq.cim"
    " qq.ocm qqq.com"
    " q.com aq.com 163.con 163.cm 163.co 163.cn 163.om 163.comm 163.vom 163.xom 163.net.cn 16.com 1633.com"
    " 136.com 126.con"
    " 126.cm 126.co 126.cn 126.om 126.cmo 163.cmo qq.cmo 126.comm 162.com 139.con 139.cn 139.cm 189.con 189.com"
    " sina.con"
    " sina.cm sian.com sina.om sohu.con shou.com souhu.com sohu.cm aliyun.con".split()
)
_DUMMY_DOMAINS = frozenset(
    "example.com example.cn example.org test.com test.cn abc.com xxx.com aaa.com a.com 123.com".split()
)
_DUMMY_LOCALS = re.compile(r"test\d*|ceshi|abc|xxx+|aaa+|123|1234|12345|123456|1234567|12345678|123456789|(.)\1{4,}")


def judge_email(text: str, column: str = "email", context: Context = NOWHERE) -> Verdict:
    """Judge an e-mail cell; the domain of the value is in small letters."""
    nothing = read_missing(text)
    if nothing:
        return nothing
    if len(text) > _LONGEST:
        return invalid("email_syntax")
    flat = _SPACED.sub(r"\1", flatten(text.translate(_STOPS)))
    cut = [(_trim(found), found) for found in _CANDIDATE.findall(_LABEL.sub(" ", flat))]
    good = list(dict.fromkeys(_lower_domain(address) for address, _found in cut if is_email(address)))
    if not good:
        return invalid("email_syntax")
    repairs = _repairs(text, flat, cut)
    sure = [address for address in good if not _doubts(address)]
    if not sure:
        return _several(SUSPECT, good, (*_doubts(good[0]), *repairs))
    if len(sure) < len(cut):
        repairs = (*repairs, "several_emails" if len(sure) > 1 else "email_bad_part")
    return _several(REPAIRABLE if repairs else VALID, sure, tuple(dict.fromkeys(repairs)))


def is_email(address: str) -> bool:
    """Whether a text has the form of an e-mail address (RFC 5321 lengths, no quoted local parts, ASCII domain)."""
    local, _at, domain = address.rpartition("@")
    return (
        0 < len(local) <= 64
        and len(address) <= 254
        and bool(_LOCAL.fullmatch(local))
        and bool(_DOMAIN.fullmatch(domain))
    )


def _several(verdict: str, addresses: list[str], reasons: tuple[str, ...]) -> Verdict:
    count = len(addresses)
    return Verdict(verdict, "email", tuple(addresses), reasons, ("email",) * count, ("",) * count)


def _trim(found: str) -> str:
    return found.strip(".:=!?…-，。").removeprefix("mailto:")


def _lower_domain(address: str) -> str:
    local, _at, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def _repairs(text: str, flat: str, cut: list[tuple[str, str]]) -> tuple[str, ...]:
    repairs = []
    if flat != text.strip() or any(address != found for address, found in cut):
        repairs.append("email_characters")
    left = flat
    for _address, found in cut:
        left = left.replace(found, " ", 1)
    if any(map(str.isalnum, left)):
        repairs.append("email_label")
    elif len(cut) == 1 and left.strip():
        repairs.append("email_characters")
    if len(cut) > 1:
        repairs.append("several_emails")
    return tuple(dict.fromkeys(repairs))


def _doubts(address: str) -> tuple[str, ...]:
    local, _at, domain = address.lower().rpartition("@")
    if domain in _DUMMY_DOMAINS or _DUMMY_LOCALS.fullmatch(local):
        return ("email_dummy",)
    is_slip = domain in _TYPOS or domain.endswith((".con", ".cmo", ".ocm", ".comm", ".vom", ".xom"))
    return ("email_domain_typo",) if is_slip and domain not in KNOWN_DOMAINS else ()
