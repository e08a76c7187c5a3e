"""The permissions in words: subjects and what may be done with them, as the roles page shows them."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

VERBS = {
    "view": _l("查看"),
    "reveal": _l("看明文"),
    "edit": _l("维护"),
    "start": _l("启动"),
    "run": _l("执行"),
    "key": _l("登记"),
    "lead": _l("裁定"),
    "assign": _l("分派"),
    "review": _l("审核"),
    "approve": _l("批准"),
    "sign": _l("签发"),
    "issue": _l("印发"),
    "publish": _l("发布"),
    "acknowledge": _l("签收"),
    "undo": _l("撤销"),
    "export": _l("导出打印"),
}

# subject: its word, and the verbs that mean something there
SUBJECTS = {
    "customers": (_l("用电客户"), "view reveal edit export"),
    "contacts": (_l("联系信息"), "view edit"),
    "shared_numbers": (_l("一号多户"), "view edit"),
    "duplicates": (_l("重复客户"), "view edit approve"),
    "proposals": (_l("变更申请"), "view approve"),
    "imports": (_l("导入批次"), "view run undo"),
    "batch_changes": (_l("批量变更"), "view run approve undo"),
    "rules": (_l("规则"), "view edit"),
    "campaigns": (_l("核对活动"), "view edit start approve"),
    "letters": (_l("函件"), "view edit run export"),
    "returns": (_l("回函"), "view key lead"),
    "undelivered": (_l("退信"), "view key"),
    "scans": (_l("扫描批次"), "view run"),
    "visits": (_l("走访"), "view edit key assign export"),
    "competitions": (_l("劳动竞赛"), "view edit start run approve"),
    "assessments": (_l("质量评价"), "view run publish"),
    "reports": (_l("质量月报"), "run"),
    "exports": (_l("清单导出"), "run"),
    "issues": (_l("问题清单"), "view edit approve"),
    "samples": (_l("抽样"), "view run"),
    "audits": (_l("抽样核查"), "view key assign review export"),
    "notices": (_l("通报和通知单"), "view edit review approve sign issue acknowledge"),
    "tasks": (_l("待办"), "view edit assign"),
    "workflows": (_l("流程"), "view edit start"),
    "runs": (_l("流程实例"), "view run"),
    "schedules": (_l("定时计划和事件触发"), "view edit"),
    "messages": (_l("消息"), "view edit"),
    "traces": (_l("服务痕迹"), "view export"),
    "units": (_l("单位"), "view edit"),
    "staff": (_l("人员"), "view edit"),
    "roles": (_l("角色"), "view edit"),
    "settings": (_l("参数"), "view edit"),
}

PERMISSIONS = [f"{subject}.{verb}" for subject, (_word, verbs) in SUBJECTS.items() for verb in verbs.split()]


def permission_word(permission: str) -> str:
    """A permission as the roles page calls it."""
    subject, _dot, verb = permission.partition(".")
    words, _verbs = SUBJECTS.get(subject, (subject, ""))
    return f"{words}·{VERBS.get(verb, verb)}"
