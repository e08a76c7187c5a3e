"""Texts of options with results put in: `{freeze.recipients}` becomes what the node `freeze` counted."""

from __future__ import annotations

import re
from typing import Any

from workflows.steps import Facts

NAMED = re.compile(r"\{([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)\}")


def filled(text: str, facts: Facts) -> str:
    """A text with results put in; what no node has made is left empty, and what is put in is not read again."""
    return NAMED.sub(lambda found: _written(facts.get(found[1], {}).get(found[2])), text)


def _written(value: Any) -> str:
    return "" if value is None else str(value)[:200]
