"""Every reason that judging gives, a page each: what is wrong, what to do, and cells from the field as examples."""

from __future__ import annotations

from typing import Any

from flask import abort
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from quality import RULES
from quality.examples import examples, rule_of
from quality.reasons import REASONS, REASONS_BY_RULE
from screens.base import Page


class JudgingReasons(Page):
    """The words with which a value is found good or wanting, by rule."""

    permission = "contacts.view"
    label, group = _l("判定说明"), "rules"

    @expose("/")
    def index(self) -> Any:
        """All reasons under the rule that gives them."""
        rules = [(RULES[key].label, reasons) for key, reasons in REASONS_BY_RULE.items()]
        return self.render("screens/judging_reasons.html", rules=rules)

    @expose("/<code>")
    def one(self, code: str) -> Any:
        """One reason with its examples, judged as the page is opened."""
        if code not in REASONS:
            abort(404)
        return self.render(
            "screens/judging_reason.html",
            code=code,
            reasons=REASONS,
            rule=RULES[rule_of(code)].label,
            examples=examples(code),
        )
