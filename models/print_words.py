"""The interface words of the print room (see models/words.py)."""

from __future__ import annotations

from models.said import N_

PRINT_RUN_KINDS = {"first": N_("首次"), "reminder": N_("催复"), "reprint": N_("补打")}
