"""The columns that every list of contact versions begins with: whose value it is, and of which kind."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from screens import masking
from screens.listings import Column
from screens.row_words import kinds_word

WHOSE = (
    Column(_l("户号"), lambda row, _extra: row.customer.account_no, css="nowrap"),
    Column(_l("户名"), lambda row, _extra: masking.name_text(row.customer.name), css="nowrap"),
    Column(_l("种类"), lambda row, _extra: kinds_word(row.kind), css="nowrap"),
)
