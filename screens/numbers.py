"""What addresses and forms may say: a number that no row could have as its id is none, no text breaks a database."""

from __future__ import annotations

from typing import Any

from flask import Request
from werkzeug.datastructures import CombinedMultiDict, FileStorage, ImmutableMultiDict
from werkzeug.routing import IntegerConverter

from quality.texts import storable

LARGEST = 2**63 - 1  # a bigint of both databases
LARGEST_FIELD = 2**31 - 1  # an integer of PostgreSQL


class Typed(ImmutableMultiDict[str, str]):
    """Parameters of a request whose whole numbers fit a bigint, larger ones count as not given; texts can be stored."""

    def __init__(self, given: Any = None) -> None:
        pairs = isinstance(given, list)
        super().__init__([(name, _storable(value)) for name, value in given] if pairs else given)

    def get(self, key: str, default: Any = None, type: Any = None) -> Any:
        return super().get(key, default, type=whole if type is int else type)

    def getlist(self, key: str, type: Any = None) -> list[Any]:
        return super().getlist(key, type=whole if type is int else type)


class TypedValues(CombinedMultiDict[str, str]):
    """The same for address and form together."""

    def get(self, key: str, default: Any = None, type: Any = None) -> Any:
        return super().get(key, default, type=whole if type is int else type)


class HouseRequest(Request):
    """A request with such parameters."""

    parameter_storage_class = Typed

    @property
    def values(self) -> TypedValues:  # type: ignore[override]
        return TypedValues(super().values.dicts)


class RowNumber(IntegerConverter):
    """`<int:key>` of an address; a page behind a larger number is not there."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"max": LARGEST, **options})


def _storable(value: Any) -> Any:
    """A text from a form, or a file from one with such a name."""
    if isinstance(value, FileStorage):
        value.filename = storable(value.filename or "")
        return value
    return storable(value)


def whole(text: str) -> int:
    """The number that this text is; a ValueError where no bigint holds it."""
    number = int(text)
    if abs(number) > LARGEST:
        raise ValueError(text[:40])
    return number
