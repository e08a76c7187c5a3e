"""The survey letter (核对函) with the change form (变更登记表) on its back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class Recorded:
    """The contacts on record, in full: the form covers them. An empty text prints 暂无 instead of 无变化."""

    person: str = ""
    mobile: str = ""
    landline: str = ""
    outage_person: str = ""
    outage_mobile: str = ""
    postal_address: str = ""
    postcode: str = ""
    email: str = ""
    wechat: str = ""


@dataclass(frozen=True)
class LetterFacts:
    """One printed copy. Address, addressee and postcode stand in the window in full; all else is masked."""

    serial: str
    token: str
    address: str
    addressee: str
    account_no: str
    name: str
    unit: str
    supply_address: str
    sent_on: dt.date
    reply_by: dt.date
    postcode: str = ""
    recorded: Recorded = Recorded()
    copy: int = 1
    form_version: str = "1"
    reply_url: str = ""
    reminder: bool = False


@dataclass(frozen=True)
class Problem:
    """What a letter could not show as given: the character, or the address that did not fit."""

    serial: str
    field: str
    reason: str
    text: str


@dataclass(frozen=True)
class Printed:
    """What a print run came to."""

    letters: int
    pages: int
    bytes: int
    seconds: float
    problems: tuple[Problem, ...] = ()
