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

COUNT_SET_STATES = {
    "planned": N_("未开始"),
    "building": N_("进行中"),
    "current": N_("在用"),
    "replaced": N_("已更替"),
    "given_up": N_("已放弃"),
}

COUNT_SET_REASONS = {"judged": N_("重新判定"), "recounted": N_("重新统计")}

PRINT_RUN_STATES = {
    "composed": N_("已生成"),
    "printing": N_("打印中"),
    "printed": N_("已打印"),
    "posted": N_("已交寄"),
    "spoiled": N_("已作废"),
}

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
}

TASK_STATES = {"open": N_("待办"), "done": N_("已办"), "cancelled": N_("已取消"), "timed_out": N_("已超时")}

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

BATCH_CHANGE_KINDS = {
    "cleanup": N_("数据规范"),
    "number_upgrade": N_("电话升位"),
    "door_plate_change": N_("门牌变更"),
    "village_rename": N_("村居更名"),
    "postcode_list": N_("邮编对照"),
}

BATCH_CHANGE_STATES = {
    "planning": N_("试算中"),
    "planned": N_("已试算"),
    "submitting": N_("提交中"),
    "waiting": N_("待审核"),
    "applying": N_("生效中"),
    "applied": N_("已生效"),
    "undoing": N_("撤销中"),
    "undone": N_("已撤销"),
    "dropped": N_("已放弃"),
}

CHANGE_LINE_STATES = {
    "planned": N_("待提交"),
    "left": N_("不变更"),
    "conflict": N_("冲突"),
    "waiting": N_("待审核"),
    "approved": N_("已通过"),
    "refusing": N_("驳回中"),
    "applied": N_("已生效"),
    "refused": N_("已驳回"),
    "gone": N_("没有生效"),
    "restored": N_("已恢复"),
    "kept": N_("保留"),
}

CHANGE_CONFLICTS = {
    "entered_after": N_("这个值是生效日期之后录入的，不改动。"),
    "several_candidates": N_("有几个可能的新值，不能确定用哪一个，请人工核对。"),
    "confirmed_since": N_("这个值在生效日期之后核实过，不改动。"),
    "other_proposal": N_("这个值已有别的变更申请在等审核，请先处理那一条。"),
    "not_believable": N_("换算出来的新值不合格，请核对依据。"),
    "already_there": N_("新值已经登记在这一户，只需停用旧值。"),
    "changed_since": N_("试算之后这个值又有变化，保留现状。"),
}

MEASURES = {
    "completeness": N_("完整率"),
    "validity": N_("有效率"),
    "timeliness": N_("及时率"),
    "accuracy": N_("准确率"),
}

ISSUE_STATES = {
    "open": N_("待整改"),
    "fixed": N_("已整改待复核"),
    "cleared": N_("已销号"),
    "waived": N_("免考核"),
    "recurring": N_("重复发生"),
}

ISSUE_FIXES = {
    "supply": N_("补录"),
    "adopt": N_("采用给出的规范写法"),
    "verify": N_("向客户核实"),
    "obtain": N_("向客户重新取得"),
    "confirm": N_("安排核实"),
    "separate": N_("核对是谁的号码；合理的列入允许名单"),
    "compare": N_("与同台区、同抄表册的地址核对"),
}

SEVERITIES = {"high": N_("严重"), "medium": N_("一般"), "low": N_("轻微")}

DIRECTIONS = {"larger": N_("越高越好"), "smaller": N_("越低越好")}

GRADES = {5: N_("五级(优)"), 4: N_("四级(良)"), 3: N_("三级(合格)"), 2: N_("二级(较差)"), 1: N_("一级(差)")}

JUDGED_WITH_CUSTOMER = {"id_number": N_("证件号码")}

ASSESSMENT_STATES = {
    "running": N_("进行中"),
    "done": N_("已完成"),
    "failed": N_("失败"),
    "locked": N_("已锁定"),
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

TIMELINESS_WAYS = {"due": N_("按时录入项/本期到期项"), "recorded": N_("按时录入项/已录的到期项")}

SAMPLE_STATES = {"committed": N_("已承诺"), "drawn": N_("已抽取"), "closed": N_("核查结束")}

SAMPLE_METHODS = {"stratified": N_("分层比例抽样"), "systematic": N_("等距抽样"), "pps": N_("按册不等概率抽样")}

AUDIT_MODES = {"call": N_("致电"), "interview": N_("面访"), "on_site": N_("现场核对")}

AUDIT_VERDICTS = {
    "right": N_("准确"),
    "wrong": N_("不准确"),
    "not_reached": N_("未联系上"),
    "refused": N_("拒绝"),
    "unverifiable": N_("无法核实"),
}

ACCURACY_WAYS = {"item": N_("按项"), "account": N_("按户")}

INSPECTIONS = {"normal": N_("正常检验"), "tightened": N_("加严检验")}

BATCH_AUDIT_STATES = {"open": N_("核查中"), "accepted": N_("已接收"), "returned": N_("已退回")}

SHARED_ROLES = {
    "landlord": N_("房东"),
    "property_manager": N_("物业/管理处"),
    "agent": N_("经办人、中介"),
    "committee": N_("村(居)委会"),
    "company": N_("企业、机构"),
    "family": N_("一家多户"),
    "other": N_("其他"),
}

PAIR_KINDS = {
    "duplicate": N_("重复档案"),
    "same_owner": N_("同一主体"),
    "family": N_("家属"),
    "tenancy": N_("房东与租户"),
    "different": N_("不相干"),
}

MERGE_STATES = {
    "proposed": N_("待审核"),
    "merged": N_("已合并"),
    "refused": N_("已驳回"),
    "unmerged": N_("已撤销合并"),
}
