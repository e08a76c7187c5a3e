"""Values of customers on a screen: masked, unless they were revealed for a purpose and that was written down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from paper import masks

MASKS = {
    "mobile": masks.mask_phone,
    "landline": masks.mask_phone,
    "person": masks.mask_name,
    "supply_address": masks.mask_address,
    "postal_address": masks.mask_address,
    "email": masks.mask_email,
    "wechat": masks.mask_wechat,
}
OPEN_KINDS = ("postcode",)
_REVEALING = ContextVar("revealing", default=False)


@contextmanager
def revealing(*, plain: bool) -> Iterator[None]:
    """For the rows of one export: values in plain, where that was asked for, allowed and is written down."""
    token = _REVEALING.set(plain)
    try:
        yield
    finally:
        _REVEALING.reset(token)


def masked(kind: str, text: str) -> str:
    """A value with its middle covered, by its kind; a kind without a mask of its own shows its first sign only."""
    if kind in OPEN_KINDS or not text or _REVEALING.get():
        return text
    return MASKS.get(kind, lambda value: f"{value[:1]}***")(text)


def contact_text(contact: Any, *, plain: bool = False) -> str:
    """What a version says: the standard value as people write it, else the text as it came."""
    text = pretty(contact.kind, contact.value) if contact.value else contact.raw
    if not plain:
        return masked(contact.kind, text)
    return f"{text} 转 {contact.extension}" if contact.extension else text


def pretty(kind: str, value: str) -> str:
    """A standard value as staff write it: national numbers, areas set off by a hyphen."""
    if kind not in ("mobile", "landline") or not value.startswith("+86"):
        return value
    digits = value.removeprefix("+86")
    if len(digits) == 11 and digits.startswith("1"):
        return digits
    area = 2 if digits[:1] in ("1", "2") and digits[:2] in ("10", *(f"2{n}" for n in range(10))) else 3
    return digits if digits[:3] in ("400", "800") else f"0{digits[:area]}-{digits[area:]}"


def name_text(name: str, *, plain: bool = False) -> str:
    """A customer's name."""
    return name if plain or _REVEALING.get() else masks.mask_name(name)
