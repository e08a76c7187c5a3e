"""What a file's cells say about the customer itself: dates, classes, sensitivity. Pure: text in, value out or None."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta

from models.clock import ZONE
from models.words import CUSTOMER_CLASSES, SENSITIVITIES, USAGE_CLASSES

_CLOCK = r"(?:[T ]*(\d{1,2})[:时](\d{1,2})(?:[:分](\d{1,2})(?:\.\d+)?秒?)?)?"
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?" + _CLOCK)
_PLAIN_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2}))?")
_SERIAL = re.compile(r"([2-6]\d{4})(\.\d+)?")  # days since 1899-12-30, as spreadsheets store a date
_SPREADSHEET_EPOCH = datetime(1899, 12, 30, tzinfo=ZONE)

_USAGE = {
    "大工业用电": "large_industrial", "大工业": "large_industrial",
    "一般工商业": "general_commercial", "一般工商业用电": "general_commercial", "工商业": "general_commercial",
    "一般工商业及其他": "general_commercial", "非居民照明": "general_commercial", "商业": "general_commercial",
    "商业用电": "general_commercial", "普通工业": "general_commercial", "非工业": "general_commercial",
    "居民生活": "residential", "居民生活用电": "residential", "居民": "residential", "城镇居民": "residential",
    "乡村居民": "residential", "居民照明": "residential",
    "农业生产": "agricultural", "农业生产用电": "agricultural", "农业": "agricultural", "农业排灌": "agricultural",
}  # fmt: skip
_CLASSES = {
    "高压": "high_voltage", "高压客户": "high_voltage", "高压用户": "high_voltage", "专变": "high_voltage",
    "低压非居民": "low_voltage_business", "低压非居民客户": "low_voltage_business", "非居民": "low_voltage_business",
    "商业": "low_voltage_business", "其他": "low_voltage_business", "低压商业": "low_voltage_business",
    "低压居民": "low_voltage_residential", "低压居民客户": "low_voltage_residential",
    "居民": "low_voltage_residential", "居民客户": "low_voltage_residential",
}  # fmt: skip
_SENSITIVITY = {
    "高敏": "high", "高敏感": "high", "高敏客户": "high", "高": "high", "高敏感客户": "high",
    "重点关注": "attention", "重点关注客户": "attention", "是": "attention", "敏感": "attention",
    "敏感客户": "attention", "中": "attention", "y": "attention", "yes": "attention", "1": "attention",
    "一般": "normal", "普通": "normal", "正常": "normal", "否": "normal", "不敏感": "normal", "非敏感": "normal",
    "低": "normal", "n": "normal", "no": "normal", "0": "normal", "无": "normal",
}  # fmt: skip
_CLASS_OF_USAGE = {
    "large_industrial": "high_voltage",
    "general_commercial": "low_voltage_business",
    "residential": "low_voltage_residential",
    "agricultural": "low_voltage_business",
}


def plain(text: str) -> str:
    """A text to compare by: full-width to half-width, no invisible characters, no spaces at the ends or doubled."""
    flat = unicodedata.normalize("NFKC", text)
    return " ".join("".join(char for char in flat if unicodedata.category(char) != "Cf").split())


def read_moment(text: str) -> datetime | None:
    """A date with or without time in any of the ways that exports write it; a date alone is its 00:00."""
    flat = plain(text)
    found = _DAY.fullmatch(flat) or _PLAIN_DAY.fullmatch(flat)
    if found:
        return _moment([int(part or 0) for part in found.groups()])
    serial = _SERIAL.fullmatch(flat)
    return _SPREADSHEET_EPOCH + timedelta(days=float(serial.group())) if serial else None


def read_day(text: str) -> date | None:
    """The day of a date with or without time."""
    moment = read_moment(text)
    return moment.date() if moment else None


def read_usage(text: str) -> str | None:
    """The code of a usage class (用电类别)."""
    return _coded(text, USAGE_CLASSES, _USAGE)


def read_class(text: str) -> str | None:
    """The code of a customer class (客户类别)."""
    return _coded(text, CUSTOMER_CLASSES, _CLASSES)


def read_sensitivity(text: str) -> str | None:
    """The code of a sensitivity; a plain yes means that the customer is to be watched."""
    return _coded(text, SENSITIVITIES, _SENSITIVITY)


def class_of_usage(usage: str) -> str:
    """The customer class that a usage class suggests where the file names none; else residential."""
    return _CLASS_OF_USAGE.get(usage, "low_voltage_residential")


def _coded(text: str, labels: dict[str, str], synonyms: dict[str, str]) -> str | None:
    flat = plain(text).replace(" ", "").lower()
    by_label = {label: code for code, label in labels.items()}
    return flat if flat in labels else by_label.get(flat) or synonyms.get(flat)


def _moment(parts: list[int]) -> datetime | None:
    year, month, day, hour, minute, second = parts
    try:
        return datetime.combine(date(year, month, day), time(hour, minute, second), ZONE)
    except ValueError:
        return None
