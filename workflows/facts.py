"""FACTS: what conditions of branches and waits may ask the database for, one line an entry."""

from __future__ import annotations

from models.words import N_
from workflows import campaigns, notices, visits
from workflows.steps import Fact

# name: Fact(label, find(session, facts)). A condition names it without a dot:
# { field = "letters_open", op = "eq", value = 0 }
FACTS: dict[str, Fact] = {
    "letters_open": Fact(N_("待回复的函件"), campaigns.letters_open),
    "visits_open": Fact(N_("未完成的走访任务"), visits.visits_open),
    "receipts_open": Fact(N_("未签收的单位"), notices.receipts_open),
}
