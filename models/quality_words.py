"""The interface words of quality: rules, issues, samples, audits, batch changes, duplicates (see models/words.py)."""

from __future__ import annotations

from models.said import N_

COUNT_SET_STATES = {
    "planned": N_("未开始"),
    "building": N_("进行中"),
    "current": N_("在用"),
    "replaced": N_("已更替"),
    "given_up": N_("已放弃"),
}

COUNT_SET_REASONS = {"judged": N_("重新判定"), "recounted": N_("重新统计")}

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

INSPECTIONS = {"normal": N_("正常检验"), "tightened": N_("加严检验"), "reduced": N_("放宽检验")}

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
