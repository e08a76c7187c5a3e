"""The interface words of states and other closed lists, as `glossary.md` gives them: code -> Chinese source string."""

from __future__ import annotations

from models.said import N_ as N_
from models.said import Said as Said

UNIT_KINDS = {
    "province": N_("省公司"),
    "bureau": N_("供电局"),
    "county_bureau": N_("区县局"),
    "supply_station": N_("供电所"),
    "team": N_("班组"),
}

CONTACT_STATES = {
    "proposed": N_("待审核"),
    "current": N_("现用"),
    "superseded": N_("历史"),
    "refused": N_("已驳回"),
    "withdrawn": N_("已撤回"),
    "stopped": N_("停用"),
}

INTERVAL_METHODS = {"wilson": N_("威尔逊"), "exact": N_("克洛珀—皮尔逊")}  # what a sample may choose

INTERVALS = {**INTERVAL_METHODS, "hypergeometric": N_("超几何"), "census": N_("普查")}

VERDICTS = {
    "valid": N_("有效"),
    "repairable": N_("可规范"),
    "suspect": N_("存疑"),
    "invalid": N_("无效"),
    "missing": N_("缺失"),
}

SOURCES = {
    "import": N_("系统导入"),
    "cleanup": N_("数据规范"),
    "returned_form": N_("回函"),
    "visit": N_("走访"),
    "hotline": N_("热线"),
    "counter": N_("柜台"),
    "self_service": N_("客户自助"),
    "third_party": N_("第三方批量更新"),
    "undo": N_("批次撤销"),
    "audit": N_("抽样核查"),
    "merge": N_("合并客户"),
}

CONFIRMATION_METHODS = {
    "one_time_code": N_("短信验证码"),
    "call": N_("通话核实"),
    "visit": N_("面见"),
    "signed_form": N_("回函"),
    "undelivered": N_("退信"),
    "message": N_("消息发送失败"),
}

CONFIRMATION_RESULTS = {"confirmed": N_("已核实"), "refuted": N_("核实有误"), "withdrawn": N_("核实已撤回")}

PURPOSES = {
    "outage": N_("停电"),
    "billing": N_("账务"),
    "business": N_("业务"),
    "legal": N_("法人"),
    "emergency": N_("应急"),
}

RELATIONS = {
    "self": N_("本人"),
    "family": N_("家属"),
    "tenant": N_("租户"),
    "property_manager": N_("物业/管理处"),
    "handler": N_("经办人"),
    "committee": N_("村(居)委会"),
}

CHANNELS = {
    "sms": N_("短信"),
    "wechat": N_("微信"),
    "call": N_("电话"),
    "letter": N_("信函"),
    "email": N_("电子邮件"),
    "paper_bill": N_("纸质账单"),
}

MISSED_POLICIES = {"skip": N_("不补跑"), "once": N_("补跑一次")}

SLOT_STATES = {
    "started": N_("已发起"),
    "caught_up": N_("已补跑"),
    "missed": N_("错过"),
    "refused": N_("没有发起"),
}

MESSAGE_CHANNELS = {"sms": N_("短信"), "email": N_("电子邮件")}

MESSAGE_STATES = {
    "sending": N_("发送中"),
    "sent": N_("已发送"),
    "failed": N_("发送失败"),
    "unknown": N_("结果待确认"),
    "suppressed": N_("未发送"),
}

SUPPRESSIONS = {
    "no_value": N_("没有可用的号码或邮箱"),
    "same_value": N_("同一号码或邮箱已发过一条"),
    "opted_out": N_("已退订"),
    "recent": N_("近期已联系"),
    "closed": N_("已销户"),
    "legal_hold": N_("司法或投诉处理中"),
    "changed": N_("计划之后号码、邮箱或意愿有变"),
}

COHORTS = {"new": N_("新装客户"), "existing": N_("存量客户"), "all": N_("全部客户")}

CAMPAIGN_STATES = {
    "draft": N_("筹备"),
    "running": N_("进行中"),
    "closed": N_("已结束"),
    "cancelled": N_("已取消"),
}

LETTER_STATES = {
    "composed": N_("已生成"),
    "printed": N_("已打印"),
    "posted": N_("已交寄"),
    "answered": N_("已回函"),
    "undelivered": N_("已退信"),
    "silent": N_("未回复"),
    "spoiled": N_("已作废"),
    "reprinted": N_("已补打"),
}

OUTCOMES = {
    "confirmed": N_("确认无变化"),
    "changed": N_("已变更"),
    "undelivered": N_("退信"),
    "refused": N_("拒绝"),
    "visited": N_("走访完成"),
    "not_reached": N_("未联系上"),
    "silent": N_("未回复"),
    "withdrawn": N_("中止"),
    "excluded": N_("剔除"),
}

VISIT_STATES = {
    "open": N_("待分派"),
    "assigned": N_("已分派"),
    "accepted": N_("已签收"),
    "done": N_("已完成"),
    "not_met": N_("未遇"),
    "given_back": N_("已退回"),
    "cancelled": N_("已取消"),
}

