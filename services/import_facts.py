"""What a file's cells say about the customer itself: dates, classes, sensitivity. Pure: text in, value out or None."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from models.clock import ZONE
from models.words import CUSTOMER_CLASSES, SENSITIVITIES, USAGE_CLASSES
from quality.dates import parse_date, parse_moment
from quality.texts import flatten

REMEMBERED = 20_000  # texts of one kind: dates and classes repeat in every file


def _words(labels: dict[str, str]) -> dict[str, str]:
    """Codes and labels, each leading to its code."""
    return {label: code for code, label in labels.items()} | {code: code for code in labels}


_USAGE = _words(USAGE_CLASSES) | {
    "大工业用电": "large_industrial", "大工业": "large_industrial",
    "一般工商业": "general_commercial", "一般工商业用电": "general_commercial", "工商业": "general_commercial",
    "一般工商业及其他": "general_commercial", "非居民照明": "general_commercial", "商业": "general_commercial",
    "商业用电": "general_commercial", "普通工业": "general_commercial", "非工业": "general_commercial",
    "居民生活": "residential", "居民生活用电": "residential", "居民": "residential", "城镇居民": "residential",
    "乡村居民": "residential", "居民照明": "residential",
    "农业生产": "agricultural", "农业生产用电": "agricultural", "农业": "agricultural", "农业排灌": "agricultural",
}  # fmt: skip
_CLASSES = _words(CUSTOMER_CLASSES) | {
    "高压": "high_voltage", "高压客户": "high_voltage", "高压用户": "high_voltage", "专变": "high_voltage",
    "低压非居民": "low_voltage_business", "低压非居民客户": "low_voltage_business", "非居民": "low_voltage_business",
    "商业": "low_voltage_business", "其他": "low_voltage_business", "低压商业": "low_voltage_business",
    "低压居民": "low_voltage_residential", "低压居民客户": "low_voltage_residential",
    "居民": "low_voltage_residential", "居民客户": "low_voltage_residential",
}  # fmt: skip
_SENSITIVITY = _words(SENSITIVITIES) | {
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


@lru_cache(maxsize=REMEMBERED)
def plain(text: str) -> str:
    """A text to compare by: full-width to half-width, no invisible characters, no needless spaces."""
    return flatten(text)


@lru_cache(maxsize=REMEMBERED)
def read_moment(text: str) -> datetime | None:
    """A date with or without time in any of the ways that exports write it; a date alone is its 00:00."""
    return parse_moment(text, ZONE)


@lru_cache(maxsize=REMEMBERED)
def read_day(text: str) -> date | None:
    """The day of a date with or without time."""
    return parse_date(text)


@lru_cache(maxsize=REMEMBERED)
def read_usage(text: str) -> str | None:
    """The code of a usage class (用电类别)."""
    return _USAGE.get(_key(text))


@lru_cache(maxsize=REMEMBERED)
def read_class(text: str) -> str | None:
    """The code of a customer class (客户类别)."""
    return _CLASSES.get(_key(text))


@lru_cache(maxsize=REMEMBERED)
def read_sensitivity(text: str) -> str | None:
    """The code of a sensitivity; a plain yes means that the customer is to be watched."""
    return _SENSITIVITY.get(_key(text))


def class_of_usage(usage: str) -> str:
    """The customer class that a usage class suggests where the file names none; else residential."""
    return _CLASS_OF_USAGE.get(usage, "low_voltage_residential")


def _key(text: str) -> str:
    return flatten(text).replace(" ", "").lower()
