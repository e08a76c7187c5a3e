"""What the fields of options offer: the named lists in the words of whoever asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from flask_babel import gettext as _

from models import db
from screens.permissions import permission_word
from services.choices import Lists


class OfferedLists:
    """The named lists, each read once a request; other lists are brought by name (`more`)."""

    def __init__(self, more: Mapping[str, Mapping[str, str]] | None = None, sought: str = "") -> None:
        self.lists = Lists(db.session(), sought)
        self.more = dict(more or {})

    def __call__(self, source: str, chosen: Collection[str] = ()) -> dict[str, str]:
        """One list: codes with their words; those chosen from a longer list are among them."""
        if source in self.more:
            return dict(self.more[source])
        found = self.lists(source, chosen) or {}
        if source == "permissions":
            return {code: permission_word(code) for code in found}
        return {code: _(label) for code, label in found.items()}
