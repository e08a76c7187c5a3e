"""What belongs to one bureau and stands on its paper; nothing of it is written into a template."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Letterhead:
    """The letterhead profile of a bureau. `fangsong` … `xiaobiaosong` name its own fonts, which go first."""

    organ: str
    organ_short: str
    department: str = "市场营销部"
    hotline: str = "95598"
    website: str = ""
    wechat: str = ""
    return_address: str = ""
    return_postcode: str = ""
    province_city: str = ""
    bulletin_prefix: str = "客服通报"
    notice_prefix: str = "KH"
    form_code: str = "KF"
    postage_mark: str = ""
    copy_to: tuple[str, ...] = ()
    appeal_contact: str = ""
    signature_titles: tuple[str, str, str] = ("编制", "审核", "批准")
    red_head: bool = False
    fangsong: str = ""
    kaiti: str = ""
    heiti: str = ""
    songti: str = ""
    xiaobiaosong: str = ""
    font_folder: str = ""


def local_address(address: str, letterhead: Letterhead) -> str:
    """The address without the bureau's own province and city; mail to elsewhere keeps both."""
    address = address.strip()
    for own in (letterhead.province_city, _city(letterhead.province_city)):
        if own and address.startswith(own) and len(address) > len(own):
            return address[len(own) :]
    return address


@lru_cache(maxsize=16)
def _city(province_city: str) -> str:
    return re.sub("^.*?(?:省|自治区)", "", province_city)


def is_local(address: str, letterhead: Letterhead) -> bool:
    """Whether mail to an address stays in the bureau's own city; a bureau that named none sends all of it there."""
    return not letterhead.province_city or local_address(address, letterhead) != address.strip()
