"""A definition made for an older version of a step: what was changed stays, new defaults come, what is gone is said."""

from __future__ import annotations

from typing import Any

import pytest
from factories import make_staff
from sqlalchemy.orm import Session

from services import workflow_drafts, workflows
from services.workflows import Definition
from workflows import STEPS
from workflows import workflow_drafts as drafts
from workflows.option_upgrades import upgraded
from workflows.options import with_values
from workflows.steps import Effects, Options, Planned, StepKind, asked
from workflows.tree_changes import new_node


class Second(Options):
    """The options of the second version: `most` was `limit`, `mode` is gone, the default of `days` is 14 (was 7)."""

    most: int = asked("最多", 100)
    days: int = asked("天数", 14)
    note: str = asked("备注", "")


def second(options: dict[str, Any], version: int) -> dict[str, Any]:
    assert version == 1
    return {"most" if name == "limit" else name: value for name, value in options.items()}


@pytest.fixture(autouse=True)
def step(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = StepKind("挑选", lambda *_: Planned(), lambda *_: Effects(), Second, version=2, upgrade=second)
    monkeypatch.setitem(STEPS, "pick", kind)


OLD = [
    {"id": "a", "step": "pick", "options": {"limit": 9, "mode": "fast", "note": "保留"}},
    {
        "id": "b",
        "branch": {"field": "letters_open", "op": "gt", "value": 0},
        "yes": [{"id": "c", "step": "pick"}],
    },
]


def test_what_was_changed_stays_and_what_is_gone_is_said() -> None:
    found = upgraded(OLD)
    assert found.tree[0] == {
        "id": "a",
        "step": "pick",
        "options_version": 2,
        "options": {"most": 9, "note": "保留"},
    }
    assert found.tree[1]["yes"] == [{"id": "c", "step": "pick", "options_version": 2}]
    assert [str(note) for note in found.notes] == [
        "「挑选」的选项已按新版本更新",
        "「挑选」的选项「mode」（原为 fast）在新版本里没有了，已去掉",
        "「挑选」的选项已按新版本更新",
    ]
    assert "options_version" not in OLD[0]


def test_what_is_up_to_date_stays_as_it_is() -> None:
    tree = upgraded(OLD).tree
    assert upgraded(tree) == upgraded(tree) and upgraded(tree).tree == tree and upgraded(tree).notes == ()


def test_a_new_default_reaches_whoever_kept_the_old_one() -> None:
    settled = with_values(OLD, {})
    assert settled[0]["options"] == {"most": 9, "days": 14, "note": "保留"}


def test_a_new_node_has_the_version_of_today() -> None:
    assert new_node([], "pick") == {"id": "pick", "step": "pick", "options_version": 2}


def test_opening_an_older_definition_upgrades_it_as_a_step_of_its_own(session: Session) -> None:
    workflow = workflows.publish(session, Definition("old", "旧的", "", "rules.edit", OLD, ""), None)
    draft, notes = drafts.open_draft(session, workflow, make_staff(session, "administrator"))
    assert len(notes) == 3 and draft.tree[0]["options"] == {"most": 9, "note": "保留"}
    workflow_drafts.undo(session, draft, revision=draft.revision)
    assert draft.tree == OLD
