"""Person nodes in words: who does a task, with which choices, until when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from screens.node_words import begun, choice_word, listed, person_name, role_word
from screens.permissions import permission_word
from workflows.task_units import IN_UNIT
from workflows.walk import Node, Tree

TO_WORDS = {"owner": _l("流程实例的负责人"), "starter": _l("发起人"), "manager": _l("客户的客户经理")}
RULE_WORDS = {"all": _l("都要同意"), "majority": _l("过半数决定")}


def person_text(tree: Tree, node: Node) -> str:
    """Who does a task, with which choices, until when."""
    person = node["person"]
    if person.get("to", "role") != "role":
        parts = [_to_text(person)]
    elif person.get("role"):
        parts = [_role_text(person)]
    else:
        parts = [_("由有“%(permission)s”权限的人办理", permission=permission_word(person["permission"]))]
    parts.append(
        _("意见：%(choices)s", choices=" / ".join(_(choice["label"]) for choice in person["choices"]))
    )
    if person.get("rule", "any") != "any":
        parts.append(str(RULE_WORDS[person["rule"]]))
    if person.get("due_days") is not None:
        parts.append(_("%(days)s 个工作日内办理", days=person["due_days"]))
    if person.get("due_hours") is not None:
        parts.append(_("%(hours)s 小时内办理", hours=person["due_hours"]))
    if person.get("fields"):
        asked = _("、").join(_(row["label"]) for row in person["fields"])
        parts.append(_("要填写：%(fields)s", fields=asked))
    if person.get("on_timeout"):
        parts.append(_("逾期按“%(choice)s”处理", choice=choice_word(tree, node["id"], person["on_timeout"])))
    others = [person_name(tree, name) for name in person.get("not_by", ())]
    if others:
        parts.append(_("不能和这些环节是同一个人：%(others)s", others=_("、").join(others)))
    return begun(_("；").join(parts))


def _role_text(person: Mapping[str, Any]) -> str:
    unit, role = str(person.get("unit", "run")), role_word(person["role"])
    if not unit.startswith(IN_UNIT):
        return _("由“%(role)s”办理", role=role)
    return _("由%(unit)s的“%(role)s”办理", unit=listed("units", unit.removeprefix(IN_UNIT)), role=role)


def _to_text(person: Mapping[str, Any]) -> str:
    if person["to"] == "staff":
        return _("由指定的 %(number)s 人办理", number=len(person.get("staff", ())))
    return _("由%(who)s办理", who=TO_WORDS[person["to"]])
