"""`search` as the bureau's IT calls it."""

from __future__ import annotations

import json

from factories import make_customer
from sqlalchemy import text, update

from models import SearchRow
from screens.commands import main
from services import search_checks


def call(app, capsys, *words: str):
    code = main(["search", *words, "--json"], lambda: app)
    return code, json.loads(capsys.readouterr().out)


def test_looking_only_counts_and_mending_writes(core, session, capsys):
    customer = make_customer(session)
    session.commit()
    sum(search_checks.fill(session))
    session.execute(update(SearchRow).where(SearchRow.customer_id == customer.id).values(account_no="别的"))
    session.commit()
    assert call(core, capsys, "--dry-run") == (1, {"ok": False, "wrong": 1, "mended": 0})
    assert call(core, capsys) == (0, {"ok": True, "wrong": 1, "mended": 1})
    assert call(core, capsys, "--dry-run") == (0, {"ok": True, "wrong": 0, "mended": 0})


def test_looking_only_keeps_nobody_from_writing(core, session, capsys, monkeypatch):
    def look(looking):
        looking.execute(text("select 1"))
        with core.extensions["sqlalchemy"].engine.begin() as other:
            other.execute(text("update customers set name = name"))
        yield []

    monkeypatch.setattr(search_checks, "differences", look)
    assert call(core, capsys, "--dry-run")[0] == 0
