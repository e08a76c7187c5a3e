"""FACTS: what conditions of branches and waits may ask the database for, one line an entry."""

from __future__ import annotations

from workflows.steps import Fact

# name: Fact(label, find(session, facts)). A condition names it without a dot:
# { field = "letters_open", op = "eq", value = 0 }
FACTS: dict[str, Fact] = {}
