"""The words of tasks: what is done with one, as its history tells it."""

from __future__ import annotations

from models.said import N_

TASK_ACTS = {
    "claimed": N_("认领"),
    "given_back": N_("退还"),
    "handed_over": N_("转办"),
    "signer_before": N_("请人先看"),
    "signer_after": N_("请人再审"),
    "signed": N_("会签意见"),
    "decided": N_("办结"),
    "sent_back": N_("退回前面环节"),
    "reopened": N_("重新办理"),
    "reassigned": N_("改派"),
    "reminded": N_("系统提醒"),
    "timed_out": N_("到期自动处理"),
    "withdrawn": N_("撤回"),
}
