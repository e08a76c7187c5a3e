"""What the designer offers: kinds of nodes and steps grouped by purpose, each with a sentence of what it does.

A step that is not named here stands among the other steps, without a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from models.words import N_, NODE_KINDS
from workflows import STEPS

OTHER = N_("其他步骤")
CONTROL = N_("流程控制")
KIND_HELP = {
    "branch": N_("按条件走“是”或“否”一支。"),
    "wait": N_("等几天，等到某一天，或等到条件满足。"),
    "person": N_("交给人办理或审核，办完才往下走。"),
    "each": N_("对名单里的每一项，把里面的步骤各做一遍。"),
    "parallel": N_("几条支路同时进行，全部结束后继续。"),
}
STEP_GROUPS: dict[str, tuple[str, Mapping[str, str]]] = {
    "campaigns": (
        N_("核对活动"),
        {
            "select_customers": N_("按条件选出要核对的客户，开始一次核对活动。不寄信，只列名单。"),
            "exclude": N_("冻结名单前，把近期联系过、已退订等客户从名单上剔除。"),
            "sample": N_("冻结名单前，只留随机抽中的一部分客户。"),
            "freeze_recipients": N_("逐户核对名单，剔除不能寄的，然后冻结：以后名单不再变。"),
            "print_letters": N_("为名单上的每一户生成核对函，排成可以打印的批次。"),
            "print_reminders": N_("给交寄多日还没有回复的客户再打印一封函。"),
            "post_letters": N_("登记打印好的函件已经交寄，并算出等待回函的最后一天。"),
            "mark_silent": N_("到期仍没有回复的函件登记为未回复。"),
            "close_campaign": N_("结束核对活动，让每一户都有一个结果。"),
        },
    ),
    "messages": (
        N_("消息"),
        {
            "send_sms": N_("给名单上的客户发短信；退订的、号码不可用的不发，记下原因。"),
            "send_email": N_("给名单上的客户发邮件。"),
            "remind": N_("催还没有回复的客户，先短信后邮件，用第一个能送到的。"),
            "tell_changes": N_("联系信息变更后，新旧号码各告知一次。"),
        },
    ),
    "visits": (
        N_("走访"),
        {
            "make_visits": N_("为退信和未回复的客户生成走访任务。"),
            "collect_failures": N_("把联系不上的客户汇集成走访任务，不需要先有核对活动。"),
            "assign_visits": N_("按责任区和每人的能力把走访任务分给人。"),
            "print_walk_lists": N_("为每位走访人打印走访清单。"),
            "close_visits": N_("取消还没有做完的走访任务。"),
        },
    ),
    "quality": (
        N_("质量评价"),
        {
            "assess": N_("按规则评价一个月的联系信息质量并留存结果。"),
            "publish_assessment": N_("发布质量评价的结果，附上可以重算的材料。"),
            "check_publications": N_("核对已经发布的结果有没有被改动。"),
            "follow_issues": N_("按最近一次评价更新问题清单：新增、重复发生、已整改。"),
            "make_quality_report": N_("生成质量月报。"),
        },
    ),
    "notices": (
        N_("通报和通知单"),
        {
            "compose_notices": N_("按评价结果拟出考核通报和各单位的通知单。"),
            "advance_notices": N_("把文稿的审核、批准、签发登记到文稿上。"),
            "issue_notices": N_("编文号、生成正式文件并印发到各单位。"),
            "void_notices": N_("把没有通过的文稿作废，文号保留。"),
            "remind_receipts": N_("催促还没有签收的单位。"),
        },
    ),
    "competitions": (
        N_("劳动竞赛"),
        {
            "open_competition": N_("开始一场劳动竞赛。"),
            "count_competition": N_("统计竞赛的得分。"),
            "freeze_standings": N_("定榜：名次存档，附指纹。"),
            "publish_standings": N_("公示名次，算出公示期的最后一天。"),
            "finish_competition": N_("公示期满，公布竞赛结果。"),
        },
    ),
    "data": (
        N_("数据处理"),
        {
            "open_scans": N_("指定一个要读取的扫描批次，后面的步骤分几路读它。"),
            "read_scans": N_("逐面读取打开的扫描批次中自己的一份，认出函件、勾选和手写。"),
            "collect_scans": N_("把监视文件夹里的扫描文件收成扫描批次。"),
            "import_file": N_("把一个导入批次的客户文件写进客户资料。"),
            "count_shared": N_("清点登记在多户名下的号码。"),
            "restate_shared": N_("号码登记在多户后，重新写明相关值的判定。"),
            "recount_reach": N_("核对每位客户现在有哪些可达渠道。"),
            "match_customers": N_("整理查找重复客户要比对的内容。"),
            "find_duplicates": N_("找出可能是同一户的成对客户，等人认定。"),
            "try_import": N_("试算一个导入批次会带来什么，不改动客户资料。"),
            "propose_cleanups": N_("为一个导入批次提出数据规范的变更申请，等人审核。"),
            "settle_proposals": N_("以流程负责人的名义成批办理变更申请。"),
            "change_in_batch": N_("继续进行一批变更：试算、提交、生效或撤销。"),
            "undo_import": N_("撤销一个导入批次，恢复被覆盖的值。"),
            "preview_judging": N_("预演按现行规则重新判定会改变什么。"),
            "judge_again": N_("按现行规则重新判定联系信息。"),
            "count_again": N_("重新统计各单位的数字。"),
            "try_workflow": N_("在真实资料上推算一个流程会做什么，不改动任何资料。"),
            "check_counts": N_("核对统计数字和明细是否一致。"),
            "check_letters": N_("把函件从头数一遍，与各活动的平衡表核对。"),
            "check_sheets": N_("核对每一个扫描面是否都有着落。"),
        },
    ),
    "others": (
        N_("对外和记录"),
        {
            "export_file": N_("把活动名单导出成带水印的文件，放进待发目录。"),
            "call_web_address": N_("调用系统管理员允许的网址，带上流程的结果。"),
            "start_workflow": N_("以流程负责人的名义发起另一个流程。"),
            "note": N_("在流程的记录里写一条说明，可以带上前面的结果。"),
        },
    ),
}


@dataclass(frozen=True)
class Offer:
    """One thing to insert: `key` is a kind of node or a step."""

    key: str
    label: str
    help: str


@dataclass(frozen=True)
class Group:
    """Offers of one purpose."""

    label: str
    offers: tuple[Offer, ...]


def palette() -> Iterator[Group]:
    """Everything that can be inserted, by purpose."""
    yield Group(CONTROL, tuple(Offer(key, NODE_KINDS[key], text) for key, text in KIND_HELP.items()))
    grouped: set[str] = set()
    for label, texts in STEP_GROUPS.values():
        yield Group(label, tuple(Offer(key, STEPS[key].label, texts[key]) for key in texts if key in STEPS))
        grouped |= texts.keys()
    rest = tuple(Offer(key, kind.label, "") for key, kind in STEPS.items() if key not in grouped)
    if rest:
        yield Group(OTHER, rest)


def help_of(key: str) -> str:
    """What a step or a kind of node does, in a sentence."""
    return next(
        (texts[key] for _label, texts in STEP_GROUPS.values() if key in texts), KIND_HELP.get(key, "")
    )