VISIT_ORIGINS = {
    "undelivered": N_("退信"),
    "silent": N_("未回复"),
    "invalid_contact": N_("号码失效"),
    "by_hand": N_("人工安排"),
}

PRINT_RUN_STATES = {
    "composed": N_("已生成"),
    "printing": N_("打印中"),
    "printed": N_("已打印"),
    "posted": N_("已交寄"),
    "spoiled": N_("已作废"),
}

TRIAL_STATES = {"running": N_("正在推算"), "done": N_("已完成"), "failed": N_("失败")}

RUN_STATES = {
    "running": N_("进行中"),
    "waiting": N_("等待中"),
    "paused": N_("已暂停"),
    "parked": N_("已搁置"),
    "done": N_("已完成"),
    "partly_failed": N_("部分失败"),
    "failed": N_("失败"),
    "cancelled": N_("已取消"),
}

STEP_STATES = {
    "ready": N_("待执行"),
    "leased": N_("执行中"),
    "waiting": N_("等待中"),
    "done": N_("已完成"),
    "failed": N_("失败"),
    "dead": N_("已终止"),
    "unknown": N_("结果待确认"),
    "skipped": N_("已跳过"),
    "cancelled": N_("已取消"),
}

NODE_KINDS = {
    "step": N_("步骤"),
    "branch": N_("条件分支"),
    "wait": N_("等待"),
    "person": N_("人工处理"),
    "each": N_("逐项处理"),
    "parallel": N_("并行"),
}

TASK_STATES = {
    "open": N_("待办"),
    "sent_back": N_("已退回前面环节"),
    "done": N_("已办"),
    "cancelled": N_("已取消"),
    "timed_out": N_("已超时"),
}

NOTICE_STATES = {
    "draft": N_("拟稿"),
    "reviewing": N_("审核中"),
    "approved": N_("已批准"),
    "signed": N_("已签发"),
    "issued": N_("已印发"),
    "acknowledged": N_("已签收"),
    "rebutted": N_("有异议"),
    "amended": N_("已更正"),
    "void": N_("已作废"),
}

NOTICE_KINDS = {"bulletin": N_("考核通报"), "assessment_notice": N_("考核通知单")}

COMPETITION_STATES = {
    "draft": N_("筹备"),
    "open": N_("进行中"),
    "counting": N_("统计中"),
    "frozen": N_("已定榜"),
    "publicity": N_("公示中"),
    "final": N_("已公布"),
}

IMPORT_STATES = {
    "uploaded": N_("待对应"),
    "queued": N_("排队中"),
    "running": N_("进行中"),
    "done": N_("已完成"),
    "failed": N_("失败"),
    "undoing": N_("撤销中"),
    "undone": N_("已撤销"),
}

IMPORT_MODES = {"insert": N_("新增"), "update": N_("更新"), "fill": N_("补缺")}

IMPORT_OUTCOMES = {
    "created": N_("新建"),
    "updated": N_("已更新"),
    "unchanged": N_("无变化"),
    "proposed": N_("待审核"),
    "rejected": N_("拒收"),
}

IMPORT_REASONS = {
    "no_account": N_("没有户号，不知道是哪一户。请补上户号后再导入。"),
    "unknown_unit": N_("供电单位不认识，或不在您的管辖范围内。请改成本系统里的单位编码或名称后再导入。"),
    "unreadable_columns": N_("这一行的列数与标题行不一致，分不清哪一格是哪一项。请对齐后再导入。"),
    "unreadable_account": N_(
        "户号读不出来：被电子表格改成科学计数丢了末几位，或超过 40 位。请改正后再导入。"
    ),
    "contradiction": N_(
        "同一户号前面已有一行，而户名、地址等只能有一个的项目说法不同；已采用前一行。请核对后改正。"
    ),
}

UNDO_OUTCOMES = {"restored": N_("已恢复"), "removed": N_("已移除"), "kept": N_("保留")}

UNDO_REASONS = {
    "changed_since": N_("导入后又有新的变更，现用值已不是这一批导入的，保留现状。"),
    "facts_changed": N_("导入后客户档案又被修改，保留现状。"),
    "customer_in_use": N_("这一批新建的客户已有函件、走访、核实等后续记录，保留客户和它的联系信息。"),
}

USAGE_CLASSES = {
    "large_industrial": N_("大工业"),
    "general_commercial": N_("一般工商业"),
    "residential": N_("居民生活"),
    "agricultural": N_("农业生产"),
}

CUSTOMER_CLASSES = {
    "high_voltage": N_("高压"),
    "low_voltage_business": N_("低压非居民"),
    "low_voltage_residential": N_("低压居民"),
}

SENSITIVITIES = {"normal": N_("一般"), "attention": N_("重点关注"), "high": N_("高敏")}

TERRITORY_KINDS = {"meter_book": N_("抄表册"), "transformer_area": N_("台区"), "unit": N_("单位")}

DAY_KINDS = {"holiday": N_("节假日"), "workday": N_("调休工作日")}

STANDING_BOARDS = {"unit": N_("单位榜"), "person": N_("个人榜")}
