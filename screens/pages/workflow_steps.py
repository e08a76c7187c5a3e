"""The pages of steps (步骤说明), made from their models: what each does, its options with limits, its results."""

from __future__ import annotations

from flask import abort
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from screens.base import Page
from screens.design_views import offers
from screens.option_lists import OfferedLists
from services.options import offering, questions_of
from workflows import STEPS
from workflows.kinds import NODE_KINDS
from workflows.palette import help_of
from workflows.steps import Options


class WorkflowSteps(Page):
    """All kinds of nodes and steps by purpose; one with its options and results."""

    permission = "workflows.view"
    label, group = _l("步骤说明"), "workflows"
    in_menu = False

    @expose("/")
    def index(self) -> str:
        """Everything that a workflow can be made of."""
        return self.render("screens/workflow_steps.html", offers=offers())

    @expose("/<key>")
    def show(self, key: str) -> str:
        """One step or kind of node."""
        model = _model(key) or abort(404)
        kind, lists = STEPS.get(key), OfferedLists()
        asked = [offering(question, lists) for question in questions_of(model, {})]
        shown = [one for one in asked if one.kind != "hidden"]
        results = {name: _(label) for name, label in kind.results.items()} if kind is not None else {}
        title = next(one["label"] for group in offers() for one in group["offers"] if one["key"] == key)
        text = help_of(key)
        return self.render(
            "screens/workflow_step.html", key=key, title=title, text=text, questions=shown, results=results
        )


def _model(key: str) -> type[Options] | None:
    kind = STEPS.get(key)
    return kind.options if kind is not None else NODE_KINDS.get(key)
