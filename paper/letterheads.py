"""What belongs to one bureau and stands on its paper; nothing of it is written into a template."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Letterhead:
    """The letterhead profile of a bureau. Families are names of installed fonts, tried before the stand-ins."""

    organ: str
    short_name: str
    department: str = "市场营销部"
    hotline: str = "95598"
    website: str = ""
    wechat: str = ""
    return_address: str = ""
    return_postcode: str = ""
    province: str = ""
    city: str = ""
    bulletin_word: str = ""
    survey_form_code: str = "KF-01"
    walk_form_code: str = "KF-02"
    notice_form_code: str = "KF-03"
    signature_titles: tuple[str, str, str] = ("编制", "审核", "批准")
    copy_to: tuple[str, ...] = ()
    appeal_phone: str = ""
    red_head: bool = False
    postage_mark: str = ""
    fangsong: str = ""
    kaiti: str = ""
    heiti: str = ""
    songti: str = ""
    xiaobiaosong: str = ""
    font_folder: str = ""
